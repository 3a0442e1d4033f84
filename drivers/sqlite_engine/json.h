// Whether a text is a JSON document.
#ifndef PENSTOCK_DRIVERS_SQLITE_ENGINE_JSON_H_
#define PENSTOCK_DRIVERS_SQLITE_ENGINE_JSON_H_

#include <string_view>

namespace penstock::sqlite_engine {

// RFC 8259, to a depth of 1000. `text` is valid UTF-8.
bool IsJson(std::string_view text);

// Without the white space that JSON allows around a document.
std::string_view TrimJson(std::string_view text);

}  // namespace penstock::sqlite_engine

#endif  // PENSTOCK_DRIVERS_SQLITE_ENGINE_JSON_H_
