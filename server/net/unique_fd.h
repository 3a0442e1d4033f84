// A file descriptor with one owner.
#ifndef PENSTOCK_SERVER_NET_UNIQUE_FD_H_
#define PENSTOCK_SERVER_NET_UNIQUE_FD_H_

#include <unistd.h>

#include <utility>

namespace penstock::server {

// Closes its descriptor when destroyed; -1 if it has none.
class UniqueFd {
 public:
  explicit UniqueFd(int fd = -1) : fd_(fd) {}
  ~UniqueFd() { Reset(); }
  UniqueFd(UniqueFd&& other) noexcept : fd_(other.Release()) {}
  UniqueFd& operator=(UniqueFd&& other) noexcept {
    if (this != &other) {
      Reset();
      fd_ = other.Release();
    }
    return *this;
  }

  int get() const { return fd_; }
  explicit operator bool() const { return fd_ >= 0; }
  // The caller owns the descriptor from now on.
  int Release() { return std::exchange(fd_, -1); }
  void Reset() {
    if (fd_ >= 0) close(Release());
  }

 private:
  int fd_;
};

}  // namespace penstock::server

#endif  // PENSTOCK_SERVER_NET_UNIQUE_FD_H_
