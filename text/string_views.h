// Debian's Abseil has a string_view of its own. These turn one view into the other; both stand for
// the same bytes.
#ifndef PENSTOCK_TEXT_STRING_VIEWS_H_
#define PENSTOCK_TEXT_STRING_VIEWS_H_

#include <string_view>

#include "absl/strings/string_view.h"

namespace penstock {

// Returns the view that Abseil's functions take.
inline absl::string_view ToAbsl(std::string_view text) { return {text.data(), text.size()}; }

// Returns the view that everything else takes, as of the message of an absl::Status.
inline std::string_view ToStd(absl::string_view text) { return {text.data(), text.size()}; }

}  // namespace penstock

#endif  // PENSTOCK_TEXT_STRING_VIEWS_H_
