// Errors of RocksDB's background work, and the way back from them.
#ifndef PENSTOCK_DRIVERS_PEBBLE_RECOVERY_H_
#define PENSTOCK_DRIVERS_PEBBLE_RECOVERY_H_

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <random>
#include <string>
#include <thread>

#include "drivers/api/health.h"
#include "rocksdb/db.h"
#include "rocksdb/listener.h"

namespace penstock::pebble {

// Tells what can be done about an error.
enum class Remedy : uint8_t {
  // RocksDB compacts again a second later; writes go on meanwhile.
  kCompactAgain,
  // RocksDB takes no writes until DB::Resume succeeds.
  kResume,
  // RocksDB takes no writes until the database is opened anew.
  kReopen,
};

// RocksDB calls every error of a file system that it cannot tell to be passing "fatal",
// and refuses to resume from it, a lack of file descriptors for example. But what was
// acknowledged is in the memtables and tables whatever became of a file that was being
// written, and DB::Resume writes the memtables to new tables and begins a new log and
// manifest. So any error of the file system is one to resume from, as soon as the file
// system works. An error of anything else says that what is in memory, or in tables, is
// not what was written.
Remedy RemedyOf(rocksdb::BackgroundErrorReason reason, const rocksdb::Status& error);

// Told by RocksDB of its errors, it keeps the problems "writes_stopped" and
// "compaction_fails" of the database, and resumes in a thread of its own, after pauses
// that grow from 100 ms to 5 s. Thread-safe.
class Recovery final : public rocksdb::EventListener {
 public:
  // The list outlives this object.
  explicit Recovery(driver::ProblemList* problems) : problems_(problems) {}
  // Stop was called, if Start was.
  ~Recovery() override = default;

  // Begins to recover from errors. The database stays open until Stop.
  void Start(rocksdb::DB* db);
  // Waits for an attempt that is under way.
  void Stop();

  // Errors so far, those of attempts to resume included.
  int64_t errors() const;
  // How often writes were resumed.
  int64_t resumes() const;

  const char* Name() const override { return "PenstockRecovery"; }
  void OnBackgroundError(rocksdb::BackgroundErrorReason reason, rocksdb::Status* error) override;
  // RocksDB's own way out of a full disk, which it does not take from every error of that
  // kind, looks every five seconds.
  void OnErrorRecoveryBegin(rocksdb::BackgroundErrorReason, rocksdb::Status,
                            bool* auto_recovery) override {
    *auto_recovery = false;
  }
  void OnCompactionCompleted(rocksdb::DB* db, const rocksdb::CompactionJobInfo& job) override;

 private:
  using Duration = std::chrono::steady_clock::duration;

  void Main();
  // Until they are resumed, or nothing is to be done any more.
  void ResumeLocked(std::unique_lock<std::mutex>& lock);

  driver::ProblemList* const problems_;
  rocksdb::DB* db_ = nullptr;
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  bool stopping_ = false;
  // Writes have stopped, and may be resumed.
  bool stopped_writes_ = false;
  // They will not be resumed.
  bool beyond_help_ = false;
  bool compaction_fails_ = false;
  int64_t errors_ = 0;
  int64_t resumes_ = 0;
  Duration pause_{};
  std::chrono::steady_clock::time_point resumed_at_;
  std::minstd_rand random_{std::random_device{}()};
  std::thread thread_;
};

}  // namespace penstock::pebble

#endif  // PENSTOCK_DRIVERS_PEBBLE_RECOVERY_H_
