#include "client/cli/number.h"

#include "CLI/Error.hpp"
#include "absl/strings/numbers.h"
#include "fmt/format.h"

namespace penstock::cli {

std::function<bool(const std::vector<std::string>&)> DecimalNumber(int64_t* to, int64_t least) {
  return [to, least](const std::vector<std::string>& words) {
    const std::string& word = words.front();
    const bool digits = !word.empty() && word.find_first_not_of("0123456789") == std::string::npos;
    if (!digits || !absl::SimpleAtoi(word, to) || *to < least) {
      throw CLI::ValidationError(
          fmt::format("\"{}\" is not a number of decimal digits, from {} on", word, least));
    }
    return true;
  };
}

}  // namespace penstock::cli
