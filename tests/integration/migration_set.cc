#include "tests/integration/migration_set.h"

#include <string>

#include "fmt/format.h"

namespace penstock::testing {
namespace {

constexpr int kGroups = 26;

class Set {
 public:
  void Add(const std::string& name, const std::string& up, const std::string& down) {
    const std::string stem = fmt::format("{:04}_{}", ++version_, name);
    files.push_back({stem + ".up.sql", up});
    files.push_back({stem + ".down.sql", down});
  }
  MigrationFiles files;

 private:
  int version_ = 0;
};

// What both dialects spell alike.
void AddCommon(int group, bool sqlite, Set* set) {
  const std::string t = fmt::format("t{}", group);
  const std::string before = group == 0 ? "t0" : fmt::format("t{}", group - 1);
  set->Add("create_" + t,
           fmt::format("-- Table {0}; with a semicolon; in a comment\nCREATE TABLE {0} (\n  id "
                       "INTEGER PRIMARY KEY,\n  parent INTEGER REFERENCES {1}(id),\n  name TEXT "
                       "NOT NULL DEFAULT 'a;b',\n  n INTEGER CHECK (n >= 0)\n);",
                       t, before),
           fmt::format("DROP TABLE {};", t));
  set->Add("fill_" + t,
           fmt::format("INSERT INTO {0}(id, name, n) VALUES (1, 'it''s; one', 1);\nINSERT INTO "
                       "{0}(id, name, n) VALUES (2, 'two -- no comment', 2);\nUPDATE {0} SET n = n "
                       "* 10 WHERE id = 2;",
                       t),
           fmt::format("DELETE FROM {};", t));
  set->Add("index_" + t,
           fmt::format("CREATE UNIQUE INDEX {0}{1}_name ON {1}(lower(name)) WHERE n > 0;",
                       sqlite ? "" : "CONCURRENTLY ", t),
           fmt::format("DROP INDEX {}{}_name;", sqlite ? "" : "CONCURRENTLY ", t));
  set->Add("view_" + t,
           fmt::format("CREATE VIEW {0}_view AS\nSELECT id, /* ; */ CASE WHEN n > 5 THEN 'many' "
                       "ELSE 'few' END AS amount FROM {0};",
                       t),
           fmt::format("DROP VIEW {}_view;", t));
}

void AddSqlite(int group, Set* set) {
  const std::string t = fmt::format("t{}", group);
  set->Add("trigger_" + t,
           fmt::format("CREATE TRIGGER {0}_trigger AFTER INSERT ON {0} BEGIN\n  UPDATE {0} SET n = "
                       "CASE WHEN new.n IS NULL THEN 0 ELSE new.n END WHERE id = new.id;\n  "
                       "DELETE FROM {0} WHERE name = ';';\nEND;\nINSERT INTO {0}(id, name) VALUES "
                       "(3, 'three');",
                       t),
           fmt::format("DROP TRIGGER {0}_trigger; DELETE FROM {0} WHERE id = 3;", t));
  set->Add("column_" + t,
           fmt::format("ALTER TABLE {0} ADD COLUMN extra INTEGER DEFAULT 0;\nUPDATE {0} SET extra "
                       "= n + 1;",
                       t),
           fmt::format("ALTER TABLE {} DROP COLUMN extra;", t));
}

void AddPostgres(int group, Set* set) {
  const std::string t = fmt::format("t{}", group);
  set->Add("trigger_" + t,
           fmt::format("CREATE FUNCTION {0}_changed() RETURNS trigger LANGUAGE plpgsql AS $body$\n"
                       "BEGIN\n  IF new.n IS NULL THEN new.n := 0; END IF; -- ';\n  RETURN new;\n"
                       "END;\n$body$;\nCREATE TRIGGER {0}_trigger BEFORE INSERT OR UPDATE ON {0} "
                       "FOR EACH ROW EXECUTE FUNCTION {0}_changed();\nINSERT INTO {0}(id, name) "
                       "VALUES (3, E'three\\';');",
                       t),
           fmt::format("DELETE FROM {0} WHERE id = 3; DROP TRIGGER {0}_trigger ON {0}; DROP "
                       "FUNCTION {0}_changed();",
                       t));
  set->Add("column_" + t,
           fmt::format("SET search_path = public, pg_temp;\nALTER TABLE {0} ADD COLUMN extra jsonb "
                       "NOT NULL DEFAULT '{{}}';\nDO $$ BEGIN UPDATE {0} SET extra = "
                       "jsonb_build_object('n', n); END $$;",
                       t),
           fmt::format("ALTER TABLE {} DROP COLUMN extra;", t));
}

void AddPostgresSpecials(Set* set) {
  set->Add("type", "CREATE TYPE mood AS ENUM ('sad', 'ok;');\nALTER TYPE mood ADD VALUE 'happy';",
           "DROP TYPE mood;");
  set->Add("partitions",
           "CREATE TABLE parts (d date NOT NULL) PARTITION BY RANGE (d);\nCREATE TABLE parts_1 "
           "PARTITION OF parts FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');",
           "DROP TABLE parts;");
  set->Add("materialized", "CREATE MATERIALIZED VIEW mat AS SELECT count(*) AS c FROM t0;",
           "DROP MATERIALIZED VIEW mat;");
  set->Add("rule",
           "CREATE RULE quiet AS ON DELETE TO t1 WHERE old.id = 99 DO ALSO (SELECT 1; SELECT 2);",
           "DROP RULE quiet ON t1;");
  set->Add("atomic",
           "CREATE FUNCTION twice(a integer) RETURNS integer LANGUAGE sql BEGIN ATOMIC\n  SELECT "
           "CASE WHEN a > 0 THEN 1 END;\n  SELECT a * 2;\nEND;\nCREATE PROCEDURE nothing() "
           "LANGUAGE plpgsql AS $$ BEGIN NULL; END $$;",
           "DROP PROCEDURE nothing();\nDROP FUNCTION twice(integer);");
  set->Add("dumped",
           "SELECT pg_catalog.set_config('search_path', '', false);\nCREATE SEQUENCE public.serial "
           "START 5;\nCOMMENT ON SEQUENCE public.serial IS 'a; b';",
           "DROP SEQUENCE serial;");
  set->Add("vacuum", "VACUUM ANALYZE t0;", "-- nothing to take back");
  set->Add("reindex",
           "-- penstock: no-transaction\nREINDEX INDEX CONCURRENTLY t0_name;\nANALYZE t1;",
           "-- nothing to take back");
}

void AddSqliteSpecials(Set* set) {
  set->Add("strict", "CREATE TABLE strict_one (a INTEGER, b TEXT AS ('x' || a) STORED) STRICT;",
           "DROP TABLE strict_one;");
  set->Add("rename",
           "CREATE TABLE [odd;name] (\"a;b\" INTEGER, `c` TEXT);\nALTER TABLE [odd;name] RENAME TO "
           "odd;",
           "DROP TABLE odd;");
  set->Add("vacuum", "VACUUM;", "-- nothing to take back");
  set->Add(
      "many",
      "CREATE TABLE many (i INTEGER);\nWITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 "
      "FROM c WHERE i < 1000)\nINSERT INTO many SELECT i FROM c;",
      "DROP TABLE many;");
}

}  // namespace

MigrationFiles LargeSet(bool sqlite) {
  Set set;
  for (int group = 0; group < kGroups; ++group) {
    AddCommon(group, sqlite, &set);
    if (sqlite) {
      AddSqlite(group, &set);
    } else {
      AddPostgres(group, &set);
    }
  }
  if (sqlite) {
    AddSqliteSpecials(&set);
  } else {
    AddPostgresSpecials(&set);
  }
  return set.files;
}

}  // namespace penstock::testing
