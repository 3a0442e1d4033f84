#include "client/cli/arguments.h"

#include <array>
#include <cmath>
#include <cstdint>
#include <limits>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "fmt/format.h"
#include "text/string_views.h"
#include "text/utf8.h"

namespace penstock::cli {
namespace {

// Accepts only decimal digits with an optional minus. SimpleAtoi alone would accept "+5" and " 5 ".
bool ReadsAsInteger(std::string_view text, int64_t* value) {
  const std::string_view digits = text.starts_with('-') ? text.substr(1) : text;
  return !digits.empty() && digits.find_first_not_of("0123456789") == std::string_view::npos &&
         absl::SimpleAtoi(ToAbsl(text), value);
}

absl::Status Unsuitable(std::string_view text, std::string_view what) {
  return absl::InvalidArgumentError(fmt::format("\"{}\" is not {}", text, what));
}

absl::StatusOr<Value> ParseInteger(std::string_view text) {
  int64_t value = 0;
  if (!ReadsAsInteger(text, &value)) return Unsuitable(text, "a 64-bit integer");
  return Value(value);
}

absl::StatusOr<Value> ParseReal(std::string_view text) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  if (text == "Infinity" || text == "inf") return Value(kInfinity);
  if (text == "-Infinity" || text == "-inf") return Value(-kInfinity);
  if (text == "NaN" || text == "nan") return Value(std::numeric_limits<double>::quiet_NaN());
  double value = 0;
  const bool number = text.find_first_not_of("0123456789+-.eE") == std::string_view::npos &&
                      absl::SimpleAtod(ToAbsl(text), &value);
  if (!number) return Unsuitable(text, "a number");
  const std::string_view mantissa = text.substr(0, text.find_first_of("eE"));
  const bool is_zero = mantissa.find_first_of("123456789") == std::string_view::npos;
  if (std::isinf(value) || (value == 0 && !is_zero)) {
    return Unsuitable(text, "within the range of a double; use decimal: or text: to keep it");
  }
  return Value(value);
}

absl::StatusOr<Value> ParseBoolean(std::string_view text) {
  if (text != "true" && text != "false") return Unsuitable(text, "true or false");
  return Value(text == "true");
}

absl::StatusOr<Value> ParseText(std::string_view text) { return Value(text); }

absl::StatusOr<Value> ParseJson(std::string_view text) { return Value::Json(std::string(text)); }

absl::StatusOr<Value> ParseDecimal(std::string_view text) {
  return Value::Decimal(std::string(text));
}

absl::StatusOr<Value> ParseBlob(std::string_view text) {
  const bool hexadecimal =
      text.size() % 2 == 0 &&
      text.find_first_not_of("0123456789abcdefABCDEF") == std::string_view::npos;
  if (!hexadecimal) return Unsuitable(text, "an even number of hexadecimal digits");
  return Value(Bytes{absl::HexStringToBytes(ToAbsl(text))});
}

absl::StatusOr<Value> ParseNull(std::string_view text) {
  if (!text.empty()) return Unsuitable(text, "NULL: nothing may follow null:");
  return Value();
}

struct Prefix {
  std::string_view text;
  absl::StatusOr<Value> (*parse)(std::string_view rest);
};

constexpr std::array<Prefix, 8> kPrefixes = {{{"int:", ParseInteger},
                                              {"real:", ParseReal},
                                              {"bool:", ParseBoolean},
                                              {"text:", ParseText},
                                              {"json:", ParseJson},
                                              {"decimal:", ParseDecimal},
                                              {"blob:", ParseBlob},
                                              {"null:", ParseNull}}};

}  // namespace

absl::StatusOr<Value> ParseArgument(std::string_view text) {
  for (const auto& [prefix, parse] : kPrefixes) {
    if (text.starts_with(prefix)) return parse(text.substr(prefix.size()));
  }
  int64_t integer = 0;
  const bool same = ReadsAsInteger(text, &integer) && std::to_string(integer) == text;
  return same ? Value(integer) : Value(text);
}

absl::StatusOr<std::vector<Value>> ParseArguments(const std::vector<std::string>& texts) {
  std::vector<Value> values;
  for (const std::string& text : texts) {
    absl::StatusOr<Value> value = ParseArgument(text);
    if (value.ok() && !IsUtf8(text)) {
      value = absl::InvalidArgumentError(
          "it is not valid UTF-8; write bytes as blob: and hexadecimal digits");
    }
    if (!value.ok()) {
      return absl::InvalidArgumentError(fmt::format("parameter ${}: {}", values.size() + 1,
                                                    std::string(value.status().message())));
    }
    values.push_back(*std::move(value));
  }
  return values;
}

}  // namespace penstock::cli
