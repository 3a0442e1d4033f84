// A server in a process of its own, and what it takes of memory and threads.
#ifndef PENSTOCK_TESTS_BENCH_CHILD_H_
#define PENSTOCK_TESTS_BENCH_CHILD_H_

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace grpc {
class Channel;
}

namespace penstock::bench {

// A running child process; destroying it asks it to end (SIGTERM) and waits.
class Child {
 public:
  // Starts `command`, whose first word is the path of the program. What it
  // prints goes to the file `log`. It ends with this process, however that ends.
  static absl::StatusOr<std::unique_ptr<Child>> Start(const std::vector<std::string>& command,
                                                      const std::string& log);
  ~Child();
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  // A new channel to the address where the child listens, or what the child
  // said instead of listening.
  absl::StatusOr<std::shared_ptr<grpc::Channel>> Connect(const std::string& address) const;

  // Resident memory now, in bytes.
  int64_t resident_bytes() const;
  int64_t threads() const;

  // Ends it; an error if it did not exit with 0.
  absl::Status Stop();

 private:
  Child(pid_t pid, std::string log) : pid_(pid), log_(std::move(log)) {}

  pid_t pid_;  // 0: ended
  const std::string log_;
};

}  // namespace penstock::bench

#endif  // PENSTOCK_TESTS_BENCH_CHILD_H_
