#include "migrations/files.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "drivers/api/error.h"
#include "fmt/format.h"

namespace penstock::migrations {
namespace {

int OpenWithoutName() {
  const char* folder = std::getenv("TMPDIR");
  if (folder == nullptr || *folder == '\0') folder = "/tmp";
  constexpr int kMode = 0600;
  return open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, kMode);
}

}  // namespace

Files::Files(std::vector<File> files, size_t in_memory) : in_memory_(in_memory) {
  for (File& file : files) Add(std::move(file.name), std::move(file.content));
}

Files::~Files() {
  if (descriptor_ >= 0) close(descriptor_);
}

bool Files::Add(std::string name, std::string content) {
  Entry entry{.name = std::move(name), .content = {}, .size = content.size()};
  bytes_ += content.size();
  if (bytes_ > in_memory_) entry.offset = Write(content);
  if (entry.offset < 0) entry.content = std::move(content);
  const bool in_memory = entry.offset < 0;
  entries_.push_back(std::move(entry));
  return in_memory;
}

int64_t Files::Write(const std::string& content) {
  if (!unwritable_ && descriptor_ < 0) descriptor_ = OpenWithoutName();
  for (size_t at = 0; descriptor_ >= 0 && !unwritable_ && at < content.size();) {
    const ssize_t count = pwrite(descriptor_, content.data() + at, content.size() - at,
                                 end_ + static_cast<int64_t>(at));
    if (count > 0) at += static_cast<size_t>(count);
    unwritable_ = count == 0 || (count < 0 && errno != EINTR);
  }
  unwritable_ = unwritable_ || descriptor_ < 0;
  if (unwritable_) return -1;
  return std::exchange(end_, end_ + static_cast<int64_t>(content.size()));
}

absl::StatusOr<std::string> Files::Read(size_t index) const {
  const Entry& entry = entries_[index];
  if (entry.offset < 0) return entry.content;
  std::string content(entry.size, '\0');
  for (size_t at = 0; at < content.size();) {
    const ssize_t count = pread(descriptor_, content.data() + at, content.size() - at,
                                entry.offset + static_cast<int64_t>(at));
    if (count > 0) {
      at += static_cast<size_t>(count);
    } else if (count == 0 || errno != EINTR) {
      return driver::MakeErrorWithHint(
          driver::Reason::kIo,
          fmt::format("{}: cannot read its temporary copy: {}", entry.name,
                      count == 0 ? "the copy is truncated" : std::strerror(errno)),
          "check the disk that holds TMPDIR or /tmp, and migrate again");
    }
  }
  return content;
}

}  // namespace penstock::migrations
