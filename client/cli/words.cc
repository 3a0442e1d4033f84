#include "client/cli/words.h"

#include <algorithm>
#include <string_view>

#include "CLI/App.hpp"
#include "absl/strings/ascii.h"
#include "fmt/format.h"

namespace penstock::cli {
namespace {

bool IsOption(std::string_view word) {
  const size_t dashes = word.starts_with("--") ? 2 : 1;
  return word.starts_with('-') && word.size() > dashes &&
         absl::ascii_isalpha(static_cast<unsigned char>(word[dashes]));
}

// Returns true if the next word is the value of this option.
bool WantsNext(const CLI::App& app, const CLI::App* command, const std::string& option) {
  const bool is_long = option.starts_with("--");
  const std::string name = is_long ? option : option.substr(0, 2);
  if (is_long ? name.find('=') != std::string::npos : option.size() > 2) return false;
  const CLI::Option* found =
      command != nullptr ? command->get_option_no_throw(name) : static_cast<CLI::Option*>(nullptr);
  if (found == nullptr) found = app.get_option_no_throw(name);
  return found != nullptr && found->get_items_expected_min() > 0;
}

const CLI::App* FindCommand(const CLI::App& app, const std::string& name) {
  const std::vector<const CLI::App*> commands =
      app.get_subcommands([&name](const CLI::App* each) { return each->get_name() == name; });
  return commands.empty() ? nullptr : commands.front();
}

}  // namespace

absl::StatusOr<PartedWords> PartWords(const CLI::App& app, const std::vector<std::string>& verbatim,
                                      const std::vector<std::string>& arguments) {
  PartedWords parted;
  const CLI::App* command = nullptr;
  bool keep = false;
  for (auto word = arguments.begin(); word != arguments.end(); ++word) {
    if (*word == "--") {
      parted.words.insert(parted.words.end(), word + 1, arguments.end());
      break;
    }
    if (IsOption(*word)) {
      if (word->starts_with("--") && word->find('=') == word->size() - 1) {
        return absl::InvalidArgumentError(fmt::format("{} has no value", *word));
      }
      parted.options.push_back(*word);
      const bool with_value = WantsNext(app, command, *word) && word + 1 != arguments.end();
      if (with_value) parted.options.push_back(*++word);
    } else if (keep) {
      parted.words.push_back(*word);
    } else {
      parted.options.push_back(*word);
      if (command != nullptr) continue;
      command = FindCommand(app, *word);
      keep = std::ranges::find(verbatim, *word) != verbatim.end();
    }
  }
  return parted;
}

}  // namespace penstock::cli
