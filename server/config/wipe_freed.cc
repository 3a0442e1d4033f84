// The program's `delete` is this one, in libraries too. It costs a look at a variable of the
// thread.
#include "server/config/wipe_freed.h"

#include <malloc.h>
#include <string.h>

#include <cstddef>
#include <cstdlib>
#include <new>

namespace {

constinit thread_local int wiping = 0;

}  // namespace

namespace penstock::server {

WipeFreed::WipeFreed() { ++wiping; }
WipeFreed::~WipeFreed() { --wiping; }

}  // namespace penstock::server

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)

namespace {

void Free(void* block) {
  if (wiping > 0 && block != nullptr) explicit_bzero(block, malloc_usable_size(block));
  std::free(block);
}

}  // namespace

// `new` stays as it is: it takes from malloc, whosever that is.
// NOLINTBEGIN(misc-new-delete-overloads)
void operator delete(void* block) noexcept { Free(block); }
void operator delete(void* block, std::size_t) noexcept { Free(block); }
void operator delete[](void* block) noexcept { Free(block); }
void operator delete[](void* block, std::size_t) noexcept { Free(block); }
// NOLINTEND(misc-new-delete-overloads)

#endif
