// Prepared statements, values and rows.
#include "gmock/gmock.h"
#include "tests/unit/cockroachdb/fixture.h"

namespace penstock::cockroachdb {
namespace {

class StatementTest : public DialogueTest {
 protected:
  // Succeeds, fails once with `sqlstate` when it is executed again, and succeeds.
  void ExpectHealed(const std::string& sqlstate, const std::string& message) {
    const std::string sql = "SELECT healed" + sqlstate;
    server_.Say(sql, [=](size_t executed) {
      // It is described as before.
      FakeAnswer answer = FakeCockroach::Text("x");
      if (executed == 2) answer.sqlstate = sqlstate;
      answer.message = message;
      return answer;
    });
    EXPECT_EQ(Run(sql)->row(), "text x");
    const auto again = Run(sql);
    EXPECT_EQ(again->row(), "text x") << sqlstate << again->run.status;
    EXPECT_EQ(executed(sql).size(), 3u);
    EXPECT_EQ(Run(sql)->row(), "text x");
  }
};

TEST_F(StatementTest, OnesOfBeforeAChangeOfDefinitionsHeal) {
  ExpectHealed("0A000", "cached plan must not change result type");
  ExpectHealed("22P02", "invalid input value for enum te: \"new\"");
  ExpectHealed("XX000", "comparison of two different versions of enum te");
  ExpectHealed("42P01", "relation \"t\" does not exist");
  ExpectHealed("26000", "prepared statement does not exist");
}

TEST_F(StatementTest, DecimalsHaveOneText) {
  const std::pair<const char*, const char*> decimals[] = {
      {"1E+4", "10000"},
      {"-1E+4", "-10000"},
      {"1.5E+3", "1500"},
      {"1.2345E+2", "123.45"},
      {"1E-7", "0.0000001"},
      {"-2.5E-10", "-0.00000000025"},
      {"0E-10", "0.0000000000"},
      {"0E+3", "0"},
      {"-0", "0"},
      {"-0.00", "0.00"},
      {"1.50", "1.50"},
      {"10000", "10000"},
      {"0.1", "0.1"},
      {"NaN", "NaN"},
      {"Infinity", "Infinity"},
      {"-Infinity", "-Infinity"},
  };
  constexpr uint32_t kNumeric = 1700;
  constexpr uint32_t kNumerics = 1231;
  for (const auto& [sent, text] : decimals) {
    server_.Say("SELECT it", FakeAnswer{.columns = {{"it", kNumeric}}, .rows = {{sent}}});
    EXPECT_EQ(Run("SELECT it")->row(), std::string("decimal ") + text) << sent;
    server_.Say("SELECT list", FakeAnswer{.columns = {{"it", kNumerics}},
                                          .rows = {{std::string("{") + sent + "}"}}});
    EXPECT_EQ(Run("SELECT list")->row(), std::string("array [") + text + "]") << sent;
  }
}

TEST_F(StatementTest, FloatsAreRead) {
  constexpr uint32_t kFloat8 = 701;
  for (const auto& [sent, text] : {std::pair{"1e+21", "real 1e+21"},
                                   {"-0", "real -0"},
                                   {"Infinity", "real inf"},
                                   {"0.1", "real 0.1"}}) {
    server_.Say("SELECT it", FakeAnswer{.columns = {{"it", kFloat8}}, .rows = {{sent}}});
    EXPECT_EQ(Run("SELECT it")->row(), text);
  }
}

TEST_F(StatementTest, EachHasATransactionOfItsOwn) {
  server_.Say("UPDATE bad", FakeCockroach::Done("UPDATE 1"));
  const Calls calls = testing::MakeCalls(
      {"UPDATE good SET a = 1", "UPDATE bad SET a = 1", "UPDATE also SET a = 1"});
  MakeBrisk(calls);
  server_.Say("UPDATE bad", FakeCockroach::Error("23505", "duplicate key"));
  testing::RunTogether(&connection(), calls);
  EXPECT_TRUE(calls[0]->run.status.ok());
  EXPECT_EQ(calls[1]->reason(), Reason::kUniqueViolation);
  EXPECT_TRUE(calls[2]->run.status.ok());
}

TEST_F(StatementTest, ManyRowsGoByStatementsOfSeveral) {
  const std::string sql = "INSERT INTO t(a, b) VALUES ($1, $2)";
  server_.Say("INSERT INTO t", [](size_t) {
    FakeAnswer answer = FakeCockroach::Done("INSERT 0 100");
    answer.parameters = {25, 25};
    return answer;
  });
  Call call(sql);
  std::vector<std::vector<Value>> rows;
  for (int i = 0; i < 1000; ++i) rows.push_back({Value::Text("a"), Value::Text("b")});
  call.run.rows = rows;
  driver::StatementRun* const run = &call.run;
  connection().RunBatch({&run, 1});
  EXPECT_TRUE(call.run.status.ok()) << call.run.status;
  EXPECT_LE(executed("INSERT INTO t").size(), 10u);
  EXPECT_GE(executed("INSERT INTO t").size(), 1u);
  EXPECT_THAT(executed("INSERT INTO t").front(), ::testing::HasSubstr("($3,$4)"));
}

}  // namespace
}  // namespace penstock::cockroachdb
