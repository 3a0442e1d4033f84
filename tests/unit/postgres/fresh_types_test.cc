// Types that change while the driver runs: what is told of them is what is there now.
#include <pqxx/pqxx>
#include <string>
#include <utility>

#include "fmt/format.h"
#include "tests/unit/postgres/fixture.h"

namespace penstock::postgres {
namespace {

class FreshTypesTest : public PostgresDriverTest {
 protected:
  FreshTypesTest() : direct_(config_.connection_string) {}

  // By somebody else than the driver.
  void Elsewhere(const std::string& sql) {
    pqxx::nontransaction work(direct_);
    work.exec(sql);
  }
  // Runs one text that the driver has not seen; the type's name and the row.
  std::string Fresh(const std::string& expression) {
    const auto call = Try(fmt::format("SELECT {} AS c{}", expression, ++texts_));
    EXPECT_TRUE(call->run.status.ok()) << expression << call->run.status;
    if (!call->run.status.ok()) return "";
    return call->output.columns->at(0).native_type + ": " + call->row();
  }

  pqxx::connection direct_;
  int texts_ = 0;
};

TEST_F(FreshTypesTest, ARenamedTypeHasItsNewName) {
  Elsewhere("CREATE TYPE mood AS ENUM ('sad')");
  Elsewhere("CREATE DOMAIN few AS integer[]");
  Elsewhere("CREATE TYPE pair AS (x integer, y few)");
  EXPECT_EQ(Fresh("'sad'::mood"), "mood: text sad");
  EXPECT_EQ(Fresh("'{sad}'::mood[]"), "mood[]: array ['sad']");
  EXPECT_EQ(Fresh("ARRAY['{1}'::few]"), "few[]: array [[1]]");
  EXPECT_EQ(Fresh("'(1,)'::pair"), "pair: text (1,)");
  Elsewhere("ALTER TYPE mood RENAME TO humour");
  Elsewhere("ALTER DOMAIN few RENAME TO many");
  Elsewhere("ALTER TYPE pair RENAME TO couple");
  EXPECT_EQ(Fresh("'sad'::humour"), "humour: text sad");
  EXPECT_EQ(Fresh("'{sad}'::humour[]"), "humour[]: array ['sad']");
  EXPECT_EQ(Fresh("ARRAY['{1}'::many]"), "many[]: array [[1]]");
  EXPECT_EQ(Fresh("'(1,)'::couple"), "couple: text (1,)");
  Elsewhere("CREATE SCHEMA apart");
  Elsewhere("ALTER TYPE humour SET SCHEMA apart");
  EXPECT_EQ(Fresh("'sad'::apart.humour"), "apart.humour: text sad");
}

TEST_F(FreshTypesTest, ATypeThatIsMadeAnewIsTheNewOne) {
  Elsewhere("CREATE DOMAIN thing AS integer");
  EXPECT_EQ(Fresh("ARRAY[7::thing]"), "thing[]: array [7]");
  Elsewhere("DROP DOMAIN thing");
  Elsewhere("CREATE TYPE thing AS ENUM ('seven')");
  EXPECT_EQ(Fresh("ARRAY['seven'::thing]"), "thing[]: array ['seven']");
  Elsewhere("DROP TYPE thing");
  Elsewhere("CREATE DOMAIN thing AS numeric(5, 2)");
  EXPECT_EQ(Fresh("ARRAY[7::thing]"), "thing[]: array [7.00]");
}

// A transaction that began before the type was made does not see all of it. Nobody else is told
// less for that, and neither is the session afterwards.
TEST_F(FreshTypesTest, AnOldSnapshotIsNobodyElses) {
  Ask("CREATE TABLE seen (i integer)");
  for (const auto& [isolation, name] : {std::pair{driver::Isolation::kRepeatableRead, "late"},
                                        {driver::Isolation::kSerializable, "later"}}) {
    driver::TransactionOptions options;
    options.isolation = isolation;
    ASSERT_TRUE(connection_->Begin(options).ok());
    EXPECT_EQ(TryInTransaction("SELECT count(*) FROM seen")->row(), "integer 0");
    Elsewhere(fmt::format("CREATE DOMAIN {} AS integer", name));
    // Its name is told all the same.
    const std::string sql = fmt::format("SELECT ARRAY[7::{}] AS c", name);
    const auto early = TryInTransaction(sql);
    ASSERT_TRUE(early->run.status.ok()) << early->run.status;
    EXPECT_EQ(early->output.columns->at(0).native_type, fmt::format("{}[]", name));
    auto other = Connect();
    std::swap(connection_, other);
    EXPECT_EQ(Ask(sql), "array [7]");
    EXPECT_EQ(Ask(fmt::format("SELECT $1::{} + 1", name), {Value::Integer(7)}), "integer 8");
    std::swap(connection_, other);
    ASSERT_TRUE(connection_->Commit().ok());
    const auto again = Try(sql);
    EXPECT_EQ(again->row(), "array [7]");
    EXPECT_EQ(again->output.columns->at(0).kind, Kind::kArray);
  }
}

// What a statement that is running, or is kept, knows of its types outlives them.
TEST_F(FreshTypesTest, ATypeThatIsGoneIsStillThatOfARunningStatement) {
  Elsewhere("CREATE DOMAIN thing AS integer");
  Call call("SELECT ARRAY[i::thing] FROM generate_series(1, 100000) AS g(i)");
  call.run.limits.max_bytes = 100;
  driver::StatementRun* const run = &call.run;
  connection_->RunBatch({&run, 1});
  ASSERT_NE(call.run.cursor, nullptr) << call.run.status;
  Elsewhere("DROP DOMAIN thing");
  bool more = true;
  while (more) {
    call.output.TakeAway();
    const auto fetched = call.run.cursor->Fetch({.max_bytes = 1 << 20}, &call.output);
    ASSERT_TRUE(fetched.ok()) << fetched.status();
    more = *fetched;
  }
  EXPECT_EQ(call.output.rows.back(), "array [100000]");
}

}  // namespace
}  // namespace penstock::postgres
