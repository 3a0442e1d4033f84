#include "client/cli/key_value.h"

#include <memory>
#include <utility>
#include <vector>

#include "absl/strings/escaping.h"
#include "client/cli/arguments.h"
#include "client/cli/formatter.h"
#include "client/src/read_file.h"
#include "fmt/format.h"
#include "text/string_views.h"
#include "text/utf8.h"

namespace penstock::cli {
namespace {

constexpr std::string_view kHexPrefix = "blob:";

// Parses a key or a value: the bytes themselves, or blob: and hexadecimal digits.
absl::StatusOr<std::string> ParseBytes(const Options& options, const std::string& text) {
  if (options.raw || !text.starts_with(kHexPrefix)) return text;
  const absl::StatusOr<Value> value = ParseArgument(text);
  if (!value.ok()) return value.status();
  return value->text();
}

bool IsStandardInput(const Options& options, const std::string& word) {
  return !options.raw && word == "-";
}

// Returns a key or a value for output. A table shows text as it is. The other formats, which
// programs read, use a form that ParseBytes converts back to the same bytes, so that different keys
// always look different.
Value Shown(const Options& options, const std::string& bytes) {
  const bool text = IsUtf8(bytes);
  if (options.format == OutputFormat::kTable) return text ? Value(bytes) : Value(Bytes{bytes});
  if (text && !bytes.starts_with(kHexPrefix) && bytes != "-") return bytes;
  return std::string(kHexPrefix) + absl::BytesToHexString(ToAbsl(bytes));
}

absl::Status Get(const Options& options, const Context& ctx, KeyValue* kv, const std::string& key,
                 Output* out) {
  const absl::StatusOr<std::optional<std::string>> value = kv->Get(ctx, key);
  if (!value.ok()) return value.status();
  if (!value->has_value()) return absl::NotFoundError("the key does not exist");
  if (options.format == OutputFormat::kTable) {
    out->buffer()->append((*value)->begin(), (*value)->end());
    if (!options.raw) out->buffer()->push_back('\n');
  } else {
    const std::unique_ptr<Formatter> formatter = MakeFormatter(options, out->buffer());
    formatter->Begin({"key", "value"});
    formatter->Row(std::vector<Value>{Shown(options, key), Shown(options, **value)});
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
  const std::unique_ptr<Formatter> formatter = MakeFormatter(options, out->buffer());
  options.keys_only ? formatter->Begin({"key"}) : formatter->Begin({"key", "value"});
  while ((*entries)->Next()) {
    std::vector<Value> row = {Shown(options, (*entries)->Key())};
    if (!options.keys_only) row.push_back(Shown(options, (*entries)->Value()));
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
    return absl::InvalidArgumentError(fmt::format("usage: penstock kv {}", usage));
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
    return absl::InvalidArgumentError("kv needs one of get, put, delete and scan");
  }
  for (size_t i = 1; status.ok() && i <= given; ++i)
    status = ParseBytes(options, words[i]).status();
  return status;
}

absl::StatusOr<KeyAndValue> ReadKeyAndValue(const Options& options, int in) {
  KeyAndValue given;
  const std::vector<std::string>& words = options.args;
  if (words.size() > 1) {
    absl::StatusOr<std::string> key = ParseBytes(options, words[1]);
    if (!key.ok()) return key.status();
    given.key = *std::move(key);
  }
  if (words.size() > 2) {
    absl::StatusOr<std::string> value = IsStandardInput(options, words[2])
                                            ? internal::ReadAll(in, "standard input")
                                            : ParseBytes(options, words[2]);
    if (!value.ok()) return value.status();
    given.value = *std::move(value);
  }
  return given;
}

absl::Status RunKeyValue(const Options& options, const KeyAndValue& given, const Context& ctx,
                         Provider* db, Output* out) {
  const std::string& action = options.args.front();
  const std::unique_ptr<KeyValue> kv = db->KeyValue(options.keyspace);
  if (action == "get") return Get(options, ctx, kv.get(), given.key, out);
  if (action == "delete") return kv->Delete(ctx, given.key);
  if (action == "scan") return Scan(options, ctx, kv.get(), given.key, out);
  return kv->Put(ctx, given.key, given.value);
}

}  // namespace penstock::cli
