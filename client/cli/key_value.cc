#include "client/cli/key_value.h"

#include <iterator>
#include <memory>
#include <utility>
#include <vector>

#include "client/cli/arguments.h"
#include "client/cli/formatter.h"
#include "client/cli/utf8.h"
#include "fmt/format.h"

namespace penstock::cli {
namespace {

constexpr std::string_view kHexPrefix = "blob:";

// A key or a value as it is written: itself, or blob: and hexadecimal digits.
absl::StatusOr<std::string> ParseBytes(const std::string& text) {
  if (!text.starts_with(kHexPrefix)) return text;
  const absl::StatusOr<Value> value = ParseArgument(text);
  if (!value.ok()) return value.status();
  return value->text();
}

// Text where it is, for people's sake.
Value Shown(const std::string& bytes) {
  for (std::string_view left = bytes; !left.empty();) {
    const CodePoint point = FirstCodePoint(left);
    if (!point.valid) return Bytes{bytes};
    left.remove_prefix(point.length);
  }
  return bytes;
}

absl::Status Get(const Options& options, const Context& ctx, KeyValue* kv, const std::string& key,
                 Output* out) {
  const absl::StatusOr<std::optional<std::string>> value = kv->Get(ctx, key);
  if (!value.ok()) return value.status();
  if (!value->has_value()) return absl::NotFoundError("the key is not there");
  if (options.format == OutputFormat::kTable) {
    out->buffer()->append((*value)->begin(), (*value)->end());
    out->buffer()->push_back('\n');
  } else {
    const std::unique_ptr<Formatter> formatter = MakeFormatter(options.format, out->buffer());
    formatter->Begin({"key", "value"});
    formatter->Row(std::vector<Value>{Shown(key), Shown(**value)});
    formatter->End();
  }
  return out->Flush();
}

absl::Status Scan(const Options& options, const Context& ctx, KeyValue* kv,
                  const std::string& prefix, Output* out) {
  const absl::StatusOr<std::unique_ptr<Entries>> entries =
      kv->Scan(ctx, {.prefix = prefix,
                     .reverse = options.reverse,
                     .limit = options.limit,
                     .keys_only = options.keys_only});
  if (!entries.ok()) return entries.status();
  const std::unique_ptr<Formatter> formatter = MakeFormatter(options.format, out->buffer());
  options.keys_only ? formatter->Begin({"key"}) : formatter->Begin({"key", "value"});
  while ((*entries)->Next()) {
    std::vector<Value> row = {Shown((*entries)->Key())};
    if (!options.keys_only) row.push_back(Shown((*entries)->Value()));
    formatter->Row(row);
    if (absl::Status written = out->MaybeFlush(); !written.ok()) return written;
  }
  if ((*entries)->Err().ok()) formatter->End();
  const absl::Status written = out->Flush();
  return (*entries)->Err().ok() ? written : (*entries)->Err();
}

}  // namespace

absl::Status CheckKeyValue(const Options& options) {
  const std::vector<std::string>& words = options.args;
  const std::string action = words.empty() ? "" : words.front();
  const size_t given = words.empty() ? 0 : words.size() - 1;
  const auto wants = [&](size_t least, size_t most, std::string_view usage) {
    if (given >= least && given <= most) return absl::OkStatus();
    return absl::InvalidArgumentError(fmt::format("write: penstock kv {}", usage));
  };
  absl::Status status;
  if (action == "get") {
    status = wants(1, 1, "get KEY");
  } else if (action == "put") {
    status = wants(2, 2, "put KEY VALUE");
  } else if (action == "delete") {
    status = wants(1, 1, "delete KEY");
  } else if (action == "scan") {
    status = wants(0, 1, "scan [PREFIX]");
  } else {
    return absl::InvalidArgumentError("kv is followed by get, put, delete or scan");
  }
  for (size_t i = 1; status.ok() && i <= given; ++i) status = ParseBytes(words[i]).status();
  return status;
}

absl::Status RunKeyValue(const Options& options, const Context& ctx, Provider* db, std::istream* in,
                         Output* out) {
  const std::string& action = options.args.front();
  const std::unique_ptr<KeyValue> kv = db->KeyValue(options.keyspace);
  const absl::StatusOr<std::string> key =
      options.args.size() > 1 ? ParseBytes(options.args[1]) : std::string();
  if (!key.ok()) return key.status();
  if (action == "get") return Get(options, ctx, kv.get(), *key, out);
  if (action == "delete") return kv->Delete(ctx, *key);
  if (action == "scan") return Scan(options, ctx, kv.get(), *key, out);
  absl::StatusOr<std::string> value = ParseBytes(options.args[2]);
  if (!value.ok()) return value.status();
  if (options.args[2] == "-") value->assign(std::istreambuf_iterator<char>(*in), {});
  return kv->Put(ctx, *key, *value);
}

}  // namespace penstock::cli
