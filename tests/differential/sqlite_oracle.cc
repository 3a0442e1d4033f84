#include "tests/differential/sqlite_oracle.h"

#include <strings.h>

#include <optional>
#include <set>
#include <utility>

#include "fmt/format.h"
#include "tests/differential/sqlite_stored.h"
#include "tests/differential/sqlite_value.h"
#include "tests/differential/text.h"

namespace penstock::differential {
namespace {

// How long a statement may take.
constexpr auto kPatience = std::chrono::seconds(20);
constexpr int kProgressSteps = 10'000;

// No statement leaves this as the last rowid by chance.
constexpr sqlite3_int64 kNoRowid = -8'765'432'109'876'543'210;

// It inserts, updates or deletes rows, which is what sqlite3_changes counts.
bool ChangesRows(sqlite3_stmt* statement, const std::string& sql) {
  if (sqlite3_stmt_readonly(statement) != 0 || sqlite3_stmt_isexplain(statement) != 0) return false;
  static const std::set<std::string> verbs = {"INSERT", "REPLACE", "UPDATE", "DELETE", "WITH"};
  return verbs.count(Verb(sql)) != 0;
}

// The reason that the gateway has to give; REASON_UNSPECIFIED where it depends on the text.
v1::Reason ReasonOf(int code) {
  switch (code) {
    case SQLITE_CONSTRAINT_UNIQUE:
    case SQLITE_CONSTRAINT_PRIMARYKEY:
    case SQLITE_CONSTRAINT_ROWID: return v1::REASON_UNIQUE_VIOLATION;
    case SQLITE_CONSTRAINT_FOREIGNKEY: return v1::REASON_FOREIGN_KEY_VIOLATION;
    case SQLITE_CONSTRAINT_CHECK: return v1::REASON_CHECK_VIOLATION;
    case SQLITE_CONSTRAINT_NOTNULL: return v1::REASON_NOT_NULL_VIOLATION;
    case SQLITE_CONSTRAINT_DATATYPE:
    case SQLITE_MISMATCH: return v1::REASON_DATA_EXCEPTION;
    case SQLITE_CONSTRAINT_TRIGGER: return v1::REASON_CONSTRAINT_VIOLATION;
    case SQLITE_TOOBIG: return v1::REASON_LIMIT_EXCEEDED;
    default: return v1::REASON_UNSPECIFIED;
  }
}

Failure LastFailure(sqlite3* db) {
  const int code = sqlite3_extended_errcode(db);
  return {.code = fmt::format("{}", code), .reason = ReasonOf(code), .message = sqlite3_errmsg(db)};
}

std::vector<v1::Column> ReadColumns(sqlite3_stmt* statement) {
  std::vector<v1::Column> columns(static_cast<size_t>(sqlite3_column_count(statement)));
  for (size_t i = 0; i < columns.size(); ++i) {
    columns[i].set_name(sqlite3_column_name(statement, static_cast<int>(i)));
    const char* type = sqlite3_column_decltype(statement, static_cast<int>(i));
    if (type != nullptr) columns[i].set_native_type(type);
  }
  return columns;
}

}  // namespace

absl::StatusOr<std::unique_ptr<Oracle>> SqliteOracle::Open(const std::string& folder) {
  std::unique_ptr<SqliteOracle> oracle(new SqliteOracle(folder + "/oracle.db"));
  absl::Status status = oracle->OpenSession();
  if (!status.ok()) return status;
  return oracle;
}

absl::Status SqliteOracle::OpenSession() {
  db_ = nullptr;
  sqlite3* db = nullptr;
  const int code = sqlite3_open_v2(
      path_.c_str(), &db,
      SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_URI | SQLITE_OPEN_EXRESCODE,
      nullptr);
  db_.reset(db);
  if (code != SQLITE_OK) return absl::InternalError(sqlite3_errmsg(db));
  // The shell sets nothing that statements can see. The gateway does: the journal, and
  // foreign keys, which its configuration can turn off.
  char* message = nullptr;
  if (sqlite3_exec(db, "PRAGMA journal_mode=wal; PRAGMA foreign_keys=on", nullptr, nullptr,
                   &message) != SQLITE_OK) {
    absl::Status status = absl::InternalError(message);
    sqlite3_free(message);
    return status;
  }
  sqlite3_set_authorizer(db, &SqliteOracle::Authorize, this);
  sqlite3_progress_handler(db, kProgressSteps, &SqliteOracle::OnProgress, this);
  session_changed_ = false;
  return absl::OkStatus();
}

int SqliteOracle::Authorize(void* self, int action, const char* first, const char* second,
                            const char* database, const char*) {
  auto* oracle = static_cast<SqliteOracle*>(self);
  switch (action) {
    case SQLITE_CREATE_TEMP_INDEX:
    case SQLITE_CREATE_TEMP_TABLE:
    case SQLITE_CREATE_TEMP_TRIGGER:
    case SQLITE_CREATE_TEMP_VIEW: oracle->makes_temporary_ = true; break;
    // No script is to make or change files.
    case SQLITE_ATTACH: return first == nullptr || *first == '\0' ? SQLITE_OK : SQLITE_DENY;
    // Into the list of temporary objects, among others.
    case SQLITE_INSERT:
    case SQLITE_CREATE_VTABLE:
      if (database != nullptr && strcasecmp(database, "temp") == 0) oracle->makes_temporary_ = true;
      break;
    case SQLITE_FUNCTION:
      if (second != nullptr && strcasecmp(second, "last_insert_rowid") == 0) {
        oracle->reads_last_insert_id_ = true;
      }
      break;
    default: break;
  }
  return SQLITE_OK;
}

int SqliteOracle::OnProgress(void* self) {
  auto* oracle = static_cast<SqliteOracle*>(self);
  oracle->gave_up_ = std::chrono::steady_clock::now() > oracle->give_up_;
  return oracle->gave_up_ ? 1 : 0;
}

SqliteStatement SqliteOracle::Prepare(const std::string& sql) {
  makes_temporary_ = false;
  reads_last_insert_id_ = false;
  gave_up_ = false;
  give_up_ = std::chrono::steady_clock::now() + kPatience;
  sqlite3_stmt* statement = nullptr;
  // A schema that has changed makes SQLite say so instead of what is wrong with the statement.
  for (int attempt = 0; attempt < 3; ++attempt) {
    const int code = sqlite3_prepare_v2(db_.get(), sql.data(), static_cast<int>(sql.size()),
                                        &statement, nullptr);
    if (code != SQLITE_SCHEMA) break;
  }
  return SqliteStatement(statement);
}

bool SqliteOracle::Prepares(const std::string& sql) { return Prepare(sql) != nullptr; }

bool SqliteOracle::in_transaction() const { return sqlite3_get_autocommit(db_.get()) == 0; }

Answer SqliteOracle::Run(const std::string& sql, const Values& args) {
  Answer answer = RunInSession(sql, args);
  if (session_changed_ && !in_transaction()) OpenSession().IgnoreError();
  return answer;
}

Answer SqliteOracle::RunInSession(const std::string& sql, const Values& args) {
  Answer answer;
  const SqliteStatement statement = Prepare(sql);
  if (statement == nullptr) {
    answer.failure = LastFailure(db_.get());
    return answer;
  }
  BindSqliteValues(statement.get(), args);
  answer.columns = ReadColumns(statement.get());
  const bool changes_rows = ChangesRows(statement.get(), sql);
  const sqlite3_int64 changes_before = sqlite3_total_changes64(db_.get());
  // That a statement has set the last rowid can be seen only if it was another one before,
  // and that is not for the statement to see.
  const sqlite3_int64 rowid_before = sqlite3_last_insert_rowid(db_.get());
  if (!reads_last_insert_id_) sqlite3_set_last_insert_rowid(db_.get(), kNoRowid);
  Step(statement.get(), &answer);
  const sqlite3_int64 rowid = sqlite3_last_insert_rowid(db_.get());
  if (rowid == kNoRowid) sqlite3_set_last_insert_rowid(db_.get(), rowid_before);
  const bool set_rowid = rowid != kNoRowid;
  if (answer.failure.has_value()) {
    answer.keeps_changes = sqlite3_total_changes64(db_.get()) != changes_before;
  } else if (changes_rows) {
    answer.rows_affected = sqlite3_changes64(db_.get());
    // Virtual tables set it as they like.
    const std::string verb = Verb(sql);
    answer.tells_last_insert_id =
        !reads_last_insert_id_ && (!set_rowid || (verb != "UPDATE" && verb != "DELETE"));
    if (set_rowid) answer.last_insert_id = rowid;
  }
  session_changed_ = session_changed_ || makes_temporary_;
  return answer;
}

void SqliteOracle::Step(sqlite3_stmt* statement, Answer* answer) {
  int code = sqlite3_step(statement);
  // The schema may be another one than it was when the statement was prepared.
  answer->columns = ReadColumns(statement);
  for (; code == SQLITE_ROW; code = sqlite3_step(statement)) {
    answer->rows.push_back(ReadSqliteRow(statement));
  }
  if (code == SQLITE_DONE) return;
  answer->rows.clear();
  if (gave_up_) {
    answer->too_slow = true;
  } else {
    answer->failure = LastFailure(db_.get());
  }
}

bool SqliteOracle::Same(const v1::Value& own, const v1::Value& gateways, v1::Kind declared) {
  return SameSqliteValue(own, gateways, declared);
}

std::vector<std::string> SqliteOracle::CompareStored(const std::string& folder) {
  return CompareSqliteFiles(path_, folder + "/main.db");
}

bool SqliteOracle::TakeOver(const std::string& folder) {
  sqlite3* source = nullptr;
  const std::string path = folder + "/main.db";
  const bool opened =
      sqlite3_open_v2(path.c_str(), &source, SQLITE_OPEN_READONLY, nullptr) == SQLITE_OK;
  const SqliteDatabase owner(source);
  if (!opened || !OpenSession().ok()) return false;
  sqlite3_backup* backup = sqlite3_backup_init(db_.get(), "main", source, "main");
  if (backup == nullptr) return false;
  constexpr int kAllPages = -1;
  const int code = sqlite3_backup_step(backup, kAllPages);
  return sqlite3_backup_finish(backup) == SQLITE_OK && code == SQLITE_DONE;
}

}  // namespace penstock::differential
