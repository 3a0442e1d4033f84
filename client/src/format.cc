#include "client/src/format.h"

namespace penstock::internal {

std::string FormatParts(std::string_view pattern, std::span<const FormatPart* const> parts) {
  std::string text;
  for (const FormatPart* part : parts) {
    const std::size_t place = pattern.find("{}");
    text.append(pattern.substr(0, place));
    text.append(part->text());
    pattern.remove_prefix(place + 2);
  }
  text.append(pattern);
  return text;
}

}  // namespace penstock::internal
