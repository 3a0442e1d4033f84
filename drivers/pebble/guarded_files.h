// The file system as RocksDB sees it, with an eye on the folder of the database.
#ifndef PENSTOCK_DRIVERS_PEBBLE_GUARDED_FILES_H_
#define PENSTOCK_DRIVERS_PEBBLE_GUARDED_FILES_H_

#include <memory>
#include <mutex>
#include <string>

#include "absl/status/status.h"
#include "drivers/api/health.h"
#include "drivers/api/kept_files.h"
#include "rocksdb/file_system.h"

namespace penstock::pebble {

// RocksDB names its files by path whenever it makes, removes or renames one. If the
// folder was replaced meanwhile, by a backup that is being restored for example, it
// would write into that, and remove files of it: this class refuses to. It also knows
// the files that say whether the folder is still the one that was opened: LOCK, and the
// log that is being written. Thread-safe.
class GuardedFiles final : public rocksdb::FileSystemWrapper {
 public:
  // The list outlives this object.
  explicit GuardedFiles(driver::ProblemList* problems);
  ~GuardedFiles() override;

  // Whether the files are in their place.
  driver::KeptFiles* kept() { return &kept_; }

  // Who has the database open, after LockFile has failed: "in this process", "in process
  // 1234"; empty: nobody, and LockFile failed for another reason.
  std::string holder() const;

  static const char* kClassName() { return "PenstockGuardedFiles"; }
  const char* Name() const override { return kClassName(); }

  using IOStatus = rocksdb::IOStatus;
  using IOOptions = rocksdb::IOOptions;
  using FileOptions = rocksdb::FileOptions;
  using Debug = rocksdb::IODebugContext;

  IOStatus LockFile(const std::string& path, const IOOptions& options, rocksdb::FileLock** lock,
                    Debug* debug) override;
  IOStatus UnlockFile(rocksdb::FileLock* lock, const IOOptions& options, Debug* debug) override;
  // All ask for the same folder, and share one descriptor of it: RocksDB cannot undo what
  // it has done of a new column family when there is none left.
  IOStatus NewDirectory(const std::string& path, const IOOptions& options,
                        std::unique_ptr<rocksdb::FSDirectory>* directory, Debug* debug) override;
  IOStatus NewWritableFile(const std::string& path, const FileOptions& options,
                           std::unique_ptr<rocksdb::FSWritableFile>* file, Debug* debug) override;
  IOStatus ReopenWritableFile(const std::string& path, const FileOptions& options,
                              std::unique_ptr<rocksdb::FSWritableFile>* file,
                              Debug* debug) override;
  IOStatus ReuseWritableFile(const std::string& path, const std::string& old_path,
                             const FileOptions& options,
                             std::unique_ptr<rocksdb::FSWritableFile>* file, Debug* debug) override;
  IOStatus NewRandomRWFile(const std::string& path, const FileOptions& options,
                           std::unique_ptr<rocksdb::FSRandomRWFile>* file, Debug* debug) override;
  IOStatus DeleteFile(const std::string& path, const IOOptions& options, Debug* debug) override;
  IOStatus RenameFile(const std::string& from, const std::string& to, const IOOptions& options,
                      Debug* debug) override;
  IOStatus LinkFile(const std::string& from, const std::string& to, const IOOptions& options,
                    Debug* debug) override;
  IOStatus Truncate(const std::string& path, size_t size, const IOOptions& options,
                    Debug* debug) override;

 private:
  // OK as long as the folder is the one that was locked, and before it is.
  IOStatus Guard() const;
  void Unlocked();

  driver::KeptFiles kept_;
  mutable std::mutex mutex_;
  // Empty: not locked.
  std::string lock_path_;
  driver::FileIdentity lock_;
  std::string log_path_;
  std::string directory_path_;
  std::shared_ptr<rocksdb::FSDirectory> directory_;
  std::string holder_;
};

}  // namespace penstock::pebble

#endif  // PENSTOCK_DRIVERS_PEBBLE_GUARDED_FILES_H_
