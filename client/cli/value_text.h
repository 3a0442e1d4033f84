// Converts values to text, in the three forms that the formatters need.
#ifndef PENSTOCK_CLIENT_CLI_VALUE_TEXT_H_
#define PENSTOCK_CLIENT_CLI_VALUE_TEXT_H_

#include <string>

#include "penstock/value.h"

namespace penstock::cli {

// Returns the value's content without quotes or escapes: digits, RFC 3339 (in UTC) for a timestamp,
// \x and hexadecimal digits for a blob, JSON for an array, and nothing for NULL.
std::string PlainText(const Value& value);

// Returns the text for a table's cell: PlainText with control characters escaped, NULL for NULL,
// and quotes around text that would look like NULL.
std::string CellText(const Value& value);

// Appends the value as JSON. Booleans, integers and finite doubles are written as such, arrays as
// arrays. A blob is {"base64": "/w=="} and any other double is {"real": "NaN"}, "Infinity" or
// "-Infinity", which no other value looks like. Everything else is a string.
void AppendJson(const Value& value, std::string* out);

// Returns true if a table aligns the value to the right.
bool IsNumber(const Value& value);

}  // namespace penstock::cli

#endif  // PENSTOCK_CLIENT_CLI_VALUE_TEXT_H_
