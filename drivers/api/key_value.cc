#include "drivers/api/key_value.h"

#include <algorithm>
#include <memory>

#include "drivers/api/error.h"
#include "fmt/format.h"

namespace penstock::driver {
namespace {

bool IsKeyspaceCharacter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
}

Columns MakeColumns(bool with_value) {
  std::vector<Column> columns = {{.name = "key", .kind = Kind::kBlob, .native_type = ""}};
  if (with_value) columns.push_back({.name = "value", .kind = Kind::kBlob, .native_type = ""});
  return std::make_shared<const std::vector<Column>>(std::move(columns));
}

absl::Status CheckMutation(const KeyMutation& mutation) {
  return mutation.kind == KeyMutation::Kind::kDeleteRange ? absl::OkStatus()
                                                          : CheckKey(mutation.key);
}

// The same, with the place of it.
absl::Status InPlace(const absl::Status& status, std::string_view what, size_t index) {
  return status.ok() ? status : Annotate(status, fmt::format("{} {}", what, index + 1));
}

}  // namespace

std::optional<std::string> PrefixEnd(std::string_view prefix) {
  std::string end(prefix);
  while (!end.empty() && end.back() == '\xff') end.pop_back();
  if (end.empty()) return std::nullopt;
  end.back() = static_cast<char>(static_cast<unsigned char>(end.back()) + 1);
  return end;
}

const Columns& KeyValueColumns(const KeyValueRun& run) {
  static const Columns none = std::make_shared<const std::vector<Column>>();
  static const Columns keys = MakeColumns(false);
  static const Columns entries = MakeColumns(true);
  if (!run.reads()) return none;
  return run.keys_only && run.kind == KeyValueRun::Kind::kScan ? keys : entries;
}

absl::Status CheckKeyspace(std::string_view name) {
  const bool good = !name.empty() && name.size() <= kMaxKeyspaceBytes && name.front() >= 'a' &&
                    name.front() <= 'z' &&
                    std::all_of(name.begin(), name.end(), IsKeyspaceCharacter);
  if (good) return absl::OkStatus();
  return MakeErrorWithHint(
      Reason::kInvalidParameter, "invalid keyspace name",
      fmt::format("use a letter from a to z, then up to {} letters, digits and underscores",
                  kMaxKeyspaceBytes - 1));
}

absl::Status CheckKey(std::string_view key) {
  if (key.empty()) return MakeError(Reason::kInvalidParameter, "the key is empty");
  if (key.size() <= kMaxKeyBytes) return absl::OkStatus();
  return MakeError(
      Reason::kInvalidParameter,
      fmt::format("the key exceeds the limit of {} bytes (it has {})", kMaxKeyBytes, key.size()));
}

absl::Status KeysTooLarge(size_t max_bytes) {
  return MakeErrorWithHint(Reason::kLimitExceeded,
                           fmt::format("the values have more than {} bytes in total", max_bytes),
                           "request fewer keys at once, or scan them");
}

absl::Status CheckKeyValue(const KeyValueRun& run) {
  absl::Status status = CheckKeyspace(run.keyspace);
  if (!status.ok()) return status;
  if (run.keys.size() > kMaxGetKeys) {
    return MakeErrorWithHint(
        Reason::kInvalidParameter,
        fmt::format("too many keys requested: {} (the limit is {})", run.keys.size(), kMaxGetKeys),
        "request them in parts, or scan a range");
  }
  for (size_t i = 0; i < run.keys.size(); ++i) {
    status = InPlace(CheckKey(run.keys[i]), "key", i);
    if (!status.ok()) return status;
  }
  for (size_t i = 0; i < run.conditions.size(); ++i) {
    status = InPlace(CheckKey(run.conditions[i].key), "condition", i);
    if (!status.ok()) return status;
  }
  for (size_t i = 0; i < run.mutations.size(); ++i) {
    status = InPlace(CheckMutation(run.mutations[i]), "mutation", i);
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

}  // namespace penstock::driver
