#include "client/cli/gen_catalogue.h"

#include <optional>
#include <tuple>
#include <utility>

namespace penstock::cli {
namespace {

// Leaves out the shadow tables of virtual tables, and SQLite's own tables (sqlite_…).
constexpr char kSqliteTables[] =
    "SELECT name, type = 'view' FROM pragma_table_list "
    "WHERE schema = 'main' AND type <> 'shadow' AND name NOT GLOB 'sqlite_*'";
// In a rowid table only INTEGER PRIMARY KEY implies NOT NULL. SQLite allows NULL in other keys by
// mistake, which no schema intends, so they count as NOT NULL, too. `hidden` is 2 or 3 for a
// computed column.
constexpr char kSqliteColumns[] =
    "SELECT name, \"notnull\" = 0 AND pk = 0, pk > 0, hidden IN (2, 3) FROM pragma_table_xinfo($1)";

// Leaves out partitions, which are reached through their table, and the server's own schemas
// (pg_…).
constexpr char kPostgresTables[] =
    "SELECT CAST(c.oid AS bigint), CAST(n.nspname AS text), CAST(c.relname AS text), "
    "c.relkind IN ('v', 'm'), pg_catalog.pg_table_is_visible(c.oid), "
    "pg_catalog.has_schema_privilege(n.oid, 'USAGE') "
    "AND pg_catalog.has_table_privilege(c.oid, 'SELECT') "
    "FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace "
    "WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND NOT c.relispartition "
    "AND n.nspname NOT LIKE 'pg\\_%' "
    "AND n.nspname NOT IN ('information_schema', 'crdb_internal')";
constexpr char kPostgresColumns[] =
    "SELECT CAST(a.attrelid AS bigint), CAST(a.attname AS text), "
    "NOT (a.attnotnull OR (t.typtype = 'd' AND t.typnotnull)), "
    "EXISTS (SELECT 1 FROM pg_catalog.pg_constraint k WHERE k.conrelid = a.attrelid "
    "AND k.contype = 'p' AND a.attnum = ANY (k.conkey)), a.attgenerated <> '' "
    "FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_type t ON t.oid = a.atttypid "
    "JOIN pg_catalog.pg_class c ON c.oid = a.attrelid "
    "JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace "
    "WHERE a.attnum > 0 AND NOT a.attisdropped AND c.relkind IN ('r', 'p', 'v', 'm', 'f') "
    "AND n.nspname NOT LIKE 'pg\\_%' "
    "AND n.nspname NOT IN ('information_schema', 'crdb_internal')";

std::string Quoted(std::string_view name) {
  std::string quoted = "\"";
  for (const char c : name) {
    if (c == '"') quoted += '"';
    quoted += c;
  }
  return quoted + '"';
}

GenColumn Column(std::string name, bool nullable, bool in_primary_key, bool generated) {
  return {.name = std::move(name),
          .nullable = nullable,
          .in_primary_key = in_primary_key,
          .generated = generated};
}

absl::StatusOr<std::vector<CatalogueTable>> ReadSqlite(const Context& ctx, Executor* db) {
  auto names = db->QueryAll<std::pair<std::string, bool>>(ctx, kSqliteTables);
  if (!names.ok()) return names.status();
  std::vector<CatalogueTable> tables;
  for (auto& [name, is_view] : *names) {
    CatalogueTable& table = tables.emplace_back();
    table.table = {.name = name, .is_view = is_view};
    table.reference = Quoted(name);
  }
  return tables;
}

struct PostgresTable {
  int64_t oid = 0;
  std::string schema;
  std::string name;
  bool is_view = false;
  bool visible = false;
  bool readable = false;
};

absl::StatusOr<std::vector<CatalogueTable>> ReadPostgres(const Context& ctx, Executor* db) {
  auto names = db->QueryAll<PostgresTable>(ctx, kPostgresTables);
  if (!names.ok()) return names.status();
  auto columns =
      db->QueryAll<std::tuple<int64_t, std::string, bool, bool, bool>>(ctx, kPostgresColumns);
  if (!columns.ok()) return columns.status();
  std::map<int64_t, CatalogueTable> by_oid;
  for (const PostgresTable& found : *names) {
    CatalogueTable& table = by_oid[found.oid];
    table.table = {
        .schema = found.visible ? "" : found.schema, .name = found.name, .is_view = found.is_view};
    table.reference = Quoted(found.schema) + "." + Quoted(found.name);
    table.readable = found.readable;
  }
  for (auto& [oid, name, nullable, is_key, generated] : *columns) {
    const auto table = by_oid.find(oid);
    // The column belongs to something that is left out, such as a partition.
    if (table == by_oid.end()) continue;
    table->second.columns[name] = Column(name, nullable, is_key, generated);
  }
  std::vector<CatalogueTable> tables;
  for (auto& [oid, table] : by_oid) tables.push_back(std::move(table));
  return tables;
}

}  // namespace

absl::StatusOr<std::vector<CatalogueTable>> ReadCatalogue(const Context& ctx, Executor* db,
                                                          sql::Dialect dialect) {
  switch (dialect) {
    case sql::Dialect::kPostgres:
    case sql::Dialect::kCockroachDb: return ReadPostgres(ctx, db);
    case sql::Dialect::kSqlite:
    case sql::Dialect::kPebble: break;
  }
  return ReadSqlite(ctx, db);
}

absl::Status ReadCatalogueColumns(const Context& ctx, Executor* db, sql::Dialect dialect,
                                  CatalogueTable* table) {
  if (dialect != sql::Dialect::kSqlite && dialect != sql::Dialect::kPebble) {
    return absl::OkStatus();
  }
  auto columns = db->QueryAll<std::tuple<std::string, bool, bool, bool>>(ctx, kSqliteColumns,
                                                                         table->table.name);
  if (!columns.ok()) return columns.status();
  for (auto& [name, nullable, is_key, generated] : *columns) {
    table->columns[name] = Column(name, nullable, is_key, generated);
  }
  return absl::OkStatus();
}

}  // namespace penstock::cli
