// Reads text that may not be UTF-8. Overlong forms, surrogates and values above U+10FFFF are not.
#ifndef PENSTOCK_TEXT_UTF8_H_
#define PENSTOCK_TEXT_UTF8_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace penstock {

// The result of decoding one code point.
struct CodePoint {
  uint32_t value;
  // The number of bytes it takes; never 0.
  size_t length;
  // False if the byte does not begin a well-formed sequence; `value` is then that byte and `length`
  // is 1.
  bool valid;
};

// Decodes the code point at the beginning of `text`, which must not be empty.
CodePoint FirstCodePoint(std::string_view text);

// Returns the position of the first byte that is not UTF-8, or npos.
size_t FindInvalidUtf8(std::string_view text);

// Tells whether the whole text is UTF-8.
inline bool IsUtf8(std::string_view text) {
  return FindInvalidUtf8(text) == std::string_view::npos;
}

// Returns the text with U+FFFD in the place of each byte that is not UTF-8: for names and messages,
// which a backend may have in any encoding, where only UTF-8 can go.
std::string ToUtf8(std::string_view text);

// Tells whether the byte continues a character, so that a text must not be cut in front of it.
constexpr bool IsContinuation(char byte) {
  return (static_cast<unsigned char>(byte) & 0xC0) == 0x80;
}

}  // namespace penstock

#endif  // PENSTOCK_TEXT_UTF8_H_
