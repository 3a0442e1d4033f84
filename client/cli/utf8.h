// Decodes UTF-8 that may be malformed.
#ifndef PENSTOCK_CLIENT_CLI_UTF8_H_
#define PENSTOCK_CLIENT_CLI_UTF8_H_

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace penstock::cli {

// The result of decoding one code point.
struct CodePoint {
  uint32_t value;
  // The number of bytes it takes; never 0.
  size_t length;
  // False if the byte does not begin a well-formed sequence; `value` is then that byte and `length`
  // is 1.
  bool valid;
};

// Decodes the code point at the beginning of `text`, which must not be empty. Overlong forms,
// surrogates and values above U+10FFFF are not valid.
CodePoint FirstCodePoint(std::string_view text);

}  // namespace penstock::cli

#endif  // PENSTOCK_CLIENT_CLI_UTF8_H_
