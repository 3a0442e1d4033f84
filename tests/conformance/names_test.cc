// Names as people and programs choose them: whatever they are, an error's particulars
// reach the caller.
#include <sqlite3.h>

#include "tests/conformance/backend.h"

namespace penstock::testing {
namespace {

class Names : public Conformance {};
PENSTOCK_CONFORMANCE(Names);
PENSTOCK_CONFORMANCE_OVER_PIPELINE(Names, Backends());

TEST_P(Names, ControlCharactersReachTheCaller) {
  for (const std::string& name :
       {std::string("x\x1fy"), std::string("\x1f"), std::string("\x01\x02\x1e\x1f\n\t\r\x7f"),
        std::string("größe\x1f世界")}) {
    const std::string quoted = "\"" + name + "\"";
    SCOPED_TRACE(quoted);
    Do("CREATE TABLE " + quoted + " (id INTEGER PRIMARY KEY, " + quoted +
       " INTEGER NOT NULL CONSTRAINT " + quoted + " CHECK (" + quoted + " < 9))");
    const std::string insert = "INSERT INTO " + quoted + " VALUES ";
    const v1::ErrorDetail null = wire().Exec(insert + "(1, NULL)").detail;
    EXPECT_EQ(null.reason(), v1::REASON_NOT_NULL_VIOLATION);
    EXPECT_EQ(null.retry(), v1::RETRY_NEVER);
    const std::string place = backend().tells_places() ? name : "";
    EXPECT_EQ(null.table(), place);
    EXPECT_EQ(null.column(), place);
    const v1::ErrorDetail check = wire().Query(insert + "(1, 9)").detail;
    EXPECT_EQ(check.reason(), v1::REASON_CHECK_VIOLATION);
    EXPECT_EQ(check.constraint(), name);
    // As an answer in a stream, too.
    TransactionStream transaction(wire());
    transaction.Begin();
    const auto error = transaction.Exec(insert + "(1, NULL)").error();
    EXPECT_EQ(error.detail().table(), place);
    EXPECT_EQ(error.detail().column(), place);
    EXPECT_TRUE(transaction.Rollback().has_rolled_back());
    EXPECT_EQ(wire().Query("SELECT * FROM " + quoted).columns[1].name(), name);
    Do("DROP TABLE " + quoted);
    const v1::ErrorDetail missing = wire().Query("SELECT * FROM " + quoted).detail;
    EXPECT_EQ(missing.reason(), v1::REASON_UNDEFINED_TABLE);
    EXPECT_EQ(missing.table(), name);
  }
}

// A file that another program has made may have names that are not UTF-8, which a message
// cannot hold: they are told as far as they go, and nothing else of the answer is lost.
TEST(NamesOfOtherPrograms, AreToldAsFarAsTheyGo) {
  const TempDir folder;
  const server::Config config = SqliteConfig(folder.path());
  sqlite3* db = nullptr;
  ASSERT_EQ(sqlite3_open(config.databases.at("main").driver.database.c_str(), &db), SQLITE_OK);
  ASSERT_EQ(sqlite3_exec(db,
                         "CREATE TABLE \"t\xff\"(\"c\xfe\" INT UNIQUE CONSTRAINT \"k\xfd\" CHECK "
                         "(\"c\xfe\" < 9));"
                         "CREATE TABLE door(a);"
                         "CREATE TRIGGER g AFTER INSERT ON door BEGIN INSERT INTO \"t\xff\" VALUES "
                         "(new.a); END;"
                         "CREATE VIEW v AS SELECT \"c\xfe\", 'x' AS ok FROM \"t\xff\";"
                         "INSERT INTO door VALUES (1)",
                         nullptr, nullptr, nullptr),
            SQLITE_OK);
  sqlite3_close(db);
  const Gateway gateway(config);
  Wire wire(gateway.target());
  const Outcome unique = wire.Exec("INSERT INTO door VALUES (1)");
  EXPECT_EQ(unique.status.error_code(), grpc::ALREADY_EXISTS);
  EXPECT_EQ(unique.status.error_message(), "UNIQUE constraint failed: t\uFFFD.c\uFFFD");
  EXPECT_EQ(unique.detail.reason(), v1::REASON_UNIQUE_VIOLATION);
  EXPECT_EQ(unique.detail.table(), "t\uFFFD");
  EXPECT_EQ(unique.detail.column(), "c\uFFFD");
  EXPECT_EQ(wire.Exec("INSERT INTO door VALUES (9)").detail.constraint(), "k\uFFFD");
  const Outcome rows = wire.Query("SELECT * FROM v");
  ASSERT_TRUE(rows.status.ok()) << rows.status.error_message();
  ASSERT_EQ(rows.columns.size(), 2u);
  EXPECT_EQ(rows.columns[0].name(), "c\uFFFD");
  EXPECT_EQ(rows.text(), "1|'x'");
}

}  // namespace
}  // namespace penstock::testing
