// Measures text on a terminal.
#ifndef PENSTOCK_CLIENT_CLI_WIDTH_H_
#define PENSTOCK_CLIENT_CLI_WIDTH_H_

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace penstock::cli {

// Returns how many columns a code point takes: 0 for combining marks and other characters without a
// width of their own, 2 for wide characters of East Asia and most emoji, otherwise 1. Does not
// depend on the locale.
int CodePointWidth(uint32_t code_point);

// Returns how many columns `utf8` takes. A sequence that makes one emoji takes 2, as Unicode
// recommends: joined emoji, skin tones, flags, keycaps, and characters with the emoji variation
// selector. A byte that is not UTF-8 and a control character count 1; escape them first (see
// encode.h).
size_t DisplayWidth(std::string_view utf8);

}  // namespace penstock::cli

#endif  // PENSTOCK_CLIENT_CLI_WIDTH_H_
