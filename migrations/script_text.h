// The form in which a script is compared with the one that was applied: normal form and checksum.
#ifndef PENSTOCK_MIGRATIONS_SCRIPT_TEXT_H_
#define PENSTOCK_MIGRATIONS_SCRIPT_TEXT_H_

#include <string>
#include <string_view>

namespace penstock::migrations {

// Returns the text without the byte order mark of UTF-8 at its beginning.
std::string_view WithoutByteOrderMark(std::string_view text);

// Returns the text without a byte order mark, and with \n for \r\n and for \r alone: what editors
// and version control change on their own makes no difference. For the checksum only:
// what runs is the file's own text, whose line ends may be in a string.
std::string Normalise(std::string_view text);

// Returns the SHA-256 of the bytes, in hexadecimal: 64 characters.
std::string Checksum(std::string_view text);

// True for nothing but white space. (A script of comments alone is a step that does
// nothing, on purpose.)
bool IsBlank(std::string_view text);

}  // namespace penstock::migrations

#endif  // PENSTOCK_MIGRATIONS_SCRIPT_TEXT_H_
