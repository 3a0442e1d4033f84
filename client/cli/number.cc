#include "client/cli/number.h"

#include "CLI/Error.hpp"
#include "absl/strings/numbers.h"
#include "fmt/format.h"

namespace penstock::cli {
namespace {

template <typename Number>
Number Parse(const std::string& word, Number least) {
  Number number = 0;
  const bool digits = !word.empty() && word.find_first_not_of("0123456789") == std::string::npos;
  if (!digits || !absl::SimpleAtoi(word, &number) || number < least) {
    throw CLI::ValidationError(fmt::format(
        "\"{}\" is not valid; write a number of at least {} in decimal digits", word, least));
  }
  return number;
}

}  // namespace

std::function<bool(const std::vector<std::string>&)> DecimalNumber(int64_t* to, int64_t least) {
  return [to, least](const std::vector<std::string>& words) {
    *to = Parse(words.front(), least);
    return true;
  };
}

std::function<bool(const std::vector<std::string>&)> Version(uint64_t* to) {
  return [to](const std::vector<std::string>& words) {
    *to = Parse<uint64_t>(words.front(), 0);
    return true;
  };
}

std::function<bool(const std::vector<std::string>&)> Versions(std::vector<uint64_t>* to) {
  return [to](const std::vector<std::string>& words) {
    to->clear();
    for (const std::string& word : words) to->push_back(Parse<uint64_t>(word, 0));
    return true;
  };
}

}  // namespace penstock::cli
