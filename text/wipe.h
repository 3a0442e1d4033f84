// Overwrites secrets.
#ifndef PENSTOCK_TEXT_WIPE_H_
#define PENSTOCK_TEXT_WIPE_H_

#include <string.h>

#include <string>

namespace penstock {

// Overwrites the text so that nothing of it, or of a longer one that was there before, stays in its
// memory, and makes it empty. Copies that were made of it before are their owners' to wipe, and so
// is the memory that it had when it was shorter.
inline void Wipe(std::string* text) {
  text->resize(text->capacity());
  explicit_bzero(text->data(), text->size());
  text->clear();
}

}  // namespace penstock

#endif  // PENSTOCK_TEXT_WIPE_H_
