#include "client/cli/encode.h"

#include <cstdint>
#include <iterator>

#include "absl/strings/escaping.h"
#include "fmt/format.h"
#include "text/string_views.h"
#include "text/utf8.h"

namespace penstock::cli {
namespace {

bool IsControl(uint32_t c) { return c < 0x20 || (c >= 0x7F && c < 0xA0); }

// These start a new line or change the direction of the text that follows.
bool ChangesLayout(uint32_t c) {
  return c == 0x061C || c == 0x200E || c == 0x200F || (c >= 0x2028 && c <= 0x202E) ||
         (c >= 0x2066 && c <= 0x2069);
}

// Returns the letter after the backslash, or 0 if there is no short form.
char ShortEscape(uint32_t c) {
  switch (c) {
    case '\0': return '0';
    case '\t': return 't';
    case '\n': return 'n';
    case '\r': return 'r';
    case '\\': return '\\';
    default: return 0;
  }
}

char ShortJsonEscape(uint32_t c) {
  switch (c) {
    case '\b': return 'b';
    case '\f': return 'f';
    case '"': return '"';
    case '\0': return 0;
    default: return ShortEscape(c);
  }
}

}  // namespace

void AppendPrintable(std::string_view text, std::string* out) {
  while (!text.empty()) {
    const CodePoint next = FirstCodePoint(text);
    if (!next.valid) {
      fmt::format_to(std::back_inserter(*out), "\\x{:02x}", next.value);
    } else if (const char letter = ShortEscape(next.value)) {
      out->append({'\\', letter});
    } else if (IsControl(next.value) || ChangesLayout(next.value)) {
      fmt::format_to(std::back_inserter(*out), "\\u{{{:x}}}", next.value);
    } else {
      out->append(text.substr(0, next.length));
    }
    text.remove_prefix(next.length);
  }
}

std::string Printable(std::string_view text) {
  std::string printable;
  AppendPrintable(text, &printable);
  return printable;
}

void AppendHex(std::string_view bytes, std::string* out) {
  out->append("\\x").append(absl::BytesToHexString(ToAbsl(bytes)));
}

void AppendBase64(std::string_view bytes, std::string* out) {
  out->append(absl::Base64Escape(ToAbsl(bytes)));
}

void AppendJsonString(std::string_view text, std::string* out) {
  out->push_back('"');
  while (!text.empty()) {
    const CodePoint next = FirstCodePoint(text);
    if (!next.valid) {
      out->append("\uFFFD");
    } else if (const char letter = ShortJsonEscape(next.value)) {
      out->append({'\\', letter});
    } else if (IsControl(next.value)) {
      fmt::format_to(std::back_inserter(*out), "\\u{:04x}", next.value);
    } else {
      out->append(text.substr(0, next.length));
    }
    text.remove_prefix(next.length);
  }
  out->push_back('"');
}

void AppendCsvField(std::string_view text, bool quoted, std::string* out) {
  constexpr std::string_view kSpace = " \t\v\f";
  const bool padded = !text.empty() && (kSpace.find(text.front()) != std::string_view::npos ||
                                        kSpace.find(text.back()) != std::string_view::npos);
  if (!quoted && !padded && text.find_first_of("\",\r\n") == std::string_view::npos) {
    out->append(text);
    return;
  }
  out->push_back('"');
  for (const char c : text) {
    if (c == '"') out->push_back('"');
    out->push_back(c);
  }
  out->push_back('"');
}

}  // namespace penstock::cli
