// The names of the kinds of values. Drivers and client have an enumeration each, because neither
// knows the other and the client's is public; both have the wire's numbers, and the names are here.
#ifndef PENSTOCK_TEXT_KIND_NAMES_H_
#define PENSTOCK_TEXT_KIND_NAMES_H_

#include <cstddef>
#include <iterator>
#include <string_view>

namespace penstock {

// The names by the numbers of penstock.v1.Kind: those of the fields of penstock.v1.Value.
inline constexpr std::string_view kKindNames[] = {
    "null",      "boolean", "integer", "real",     "text", "blob", "decimal",
    "timestamp", "date",    "time",    "interval", "uuid", "json", "array"};

// Returns the name of the kind that has this number; "unknown" if there is none.
constexpr std::string_view NameOfKind(size_t number) {
  return number < std::size(kKindNames) ? kKindNames[number] : "unknown";
}

}  // namespace penstock

#endif  // PENSTOCK_TEXT_KIND_NAMES_H_
