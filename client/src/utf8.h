// Checks that text can be sent as a protobuf string.
#ifndef PENSTOCK_CLIENT_SRC_UTF8_H_
#define PENSTOCK_CLIENT_SRC_UTF8_H_

#include <string_view>

namespace penstock::internal {

// Returns true for well-formed UTF-8: no overlong form, no surrogate, nothing above U+10FFFF.
bool IsUtf8(std::string_view text);

}  // namespace penstock::internal

#endif  // PENSTOCK_CLIENT_SRC_UTF8_H_
