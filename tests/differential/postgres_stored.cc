#include "tests/differential/postgres_stored.h"

#include <map>
#include <pqxx/pqxx>

#include "fmt/format.h"
#include "tests/differential/text.h"

namespace penstock::differential {
namespace {

// Lines of a name and what is there by this name.
constexpr char kDefinitions[] = R"(
WITH own AS (
  SELECT oid, nspname FROM pg_namespace
  WHERE nspname !~ '^pg_(toast|temp|catalog)' AND nspname <> 'information_schema')
SELECT 'relation ' || c.oid::regclass, concat_ws(' ', c.relkind, c.relpersistence, c.reloptions::text,
    pg_get_userbyid(c.relowner), c.relacl::text, c.relrowsecurity,
    CASE c.relkind WHEN 'v' THEN pg_get_viewdef(c.oid) WHEN 'i' THEN pg_get_indexdef(c.oid) END)
  FROM pg_class c JOIN own ON own.oid = c.relnamespace
UNION ALL SELECT 'column ' || a.attrelid::regclass || '.' || a.attname, concat_ws(' ', a.attnum,
    format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attidentity, a.attgenerated,
    pg_get_expr(d.adbin, d.adrelid))
  FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN own ON own.oid = c.relnamespace
  LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
  WHERE a.attnum > 0 AND NOT a.attisdropped
UNION ALL SELECT 'constraint ' || conname || ' of ' || conrelid::regclass || contypid,
    pg_get_constraintdef(c.oid)
  FROM pg_constraint c JOIN own ON own.oid = c.connamespace WHERE contypid = 0
UNION ALL SELECT 'trigger ' || tgname || ' of ' || tgrelid::regclass, pg_get_triggerdef(oid)
  FROM pg_trigger WHERE NOT tgisinternal
UNION ALL SELECT 'function ' || p.oid::regprocedure, CASE prokind WHEN 'a' THEN 'aggregate'
    ELSE pg_get_functiondef(p.oid) END
  FROM pg_proc p JOIN own ON own.oid = p.pronamespace
UNION ALL SELECT 'sequence ' || schemaname || '.' || sequencename, coalesce(last_value, 0)::text
  FROM pg_sequences
UNION ALL SELECT 'comment on ' || pg_describe_object(classoid, objoid, objsubid), description
  FROM pg_description WHERE objoid >= 16384)";

constexpr char kTables[] =
    "SELECT c.oid::regclass::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
    "WHERE c.relkind IN ('r', 'm') AND c.relpersistence <> 't' AND c.relispopulated "
    "AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname !~ '^pg_'";

using Things = std::map<std::string, std::string>;

Things ReadThings(const std::string& where) {
  pqxx::connection connection(where);
  pqxx::nontransaction work(connection);
  Things things;
  for (const auto& row : work.exec(kDefinitions)) {
    things[row[0].as<std::string>("")] = row[1].as<std::string>("");
  }
  for (const auto& row : work.exec(kTables)) {
    const auto table = row[0].as<std::string>();
    const pqxx::row sum = work.exec1(
        "SELECT count(*), sum(hashtextextended(t::text, 0)::numeric) FROM ONLY " + table + " AS t");
    things["rows of " + table] = fmt::format("{} rows with the sum {}", sum[0].as<std::string>(),
                                             sum[1].as<std::string>(""));
  }
  return things;
}

std::vector<std::string> CompareThings(const Things& mine, Things theirs) {
  constexpr size_t kShown = 200;
  std::vector<std::string> differences;
  for (const auto& [name, what] : mine) {
    const auto found = theirs.find(name);
    if (found == theirs.end()) {
      differences.push_back(fmt::format("gateway has no {}", name));
    } else if (found->second != what) {
      differences.push_back(fmt::format("{}: oracle has {}, gateway {}", name,
                                        Printable(what, kShown), Printable(found->second, kShown)));
    }
    if (found != theirs.end()) theirs.erase(found);
  }
  for (const auto& [name, what] : theirs) differences.push_back("oracle has no " + name);
  return differences;
}

}  // namespace

std::vector<std::string> ComparePostgresStored(const std::string& own,
                                               const std::string& gateways) {
  try {
    return CompareThings(ReadThings(own), ReadThings(gateways));
  } catch (const pqxx::failure& error) {
    return {fmt::format("it cannot be read: {}", error.what())};
  }
}

std::string PostgresWriteMark(const std::string& where) {
  try {
    pqxx::connection connection(where);
    pqxx::nontransaction work(connection);
    return work.exec1("SELECT pg_snapshot_xmax(pg_current_snapshot())")[0].as<std::string>();
  } catch (const pqxx::failure&) {
    return {};
  }
}

}  // namespace penstock::differential
