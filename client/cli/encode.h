// The encodings that the output formats need. Each function appends to `out`.
#ifndef PENSTOCK_CLIENT_CLI_ENCODE_H_
#define PENSTOCK_CLIENT_CLI_ENCODE_H_

#include <string>
#include <string_view>

namespace penstock::cli {

// Appends text that is safe to show on a terminal: characters that could move the cursor or change
// the reading direction are escaped (\n, \t, \r, \0, \u{1b}), a byte that is not UTF-8 becomes
// \xHH, and a backslash is doubled, so that the result is unambiguous.
void AppendPrintable(std::string_view text, std::string* out);
// Returns such a text.
std::string Printable(std::string_view text);

// Appends \x and two lower-case hexadecimal digits for each byte.
void AppendHex(std::string_view bytes, std::string* out);

// Appends base64 as of RFC 4648, with padding.
void AppendBase64(std::string_view bytes, std::string* out);

// Appends a JSON string with its quotes. Bytes that are not UTF-8, which JSON cannot represent,
// become U+FFFD.
void AppendJsonString(std::string_view text, std::string* out);

// Appends an RFC 4180 field. It is quoted if it has a comma, a quote or an end of line, if it
// begins or ends with a space that readers would strip, and if `quoted` is true.
void AppendCsvField(std::string_view text, bool quoted, std::string* out);

}  // namespace penstock::cli

#endif  // PENSTOCK_CLIENT_CLI_ENCODE_H_
