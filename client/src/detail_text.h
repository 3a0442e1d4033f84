// The particulars of a failure as text, which can be read back. They travel in an
// absl::Status that way, so that one that is printed can be read.
#ifndef PENSTOCK_CLIENT_SRC_DETAIL_TEXT_H_
#define PENSTOCK_CLIENT_SRC_DETAIL_TEXT_H_

#include <string>
#include <string_view>

namespace penstock::internal::v1 {
class ErrorDetail;
}  // namespace penstock::internal::v1

namespace penstock::internal {

// In protobuf's text format, in one line: reason: REASON_SYNTAX retry: RETRY_NEVER
// sqlstate: "42601". A field without a value is left out, and so are fields that this
// library does not know.
std::string ToText(const v1::ErrorDetail& detail);

// Reads what ToText makes. False for any other text.
bool FromText(std::string_view text, v1::ErrorDetail* detail);

}  // namespace penstock::internal

#endif  // PENSTOCK_CLIENT_SRC_DETAIL_TEXT_H_
