// Values as text, in the three forms that the formatters need.
#ifndef PENSTOCK_CLIENT_CLI_VALUE_TEXT_H_
#define PENSTOCK_CLIENT_CLI_VALUE_TEXT_H_

#include <string>

#include "penstock/value.h"

namespace penstock::cli {

// The value's content as it is, without quotes or escapes: digits, RFC 3339 for
// a timestamp (in UTC), \x and hexadecimal digits for a blob, JSON for an
// array, nothing for NULL.
std::string PlainText(const Value& value);

// A table's cell: PlainText with control characters spelled out, NULL for NULL,
// and quotes around a text that would read as NULL.
std::string CellText(const Value& value);

// Appends the value as JSON: booleans, integers and finite doubles as they are, arrays as
// arrays; what no other value looks like, {"base64": "/w=="} for a blob and
// {"real": "NaN"}, "Infinity" or "-Infinity" for other doubles; all else as strings.
void AppendJson(const Value& value, std::string* out);

// Its cell is aligned to the right.
bool IsNumber(const Value& value);

}  // namespace penstock::cli

#endif  // PENSTOCK_CLIENT_CLI_VALUE_TEXT_H_
