#include "drivers/pebble/error.h"

#include <string>
#include <string_view>

#include "drivers/api/error.h"
#include "fmt/format.h"
#include "rocksdb/status.h"

namespace penstock::pebble {
namespace {

using driver::Reason;

// A lock was asked for in a keyspace that has just been dropped.
bool IsDropped(const rocksdb::Status& status) {
  return status.IsInvalidArgument() &&
         status.ToString().find("Column family id not found") != std::string::npos;
}

Reason ReasonOf(const rocksdb::Status& status) {
  if (IsDropped(status)) return Reason::kSerializationFailure;
  if (status.IsDeadlock()) return Reason::kDeadlock;
  if (status.IsNoSpace()) return Reason::kDiskFull;
  if (status.IsMemoryLimit()) return Reason::kLimitExceeded;
  switch (status.code()) {
    // Somebody else wrote after our snapshot.
    case rocksdb::Status::kBusy:
    case rocksdb::Status::kTryAgain: return Reason::kSerializationFailure;
    case rocksdb::Status::kTimedOut: return Reason::kBusy;
    case rocksdb::Status::kExpired: return Reason::kTransactionTimeout;
    case rocksdb::Status::kCorruption: return Reason::kCorruption;
    case rocksdb::Status::kIOError: return Reason::kIo;
    case rocksdb::Status::kNotSupported: return Reason::kUnsupported;
    case rocksdb::Status::kInvalidArgument: return Reason::kInvalidParameter;
    case rocksdb::Status::kAborted: return Reason::kTransactionAborted;
    default: return Reason::kUnspecified;
  }
}

std::string_view HintFor(Reason reason) {
  switch (reason) {
    case Reason::kDeadlock:
    case Reason::kSerializationFailure: return "run the transaction again from its beginning";
    case Reason::kBusy: return "run the transaction again, or keep transactions short";
    case Reason::kDiskFull: return "free disk space";
    case Reason::kCorruption: return "restore the database from a backup";
    default: return "";
  }
}

}  // namespace

absl::Status Classify(const rocksdb::Status& status) {
  if (status.ok()) return absl::OkStatus();
  driver::ErrorInfo info;
  info.driver_code = status.code();
  const Reason reason = ReasonOf(status);
  info.hint = HintFor(reason);
  if (reason == Reason::kIo && status.severity() >= rocksdb::Status::kHardError) {
    // It was refused because of an earlier error, and nothing of it was written.
    info.retry = driver::Retry::kStatement;
    info.hint =
        "remove the cause of the error, after which RocksDB resumes writes by itself; see /readyz";
  }
  return driver::MakeError(reason, fmt::format("RocksDB: {}", status.ToString()), info);
}

}  // namespace penstock::pebble
