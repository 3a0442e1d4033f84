// Encodings that the output formats need. Each appends to `out`.
#ifndef PENSTOCK_CLIENT_CLI_ENCODE_H_
#define PENSTOCK_CLIENT_CLI_ENCODE_H_

#include <string>
#include <string_view>

namespace penstock::cli {

// Text as a terminal may show it: what could move the cursor or turn the
// reading direction is spelled out (\n, \t, \r, \0, \u{1b}), a byte that is not
// UTF-8 becomes \xHH, and a backslash is doubled, so that nothing is ambiguous.
void AppendPrintable(std::string_view text, std::string* out);

// \x and two lower-case digits a byte.
void AppendHex(std::string_view bytes, std::string* out);

// RFC 4648 with padding.
void AppendBase64(std::string_view bytes, std::string* out);

// A JSON string with its quotes. Bytes that are not UTF-8, which JSON cannot
// hold, become U+FFFD.
void AppendJsonString(std::string_view text, std::string* out);

// An RFC 4180 field: in quotes where it has to be, which is where it has a comma, a quote,
// an end of line, or space at one of its ends that readers cut off; and where `quoted` says
// so.
void AppendCsvField(std::string_view text, bool quoted, std::string* out);

}  // namespace penstock::cli

#endif  // PENSTOCK_CLIENT_CLI_ENCODE_H_
