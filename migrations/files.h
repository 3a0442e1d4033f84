// The files of a run.
#ifndef PENSTOCK_MIGRATIONS_FILES_H_
#define PENSTOCK_MIGRATIONS_FILES_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace penstock::migrations {

// A file's name, without a folder, and its bytes.
struct File {
  std::string name;
  std::string content;
};

// Files by name, in the order in which they were added. They are in memory as long as they
// are few; a file of the operating system's that has no name, in TMPDIR or /tmp, takes
// what is beyond that, so that a folder may be larger than what the process should use. Where
// no such file can be written, memory takes it after all. Const members are thread-safe.
class Files {
 public:
  // So much is kept in memory.
  static constexpr size_t kInMemory = size_t{8} << 20;

  Files() = default;
  explicit Files(std::vector<File> files, size_t in_memory = kInMemory);
  ~Files();
  Files(const Files&) = delete;
  Files& operator=(const Files&) = delete;

  // Tells whether the content is in memory.
  bool Add(std::string name, std::string content);

  bool empty() const { return entries_.empty(); }
  size_t size() const { return entries_.size(); }
  const std::string& name(size_t index) const { return entries_[index].name; }
  // kIo if the operating system does not give it back.
  absl::StatusOr<std::string> Read(size_t index) const;
  // The bytes of all contents together.
  size_t bytes() const { return bytes_; }

 private:
  struct Entry {
    std::string name;
    std::string content;  // where it is in memory
    int64_t offset = -1;  // where it is not
    size_t size = 0;
  };

  // The offset at which it is written; -1: it could not be.
  int64_t Write(const std::string& content);

  size_t in_memory_ = kInMemory;
  size_t bytes_ = 0;
  std::vector<Entry> entries_;
  int descriptor_ = -1;
  int64_t end_ = 0;
  // It has failed once, and is not tried again.
  bool unwritable_ = false;
};

}  // namespace penstock::migrations

#endif  // PENSTOCK_MIGRATIONS_FILES_H_
