#include "drivers/sqlite/migrations/pragma.h"

#include <sqlite3.h>

#include <string>

#include "fmt/format.h"
#include "gtest/gtest.h"

namespace penstock::migrations {
namespace {

// Of a connection that runs `sql`, which has set them to `before`.
bool ForeignKeysAfter(bool before, const std::string& sql) {
  sqlite3* db = nullptr;
  EXPECT_EQ(sqlite3_open(":memory:", &db), SQLITE_OK);
  sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_FKEY, before ? 1 : 0, nullptr);
  EXPECT_EQ(sqlite3_exec(db, sql.c_str(), nullptr, nullptr, nullptr), SQLITE_OK) << sql;
  int after = 0;
  sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_FKEY, -1, &after);
  sqlite3_close(db);
  return after != 0;
}

std::optional<bool> Set(const std::string& sql) {
  const auto statements = SplitSql(sql, SqliteSyntax());
  EXPECT_TRUE(statements.ok() && statements->size() == 1) << sql;
  return SetsForeignKeys(statements->front());
}

TEST(SetsForeignKeys, ReadsWhatSqliteReads) {
  for (const char* sql :
       {"PRAGMA foreign_keys=OFF", "pragma foreign_keys = off", "PRAGMA foreign_keys(0)",
        "PRAGMA foreign_keys = 0", "Pragma Foreign_Keys = False", "PRAGMA foreign_keys=no",
        "PRAGMA main.foreign_keys = 'off'", "PRAGMA \"main\" . \"foreign_keys\" ( \"off\" )",
        "/* a */ PRAGMA -- b\n foreign_keys /* c */ = -- d\n OFF", "PRAGMA [foreign_keys]=OFF",
        "PRAGMA `foreign_keys`=`off`", "PRAGMA foreign_keys=-1", "PRAGMA foreign_keys=256",
        "PRAGMA foreign_keys=nonsense", "PRAGMA foreign_keys\n=\tOFF"}) {
    EXPECT_EQ(Set(sql), std::optional(false)) << sql;
  }
  for (const char* sql :
       {"PRAGMA foreign_keys=ON", "PRAGMA foreign_keys(1)", "PRAGMA foreign_keys=yes",
        "PRAGMA foreign_keys = 'true'", "PRAGMA foreign_keys=+1", "PRAGMA foreign_keys=2"}) {
    EXPECT_EQ(Set(sql), std::optional(true)) << sql;
  }
  for (const char* sql :
       {"PRAGMA foreign_keys", "PRAGMA main.foreign_keys", "PRAGMA foreign_key_check",
        "PRAGMA defer_foreign_keys=OFF", "PRAGMA foreign_key_list(foreign_keys)",
        "SELECT 'PRAGMA foreign_keys=OFF'", "CREATE TABLE foreign_keys(a)"}) {
    EXPECT_EQ(Set(sql), std::nullopt) << sql;
  }
}

// What each spelling does is asked of SQLite itself, too.
TEST(SetsForeignKeys, AgreesWithTheSqliteThatIsLinked) {
  for (const char* value :
       {"OFF",      "off",   "0",    "1",     "2",          "255",        "256",
        "257",      "-1",    "+1",   "ON",    "on",         "TRUE",       "yes",
        "no",       "false", "full", "extra", "'on'",       "\"on\"",     "'off'",
        "nonsense", "1.5",   "0x1",  "0x100", "2147483649", "4294967297", "007"}) {
    for (const char* form : {"PRAGMA foreign_keys={}", "PRAGMA main.foreign_keys({})"}) {
      const std::string sql = fmt::format(fmt::runtime(form), value);
      for (const bool before : {false, true}) {
        EXPECT_EQ(Set(sql), std::optional(ForeignKeysAfter(before, sql))) << sql;
      }
    }
  }
}

}  // namespace
}  // namespace penstock::migrations
