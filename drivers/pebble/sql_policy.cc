#include "drivers/pebble/sql_policy.h"

#include <sqlite3.h>
#include <strings.h>

#include <algorithm>
#include <initializer_list>
#include <string>

#include "drivers/api/error.h"
#include "fmt/format.h"

namespace penstock::pebble {
namespace {

using driver::MakeErrorWithHint;
using driver::Reason;

constexpr char kNoTempHint[] =
    "use a table with a prefix of its own for such rows, and drop it, or use a WITH clause";
constexpr char kAlterHint[] =
    "create another table, INSERT INTO it … SELECT from this one, and drop this one";
constexpr char kUpsertHint[] =
    "use INSERT OR REPLACE or INSERT OR IGNORE, or UPDATE and INSERT in one transaction";
constexpr char kReturningHint[] = "SELECT the rows by their keys in the same transaction";

absl::Status Unsupported(std::string_view what, std::string_view hint) {
  return MakeErrorWithHint(Reason::kUnsupported, fmt::format("{} is not supported on pebble", what),
                           hint);
}

bool IsOneOf(const char* name, std::initializer_list<const char*> names) {
  return std::any_of(names.begin(), names.end(),
                     [name](const char* other) { return strcasecmp(name, other) == 0; });
}

// SQLite's messages about virtual tables.
struct TableMessage {
  std::string_view part;
  std::string_view what;
  std::string_view hint;
};

constexpr TableMessage kTableMessages[] = {
    {"UPSERT not implemented for virtual table", "ON CONFLICT … DO", kUpsertHint},
    {"virtual tables may not be indexed", "CREATE INDEX",
     "keep a second table whose keys are the values to search for"},
    {"triggers on virtual tables", "CREATE TRIGGER", "write both tables in one transaction"},
    {"virtual tables may not be altered", "ALTER TABLE", kAlterHint},
    {"Cannot add a column to a", "ALTER TABLE", kAlterHint},
    {"cannot rename columns of virtual table", "ALTER TABLE", kAlterHint},
    {"cannot drop column from virtual table", "ALTER TABLE", kAlterHint},
    {"RETURNING", "RETURNING", kReturningHint},
};

}  // namespace

int SqlPolicy::RefuseObject(std::string_view what) {
  return Refuse(Unsupported(what, "use the two columns key and value only"));
}

int SqlPolicy::Decide(int action, const char* first, const char* second, const char* database) {
  switch (action) {
    case SQLITE_CREATE_TABLE:
      // Only SQLite itself gives a table such a name.
      if (strncasecmp(first, "sqlite_", 7) == 0) return RefuseObject("ANALYZE");
      if (database != nullptr && strcasecmp(database, "temp") == 0) {
        return Refuse(Unsupported("CREATE TEMP TABLE", kNoTempHint));
      }
      set_note(kCreatesTable);
      return SQLITE_OK;
    case SQLITE_DROP_VTABLE: set_note(kDropsTable); return SQLITE_OK;
    case SQLITE_SELECT:
      if (note() != kCreatesTable) return SQLITE_OK;
      return Refuse(Unsupported("CREATE TABLE … AS SELECT",
                                "CREATE TABLE name(key …, value …), then INSERT INTO name SELECT"));
    case SQLITE_CREATE_TEMP_TABLE: return Refuse(Unsupported("CREATE TEMP TABLE", kNoTempHint));
    case SQLITE_CREATE_INDEX:
      // The index of a primary key belongs to a CREATE TABLE.
      return strncasecmp(first, "sqlite_", 7) == 0 ? SQLITE_OK : RefuseObject("CREATE INDEX");
    case SQLITE_CREATE_TEMP_INDEX: return RefuseObject("CREATE INDEX");
    case SQLITE_CREATE_VIEW:
    case SQLITE_CREATE_TEMP_VIEW:
      return Refuse(Unsupported("CREATE VIEW", "use a WITH clause in the statements"));
    case SQLITE_CREATE_TRIGGER:
    case SQLITE_CREATE_TEMP_TRIGGER: return RefuseObject("CREATE TRIGGER");
    case SQLITE_CREATE_VTABLE: return RefuseObject("CREATE VIRTUAL TABLE");
    case SQLITE_ALTER_TABLE: return Refuse(Unsupported("ALTER TABLE", kAlterHint));
    case SQLITE_ANALYZE: return RefuseObject("ANALYZE");
    case SQLITE_REINDEX: return RefuseObject("REINDEX");
    case SQLITE_ATTACH:
    case SQLITE_DETACH:
      return Refuse(MakeErrorWithHint(Reason::kNotAllowed, "ATTACH and DETACH are not allowed",
                                      "configure each database by itself"));
    case SQLITE_PRAGMA: return DecidePragma(first, second);
    default: return Policy::Decide(action, first, second, database);
  }
}

int SqlPolicy::DecideInside(int action, const char* first, const char* second,
                            const char* database) {
  // A table such as pragma_table_info asks for these.
  if (action == SQLITE_PRAGMA) return DecidePragma(first, second);
  return Policy::DecideInside(action, first, second, database);
}

int SqlPolicy::DecidePragma(const char* name, const char* argument) {
  // Those that tell about tables and about SQLite.
  if (IsOneOf(name,
              {"table_info", "table_xinfo", "table_list", "index_list", "index_info", "index_xinfo",
               "collation_list", "function_list", "pragma_list", "compile_options"})) {
    return SQLITE_OK;
  }
  return Refuse(MakeErrorWithHint(
      Reason::kNotAllowed,
      fmt::format("PRAGMA {}{} is not allowed", name, argument != nullptr ? " with a value" : ""),
      "set the options of the database in the configuration; it has no SQLite file"));
}

absl::Status CheckStatement(const sqlite_engine::Statement& statement) {
  if (statement.is_vacuum()) {
    return Unsupported("VACUUM", "omit it; RocksDB frees space by itself");
  }
  const bool explains = sqlite3_stmt_isexplain(statement.handle()) != 0;
  if (!statement.read_only() && statement.returns_rows() && !explains) {
    return Unsupported("RETURNING", kReturningHint);
  }
  return absl::OkStatus();
}

absl::Status AboutTables(absl::Status status) {
  if (status.ok() || driver::GetErrorInfo(status).reason != Reason::kSyntax) return status;
  const std::string text(status.message());
  for (const TableMessage& message : kTableMessages) {
    if (text.find(message.part) != std::string::npos) {
      return Unsupported(message.what, message.hint);
    }
  }
  return status;
}

}  // namespace penstock::pebble
