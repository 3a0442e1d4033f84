// Separates the options on a command line from the words of a statement, or of a key and its value,
// which must be kept byte for byte.
#ifndef PENSTOCK_CLIENT_CLI_WORDS_H_
#define PENSTOCK_CLIENT_CLI_WORDS_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace CLI {
class App;
}  // namespace CLI

namespace penstock::cli {

// A command line in two parts.
struct PartedWords {
  // The options with their values, the command, and what follows a command that is not in
  // `verbatim`, in the order given. CLI11 parses these.
  std::vector<std::string> options;
  // What follows a command in `verbatim`, without the options in between, and what follows `--`
  // after any command. These are kept byte for byte. CLI11 must not see them, because it would take
  // "[a,b]" for a list and "++" for an end.
  std::vector<std::string> words;
};

// Separates the arguments that follow the program's name. `app` tells the options and which of them
// have a value. An option is one or two dashes and a letter; "-5", "-.5", "-" and "-- a comment"
// are words. `verbatim` names the commands whose words are kept. INVALID_ARGUMENT for `--option=`
// without a value, because CLI11 would take the next word for the value.
absl::StatusOr<PartedWords> PartWords(const CLI::App& app, const std::vector<std::string>& verbatim,
                                      const std::vector<std::string>& arguments);

}  // namespace penstock::cli

#endif  // PENSTOCK_CLIENT_CLI_WORDS_H_
