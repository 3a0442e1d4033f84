// protobuf's own TextFormat cannot be used: the client's messages have no descriptors.
#include "client/src/detail_text.h"

#include <cstdint>

#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "penstock/internal/v1/error.pb.h"
#include "text/string_views.h"

namespace penstock::internal {
namespace {

using Detail = v1::ErrorDetail;

struct TextField {
  absl::string_view name;
  const std::string& (Detail::*get)() const;
  std::string* (Detail::*mutate)();
};
constexpr TextField kTexts[] = {
    {"sqlstate", &Detail::sqlstate, &Detail::mutable_sqlstate},
    {"constraint", &Detail::constraint, &Detail::mutable_constraint},
    {"schema", &Detail::schema, &Detail::mutable_schema},
    {"table", &Detail::table, &Detail::mutable_table},
    {"column", &Detail::column, &Detail::mutable_column},
    {"hint", &Detail::hint, &Detail::mutable_hint},
    {"detail", &Detail::detail, &Detail::mutable_detail},
};

struct NumberField {
  absl::string_view name;
  int32_t (Detail::*get)() const;
  void (Detail::*set)(int32_t);
};
constexpr NumberField kNumbers[] = {
    {"driver_code", &Detail::driver_code, &Detail::set_driver_code},
    {"position", &Detail::position, &Detail::set_position},
};

// Returns the number of a value that a newer daemon has and this library has no name for.
std::string NameOrNumber(const std::string& name, int number) {
  return name.empty() ? absl::StrCat(number) : name;
}

// Removes the first word and the space after it, and returns the word.
absl::string_view TakeWord(absl::string_view* text) {
  const absl::string_view word = text->substr(0, text->find(' '));
  text->remove_prefix(word.size());
  absl::ConsumePrefix(text, " ");
  return word;
}

// Removes a quoted text and the space after it.
bool TakeQuoted(absl::string_view* text, std::string* value) {
  if (!absl::ConsumePrefix(text, "\"")) return false;
  size_t end = 0;
  while (end < text->size() && (*text)[end] != '"') end += (*text)[end] == '\\' ? 2 : 1;
  if (end >= text->size() || !absl::CUnescape(text->substr(0, end), value)) return false;
  text->remove_prefix(end + 1);
  absl::ConsumePrefix(text, " ");
  return true;
}

bool ParseReason(absl::string_view word, Detail* detail) {
  v1::Reason reason = v1::REASON_UNSPECIFIED;
  int number = 0;
  if (!v1::Reason_Parse(std::string(word), &reason)) {
    if (!absl::SimpleAtoi(word, &number)) return false;
    reason = static_cast<v1::Reason>(number);
  }
  detail->set_reason(reason);
  return true;
}

bool ParseRetry(absl::string_view word, Detail* detail) {
  v1::Retry retry = v1::RETRY_UNSPECIFIED;
  int number = 0;
  if (!v1::Retry_Parse(std::string(word), &retry)) {
    if (!absl::SimpleAtoi(word, &number)) return false;
    retry = static_cast<v1::Retry>(number);
  }
  detail->set_retry(retry);
  return true;
}

bool TakeValue(absl::string_view name, absl::string_view* text, Detail* detail) {
  if (name == "reason") return ParseReason(TakeWord(text), detail);
  if (name == "retry") return ParseRetry(TakeWord(text), detail);
  for (const TextField& field : kTexts) {
    if (field.name == name) return TakeQuoted(text, (detail->*field.mutate)());
  }
  for (const NumberField& field : kNumbers) {
    int32_t number = 0;
    if (field.name != name) continue;
    if (!absl::SimpleAtoi(TakeWord(text), &number)) return false;
    (detail->*field.set)(number);
    return true;
  }
  return false;
}

}  // namespace

std::string ToText(const Detail& detail) {
  std::string text;
  const auto add = [&text](absl::string_view name, absl::string_view value) {
    absl::StrAppend(&text, text.empty() ? "" : " ", name, ": ", value);
  };
  if (detail.reason() != v1::REASON_UNSPECIFIED) {
    add("reason", NameOrNumber(v1::Reason_Name(detail.reason()), detail.reason()));
  }
  if (detail.retry() != v1::RETRY_UNSPECIFIED) {
    add("retry", NameOrNumber(v1::Retry_Name(detail.retry()), detail.retry()));
  }
  for (const TextField& field : kTexts) {
    const std::string& value = (detail.*field.get)();
    if (!value.empty()) add(field.name, absl::StrCat("\"", absl::Utf8SafeCEscape(value), "\""));
  }
  for (const NumberField& field : kNumbers) {
    const int32_t value = (detail.*field.get)();
    if (value != 0) add(field.name, absl::StrCat(value));
  }
  return text;
}

bool FromText(std::string_view text, Detail* detail) {
  detail->Clear();
  for (absl::string_view rest = ToAbsl(text); !rest.empty();) {
    absl::string_view name = TakeWord(&rest);
    if (!absl::ConsumeSuffix(&name, ":") || !TakeValue(name, &rest, detail)) return false;
  }
  return true;
}

}  // namespace penstock::internal
