#include "drivers/pebble/guarded_files.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <string_view>
#include <utility>
#include <vector>

#include "fmt/format.h"

namespace penstock::pebble {
namespace {

// The lock files of the databases that are open in this process. The system's locks
// exclude other processes only, and RocksDB tells its own apart by their paths, of
// which a file may have several.
class OpenHere {
 public:
  // False: it is there already.
  bool Add(const driver::FileIdentity& lock) {
    std::lock_guard guard(mutex_);
    if (std::find(locks_.begin(), locks_.end(), lock) != locks_.end()) return false;
    locks_.push_back(lock);
    return true;
  }
  bool Has(const driver::FileIdentity& lock) {
    std::lock_guard guard(mutex_);
    return std::find(locks_.begin(), locks_.end(), lock) != locks_.end();
  }
  void Remove(const driver::FileIdentity& lock) {
    std::lock_guard guard(mutex_);
    std::erase(locks_, lock);
  }

  static OpenHere& Get() {
    static auto* const open_here = new OpenHere;
    return *open_here;
  }

 private:
  std::mutex mutex_;
  std::vector<driver::FileIdentity> locks_;
};

// The process that has the file locked; 0: none. Not for a file that this process may
// have locked: closing it would take that lock away.
pid_t LockedBy(const std::string& path) {
  const int file = open(path.c_str(), O_RDWR | O_CLOEXEC);
  if (file < 0) return 0;
  struct flock lock = {};
  lock.l_type = F_WRLCK;
  lock.l_whence = SEEK_SET;
  const bool asked = fcntl(file, F_GETLK, &lock) == 0;
  close(file);
  return asked && lock.l_type != F_UNLCK ? lock.l_pid : 0;
}

// An opened folder that others have, too.
class SharedDirectory final : public rocksdb::FSDirectory {
 public:
  explicit SharedDirectory(std::shared_ptr<rocksdb::FSDirectory> shared)
      : shared_(std::move(shared)) {}

  using IOStatus = rocksdb::IOStatus;
  IOStatus Fsync(const rocksdb::IOOptions& options, rocksdb::IODebugContext* debug) override {
    return shared_->Fsync(options, debug);
  }
  IOStatus FsyncWithDirOptions(const rocksdb::IOOptions& options, rocksdb::IODebugContext* debug,
                               const rocksdb::DirFsyncOptions& what) override {
    return shared_->FsyncWithDirOptions(options, debug, what);
  }
  // The last of them does.
  IOStatus Close(const rocksdb::IOOptions&, rocksdb::IODebugContext*) override {
    return IOStatus::OK();
  }
  size_t GetUniqueId(char* id, size_t max_size) const override {
    return shared_->GetUniqueId(id, max_size);
  }

 private:
  const std::shared_ptr<rocksdb::FSDirectory> shared_;
};

}  // namespace

GuardedFiles::GuardedFiles(driver::ProblemList* problems)
    : FileSystemWrapper(rocksdb::FileSystem::Default()), kept_(problems) {}

GuardedFiles::~GuardedFiles() { Unlocked(); }

std::string GuardedFiles::holder() const {
  std::lock_guard guard(mutex_);
  return holder_;
}

rocksdb::IOStatus GuardedFiles::Guard() const {
  driver::FileIdentity now;
  std::lock_guard guard(mutex_);
  if (lock_path_.empty()) return IOStatus::OK();
  if (driver::Identify(lock_path_, &now) && now == lock_) return IOStatus::OK();
  return IOStatus::IOError("the folder was removed, renamed or replaced", lock_path_);
}

rocksdb::IOStatus GuardedFiles::LockFile(const std::string& path, const IOOptions& options,
                                         rocksdb::FileLock** lock, Debug* debug) {
  driver::FileIdentity identity;
  // Before it is opened a second time, as closing that would unlock the first.
  const bool here = driver::Identify(path, &identity) && OpenHere::Get().Has(identity);
  IOStatus status = here ? IOStatus::IOError("open already in this process", path)
                         : target()->LockFile(path, options, lock, debug);
  std::lock_guard guard(mutex_);
  if (!status.ok()) {
    const pid_t pid = here ? 0 : LockedBy(path);
    holder_ = here ? "in this process" : pid != 0 ? fmt::format("in process {}", pid) : "";
    return status;
  }
  if (!driver::Identify(path, &identity) || !OpenHere::Get().Add(identity)) {
    target()->UnlockFile(*lock, options, debug);
    *lock = nullptr;
    return IOStatus::IOError("the lock file went away while it was locked", path);
  }
  lock_ = identity;
  lock_path_ = path;
  kept_.Keep(path);
  return status;
}

void GuardedFiles::Unlocked() {
  std::lock_guard guard(mutex_);
  if (lock_path_.empty()) return;
  OpenHere::Get().Remove(lock_);
  kept_.Forget(lock_path_);
  lock_path_.clear();
}

rocksdb::IOStatus GuardedFiles::UnlockFile(rocksdb::FileLock* lock, const IOOptions& options,
                                           Debug* debug) {
  IOStatus status = target()->UnlockFile(lock, options, debug);
  Unlocked();
  return status;
}

rocksdb::IOStatus GuardedFiles::NewDirectory(const std::string& path, const IOOptions& options,
                                             std::unique_ptr<rocksdb::FSDirectory>* directory,
                                             Debug* debug) {
  std::lock_guard guard(mutex_);
  if (directory_ == nullptr || path != directory_path_) {
    std::unique_ptr<rocksdb::FSDirectory> opened;
    IOStatus status = target()->NewDirectory(path, options, &opened, debug);
    if (!status.ok()) return status;
    directory_path_ = path;
    directory_ = std::move(opened);
  }
  *directory = std::make_unique<SharedDirectory>(directory_);
  return IOStatus::OK();
}

rocksdb::IOStatus GuardedFiles::NewWritableFile(const std::string& path, const FileOptions& options,
                                                std::unique_ptr<rocksdb::FSWritableFile>* file,
                                                Debug* debug) {
  IOStatus status = Guard();
  if (status.ok()) status = target()->NewWritableFile(path, options, file, debug);
  if (!status.ok() || !path.ends_with(".log")) return status;
  // Every write goes to the newest log.
  std::lock_guard guard(mutex_);
  kept_.Forget(log_path_);
  log_path_ = path;
  kept_.Keep(log_path_);
  return status;
}

rocksdb::IOStatus GuardedFiles::ReopenWritableFile(const std::string& path,
                                                   const FileOptions& options,
                                                   std::unique_ptr<rocksdb::FSWritableFile>* file,
                                                   Debug* debug) {
  IOStatus status = Guard();
  return status.ok() ? target()->ReopenWritableFile(path, options, file, debug) : status;
}

rocksdb::IOStatus GuardedFiles::ReuseWritableFile(const std::string& path,
                                                  const std::string& old_path,
                                                  const FileOptions& options,
                                                  std::unique_ptr<rocksdb::FSWritableFile>* file,
                                                  Debug* debug) {
  IOStatus status = Guard();
  return status.ok() ? target()->ReuseWritableFile(path, old_path, options, file, debug) : status;
}

rocksdb::IOStatus GuardedFiles::NewRandomRWFile(const std::string& path, const FileOptions& options,
                                                std::unique_ptr<rocksdb::FSRandomRWFile>* file,
                                                Debug* debug) {
  IOStatus status = Guard();
  return status.ok() ? target()->NewRandomRWFile(path, options, file, debug) : status;
}

rocksdb::IOStatus GuardedFiles::DeleteFile(const std::string& path, const IOOptions& options,
                                           Debug* debug) {
  IOStatus status = Guard();
  if (!status.ok()) return status;
  kept_.Forget(path);
  return target()->DeleteFile(path, options, debug);
}

rocksdb::IOStatus GuardedFiles::RenameFile(const std::string& from, const std::string& to,
                                           const IOOptions& options, Debug* debug) {
  IOStatus status = Guard();
  return status.ok() ? target()->RenameFile(from, to, options, debug) : status;
}

rocksdb::IOStatus GuardedFiles::LinkFile(const std::string& from, const std::string& to,
                                         const IOOptions& options, Debug* debug) {
  IOStatus status = Guard();
  return status.ok() ? target()->LinkFile(from, to, options, debug) : status;
}

rocksdb::IOStatus GuardedFiles::Truncate(const std::string& path, size_t size,
                                         const IOOptions& options, Debug* debug) {
  IOStatus status = Guard();
  return status.ok() ? target()->Truncate(path, size, options, debug) : status;
}

}  // namespace penstock::pebble
