#include "drivers/pebble/migrations/row_json.h"

#include <type_traits>
#include <utility>

#include "drivers/api/error.h"
#include "drivers/api/text_forms.h"
#include "fmt/format.h"
#include "nlohmann/json.hpp"
#include "text/utf8.h"

namespace penstock::migrations {
namespace {

using driver::MakeErrorWithHint;
using driver::Reason;
// Its members stay in the order in which they were added.
using Json = nlohmann::ordered_json;

constexpr int64_t kMicrosInSecond = 1'000'000;

std::string TimeText(int64_t micros) {
  int64_t seconds = micros / kMicrosInSecond;
  int64_t rest = micros % kMicrosInSecond;
  if (rest < 0) {
    --seconds;
    rest += kMicrosInSecond;
  }
  return driver::FormatTimestamp(seconds, static_cast<int32_t>(rest * 1000));
}

// Reads a member that is a text or a whole number, which is its 64 bits with or without a sign.
// False: `row` has no such member.
template <typename Type>
bool Get(const Json& row, const char* name, Type* value) {
  constexpr bool kIsText = std::is_same_v<Type, std::string>;
  const auto found = row.find(name);
  if (found == row.end()) return false;
  if (!(kIsText ? found->is_string() : found->is_number_integer())) return false;
  *value = found->get<Type>();
  return true;
}

}  // namespace

std::string ToJson(const HistoryRow& row) {
  const Json json = {{"id", row.id},
                     {"version", row.version},
                     {"name", row.name},
                     {"checksum", row.checksum},
                     {"direction", Name(row.direction)},
                     {"state", Name(row.state)},
                     {"statement", row.statement},
                     {"note", row.note},
                     {"applied_at", TimeText(row.applied_at_us)},
                     {"duration_ms", row.duration_ms}};
  // A file's name may have bytes that are not UTF-8, which JSON has no place for.
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

absl::StatusOr<HistoryRow> RowFromJson(std::string_view text, std::string_view history) {
  // Earlier builds kept such bytes as they are. What cannot be parsed has no members.
  const Json json = Json::parse(ToUtf8(text), nullptr, /*allow_exceptions=*/false);
  HistoryRow row;
  std::string direction;
  std::string state;
  std::string applied_at;
  int64_t seconds = 0;
  int32_t nanos = 0;
  if (Get(json, "id", &row.id) && Get(json, "version", &row.version) &&
      Get(json, "name", &row.name) && Get(json, "checksum", &row.checksum) &&
      Get(json, "direction", &direction) && Get(json, "state", &state) &&
      Get(json, "statement", &row.statement) && Get(json, "note", &row.note) &&
      Get(json, "applied_at", &applied_at) && Get(json, "duration_ms", &row.duration_ms) &&
      driver::ParseTimestamp(applied_at, &seconds, &nanos)) {
    row.applied_at_us = seconds * kMicrosInSecond + nanos / 1000;
    return WithNames(std::move(row), direction, state, history);
  }
  return MakeErrorWithHint(
      Reason::kDataException,
      fmt::format("invalid entry in the migration history {}: {}", history, text.substr(0, 200)),
      "give the history a keyspace of its own, to which nothing else writes (migrations_table)");
}

}  // namespace penstock::migrations
