// Numbers among the options.
#ifndef PENSTOCK_CLIENT_CLI_NUMBER_H_
#define PENSTOCK_CLIENT_CLI_NUMBER_H_

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace penstock::cli {

// What CLI11 calls to read an option: decimal digits, so that the version 0012 is 12 and not
// the octal 10 that CLI11 itself makes of it, of at least `least`. Throws CLI::ValidationError
// for anything else.
std::function<bool(const std::vector<std::string>&)> DecimalNumber(int64_t* to, int64_t least);

// Likewise of versions, from 0 to 2^64-1: one, or as many as there are words.
std::function<bool(const std::vector<std::string>&)> Version(uint64_t* to);
std::function<bool(const std::vector<std::string>&)> Versions(std::vector<uint64_t>* to);

}  // namespace penstock::cli

#endif  // PENSTOCK_CLIENT_CLI_NUMBER_H_
