// The virtual table by which SQLite sees a keyspace: the functions that SQLite calls.
//
// A table is made when SQLite first needs it, from the definition of its keyspace in the context.
// BestIndex turns the terms on the key into a plan that is a number, Filter makes a read of
// RocksDB of it (table_cursor.cc), and Update changes one row (table_write.cc). SQLite has no
// transaction over these tables, as the module has no xBegin: a statement reads the view, and
// writes into the RocksDB transaction, that stand in the context while it runs. An error is left
// in the context, because SQLite passes on a code only. No exception may pass through SQLite.
#include "drivers/pebble/keyspace_table.h"

#include <sqlite3.h>

#include <algorithm>
#include <string>
#include <string_view>

#include "drivers/api/error.h"
#include "drivers/pebble/key_plan.h"
#include "drivers/pebble/table_cursor.h"
#include "drivers/pebble/table_write.h"
#include "drivers/pebble/virtual_table.h"
#include "drivers/sqlite_engine/error.h"
#include "fmt/format.h"

namespace penstock::pebble {
namespace {

using driver::Reason;

// Assumed of a keyspace that nobody has written to yet.
constexpr int64_t kFewKeys = 100;

VirtualTable* ToTable(sqlite3_vtab* table) { return static_cast<VirtualTable*>(table); }
TableCursor* ToCursor(sqlite3_vtab_cursor* cursor) { return static_cast<TableCursor*>(cursor); }

const Table* FindTable(const TableContext& context, std::string_view name) {
  const auto found = std::find_if(context.tables.begin(), context.tables.end(),
                                  [name](const Table& table) { return table.name == name; });
  return found != context.tables.end() ? &*found : nullptr;
}

int Declare(sqlite3* db, void* aux, int count, const char* const* arguments, sqlite3_vtab** made,
            char** error) {
  auto* context = static_cast<TableContext*>(aux);
  // The module's name, the database's, the table's.
  const Table* table = count > 2 ? FindTable(*context, arguments[2]) : nullptr;
  if (table == nullptr) return SQLITE_ERROR;
  const absl::StatusOr<Storage> key = StorageOf(table->types.key);
  const absl::StatusOr<Storage> value = StorageOf(table->types.value);
  if (!key.ok() || !value.ok()) {
    *error = sqlite3_mprintf("the types of table %s are unknown", table->name.c_str());
    return SQLITE_ERROR;
  }
  const std::string sql = fmt::format(
      "CREATE TABLE declared(key {} NOT NULL PRIMARY KEY, value {} NOT NULL) WITHOUT ROWID",
      table->types.key, table->types.value);
  int code = sqlite3_declare_vtab(db, sql.c_str());
  // OR IGNORE may skip a row that a constraint is against.
  if (code == SQLITE_OK) code = sqlite3_vtab_config(db, SQLITE_VTAB_CONSTRAINT_SUPPORT, 1);
  if (code != SQLITE_OK) return code;
  *made = new VirtualTable(db, context, *table, *key, *value);
  return SQLITE_OK;
}

int Disconnect(sqlite3_vtab* table) {
  delete ToTable(table);
  return SQLITE_OK;
}

int Destroy(sqlite3_vtab* vtab) {
  VirtualTable* table = ToTable(vtab);
  TableContext* context = table->context;
  if (!context->undeclaring) {
    const absl::StatusOr<bool> dropped = context->store->Drop(table->definition.name);
    if (!dropped.ok()) return table->Fail(dropped.status());
    context->tables.erase(
        std::find(context->tables.begin(), context->tables.end(), table->definition));
  }
  delete table;
  return SQLITE_OK;
}

int BestIndex(sqlite3_vtab* vtab, sqlite3_index_info* info) {
  const VirtualTable* table = ToTable(vtab);
  uint64_t keys = 0;
  const Keyspace family = table->context->store->Find(table->definition.name);
  if (family == nullptr || !table->context->store->db()->GetIntProperty(
                               family.get(), rocksdb::DB::Properties::kEstimateNumKeys, &keys)) {
    keys = kFewKeys;
  }
  return ChooseKeyPlan(info, static_cast<int64_t>(keys));
}

int OpenCursor(sqlite3_vtab* table, sqlite3_vtab_cursor** cursor) {
  *cursor = new TableCursor(ToTable(table));
  return SQLITE_OK;
}

int CloseCursor(sqlite3_vtab_cursor* cursor) {
  delete ToCursor(cursor);
  return SQLITE_OK;
}

int Filter(sqlite3_vtab_cursor* cursor, int number, const char*, int, sqlite3_value** values) {
  return ToCursor(cursor)->Filter(KeyPlan::FromNumber(number), values);
}

int Next(sqlite3_vtab_cursor* cursor) { return ToCursor(cursor)->Next(); }

int Eof(sqlite3_vtab_cursor* cursor) { return ToCursor(cursor)->at_end() ? 1 : 0; }

int Column(sqlite3_vtab_cursor* cursor, sqlite3_context* result, int column) {
  ToCursor(cursor)->Column(column, result);
  return SQLITE_OK;
}

// A table WITHOUT ROWID is never asked.
int RowId(sqlite3_vtab_cursor*, sqlite3_int64*) { return SQLITE_ERROR; }

int Update(sqlite3_vtab* table, int count, sqlite3_value** values, sqlite3_int64*) {
  return WriteRow(ToTable(table), {values, static_cast<size_t>(count)});
}

// Without xBegin SQLite calls no xSync, xCommit, xRollback nor xSavepoint.
sqlite3_module MakeModule() {
  sqlite3_module module = {};
  module.iVersion = 2;
  module.xCreate = Declare;
  module.xConnect = Declare;
  module.xBestIndex = BestIndex;
  module.xDisconnect = Disconnect;
  module.xDestroy = Destroy;
  module.xOpen = OpenCursor;
  module.xClose = CloseCursor;
  module.xFilter = Filter;
  module.xNext = Next;
  module.xEof = Eof;
  module.xColumn = Column;
  module.xRowid = RowId;
  module.xUpdate = Update;
  return module;
}

}  // namespace

int VirtualTable::Fail(absl::Status why, int code) {
  context->failure = std::move(why);
  context->failure_code = code;
  return code;
}

absl::StatusOr<Keyspace> VirtualTable::Find() const {
  Keyspace family = context->store->Find(definition.name);
  if (family == nullptr ? definition.id == 0
                        : definition.id == 0 || family->GetID() == definition.id) {
    return family;
  }
  return driver::MakeErrorWithHint(
      Reason::kSerializationFailure,
      fmt::format("table {} was dropped while the statement began", definition.name),
      "run it again");
}

absl::Status RegisterTables(sqlite3* db, TableContext* context) {
  static const sqlite3_module module = MakeModule();
  const int code = sqlite3_create_module_v2(db, kTableModule, &module, context, nullptr);
  return code == SQLITE_OK ? absl::OkStatus() : sqlite_engine::LastError(db);
}

}  // namespace penstock::pebble
