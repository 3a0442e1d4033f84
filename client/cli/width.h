// How wide text is on a terminal.
#ifndef PENSTOCK_CLIENT_CLI_WIDTH_H_
#define PENSTOCK_CLIENT_CLI_WIDTH_H_

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace penstock::cli {

// The columns a code point takes: 0 for combining marks and other characters
// without an extent of their own, 2 for the wide ones of East Asia and most
// emoji, else 1. It is the same whatever the locale is.
int CodePointWidth(uint32_t code_point);

// The columns `utf8` takes. A sequence that is one emoji takes 2, as Unicode wants it: joined
// ones, skin tones, flags, keycaps, and what a variation selector makes an emoji. Every byte that
// is not UTF-8 counts 1, and so does every control character: escape them first (see encode.h).
size_t DisplayWidth(std::string_view utf8);

}  // namespace penstock::cli

#endif  // PENSTOCK_CLIENT_CLI_WIDTH_H_
