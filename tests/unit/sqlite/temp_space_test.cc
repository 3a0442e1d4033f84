// The disk that a statement takes for itself.
#include "drivers/sqlite_engine/temp_space.h"

#include <sqlite3.h>

#include "tests/unit/sqlite/fixture.h"

namespace penstock::sqlite {
namespace {

class TempSpaceTest : public SqliteTest {};

const char* const kGreedy[] = {
    "WITH RECURSIVE c(x, y) AS (SELECT 1, hex(zeroblob(500)) UNION ALL SELECT x + 1, y FROM c) "
    "SELECT x FROM c ORDER BY y, x",
    "WITH RECURSIVE c(x, y) AS (SELECT 1, hex(zeroblob(500)) UNION SELECT x + 1, y FROM c) "
    "SELECT count(DISTINCT y || x) FROM c",
    "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) "
    "SELECT count(*) FROM (SELECT hex(zeroblob(500)) || x AS y FROM c GROUP BY 1)",
    "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) "
    "SELECT sum(x) OVER (ORDER BY hex(zeroblob(500)) || x) FROM c",
};

TEST_F(TempSpaceTest, AStatementThatTakesTooMuchFailsAndGivesItBack) {
  OpenWith({{"max_temp_mib", "32"}});
  for (const char* sql : kGreedy) {
    Call call(sql);
    driver::StatementRun* run = &call.run;
    reader_->RunBatch({&run, 1});
    EXPECT_EQ(call.reason(), Reason::kLimitExceeded) << sql << ": " << call.run.status;
    EXPECT_NE(call.message().find("temporary"), std::string::npos) << call.run.status;
    EXPECT_NE(driver::GetErrorInfo(call.run.status).hint.find("max_temp_mib"), std::string::npos);
  }
  // What is well within it works, time and again.
  for (int i = 0; i < 10; ++i) {
    EXPECT_EQ(Read("SELECT count(*) FROM (WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 "
                   "FROM c LIMIT 20000) SELECT hex(zeroblob(500)) || x AS y FROM c ORDER BY y)"),
              "integer 20000");
  }
}

TEST_F(TempSpaceTest, WhatIsInUseIsCountedAndGivenBack) {
  sqlite_engine::TempSpace space(int64_t{1} << 30);
  sqlite3* db = nullptr;
  ASSERT_EQ(
      sqlite3_open_v2(":memory:", &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, space.name()),
      SQLITE_OK);
  sqlite3_stmt* statement = nullptr;
  ASSERT_EQ(sqlite3_prepare_v2(db,
                               "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c "
                               "LIMIT 50000) SELECT hex(zeroblob(500)) || x FROM c ORDER BY 1",
                               -1, &statement, nullptr),
            SQLITE_OK);
  ASSERT_EQ(sqlite3_step(statement), SQLITE_ROW);
  EXPECT_GT(space.used(), 40'000'000);
  sqlite3_finalize(statement);
  EXPECT_EQ(space.used(), 0);
  sqlite3_close(db);
}

}  // namespace
}  // namespace penstock::sqlite
