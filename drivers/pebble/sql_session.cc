#include "drivers/pebble/sql_session.h"

#include <sqlite3.h>

#include <algorithm>
#include <utility>

#include "drivers/api/error.h"
#include "drivers/pebble/create_table.h"
#include "drivers/sqlite_engine/error.h"
#include "drivers/sqlite_engine/memory.h"
#include "drivers/sqlite_engine/temp_space.h"
#include "fmt/format.h"

namespace penstock::pebble {
namespace {

using driver::MakeError;
using driver::Reason;
using sqlite_engine::Statement;

// It is there in SQL before anything has been written to it, as it is for keys and
// values.
constexpr char kDefaultKeyspace[] = "kv";

// The memory for sorting and intermediate results of all databases of the process.
constexpr int64_t kTempBytes = int64_t{4} << 30;

absl::Status ExistsAlready(std::string_view name) {
  return MakeError(Reason::kSyntax, fmt::format("table {} already exists", name));
}

bool Contains(const std::vector<Table>& tables, const Table& table) {
  return std::find(tables.begin(), tables.end(), table) != tables.end();
}

// SQLite keeps such names for itself.
bool IsReserved(const Table& table) { return table.name.starts_with("sqlite_"); }

std::vector<Table> TablesOf(const Store& store) {
  std::vector<Table> tables = store.Tables();
  tables.erase(std::remove_if(tables.begin(), tables.end(), IsReserved), tables.end());
  const auto is_default = [](const Table& table) { return table.name == kDefaultKeyspace; };
  if (std::none_of(tables.begin(), tables.end(), is_default)) {
    tables.push_back({.name = kDefaultKeyspace, .types = {}});
  }
  return tables;
}

}  // namespace

absl::StatusOr<std::unique_ptr<SqlSession>> SqlSession::Open(Store* store) {
  static sqlite_engine::TempSpace temp_space(kTempBytes);
  sqlite3* opened = nullptr;
  constexpr int kFlags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_MEMORY |
                         SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
  const int code = sqlite3_open_v2(":memory:", &opened, kFlags, temp_space.name());
  sqlite_engine::Database db(opened);
  if (code != SQLITE_OK) return sqlite_engine::LastError(opened);
  std::unique_ptr<SqlSession> session(new SqlSession(store, std::move(db)));
  sqlite_engine::Harden(opened, store->options().max_value_bytes);
  absl::Status registered = RegisterTables(opened, &session->context_);
  // Keys and values are bytes, which LIKE and GLOB have to take for text.
  if (registered.ok()) {
    registered = session->executor_.RegisterFunctions(sqlite_engine::BytesInPatterns::kMatched);
  }
  if (!registered.ok()) return registered;
  session->policy_.Install(opened);
  return session;
}

SqlSession::SqlSession(Store* store, sqlite_engine::Database db)
    : db_(std::move(db)),
      executor_(db_.get(), &policy_, &context_),
      statements_(db_.get(), &policy_, store->options().statement_cache_size) {
  context_.store = store;
}

absl::StatusOr<Statement*> SqlSession::Get(std::string_view sql) {
  absl::Status status = FollowStore();
  if (!status.ok()) return status;
  absl::StatusOr<Statement*> statement = statements_.Get(sql);
  if (!statement.ok()) return AboutTables(statement.status());
  status = CheckStatement(**statement);
  if (!status.ok()) return status;
  return statement;
}

absl::Status SqlSession::TableExecutor::Failure(std::string_view sql) const {
  absl::Status status = StatementExecutor::Failure(sql);
  const int code = driver::GetErrorInfo(status).driver_code & 0xff;
  const bool by_table = !context_->failure.ok() && code == context_->failure_code;
  return by_table ? context_->failure : AboutTables(std::move(status));
}

void SqlSession::Define(driver::StatementRun* run, Statement* statement) {
  if (statement->note() == kDropsTable) {
    executor_.Execute(run, statement);
  } else if (!run->args.empty() || !run->rows.empty()) {
    run->status = MakeError(Reason::kInvalidParameter, "CREATE TABLE takes no parameters");
  } else {
    run->status = CreateTable(*statement);
    if (run->status.ok() && run->writer != nullptr) run->writer->Begin(statement->columns());
  }
  version_ = 0;
}

absl::Status SqlSession::CreateTable(const Statement& statement) {
  const absl::StatusOr<TableDefinition> table = ReadCreateTable(statement.sql());
  if (!table.ok()) return table.status();
  bool created = false;
  if (table->name != kDefaultKeyspace) {
    const absl::StatusOr<bool> made = context_.store->Create(table->name, table->types);
    if (!made.ok()) return made.status();
    created = *made;
  }
  return created || table->if_not_exists ? absl::OkStatus() : ExistsAlready(table->name);
}

absl::Status SqlSession::FollowStore() {
  const uint64_t version = context_.store->version();
  if (version == version_) return absl::OkStatus();
  const std::vector<Table> before = context_.tables;
  context_.tables = TablesOf(*context_.store);
  // An earlier call may not have undone this for want of memory.
  absl::Status status = Undo();
  if (status.ok()) status = Control("BEGIN");
  if (status.ok()) status = DeclareChanges(before, context_.tables);
  if (status.ok()) status = Control("COMMIT");
  if (status.ok()) {
    version_ = version;
    return status;
  }
  context_.tables = before;
  Undo().IgnoreError();
  return status;
}

absl::Status SqlSession::Undo() {
  if (sqlite3_get_autocommit(db_.get()) != 0) return absl::OkStatus();
  // The scope of a caller who has gone refuses memory, and the next caller would be told that
  // a transaction is open.
  const sqlite_engine::MemoryScope unlimited(nullptr, sqlite_engine::MemoryScope::kUnlimited);
  return Control("ROLLBACK");
}

absl::Status SqlSession::DeclareChanges(const std::vector<Table>& before,
                                        const std::vector<Table>& now) {
  for (const Table& table : before) {
    if (Contains(now, table)) continue;
    absl::Status status = Undeclare(table);
    if (!status.ok()) return status;
  }
  for (const Table& table : now) {
    if (Contains(before, table)) continue;
    absl::Status status =
        Control(fmt::format("CREATE VIRTUAL TABLE \"{}\" USING {}", table.name, kTableModule));
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status SqlSession::Undeclare(const Table& table) {
  context_.undeclaring = true;
  absl::Status status = Control(fmt::format("DROP TABLE IF EXISTS \"{}\"", table.name));
  context_.undeclaring = false;
  return status;
}

absl::Status SqlSession::Control(const std::string& sql) {
  const sqlite_engine::TrustedScope trusted(&policy_);
  return sqlite3_exec(db_.get(), sql.c_str(), nullptr, nullptr, nullptr) == SQLITE_OK
             ? absl::OkStatus()
             : sqlite_engine::LastError(db_.get());
}

StatementScope::StatementScope(SqlSession* session, rocksdb::Transaction* transaction,
                               const Statement* writes)
    : context_(&session->context_),
      transaction_(transaction),
      clears_snapshot_(transaction != nullptr && transaction->GetSnapshot() == nullptr) {
  if (clears_snapshot_) transaction_->SetSnapshot();
  if (transaction == nullptr) snapshot_ = context_->store->db()->GetSnapshot();
  context_->view = {.store = context_->store, .transaction = transaction, .snapshot = snapshot_};
  context_->statement = writes;
  context_->written = 0;
  context_->failure = absl::OkStatus();
  context_->failure_code = 0;
}

StatementScope::~StatementScope() {
  context_->view = {};
  context_->statement = nullptr;
  if (clears_snapshot_) transaction_->ClearSnapshot();
  if (snapshot_ != nullptr) context_->store->db()->ReleaseSnapshot(snapshot_);
}

}  // namespace penstock::pebble
