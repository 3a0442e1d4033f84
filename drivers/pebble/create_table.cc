#include "drivers/pebble/create_table.h"

#include <sqlite3.h>

#include <memory>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "drivers/api/error.h"
#include "drivers/api/key_value.h"
#include "drivers/pebble/sql_policy.h"
#include "drivers/pebble/table_value.h"
#include "drivers/sqlite_engine/database.h"
#include "drivers/sqlite_engine/error.h"
#include "drivers/sqlite_engine/statement.h"
#include "drivers/sqlite_engine/values.h"
#include "fmt/format.h"

namespace penstock::pebble {
namespace {

using driver::Reason;
using sqlite_engine::Statement;

constexpr size_t kMaxTypeBytes = 64;
constexpr char kFormHint[] =
    "write CREATE TABLE name(key TEXT PRIMARY KEY, value TEXT), with the types that you need";

absl::Status Unsupported(std::string_view what, std::string_view hint = kFormHint) {
  return driver::MakeErrorWithHint(Reason::kUnsupported, what, hint);
}

using Row = std::vector<std::string>;

std::string Quoted(std::string_view name) {
  std::string quoted = "\"";
  for (const char c : name) quoted += c == '"' ? "\"\"" : std::string(1, c);
  return quoted + '"';
}

// A database in memory to try statements in.
class Scratch {
 public:
  absl::Status Open() {
    sqlite3* db = nullptr;
    constexpr int kFlags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_MEMORY |
                           SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
    const int code = sqlite3_open_v2(":memory:", &db, kFlags, nullptr);
    db_.reset(db);
    if (code != SQLITE_OK) return sqlite_engine::LastError(db);
    policy_.Install(db);
    return absl::OkStatus();
  }

  // Runs a client's statement.
  absl::Status Run(std::string_view sql) {
    const absl::StatusOr<std::unique_ptr<Statement>> statement =
        Statement::Prepare(db_.get(), &policy_, sql);
    if (!statement.ok()) return statement.status();
    if (sqlite3_step((*statement)->handle()) == SQLITE_DONE) return absl::OkStatus();
    return sqlite_engine::LastError(db_.get(), sql);
  }

  // Whether it could be run, once more.
  bool Accepts(std::string_view sql) { return Statement::Prepare(db_.get(), &policy_, sql).ok(); }

  // The rows of a query of the driver's own, as text.
  absl::StatusOr<std::vector<Row>> Ask(const std::string& sql) {
    const sqlite_engine::TrustedScope trusted(&policy_);
    std::vector<Row> rows;
    const auto take = [](void* to, int count, char** values, char**) {
      Row row;
      for (int i = 0; i < count; ++i) row.emplace_back(values[i] != nullptr ? values[i] : "");
      static_cast<std::vector<Row>*>(to)->push_back(std::move(row));
      return 0;
    };
    if (sqlite3_exec(db_.get(), sql.c_str(), take, &rows, nullptr) == SQLITE_OK) return rows;
    return sqlite_engine::LastError(db_.get());
  }

  // Checks that a column compares as bytes do.
  bool IsBinary(const std::string& table, const std::string& column) {
    const char* collation = nullptr;
    sqlite3_table_column_metadata(db_.get(), "main", table.c_str(), column.c_str(), nullptr,
                                  &collation, nullptr, nullptr, nullptr);
    return collation != nullptr && sqlite3_stricmp(collation, "BINARY") == 0;
  }

 private:
  SqlPolicy policy_;
  sqlite_engine::Database db_;
};

// A column as PRAGMA table_xinfo has it.
struct ColumnInfo {
  std::string name;
  std::string type;
  bool not_null = false;
  bool has_default = false;
  bool is_primary_key = false;
  bool is_generated = false;
};

struct TableInfo {
  std::string name;
  bool without_rowid = false;
  std::vector<ColumnInfo> columns;
};

absl::StatusOr<TableInfo> ReadTable(Scratch* scratch) {
  absl::StatusOr<std::vector<Row>> rows = scratch->Ask(
      "SELECT name, wr FROM pragma_table_list WHERE schema = 'main' AND name NOT GLOB 'sqlite_*'");
  if (!rows.ok()) return rows.status();
  if (rows->size() != 1) return absl::InternalError("CREATE TABLE has not made one table");
  TableInfo table{.name = rows->front()[0], .without_rowid = rows->front()[1] == "1"};
  rows = scratch->Ask(fmt::format("PRAGMA table_xinfo({})", Quoted(table.name)));
  if (!rows.ok()) return rows.status();
  // cid, name, type, notnull, dflt_value, pk, hidden.
  for (const Row& row : *rows) {
    table.columns.push_back({.name = row[1],
                             .type = row[2],
                             .not_null = row[3] == "1",
                             .has_default = !row[4].empty(),
                             .is_primary_key = row[5] != "0",
                             .is_generated = row[6] != "0"});
  }
  return table;
}

std::string Declaration(const ColumnInfo& column) {
  return fmt::format("{} {}{}{}", Quoted(column.name), column.type,
                     column.not_null ? " NOT NULL" : "",
                     column.is_primary_key ? " PRIMARY KEY" : "");
}

// The program that SQLite makes of an INSERT into the table.
absl::StatusOr<std::vector<Row>> InsertProgram(const std::string& table, Scratch* scratch) {
  return scratch->Ask(fmt::format("EXPLAIN INSERT INTO {} VALUES (1, 2)", Quoted(table)));
}

// Whether the statement says anything that is not in `table`: a CHECK, a UNIQUE, a
// reference, an ON CONFLICT. The same table without such has to be written to in the
// same way.
absl::StatusOr<bool> IsPlain(const TableInfo& table, Scratch* scratch) {
  for (const ColumnInfo& column : table.columns) {
    if (column.has_default || column.is_generated || !scratch->IsBinary(table.name, column.name)) {
      return false;
    }
  }
  absl::StatusOr<std::vector<Row>> references =
      scratch->Ask(fmt::format("PRAGMA foreign_key_list({})", Quoted(table.name)));
  if (!references.ok()) return references.status();
  if (!references->empty()) return false;
  Scratch plain;
  absl::Status status = plain.Open();
  if (status.ok()) {
    status = plain.Run(fmt::format("CREATE TABLE {}({}, {}){}", Quoted(table.name),
                                   Declaration(table.columns[0]), Declaration(table.columns[1]),
                                   table.without_rowid ? " WITHOUT ROWID" : ""));
  }
  if (!status.ok()) return status;
  const absl::StatusOr<std::vector<Row>> ours = InsertProgram(table.name, &plain);
  const absl::StatusOr<std::vector<Row>> theirs = InsertProgram(table.name, scratch);
  if (!ours.ok()) return ours.status();
  if (!theirs.ok()) return theirs.status();
  return *ours == *theirs;
}

absl::Status CheckColumns(const TableInfo& table) {
  const std::vector<ColumnInfo>& columns = table.columns;
  if (columns.size() != 2 || sqlite3_stricmp(columns[0].name.c_str(), "key") != 0 ||
      sqlite3_stricmp(columns[1].name.c_str(), "value") != 0) {
    return Unsupported("a table on pebble must have two columns, key and value, in this order");
  }
  if (columns[1].is_primary_key) return Unsupported("value cannot be in the primary key");
  for (const ColumnInfo& column : columns) {
    if (column.type.empty()) return Unsupported(fmt::format("column {} has no type", column.name));
    if (column.type.size() > kMaxTypeBytes) {
      return Unsupported(
          fmt::format("the type of column {} is longer than {} bytes", column.name, kMaxTypeBytes));
    }
    const absl::Status known = StorageOf(column.type).status();
    if (!known.ok()) return known;
  }
  const Storage key = *StorageOf(columns[0].type);
  if (key != Storage::kText && key != Storage::kBlob) {
    return Unsupported(
        fmt::format("a key cannot be {}: keys are ordered as bytes", columns[0].type),
        "declare key TEXT or BLOB; write numbers with leading zeros, or big-endian");
  }
  return absl::OkStatus();
}

// Another name of BLOB would have an affinity that changes what is compared with it.
std::string TypeOf(const ColumnInfo& column) {
  return *StorageOf(column.type) == Storage::kBlob ? "BLOB" : column.type;
}

}  // namespace

absl::StatusOr<TableDefinition> ReadCreateTable(std::string_view sql) {
  Scratch scratch;
  absl::Status status = scratch.Open();
  if (status.ok()) status = scratch.Run(sql);
  if (!status.ok()) return status;
  const absl::StatusOr<TableInfo> table = ReadTable(&scratch);
  if (!table.ok()) return table.status();
  status = CheckColumns(*table);
  if (!status.ok()) return status;
  const absl::StatusOr<bool> plain = IsPlain(*table, &scratch);
  if (!plain.ok()) return plain.status();
  if (!*plain) {
    return Unsupported("a table on pebble supports only keys and values",
                       "remove CHECK, UNIQUE, DEFAULT, COLLATE, REFERENCES, GENERATED, ON "
                       "CONFLICT, DESC and STRICT");
  }
  TableDefinition definition;
  definition.name = absl::AsciiStrToLower(table->name);
  definition.types = {.key = TypeOf(table->columns[0]), .value = TypeOf(table->columns[1])};
  definition.if_not_exists = scratch.Accepts(sql);
  status = driver::CheckKeyspace(definition.name);
  if (!status.ok()) return status;
  return definition;
}

}  // namespace penstock::pebble
