// Finds characters in text that may not be UTF-8.
#ifndef PENSTOCK_SERVER_CONFIG_UTF8_H_
#define PENSTOCK_SERVER_CONFIG_UTF8_H_

#include <cstddef>
#include <string_view>

namespace penstock::server {

// Returns the length in bytes, 1 to 4, of the character at the front of `text`; 0 if it is not
// UTF-8 (overlong forms, surrogates and cut-off ones included) or `text` is empty.
size_t Utf8Length(std::string_view text);

// Returns the position of the first byte that is not UTF-8, or npos.
size_t FindInvalidUtf8(std::string_view text);

}  // namespace penstock::server

#endif  // PENSTOCK_SERVER_CONFIG_UTF8_H_
