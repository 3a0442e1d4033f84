// Reading UTF-8 that may be broken.
#ifndef PENSTOCK_CLIENT_CLI_UTF8_H_
#define PENSTOCK_CLIENT_CLI_UTF8_H_

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace penstock::cli {

// One step through a text.
struct CodePoint {
  uint32_t value;
  // How many bytes it takes; never 0.
  size_t length;
  // False for a byte that begins no well-formed sequence: `value` is that byte
  // and `length` is 1.
  bool valid;
};

// The code point at the beginning of `text`, which must not be empty. Overlong
// forms, surrogates and what lies above U+10FFFF are not valid.
CodePoint FirstCodePoint(std::string_view text);

}  // namespace penstock::cli

#endif  // PENSTOCK_CLIENT_CLI_UTF8_H_
