#include "drivers/sqlite_engine/parameter_stores.h"

#include <sqlite3.h>

#include <algorithm>
#include <iterator>
#include <optional>
#include <set>
#include <string_view>
#include <tuple>

#include "drivers/api/error.h"
#include "drivers/sqlite_engine/value_flow.h"
#include "fmt/format.h"

namespace penstock::sqlite_engine {
namespace {

struct ColumnInfo {
  std::string name;
  std::string type;
};

std::string Quoted(std::string_view name) {
  std::string quoted = "\"";
  for (const char c : name) quoted += c == '"' ? "\"\"" : std::string(1, c);
  return quoted + '"';
}

// The columns of a table that are stored, in their order. Empty: SQLite does not tell.
std::vector<ColumnInfo> ColumnsOf(sqlite3* db, const Conversion& to) {
  const char* database = sqlite3_db_name(db, to.database);
  if (database == nullptr || to.table.empty()) return {};
  std::vector<ColumnInfo> columns;
  // cid, name, type, notnull, dflt_value, pk, hidden: 2 is a generated column that is not
  // stored.
  const auto take = [](void* into, int, char** values, char**) {
    if (std::string_view(values[6]) != "2") {
      static_cast<std::vector<ColumnInfo>*>(into)->push_back({values[1], values[2]});
    }
    return 0;
  };
  const std::string sql =
      fmt::format("PRAGMA {}.table_xinfo({})", Quoted(database), Quoted(to.table));
  sqlite3_exec(db, sql.c_str(), take, &columns, nullptr);
  return columns;
}

// Returns how a column of a STRICT table stores, which can have these types only.
Stores StoreOfStrictType(std::string_view type) {
  if (sqlite3_strnicmp(type.data(), "INT", 3) == 0) return kAsNumber;
  if (sqlite3_stricmp(type.data(), "REAL") == 0) return kAsReal;
  if (sqlite3_stricmp(type.data(), "TEXT") == 0) return kAsText;
  return kVerbatim;  // BLOB, ANY
}

Stores StoreOf(sqlite3* db, const Conversion& conversion) {
  switch (conversion.affinity) {
    case '@':
    case 'A': return kVerbatim;
    case 'B': return kAsText;
    case 'C':
    case 'D': return kAsNumber;
    case 'E': return kAsReal;
    case kOfStrictTable: {
      const std::vector<ColumnInfo> columns = ColumnsOf(db, conversion);
      const auto at = static_cast<size_t>(conversion.column);
      return at < columns.size() ? StoreOfStrictType(columns[at].type) : kAnywhere;
    }
    default: return kAnywhere;
  }
}

std::string_view NameOf(Stores stores) {
  if (stores == kAsText) return "TEXT";
  return stores == kAsReal ? "REAL" : "NUMERIC";
}

bool IsKnown(const std::vector<Program>& programs) {
  return std::all_of(programs.begin(), programs.end(), [](const Program& program) {
    return std::none_of(program.begin(), program.end(),
                        [](const Instruction& i) { return i.operation == Operation::kUnknown; });
  });
}

}  // namespace

void ParameterStores::Finalize::operator()(sqlite3_stmt* statement) const {
  sqlite3_finalize(statement);
}

ParameterStores::ParameterStores(sqlite3_stmt* statement, Policy* policy)
    : statement_(statement), policy_(policy) {}

void ParameterStores::Refresh() {
  const TrustedScope trusted(policy_);
  if (watch_ != nullptr) {
    const int code = sqlite3_step(watch_.get());
    sqlite3_reset(watch_.get());
    const int times = sqlite3_stmt_status(watch_.get(), SQLITE_STMTSTATUS_REPREPARE, 0);
    if (code == SQLITE_DONE && times == watch_prepared_times_) return;
  }
  Read();
}

void ParameterStores::Read() {
  known_ = false;
  stores_.clear();
  // Another process may have changed the schema; the first step of `watch_` finds that out.
  constexpr int kAttempts = 3;
  for (int attempt = 0; attempt < kAttempts && !known_; ++attempt) {
    const std::optional<std::vector<Program>> programs = ReadPrograms(statement_);
    if (!programs.has_value() || !IsKnown(*programs) || !WatchSchemas(*programs)) return;
    watch_prepared_times_ = sqlite3_stmt_status(watch_.get(), SQLITE_STMTSTATUS_REPREPARE, 0);
    if (watch_prepared_times_ != 0) continue;
    for (const Conversion& conversion : FindConversions(*programs)) {
      const Stores store = StoreOf(sqlite3_db_handle(statement_), conversion);
      for (const int parameter : conversion.parameters) {
        const auto at = static_cast<size_t>(parameter);
        if (stores_.size() <= at) stores_.resize(at + 1);
        stores_[at] |= store;
      }
    }
    known_ = true;
  }
}

bool ParameterStores::WatchSchemas(const std::vector<Program>& programs) {
  sqlite3* db = sqlite3_db_handle(statement_);
  std::set<int> databases = {0};
  for (const Instruction& i : programs.front()) {
    if (i.operation == Operation::kTransaction) databases.insert(i.p1);
  }
  std::string sql = "SELECT 1 FROM ";
  for (const int database : databases) {
    const char* name = sqlite3_db_name(db, database);
    if (name == nullptr) return false;
    fmt::format_to(std::back_inserter(sql), "{}{}.sqlite_schema", database > 0 ? ", " : "",
                   Quoted(name));
  }
  sql += " LIMIT 0";
  sqlite3_stmt* prepared = nullptr;
  sqlite3_prepare_v3(db, sql.data(), static_cast<int>(sql.size()), SQLITE_PREPARE_PERSISTENT,
                     &prepared, nullptr);
  watch_.reset(prepared);
  if (prepared == nullptr) return false;
  const int code = sqlite3_step(prepared);
  sqlite3_reset(prepared);
  return code == SQLITE_DONE;
}

Stores ParameterStores::Of(int index) const {
  if (!known_) return kAnywhere;
  const auto at = static_cast<size_t>(index);
  return at < stores_.size() ? stores_[at] : kNowhere;
}

std::pair<std::string, std::string> ParameterStores::FindColumn(int index, Stores stores) const {
  const TrustedScope trusted(policy_);
  std::pair<std::string, std::string> found;
  const std::optional<std::vector<Program>> programs = ReadPrograms(statement_);
  if (!known_ || !programs.has_value()) return found;
  sqlite3* db = sqlite3_db_handle(statement_);
  for (const Conversion& conversion : FindConversions(*programs)) {
    const std::vector<int>& parameters = conversion.parameters;
    if (std::find(parameters.begin(), parameters.end(), index) == parameters.end()) continue;
    if ((StoreOf(db, conversion) & stores) == 0 || conversion.table.empty()) continue;
    const std::vector<ColumnInfo> columns = ColumnsOf(db, conversion);
    const bool is_column = conversion.column >= 0 && conversion.column < std::ssize(columns);
    if (is_column) return {conversion.table, columns[static_cast<size_t>(conversion.column)].name};
    if (conversion.column == kRowId) return {conversion.table, "rowid"};
  }
  return found;
}

absl::Status ParameterStores::Refuse(int index, const driver::Value& value) const {
  const Stores all = Of(index);
  // One that is against it by itself, or all: a text that one of them makes a number of and
  // another keeps.
  Stores against = all;
  for (const Stores store : {kAsText, kAsNumber, kAsReal}) {
    if ((all & store) != 0 && !ToBind(value, store).has_value()) against = store;
  }
  driver::ErrorInfo info;
  std::tie(info.table, info.column) = FindColumn(index, against);
  const Loss loss = LossOf(value.kind);
  info.hint = loss.hint;
  const std::string column =
      info.column.empty() ? "a column" : fmt::format("column '{}.{}'", info.table, info.column);
  const std::string message =
      fmt::format("{} of {} affinity would {}", column, NameOf(against), loss.what);
  if (known_) return driver::MakeError(driver::Reason::kDataException, message, info);
  info.hint = fmt::format("{}; or store it with a plain INSERT or UPDATE", loss.hint);
  return driver::MakeError(driver::Reason::kDataException,
                           fmt::format("it is unknown where the statement stores this {}, and {}",
                                       driver::KindName(value.kind), message),
                           info);
}

}  // namespace penstock::sqlite_engine
