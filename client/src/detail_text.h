// Writes and reads the details of an error as text. A status carries them in this form, so that a
// printed status is readable.
#ifndef PENSTOCK_CLIENT_SRC_DETAIL_TEXT_H_
#define PENSTOCK_CLIENT_SRC_DETAIL_TEXT_H_

#include <string>
#include <string_view>

namespace penstock::internal::v1 {
class ErrorDetail;
}  // namespace penstock::internal::v1

namespace penstock::internal {

// Returns the details in protobuf's text format, on one line: reason: REASON_SYNTAX retry:
// RETRY_NEVER sqlstate: "42601". Fields without a value are left out, and so are fields that this
// library does not know.
std::string ToText(const v1::ErrorDetail& detail);

// Reads a text that ToText has made. Returns false for any other text.
bool FromText(std::string_view text, v1::ErrorDetail* detail);

}  // namespace penstock::internal

#endif  // PENSTOCK_CLIENT_SRC_DETAIL_TEXT_H_
