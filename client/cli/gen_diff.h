// Compares two texts by lines.
#ifndef PENSTOCK_CLIENT_CLI_GEN_DIFF_H_
#define PENSTOCK_CLIENT_CLI_GEN_DIFF_H_

#include <string>
#include <string_view>

namespace penstock::cli {

// Returns the lines that only one of the texts has, in order: "-" before lines of `before`, "+"
// before lines of `after`, and before each group a line with its place: "@@ line 12". Empty for
// equal texts. Texts of thousands of lines that have little in common are reported as a whole.
std::string DifferingLines(std::string_view before, std::string_view after);

}  // namespace penstock::cli

#endif  // PENSTOCK_CLIENT_CLI_GEN_DIFF_H_
