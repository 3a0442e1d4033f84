#include "drivers/sqlite/handle.h"

#include <sqlite3.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <string>
#include <system_error>
#include <thread>
#include <utility>

#include "drivers/api/error.h"
#include "drivers/sqlite_engine/error.h"
#include "fmt/format.h"

namespace penstock::sqlite {
namespace {

using driver::ErrorInfo;
using driver::MakeError;
using driver::Reason;
using sqlite_engine::LastError;

std::string CannotOpenHint(const Options& options) {
  const std::filesystem::path path(options.path);
  const std::filesystem::path folder = path.parent_path();
  std::error_code ignored;
  if (!folder.empty() && !std::filesystem::is_directory(folder, ignored)) {
    return fmt::format("create the folder {}, which does not exist", folder.string());
  }
  if (std::filesystem::is_directory(path, ignored)) return "name a file in this folder";
  if (!options.create && !std::filesystem::exists(path, ignored)) {
    return "create the file first; mode=ro and mode=rw do not create it";
  }
  return "check the owner and the mode of the file and of its folder; the daemon needs to read and "
         "write the file, and to create files beside it";
}

// SQLite's messages do not name the file, nor what to do.
absl::Status OpenError(const Options& options, const absl::Status& status) {
  ErrorInfo info = driver::GetErrorInfo(status);
  switch (info.driver_code & 0xff) {
    case SQLITE_NOTADB: info.hint = "name another file; this one is not a SQLite database"; break;
    case SQLITE_BUSY:
      info.hint = "find the process that has locked the file (lsof, fuser), and stop it";
      break;
    case SQLITE_CANTOPEN:
    case SQLITE_READONLY:
    case SQLITE_PERM: info.hint = CannotOpenHint(options); break;
    default: break;
  }
  const Reason reason = info.reason;
  const std::string message(status.message());
  return MakeError(reason, fmt::format("cannot open {}: {}", options.path, message),
                   std::move(info));
}

absl::Status Execute(sqlite3* db, const std::string& sql) {
  return sqlite3_exec(db, sql.c_str(), nullptr, nullptr, nullptr) == SQLITE_OK ? absl::OkStatus()
                                                                               : LastError(db);
}

// The file's system may lack what WAL needs; SQLite then keeps the mode it had
// and says so in the row it answers with.
absl::Status SetWal(sqlite3* db) {
  std::string mode;
  const auto take_mode = [](void* to, int count, char** values, char**) {
    if (count > 0 && values[0] != nullptr) *static_cast<std::string*>(to) = values[0];
    return 0;
  };
  if (sqlite3_exec(db, "PRAGMA journal_mode=wal", take_mode, &mode, nullptr) != SQLITE_OK) {
    return LastError(db);
  }
  if (mode == "wal") return absl::OkStatus();
  return driver::MakeErrorWithHint(Reason::kUnsupported, "the journal cannot be a write-ahead log",
                                   "keep the file on a local file system");
}

// Two processes that open a new file at the same moment both want to change its
// mode, and to one of them SQLite says at once that it is busy, without asking the
// busy handler.
absl::Status SetWalWithin(sqlite3* db, int milliseconds) {
  constexpr auto kPause = std::chrono::milliseconds(5);
  const auto give_up = std::chrono::steady_clock::now() + std::chrono::milliseconds(milliseconds);
  for (;;) {
    absl::Status status = SetWal(db);
    const bool busy = (driver::GetErrorInfo(status).driver_code & 0xff) == SQLITE_BUSY;
    if (!busy || std::chrono::steady_clock::now() >= give_up) return status;
    std::this_thread::sleep_for(kPause);
  }
}

absl::Status Configure(sqlite3* db, const Options& options, driver::Lane lane,
                       int busy_timeout_ms) {
  // It reads the file's header, so it also finds out whether this is a database.
  absl::Status status = Execute(db, "SELECT count(*) FROM sqlite_schema");
  if (!status.ok()) return status;
  if (!options.in_memory && sqlite3_db_readonly(db, "main") == 0) {
    status = SetWalWithin(db, busy_timeout_ms);
    if (!status.ok()) return status;
  }
  std::string sql = fmt::format(
      "PRAGMA foreign_keys={}; PRAGMA synchronous={}; PRAGMA cache_size=-{}; PRAGMA mmap_size={};",
      options.foreign_keys ? "on" : "off", options.synchronous, options.cache_size_kib,
      options.mmap_size_bytes);
  if (options.max_page_count > 0) {
    sql += fmt::format("PRAGMA max_page_count={};", options.max_page_count);
  }
  if (lane == driver::Lane::kRead) sql += "PRAGMA query_only=on;";
  return Execute(db, sql);
}

int OpenFlags(const Options& options) {
  const int access = options.read_only ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE;
  const int create = options.create ? SQLITE_OPEN_CREATE : 0;
  const int uri = options.in_memory ? SQLITE_OPEN_URI : 0;
  return access | create | uri | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
}

// Whichever ends first: busy_timeout_ms or the deadline.
int OpenTimeout(const Options& options, const driver::Deadline& deadline) {
  if (deadline.at == driver::TimePoint::max()) return options.busy_timeout_ms;
  const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
      deadline.at - std::chrono::steady_clock::now());
  return static_cast<int>(std::clamp<int64_t>(left.count(), 0, options.busy_timeout_ms));
}

}  // namespace

absl::StatusOr<Handle> OpenHandle(const Options& options, driver::Lane lane,
                                  const driver::Deadline& deadline) {
  Handle handle;
  handle.policy = std::make_unique<FilePolicy>(options.allow_attach);
  sqlite3* db = nullptr;
  const int code = sqlite3_open_v2(options.file_name.c_str(), &db, OpenFlags(options),
                                   options.temp_space->name());
  handle.db.reset(db);
  if (code != SQLITE_OK) return OpenError(options, LastError(db));
  sqlite_engine::Harden(db, options.max_value_bytes, options.leniency);
  const int busy_timeout_ms = OpenTimeout(options, deadline);
  sqlite3_busy_timeout(db, busy_timeout_ms);
  absl::Status configured = Configure(db, options, lane, busy_timeout_ms);
  if (!configured.ok()) {
    if (deadline.passed(std::chrono::steady_clock::now())) return deadline.Error();
    return OpenError(options, configured);
  }
  handle.policy->Install(db);
  return handle;
}

}  // namespace penstock::sqlite
