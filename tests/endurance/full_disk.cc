// A library for LD_PRELOAD: while the file that PENSTOCK_FULL_DISK names exists, whatever
// writes to a regular file is told that there is no space left. What is written to standard
// output and error is let through: the test reads it.
#include <dlfcn.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

namespace {

bool IsFull(int fd) {
  static const char* const flag = std::getenv("PENSTOCK_FULL_DISK");
  if (flag == nullptr || fd <= STDERR_FILENO) return false;
  const int before = errno;
  struct stat about {};
  const bool full = access(flag, F_OK) == 0 && fstat(fd, &about) == 0 && S_ISREG(about.st_mode);
  errno = full ? ENOSPC : before;
  return full;
}

// The function that this one stands before.
template <typename Function>
Function Next(const char* name) {
  return reinterpret_cast<Function>(dlsym(RTLD_NEXT, name));
}

}  // namespace

extern "C" {

ssize_t write(int fd, const void* bytes, size_t size) {
  static const auto next = Next<decltype(&write)>("write");
  return IsFull(fd) ? -1 : next(fd, bytes, size);
}

ssize_t pwrite(int fd, const void* bytes, size_t size, off_t offset) {
  static const auto next = Next<decltype(&pwrite)>("pwrite");
  return IsFull(fd) ? -1 : next(fd, bytes, size, offset);
}

ssize_t pwrite64(int fd, const void* bytes, size_t size, off64_t offset) {
  static const auto next = Next<decltype(&pwrite64)>("pwrite64");
  return IsFull(fd) ? -1 : next(fd, bytes, size, offset);
}

ssize_t writev(int fd, const iovec* parts, int count) {
  static const auto next = Next<decltype(&writev)>("writev");
  return IsFull(fd) ? -1 : next(fd, parts, count);
}

int fallocate(int fd, int mode, off_t offset, off_t size) {
  static const auto next = Next<decltype(&fallocate)>("fallocate");
  return IsFull(fd) ? -1 : next(fd, mode, offset, size);
}

int posix_fallocate(int fd, off_t offset, off_t size) {
  static const auto next = Next<decltype(&posix_fallocate)>("posix_fallocate");
  return IsFull(fd) ? ENOSPC : next(fd, offset, size);
}
}
