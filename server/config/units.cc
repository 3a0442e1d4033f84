#include "server/config/units.h"

#include <array>
#include <charconv>
#include <cstdint>
#include <limits>
#include <optional>

#include "fmt/format.h"
#include "server/config/words.h"

namespace penstock::server {
namespace {

struct Unit {
  std::string_view name;
  uint64_t factor;
};

// The largest unit stands first, so that the first one that divides a value is printed.
constexpr std::array kTimeUnits = {Unit{"h", 3'600'000}, Unit{"m", 60'000}, Unit{"s", 1'000},
                                   Unit{"ms", 1}};
constexpr std::array kSizeUnits = {Unit{"GiB", uint64_t{1} << 30}, Unit{"MiB", uint64_t{1} << 20},
                                   Unit{"KiB", uint64_t{1} << 10}, Unit{"", 1}};

constexpr uint64_t kLongest = uint64_t{10} * 365 * 24 * 3'600'000;

// Takes a whole number off the front of `text`.
std::optional<uint64_t> TakeNumber(std::string_view* text) {
  uint64_t number = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), number);
  if (error != std::errc()) return std::nullopt;
  text->remove_prefix(end - text->data());
  return number;
}

// Takes the text before the next digit off the front of `text`.
std::string_view TakeUnit(std::string_view* text) {
  const std::string_view unit = text->substr(0, text->find_first_of("0123456789"));
  text->remove_prefix(unit.size());
  return unit;
}

template <size_t N>
std::optional<uint64_t> FactorOf(const std::array<Unit, N>& units, std::string_view name) {
  for (const Unit& unit : units) {
    if (unit.name == name) return unit.factor;
  }
  return std::nullopt;
}

template <size_t N>
std::string Print(const std::array<Unit, N>& units, uint64_t value) {
  for (const Unit& unit : units) {
    if (value % unit.factor == 0) return fmt::format("{}{}", value / unit.factor, unit.name);
  }
  return {};
}

absl::Status NotADuration(std::string_view text) {
  return absl::InvalidArgumentError(
      fmt::format("{} is not a duration; write one like 500ms, 10s, 5m or 1h", Quoted(text)));
}

absl::Status NotASize(std::string_view text) {
  return absl::InvalidArgumentError(
      fmt::format("{} is not a size; write one like 4096 (bytes), 256KiB or 64MiB", Quoted(text)));
}

}  // namespace

absl::StatusOr<Milliseconds> ParseDuration(std::string_view text) {
  if (text == "0") return Milliseconds(0);
  if (text.empty()) return NotADuration(text);
  uint64_t total = 0;
  for (std::string_view rest = text; !rest.empty();) {
    const std::optional<uint64_t> number = TakeNumber(&rest);
    if (!number) return NotADuration(text);
    const std::string_view unit = TakeUnit(&rest);
    if (unit.empty()) {
      return absl::InvalidArgumentError(
          fmt::format("{} has no unit; write {}s or {}ms", Quoted(text), *number, *number));
    }
    const std::optional<uint64_t> factor = FactorOf(kTimeUnits, unit);
    if (!factor) return NotADuration(text);
    if (*number > kLongest / *factor || total + *number * *factor > kLongest) {
      return absl::InvalidArgumentError(
          fmt::format("{} is longer than ten years; shorten it", Quoted(text)));
    }
    total += *number * *factor;
  }
  return Milliseconds(total);
}

absl::StatusOr<size_t> ParseSize(std::string_view text) {
  std::string_view rest = text;
  const std::optional<uint64_t> number = TakeNumber(&rest);
  if (!number) return NotASize(text);
  const std::optional<uint64_t> factor = FactorOf(kSizeUnits, rest);
  if (!factor || *number > std::numeric_limits<size_t>::max() / *factor) return NotASize(text);
  return *number * *factor;
}

std::string FormatDuration(Milliseconds duration) {
  return duration.count() == 0 ? "0" : Print(kTimeUnits, duration.count());
}

std::string FormatSize(size_t bytes) { return bytes == 0 ? "0" : Print(kSizeUnits, bytes); }

}  // namespace penstock::server
