#include "text/utf8.h"

#include <cstring>

namespace penstock {
namespace {

// Returns the length in bytes of the well-formed character at the beginning of `text`, which must
// not be empty; 0 if there is none (table 3-7 of the Unicode standard).
size_t CharacterLength(std::string_view text) {
  const auto byte = [text](size_t i) { return static_cast<uint8_t>(text[i]); };
  const auto continues = [&](size_t i, uint8_t low = 0x80, uint8_t high = 0xBF) {
    return i < text.size() && byte(i) >= low && byte(i) <= high;
  };
  const uint8_t first = byte(0);
  if (first < 0x80) return 1;
  if (first < 0xC2 || first > 0xF4) return 0;
  if (first < 0xE0) return continues(1) ? 2 : 0;
  if (first < 0xF0) {
    const uint8_t low = first == 0xE0 ? 0xA0 : 0x80;
    const uint8_t high = first == 0xED ? 0x9F : 0xBF;
    return continues(1, low, high) && continues(2) ? 3 : 0;
  }
  const uint8_t low = first == 0xF0 ? 0x90 : 0x80;
  const uint8_t high = first == 0xF4 ? 0x8F : 0xBF;
  return continues(1, low, high) && continues(2) && continues(3) ? 4 : 0;
}

}  // namespace

CodePoint FirstCodePoint(std::string_view text) {
  const size_t length = CharacterLength(text);
  uint32_t value = static_cast<unsigned char>(text[0]);
  if (length == 0) return {.value = value, .length = 1, .valid = false};
  // The first of several bytes begins with as many ones as there are bytes, and a zero.
  if (length > 1) value &= 0xFFu >> (length + 1);
  for (const char c : text.substr(1, length - 1)) {
    value = value << 6 | (static_cast<unsigned char>(c) & 0x3Fu);
  }
  return {.value = value, .length = length, .valid = true};
}

size_t FindInvalidUtf8(std::string_view text) {
  for (size_t at = 0; at < text.size();) {
    // Most text is ASCII, so eight characters are checked at once.
    uint64_t eight = 0;
    if (text.size() - at >= sizeof(eight)) {
      std::memcpy(&eight, text.data() + at, sizeof(eight));
      if ((eight & 0x8080808080808080u) == 0) {
        at += sizeof(eight);
        continue;
      }
    }
    const size_t length = CharacterLength(text.substr(at));
    if (length == 0) return at;
    at += length;
  }
  return std::string_view::npos;
}

std::string ToUtf8(std::string_view text) {
  std::string valid;
  for (;;) {
    const size_t invalid = FindInvalidUtf8(text);
    valid += text.substr(0, invalid);
    if (invalid == std::string_view::npos) return valid;
    valid += "\uFFFD";
    text.remove_prefix(invalid + 1);
  }
}

}  // namespace penstock
