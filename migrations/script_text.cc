#include "migrations/script_text.h"

#include <openssl/sha.h>

#include <algorithm>
#include <cctype>

#include "absl/strings/escaping.h"

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
  std::string digest(SHA256_DIGEST_LENGTH, '\0');
  SHA256(reinterpret_cast<const unsigned char*>(text.data()), text.size(),
         reinterpret_cast<unsigned char*>(digest.data()));
  return absl::BytesToHexString(digest);
}

bool IsBlank(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](unsigned char c) { return std::isspace(c) != 0; });
}

}  // namespace penstock::migrations
