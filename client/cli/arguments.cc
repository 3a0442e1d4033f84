#include "client/cli/arguments.h"

#include <array>
#include <cstdint>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "fmt/format.h"

namespace penstock::cli {
namespace {

absl::string_view Absl(std::string_view text) { return {text.data(), text.size()}; }

// SimpleAtoi would take "+5" and " 5 " as well; as an argument those are text.
bool ReadsAsInteger(std::string_view text, int64_t* value) {
  const std::string_view digits = text.starts_with('-') ? text.substr(1) : text;
  return !digits.empty() && digits.find_first_not_of("0123456789") == std::string_view::npos &&
         absl::SimpleAtoi(Absl(text), value);
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
  double value = 0;
  if (!absl::SimpleAtod(Absl(text), &value)) return Unsuitable(text, "a number");
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
  return Value(Bytes{absl::HexStringToBytes(Absl(text))});
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
  return ReadsAsInteger(text, &integer) ? Value(integer) : Value(text);
}

absl::StatusOr<std::vector<Value>> ParseArguments(const std::vector<std::string>& texts) {
  std::vector<Value> values;
  for (const std::string& text : texts) {
    absl::StatusOr<Value> value = ParseArgument(text);
    if (!value.ok()) {
      return absl::InvalidArgumentError(fmt::format("parameter ${}: {}", values.size() + 1,
                                                    std::string(value.status().message())));
    }
    values.push_back(*std::move(value));
  }
  return values;
}

}  // namespace penstock::cli
