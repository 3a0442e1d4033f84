#include "client/cli/value_text.h"

#include <cmath>
#include <string_view>

#include "absl/time/time.h"
#include "client/cli/encode.h"
#include "fmt/format.h"

namespace penstock::cli {
namespace {

// Returns the shortest text that reads back as the same double. It never looks like an integer.
std::string RealText(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value < 0 ? "-Infinity" : "Infinity";
  std::string text = fmt::format("{}", value);
  if (text.find_first_of(".e") == std::string::npos) text += ".0";
  return text;
}

std::string TimestampText(const Timestamp& timestamp) {
  const absl::Time time =
      absl::FromUnixSeconds(timestamp.seconds) + absl::Nanoseconds(timestamp.nanos);
  return absl::FormatTime("%E4Y-%m-%dT%H:%M:%E*SZ", time, absl::UTCTimeZone());
}

// Returns true for NULL, and for NULL in any number of quotes.
bool ReadsAsNull(std::string_view text) {
  while (text.size() >= 2 && text.starts_with('\'') && text.ends_with('\'')) {
    text = text.substr(1, text.size() - 2);
  }
  return text == "NULL";
}

}  // namespace

std::string PlainText(const Value& value) {
  std::string text;
  switch (value.kind()) {
    case Kind::kUnspecified: break;
    case Kind::kBoolean: text = value.boolean() ? "true" : "false"; break;
    case Kind::kInteger: text = std::to_string(value.integer()); break;
    case Kind::kReal: text = RealText(value.real()); break;
    case Kind::kTimestamp: text = TimestampText(value.timestamp()); break;
    case Kind::kBlob: AppendHex(value.text(), &text); break;
    case Kind::kArray: AppendJson(value, &text); break;
    default: text = value.text();
  }
  return text;
}

std::string CellText(const Value& value) {
  if (value.is_null()) return "NULL";
  std::string plain = PlainText(value);
  if (value.kind() == Kind::kBlob) return plain;
  return ReadsAsNull(plain) ? fmt::format("'{}'", plain) : Printable(plain);
}

void AppendJson(const Value& value, std::string* out) {
  switch (value.kind()) {
    case Kind::kUnspecified: out->append("null"); return;
    case Kind::kBoolean:
    case Kind::kInteger: out->append(PlainText(value)); return;
    case Kind::kReal:
      if (std::isfinite(value.real())) {
        out->append(PlainText(value));
      } else {
        out->append("{\"real\": ");
        AppendJsonString(PlainText(value), out);
        out->push_back('}');
      }
      return;
    case Kind::kBlob:
      out->append("{\"base64\": \"");
      AppendBase64(value.text(), out);
      out->append("\"}");
      return;
    case Kind::kArray: {
      std::string_view separator = "[";
      for (const Value& element : value.elements()) {
        out->append(separator);
        AppendJson(element, out);
        separator = ", ";
      }
      out->append(value.elements().empty() ? "[]" : "]");
      return;
    }
    default: AppendJsonString(PlainText(value), out);
  }
}

bool IsNumber(const Value& value) {
  return value.kind() == Kind::kInteger || value.kind() == Kind::kReal ||
         value.kind() == Kind::kDecimal;
}

}  // namespace penstock::cli
