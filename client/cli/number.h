// Parses numbers in options.
#ifndef PENSTOCK_CLIENT_CLI_NUMBER_H_
#define PENSTOCK_CLIENT_CLI_NUMBER_H_

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace penstock::cli {

// Returns a function for CLI11 that reads a number in decimal digits. (CLI11 itself would read the
// version 0012 as the octal 10.) The function throws CLI::ValidationError for anything else, and
// for numbers below `least`.
std::function<bool(const std::vector<std::string>&)> DecimalNumber(int64_t* to, int64_t least);

// Do the same for a version from 0 to 2^64-1, and for one or more versions.
std::function<bool(const std::vector<std::string>&)> Version(uint64_t* to);
std::function<bool(const std::vector<std::string>&)> Versions(std::vector<uint64_t>* to);

}  // namespace penstock::cli

#endif  // PENSTOCK_CLIENT_CLI_NUMBER_H_
