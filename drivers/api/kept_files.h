// Files that a driver keeps open, and whether they are still where it found them.
#ifndef PENSTOCK_DRIVERS_API_KEPT_FILES_H_
#define PENSTOCK_DRIVERS_API_KEPT_FILES_H_

#include <sys/types.h>

#include <atomic>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "drivers/api/health.h"

namespace penstock::driver {

// Which file a path leads to: two paths lead to the same one if these are equal.
struct FileIdentity {
  dev_t device = 0;
  ino_t inode = 0;

  bool operator==(const FileIdentity&) const = default;
};

// False: the path leads nowhere that can be looked at.
bool Identify(const std::string& path, FileIdentity* identity);

// Removing, renaming or replacing a file does not disturb who has it open: he goes on
// writing into what nobody finds any more. So a driver that acknowledges what it has
// written looks at the paths:
//
//   absl::Status commit = files.CheckBefore();     // refused; nothing is written
//   if (commit.ok()) commit = <commit>;
//   if (commit.ok()) commit = files.CheckAfter();  // kCommitOutcomeUnknown
//
// A look is one stat a file, which is a good part of a microsecond, so there is one a
// commit: behind it, where it tells what is acknowledged. The one before is made when the
// last look failed; Check, called every second, sees to it that this is soon so.
//
// While a look fails, the driver has the problem "files_moved", which ends when a look
// finds every file again, because it was put back. Thread-safe.
class KeptFiles {
 public:
  // The list outlives this object.
  explicit KeptFiles(ProblemList* problems) : problems_(problems) {}

  // The file at the path is one of those from now on. If there is none, nothing is kept.
  void Keep(std::string_view path);
  // It is not any more, because its owner removes it.
  void Forget(std::string_view path);

  // Looks. OK; or kIo with what has become of the first file that is not in its place.
  absl::Status Check();
  // Likewise, but does not look if all was well the last time.
  absl::Status CheckBefore() { return moved_.load() ? Check() : absl::OkStatus(); }
  // Check for whoever has just committed.
  absl::Status CheckAfter();

 private:
  struct File {
    std::string path;
    FileIdentity identity;
  };

  ProblemList* const problems_;
  std::mutex mutex_;
  std::vector<File> files_;
  // The last look failed.
  std::atomic<bool> moved_{false};
};

}  // namespace penstock::driver

#endif  // PENSTOCK_DRIVERS_API_KEPT_FILES_H_
