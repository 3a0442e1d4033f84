// Which words of a command line are options, and which belong to a statement or to a
// key and its value, whose bytes are nobody's business here.
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
  // The options with their values, the command, and what follows a command that has no
  // words of its own, in the order given: for CLI11 to read.
  std::vector<std::string> options;
  // What follows a command of `verbatim`, without the options in between; and, for each
  // command, what stands behind `--`. To the byte as they were given: CLI11 takes
  // "[a,b]" for a list and "++" for an end, and never sees them.
  std::vector<std::string> words;
};

// Parts the arguments that follow the program's name. `app` knows the options and which
// of them have a value. An option is a dash, or two, and a letter: "-5", "-.5", "-" and
// "-- a comment" are words. `verbatim` names the commands whose words are kept.
// INVALID_ARGUMENT for `--option=` with nothing behind it, which CLI11 would take for an
// option whose value is the next word.
absl::StatusOr<PartedWords> PartWords(const CLI::App& app, const std::vector<std::string>& verbatim,
                                      const std::vector<std::string>& arguments);

}  // namespace penstock::cli

#endif  // PENSTOCK_CLIENT_CLI_WORDS_H_
