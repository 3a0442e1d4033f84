#include "drivers/sqlite/handle.h"

#include <sqlite3.h>
#include <sys/stat.h>

#include <filesystem>
#include <string>
#include <system_error>
#include <utility>

#include "drivers/api/error.h"
#include "drivers/sqlite/error.h"
#include "fmt/format.h"

namespace penstock::sqlite {
namespace {

using driver::MakeErrorWithHint;
using driver::Reason;

// SQLite's messages do not name the file, nor what to do.
absl::Status OpenError(const Options& options, const absl::Status& status) {
  const driver::ErrorInfo info = driver::GetErrorInfo(status);
  const std::string message(status.message());
  std::string hint = info.hint;
  switch (info.driver_code & 0xff) {
    case SQLITE_NOTADB: hint = "the file is not a SQLite database; name another one"; break;
    case SQLITE_BUSY: hint = "another process has locked it; stop that process"; break;
    case SQLITE_CANTOPEN: {
      const std::filesystem::path folder = std::filesystem::path(options.path).parent_path();
      std::error_code error;
      const bool missing = !folder.empty() && !std::filesystem::is_directory(folder, error);
      hint = missing ? fmt::format("the folder {} does not exist; create it", folder.string())
                     : "check that it is a file, and who may read and write it and its folder";
      break;
    }
    default: break;
  }
  return MakeErrorWithHint(info.reason, fmt::format("cannot open {}: {}", options.path, message),
                           hint);
}

absl::Status Execute(sqlite3* db, const std::string& sql) {
  return sqlite3_exec(db, sql.c_str(), nullptr, nullptr, nullptr) == SQLITE_OK ? absl::OkStatus()
                                                                               : LastError(db);
}

void Harden(sqlite3* db, const Options& options) {
  sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  sqlite3_db_config(db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
  sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0, nullptr);
  // Double-quoted strings hide misspelt column names.
  sqlite3_db_config(db, SQLITE_DBCONFIG_DQS_DML, 0, nullptr);
  sqlite3_limit(db, SQLITE_LIMIT_LENGTH, static_cast<int>(options.max_value_bytes));
}

absl::Status Configure(sqlite3* db, const Options& options, bool writer) {
  std::string sql = fmt::format(
      "PRAGMA foreign_keys={}; PRAGMA synchronous={}; PRAGMA cache_size=-{}; PRAGMA mmap_size={};",
      options.foreign_keys ? "on" : "off", options.synchronous, options.cache_size_kib,
      options.mmap_size_bytes);
  if (options.max_page_count > 0) {
    sql += fmt::format("PRAGMA max_page_count={};", options.max_page_count);
  }
  if (!writer) sql += "PRAGMA query_only=on;";
  // It reads the file's header, so it also finds out whether this is a database.
  if (!options.in_memory && !options.read_only) sql += "PRAGMA journal_mode=wal;";
  sql += "SELECT count(*) FROM sqlite_schema;";
  return Execute(db, sql);
}

}  // namespace

void CloseDatabase::operator()(sqlite3* db) const { sqlite3_close_v2(db); }

absl::StatusOr<Handle> OpenHandle(const Options& options, bool writer) {
  Handle handle;
  handle.policy = std::make_unique<Policy>(options.allow_attach);
  const int access =
      options.read_only ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
  sqlite3* db = nullptr;
  const int code = sqlite3_open_v2(
      options.uri.c_str(), &db,
      access | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_URI | SQLITE_OPEN_EXRESCODE, nullptr);
  handle.db.reset(db);
  if (code != SQLITE_OK) return OpenError(options, LastError(db));
  sqlite3_busy_timeout(db, options.busy_timeout_ms);
  absl::Status configured = Configure(db, options, writer);
  if (!configured.ok()) return OpenError(options, configured);
  Harden(db, options);
  handle.policy->Install(db);
  return handle;
}

}  // namespace penstock::sqlite
