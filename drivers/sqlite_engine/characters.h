// Classes of characters, as SQLite's tokenizer has them.
#ifndef PENSTOCK_DRIVERS_SQLITE_ENGINE_CHARACTERS_H_
#define PENSTOCK_DRIVERS_SQLITE_ENGINE_CHARACTERS_H_

#include "absl/strings/ascii.h"

namespace penstock::sqlite_engine {

// Tells whether the byte may stand in a name that is not quoted. Not all of them begin one.
inline bool IsNameCharacter(char c) {
  return absl::ascii_isalnum(c) || c == '_' || c == '$' || !absl::ascii_isascii(c);
}

}  // namespace penstock::sqlite_engine

#endif  // PENSTOCK_DRIVERS_SQLITE_ENGINE_CHARACTERS_H_
