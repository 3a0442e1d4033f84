#include "drivers/api/kept_files.h"

#include <sys/stat.h>

#include <algorithm>
#include <utility>

#include "drivers/api/error.h"
#include "fmt/format.h"

namespace penstock::driver {
namespace {

constexpr std::string_view kProblemKind = "files_moved";
constexpr std::string_view kHint =
    "put the files back where they were to resume writes, or restart the daemon to serve the files "
    "that are there now";

}  // namespace

bool Identify(const std::string& path, FileIdentity* identity) {
  struct stat found;
  if (stat(path.c_str(), &found) != 0) return false;
  *identity = {.device = found.st_dev, .inode = found.st_ino};
  return true;
}

void KeptFiles::Keep(std::string_view path) {
  File file{.path = std::string(path), .identity = {}};
  if (!Identify(file.path, &file.identity)) return;
  Forget(path);
  std::lock_guard lock(mutex_);
  files_.push_back(std::move(file));
}

void KeptFiles::Forget(std::string_view path) {
  std::lock_guard lock(mutex_);
  std::erase_if(files_, [&](const File& file) { return file.path == path; });
}

absl::Status KeptFiles::Check() {
  std::lock_guard lock(mutex_);
  for (const File& file : files_) {
    FileIdentity now;
    const bool there = Identify(file.path, &now);
    if (there && now == file.identity) continue;
    moved_ = true;
    const std::string what =
        fmt::format("{} {}", file.path,
                    there ? "is no longer the file that was opened: it was replaced"
                          : "no longer exists: it was removed or renamed");
    problems_->Begin({.kind = std::string(kProblemKind),
                      .text = fmt::format("{}; writes are refused: {}", what, kHint),
                      .refuses = true});
    return MakeErrorWithHint(Reason::kIo, fmt::format("writes are refused, because {}", what),
                             kHint);
  }
  if (moved_.exchange(false)) problems_->End(kProblemKind);
  return absl::OkStatus();
}

absl::Status KeptFiles::CheckAfter() {
  absl::Status status = Check();
  if (status.ok()) return status;
  return MakeErrorWithHint(
      Reason::kCommitOutcomeUnknown,
      "the database's files were removed, renamed or replaced while this was committed",
      "put the files back to keep the change, which is lost otherwise; see /readyz");
}

}  // namespace penstock::driver
