#include "migrations/text.h"

#include <openssl/sha.h>

#include <algorithm>
#include <array>
#include <cctype>

namespace penstock::migrations {

std::string_view WithoutByteOrderMark(std::string_view text) {
  constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  return text;
}

std::string Normalise(std::string_view text) {
  text = WithoutByteOrderMark(text);
  std::string normal;
  normal.reserve(text.size());
  while (!text.empty()) {
    const size_t end = std::min(text.find('\r'), text.size());
    normal += text.substr(0, end);
    text.remove_prefix(end);
    if (text.empty()) break;
    text.remove_prefix(1);
    if (!text.starts_with('\n')) normal += '\n';
  }
  return normal;
}

std::string Checksum(std::string_view text) {
  std::array<unsigned char, SHA256_DIGEST_LENGTH> digest{};
  SHA256(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data());
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string hex;
  for (const unsigned char byte : digest) {
    hex += kDigits[byte >> 4];
    hex += kDigits[byte & 15];
  }
  return hex;
}

bool IsBlank(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](unsigned char c) { return std::isspace(c) != 0; });
}

}  // namespace penstock::migrations
