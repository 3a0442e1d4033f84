#include "tests/differential/expectation.h"

#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdlib>
#include <string>
#include <vector>

#include "fmt/format.h"

namespace penstock::differential {
namespace {

using v1::Value;

double ToReal(const Value& value) {
  switch (value.kind_case()) {
    case Value::kInteger: return static_cast<double>(value.integer());
    case Value::kReal: return value.real();
    case Value::kText: return std::strtod(value.text().c_str(), nullptr);
    default: return std::strtod(value.blob().c_str(), nullptr);
  }
}

int64_t ToInteger(const Value& value) {
  if (value.kind_case() == Value::kInteger) return value.integer();
  if (value.kind_case() != Value::kReal) {
    const std::string& text = value.kind_case() == Value::kText ? value.text() : value.blob();
    return std::strtoll(text.c_str(), nullptr, 10);
  }
  constexpr double kLimit = 9223372036854775808.0;
  if (value.real() >= kLimit) return INT64_MAX;
  return value.real() < -kLimit ? INT64_MIN : static_cast<int64_t>(value.real());
}

std::string ToText(const Value& value) {
  std::string text;
  switch (value.kind_case()) {
    case Value::kInteger: text = fmt::format("{}", value.integer()); break;
    case Value::kReal: text = fmt::format("{:.15g}", value.real()); break;
    case Value::kText: text = value.text(); break;
    default: text = value.blob();
  }
  // A number that is whole is written with a point, as the backend does.
  if (value.kind_case() == Value::kReal && text.find_first_of(".en") == std::string::npos) {
    text += ".0";
  }
  if (text.empty()) return "(empty)";
  for (char& c : text) {
    if (c < ' ' || c > '~') c = '@';
  }
  return text;
}

std::string Format(const Value& value, char type) {
  if (value.kind_case() == Value::kNull) return "NULL";
  switch (type) {
    case 'I': return fmt::format("{}", ToInteger(value));
    case 'R': return fmt::format("{:.3f}", ToReal(value));
    default: return ToText(value);
  }
}

std::string Md5(const std::vector<std::string>& values) {
  std::string text;
  for (const std::string& value : values) text += value + "\n";
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  EVP_Digest(text.data(), text.size(), digest.data(), &size, EVP_md5(), nullptr);
  std::string hex;
  for (unsigned i = 0; i < size; ++i) hex += fmt::format("{:02x}", digest.at(i));
  return hex;
}

std::vector<std::string> Values(const Expectation& expected, const Answer& answer) {
  std::vector<std::vector<std::string>> rows;
  for (const v1::Row& row : answer.rows) {
    std::vector<std::string>& texts = rows.emplace_back();
    for (int i = 0; i < row.values_size(); ++i) {
      texts.push_back(Format(row.values(i), expected.types[static_cast<size_t>(i)]));
    }
  }
  if (expected.sort == Expectation::Sort::kRows) std::sort(rows.begin(), rows.end());
  std::vector<std::string> values;
  for (const std::vector<std::string>& row : rows) {
    values.insert(values.end(), row.begin(), row.end());
  }
  if (expected.sort == Expectation::Sort::kValues) std::sort(values.begin(), values.end());
  return values;
}

}  // namespace

std::optional<bool> Agrees(const Expectation& expected, const Answer& answer) {
  switch (expected.outcome) {
    case Expectation::Outcome::kNone: return std::nullopt;
    case Expectation::Outcome::kSuccess: return !answer.failure.has_value();
    case Expectation::Outcome::kError: return answer.failure.has_value();
    case Expectation::Outcome::kRows: break;
  }
  if (answer.failure.has_value()) return false;
  if (expected.types.size() != answer.columns.size()) return false;
  const std::vector<std::string> values = Values(expected, answer);
  if (expected.lines.size() == 1 &&
      expected.lines[0].find(" values hashing to ") != std::string::npos) {
    return expected.lines[0] == fmt::format("{} values hashing to {}", values.size(), Md5(values));
  }
  return expected.lines == values;
}

}  // namespace penstock::differential
