// What differs between two texts.
#ifndef PENSTOCK_CLIENT_CLI_GEN_DIFF_H_
#define PENSTOCK_CLIENT_CLI_GEN_DIFF_H_

#include <string>
#include <string_view>

namespace penstock::cli {

// The lines that only one of them has, in their order: "-" before those of `before`, "+" before
// those of `after`, each group after a line that says where it is: "@@ line 12". Empty for the
// same texts. Texts of thousands of lines that have little in common are told as a whole.
std::string DifferingLines(std::string_view before, std::string_view after);

}  // namespace penstock::cli

#endif  // PENSTOCK_CLIENT_CLI_GEN_DIFF_H_
