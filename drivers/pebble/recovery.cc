#include "drivers/pebble/recovery.h"

#include <algorithm>
#include <utility>

#include "fmt/format.h"

namespace penstock::pebble {
namespace {

using rocksdb::BackgroundErrorReason;
using rocksdb::Status;
using std::chrono::steady_clock;

constexpr std::string_view kWritesStopped = "writes_stopped";
constexpr std::string_view kCompactionFails = "compaction_fails";

constexpr auto kFirstPause = std::chrono::milliseconds(100);
constexpr auto kLongestPause = std::chrono::seconds(5);
// Writes that stop again sooner than this have not recovered.
constexpr auto kRecovered = std::chrono::seconds(10);

std::string_view WorkOf(BackgroundErrorReason reason) {
  switch (reason) {
    case BackgroundErrorReason::kFlush:
    case BackgroundErrorReason::kFlushNoWAL: return "writing a table";
    case BackgroundErrorReason::kCompaction: return "a compaction";
    case BackgroundErrorReason::kWriteCallback: return "writing the log";
    case BackgroundErrorReason::kMemTable: return "beginning a log or a memtable";
    case BackgroundErrorReason::kManifestWrite:
    case BackgroundErrorReason::kManifestWriteNoWAL: return "writing the manifest";
  }
  return "background work";
}

driver::Problem CompactionFails(const Status& error) {
  return {.kind = std::string(kCompactionFails),
          .text = fmt::format("compactions fail and are tried again: {}; reads and writes "
                              "continue, but will slow down over time",
                              error.ToString()),
          .refuses = false};
}

driver::Problem WritesStopped(BackgroundErrorReason reason, const Status& error) {
  const bool resumes = RemedyOf(reason, error) == Remedy::kResume;
  return {
      .kind = std::string(kWritesStopped),
      .text = fmt::format(
          "RocksDB refuses writes after an error in {}: {}; {}", WorkOf(reason), error.ToString(),
          resumes ? "it resumes them without a restart once the cause is gone"
                  : "restart the daemon, and restore a backup if the database does not open"),
      .refuses = true};
}

}  // namespace

Remedy RemedyOf(BackgroundErrorReason reason, const Status& error) {
  // Fenced: another process has taken the files over.
  if (!error.IsIOError() || error.IsIOFenced()) return Remedy::kReopen;
  // RocksDB itself knows of no way back from here.
  if (error.severity() > Status::Severity::kFatalError) return Remedy::kReopen;
  return reason == BackgroundErrorReason::kCompaction ? Remedy::kCompactAgain : Remedy::kResume;
}

void Recovery::Start(rocksdb::DB* db) {
  db_ = db;
  thread_ = std::thread([this] { Main(); });
}

void Recovery::Stop() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  if (thread_.joinable()) thread_.join();
}

int64_t Recovery::errors() const {
  std::lock_guard lock(mutex_);
  return errors_;
}

int64_t Recovery::resumes() const {
  std::lock_guard lock(mutex_);
  return resumes_;
}

void Recovery::OnBackgroundError(BackgroundErrorReason reason, Status* error) {
  const Remedy remedy = RemedyOf(reason, *error);
  std::lock_guard lock(mutex_);
  ++errors_;
  if (remedy == Remedy::kCompactAgain) {
    compaction_fails_ = true;
    problems_->Begin(CompactionFails(*error));
    // Without this error RocksDB goes on, and puts the compaction back into its queue.
    *error = Status::OK();
    return;
  }
  if (beyond_help_) return;
  problems_->Begin(WritesStopped(reason, *error));
  beyond_help_ = remedy == Remedy::kReopen;
  stopped_writes_ = !beyond_help_;
  if (error->severity() >= Status::Severity::kFatalError && stopped_writes_) {
    *error = Status(*error, Status::Severity::kHardError);
  }
  wake_.notify_all();
}

void Recovery::OnCompactionCompleted(rocksdb::DB*, const rocksdb::CompactionJobInfo& job) {
  if (!job.status.ok()) return;
  std::lock_guard lock(mutex_);
  if (std::exchange(compaction_fails_, false)) problems_->End(kCompactionFails);
}

void Recovery::Main() {
  std::unique_lock lock(mutex_);
  for (;;) {
    wake_.wait(lock, [this] { return stopping_ || stopped_writes_; });
    if (stopping_) return;
    if (steady_clock::now() - resumed_at_ > kRecovered) pause_ = Duration::zero();
    ResumeLocked(lock);
  }
}

void Recovery::ResumeLocked(std::unique_lock<std::mutex>& lock) {
  while (stopped_writes_) {
    // Somewhat longer by chance, as several databases may lack the same thing.
    pause_ = std::clamp<Duration>(pause_ * 2, kFirstPause, kLongestPause);
    std::uniform_int_distribution<Duration::rep> more(0, pause_.count() / 2);
    const Duration pause = pause_ + Duration(more(random_));
    if (wake_.wait_for(lock, pause, [this] { return stopping_; })) return;
    // An error of the attempt itself sets it again.
    stopped_writes_ = false;
    lock.unlock();
    // RocksDB takes for granted, and asserts, that no files are deleted since writing the
    // manifest failed. They are not if a table was written; they are if a keyspace was made.
    db_->DisableFileDeletions().PermitUncheckedError();
    const Status resumed = db_->Resume();
    db_->EnableFileDeletions(/*force=*/false).PermitUncheckedError();
    lock.lock();
    if (beyond_help_) return;
    if (!resumed.ok()) stopped_writes_ = true;
  }
  ++resumes_;
  resumed_at_ = steady_clock::now();
  problems_->End(kWritesStopped);
}

}  // namespace penstock::pebble
