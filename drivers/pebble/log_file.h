// RocksDB's own log.
#ifndef PENSTOCK_DRIVERS_PEBBLE_LOG_FILE_H_
#define PENSTOCK_DRIVERS_PEBBLE_LOG_FILE_H_

#include <cstdarg>
#include <cstdio>
#include <memory>
#include <mutex>
#include <string>

#include "rocksdb/env.h"

namespace penstock::pebble {

// Writes what RocksDB has to say to the file LOG in the folder of the database, for
// whoever looks into a fault. At a few MiB it becomes LOG.old, and begins anew. What
// cannot be written is dropped: RocksDB's logger, which this one replaces, ends the
// process with an assertion (as Debian builds it) when it writes to a disk that is
// full. Thread-safe.
class LogFile final : public rocksdb::Logger {
 public:
  // A folder that is not there, or not writable, means no log.
  explicit LogFile(const std::string& folder);
  ~LogFile() override = default;

  using rocksdb::Logger::Logv;
  void Logv(const char* format, va_list arguments) override;

 private:
  struct CloseFile {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };

  void OpenLocked();

  const std::string path_;
  std::mutex mutex_;
  std::unique_ptr<std::FILE, CloseFile> file_;
  size_t written_ = 0;
};

}  // namespace penstock::pebble

#endif  // PENSTOCK_DRIVERS_PEBBLE_LOG_FILE_H_
