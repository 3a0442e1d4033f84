#include "drivers/api/option.h"

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <optional>
#include <system_error>
#include <vector>

#include "drivers/api/error.h"
#include "fmt/format.h"

namespace penstock::driver {
namespace {

// How much of a wrong value an error shows.
constexpr size_t kLongestQuote = 80;

std::optional<bool> ParseSwitch(std::string_view text) {
  if (text == "on" || text == "true" || text == "yes") return true;
  if (text == "off" || text == "false" || text == "no") return false;
  return std::nullopt;
}

std::optional<int64_t> ParseNumber(std::string_view text) {
  int64_t number = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc() || stop != end) return std::nullopt;
  return number;
}

// "a, b and c".
template <typename Words>
std::string List(const Words& words, std::string_view last) {
  std::string list;
  for (size_t i = 0; i < words.size(); ++i) {
    if (i > 0) list += i + 1 < words.size() ? ", " : fmt::format(" {} ", last);
    list += words[i];
  }
  return list;
}

bool Suits(const Option& option, const std::string& value) {
  switch (option.type) {
    case Option::Type::kText: return true;
    case Option::Type::kSwitch: return ParseSwitch(value).has_value();
    case Option::Type::kChoice:
      return std::find(option.words.begin(), option.words.end(), value) != option.words.end();
    case Option::Type::kNumber: break;
  }
  const std::optional<int64_t> number = ParseNumber(value);
  return number.has_value() && *number >= option.min && *number <= option.max;
}

std::string Expected(const Option& option) {
  if (option.type == Option::Type::kSwitch) return "on or off";
  if (option.type == Option::Type::kNumber) {
    return fmt::format("a number from {} to {}", option.min, option.max);
  }
  return (option.words.size() == 1 ? "only " : "") + List(option.words, "or");
}

const Option* Find(std::span<const Option> options, std::string_view name) {
  for (const Option& option : options) {
    if (option.name == name) return &option;
  }
  return nullptr;
}

absl::Status Unknown(std::string_view driver, std::span<const Option> options,
                     std::string_view name) {
  if (options.empty()) {
    return MakeErrorWithHint(Reason::kInvalidParameter,
                             fmt::format("option {}: {} has no options", name, driver),
                             "remove the option");
  }
  std::vector<std::string_view> known;
  for (const Option& option : options) known.push_back(option.name);
  return MakeError(
      Reason::kInvalidParameter,
      fmt::format("option {}: {} has no such option; it has {}", name, driver, List(known, "and")));
}

}  // namespace

absl::Status CheckOption(std::string_view driver, std::span<const Option> options,
                         const std::string& name, const std::string& value) {
  const Option* const option = Find(options, name);
  if (option == nullptr) return Unknown(driver, options, name);
  if (Suits(*option, value)) return absl::OkStatus();
  return MakeErrorWithHint(Reason::kInvalidParameter,
                           fmt::format("option {}: expected {}, not '{}'", name, Expected(*option),
                                       value.substr(0, kLongestQuote)),
                           fmt::format("correct the value; the option sets: {}", option->help));
}

absl::StatusOr<OptionValues> OptionValues::Read(std::string_view driver,
                                                std::span<const Option> options,
                                                const std::map<std::string, std::string>& said) {
  for (const auto& [name, value] : said) {
    absl::Status status = CheckOption(driver, options, name, value);
    if (!status.ok()) return status;
  }
  return OptionValues(options, said);
}

std::string OptionValues::Text(std::string_view name) const {
  const auto found = said_.find(name);
  if (found != said_.end()) return found->second;
  const Option* const option = Find(options_, name);
  return option == nullptr ? std::string() : std::string(option->fallback);
}

int64_t OptionValues::Number(std::string_view name) const {
  return ParseNumber(Text(name)).value_or(0);
}

bool OptionValues::Switch(std::string_view name) const {
  return ParseSwitch(Text(name)).value_or(false);
}

}  // namespace penstock::driver
