// Settings of the session that a statement or a transaction has: they are its own, and nothing of
// them is there for another one, however it ends.
#include <chrono>
#include <span>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "tests/unit/postgres/fixture.h"

namespace penstock::postgres {
namespace {

using Settings = std::vector<driver::Setting>;

constexpr char kUser[] = "SELECT current_setting('app.user', true)";

class CallSettingsTest : public PostgresDriverTest {
 protected:
  CallSettingsTest() {
    // By a function, so that the driver keeps the statement prepared.
    Ask("CREATE TABLE mine (owner text, i bigint)");
    Ask("CREATE VIEW whose AS SELECT current_setting('app.user', true) AS name");
    Ask("CREATE TABLE divisors (d integer)");
    Ask("INSERT INTO divisors VALUES (1)");
  }

  // Runs one statement by itself with the settings.
  std::unique_ptr<Call> TryWith(const Settings& settings, const std::string& sql,
                                std::vector<Value> args = {}, bool must_only_read = false) {
    auto call = std::make_unique<Call>(sql, std::move(args));
    call->run.settings = settings;
    call->run.must_only_read = must_only_read;
    driver::StatementRun* const run = &call->run;
    EXPECT_EQ(connection_->RunBatch({&run, 1}), 1u);
    return call;
  }
  std::string AskWith(const std::string& user, const std::string& sql) {
    const auto call = TryWith({{"app.user", user}}, sql);
    EXPECT_TRUE(call->run.status.ok()) << sql << ": " << call->run.status;
    return call->row();
  }
  // A statement without settings finds nobody's; once a session has had such a setting it is empty,
  // and NULL before.
  void ExpectNobody(const std::string& after) {
    const std::string row = Ask(kUser);
    EXPECT_TRUE(row == "text" || row == "null") << after << ": " << row;
  }
};

TEST_F(CallSettingsTest, AStatementHasThemAndTheNextOneHasNot) {
  EXPECT_EQ(AskWith("ada", kUser), "text ada");
  ExpectNobody("ada");
  EXPECT_EQ(AskWith("", kUser), "text");
  const auto two = TryWith({{"app.user", "ada"}, {"request.jwt.claims", R"({"a":"'\\"})"}},
                           "SELECT current_setting('app.user'), "
                           "current_setting('request.jwt.claims')");
  EXPECT_EQ(two->row(), R"(text ada|text {"a":"'\\"})") << two->run.status;
  ExpectNobody("two");
}

// The same statement is prepared after its first run, whose plan others use.
TEST_F(CallSettingsTest, EachRunOfAPreparedStatementHasItsOwn) {
  for (int i = 0; i < 20; ++i) {
    const std::string user = "user" + std::to_string(i);
    EXPECT_EQ(AskWith(user, "SELECT name FROM whose"), "text " + user);
    EXPECT_EQ(AskWith(user, "INSERT INTO mine SELECT name FROM whose RETURNING owner"),
              "text " + user);
  }
  ExpectNobody("all of them");
}

TEST_F(CallSettingsTest, NothingIsLeftAfterAnError) {
  Ask("UPDATE divisors SET d = 0");
  for (const char* sql :
       {"SELECT 1 / d FROM divisors", "SELECT nosuch", "SELECT 'x'::integer", "selec",
        "DO $$BEGIN RAISE EXCEPTION 'no'; END$$", "BEGIN", "COMMIT", "SELECT 1; SELECT 2"}) {
    const auto call = TryWith({{"app.user", "ada"}}, sql);
    EXPECT_FALSE(call->run.status.ok()) << sql;
    EXPECT_EQ(call->message().find("ada"), std::string::npos) << call->run.status;
    ExpectNobody(sql);
  }
  EXPECT_TRUE(connection_->healthy());
}

TEST_F(CallSettingsTest, NothingIsLeftAfterACancelOrATimeout) {
  Call late("SELECT pg_sleep(1000)");
  const Settings settings = {{"app.user", "ada"}};
  late.run.settings = settings;
  late.run.deadline = {.at = std::chrono::steady_clock::now() + std::chrono::milliseconds(50),
                       .reason = Reason::kRequestTimeout};
  driver::StatementRun* run = &late.run;
  connection_->RunBatch({&run, 1});
  EXPECT_EQ(late.reason(), Reason::kRequestTimeout) << late.run.status;
  ExpectNobody("the timeout");

  Call cancelled("SELECT pg_sleep(1000)");
  cancelled.run.settings = settings;
  auto other = Connect();
  std::thread canceller([&] {
    for (std::string row; row != "integer 1";) {
      Call call(
          "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND datname = "
          "current_database()");
      driver::StatementRun* const look = &call.run;
      other->RunBatch({&look, 1});
      row = call.row();
    }
    cancelled.cancellation.Cancel(driver::MakeError(Reason::kCancelled, "enough"));
  });
  run = &cancelled.run;
  connection_->RunBatch({&run, 1});
  canceller.join();
  EXPECT_EQ(cancelled.message(), "enough");
  ExpectNobody("the cancel");
  EXPECT_TRUE(connection_->healthy());
}

// A statement is free to set what it likes, for itself.
TEST_F(CallSettingsTest, WhatAStatementSetsItselfIsNotLeftEither) {
  for (const char* sql : {"SET app.\"user\" = 'eve'", "SELECT set_config('app.user', 'eve', false)",
                          "SELECT set_config('app.user', 'eve', true)",
                          "DO $$BEGIN PERFORM set_config('app.user', 'eve', false); END$$",
                          "RESET app.\"user\"", "RESET ALL", "DISCARD ALL"}) {
    // DISCARD ALL cannot run in a transaction.
    const absl::Status set = TryWith({{"app.user", "ada"}}, sql)->run.status;
    EXPECT_EQ(set.ok(), std::string(sql) != "DISCARD ALL") << sql << ": " << set;
    ExpectNobody(sql);
    EXPECT_TRUE(Try(sql)->run.status.ok()) << sql;
    EXPECT_EQ(AskWith("ada", kUser), "text ada") << sql;
    ExpectNobody(sql);
  }
}

// What follows a COMMIT in a procedure is in another transaction, and has nothing.
TEST_F(CallSettingsTest, ACommitInAProcedureEndsThem) {
  Ask("CREATE PROCEDURE commits() LANGUAGE plpgsql AS $$BEGIN "
      "INSERT INTO mine VALUES (current_setting('app.user', true), 1); COMMIT; "
      "INSERT INTO mine VALUES (current_setting('app.user', true), 2); END$$");
  const auto call = TryWith({{"app.user", "ada"}}, "CALL commits()");
  EXPECT_TRUE(call->run.status.ok()) << call->run.status;
  EXPECT_EQ(Ask("SELECT string_agg(i || owner, ' ' ORDER BY i) FROM mine"), "text 1ada 2");
  ExpectNobody("CALL");
}

TEST_F(CallSettingsTest, WhatCannotRunInATransactionSaysSo) {
  for (const char* sql : {"VACUUM mine", "CREATE INDEX CONCURRENTLY at_i ON mine (i)"}) {
    const auto call = TryWith({{"app.user", "ada"}}, sql);
    EXPECT_EQ(call->reason(), Reason::kUnsupported) << call->run.status;
    EXPECT_NE(driver::GetErrorInfo(call->run.status).hint.find("without them"), std::string::npos)
        << call->run.status;
    ExpectNobody(sql);
    EXPECT_TRUE(Try(sql)->run.status.ok()) << sql;
  }
}

// A name that the server does not take fails the statement, which is not run.
TEST_F(CallSettingsTest, AStatementIsNotRunWithoutThem) {
  const Settings settings = {{"app.user", "ada"}, {"role", "nosuch"}};
  EXPECT_FALSE(TryWith(settings, "INSERT INTO mine VALUES ('x', 1)")->run.status.ok());
  Call many("INSERT INTO mine VALUES ($1, $2)");
  std::vector<std::vector<Value>> rows(20, {Value::Text("x"), Value::Integer(1)});
  many.run.rows = rows;
  many.run.settings = settings;
  driver::StatementRun* run = &many.run;
  connection_->RunBatch({&run, 1});
  EXPECT_FALSE(many.run.status.ok());
  EXPECT_EQ(many.message().find("row 1"), std::string::npos) << many.run.status;
  driver::TransactionOptions options;
  options.settings = settings;
  EXPECT_FALSE(connection_->Begin(options).ok());
  EXPECT_EQ(Ask("SELECT count(*) FROM mine"), "integer 0");
  ExpectNobody("the failures");
}

// By arrays, one by one because a value does not suit, and as many as would go by COPY.
TEST_F(CallSettingsTest, ManyRows) {
  Ask("ALTER TABLE mine ALTER owner SET DEFAULT current_setting('app.user', true)");
  for (const size_t count : {size_t{3}, size_t{100}, size_t{10'000}}) {
    Ask("DELETE FROM mine");
    Call many("INSERT INTO mine(i) VALUES ($1)");
    std::vector<std::vector<Value>> rows(count, {Value::Integer(1)});
    const Settings settings = {{"app.user", "ada"}};
    many.run.rows = rows;
    many.run.settings = settings;
    driver::StatementRun* run = &many.run;
    connection_->RunBatch({&run, 1});
    EXPECT_TRUE(many.run.status.ok()) << many.run.status;
    EXPECT_EQ(many.run.summary.rows_affected, static_cast<int64_t>(count));
    EXPECT_EQ(Ask("SELECT count(*) || string_agg(DISTINCT owner, ' ') FROM mine"),
              "text " + std::to_string(count) + "ada");
    ExpectNobody("rows");
    rows.back() = {Value::Text("x")};
    connection_->RunBatch({&run, 1});
    EXPECT_FALSE(many.run.status.ok());
    EXPECT_NE(many.message().find("row " + std::to_string(count)), std::string::npos)
        << many.run.status;
    ExpectNobody("rows that failed");
  }
}

TEST_F(CallSettingsTest, ACursorHasThemToItsEnd) {
  const auto call = TryWith({{"app.user", "ada"}},
                            "SELECT current_setting('app.user', true) FROM generate_series(1, "
                            "100000)");
  ASSERT_NE(call->run.cursor, nullptr);
  for (;;) {
    call->output.TakeAway();
    const auto more = call->run.cursor->Fetch({}, &call->output);
    ASSERT_TRUE(more.ok()) << more.status();
    if (!*more) break;
  }
  EXPECT_EQ(call->output.rows.size(), 100'000u);
  for (const std::string& row : call->output.rows) ASSERT_EQ(row, "text ada");
  call->run.cursor.reset();
  ExpectNobody("the cursor");
  const auto dropped = TryWith({{"app.user", "ada"}}, "SELECT * FROM generate_series(1, 100000)");
  dropped->run.cursor.reset();
  ExpectNobody("the dropped cursor");
}

// Reads next to each other are one transaction for the server; those with other settings are not.
TEST_F(CallSettingsTest, StatementsThatAreSentTogetherHaveEachItsOwn) {
  std::vector<std::string> texts;
  std::vector<std::string> users;
  for (int i = 0; i < 60; ++i) {
    texts.push_back(i % 7 == 3 ? "INSERT INTO mine SELECT name FROM whose RETURNING owner"
                               : "SELECT name FROM whose");
    users.push_back("user" + std::to_string(i / 3));
  }
  std::vector<Settings> settings(60);
  const Calls calls = MakeCalls(texts);
  MakeBrisk(calls);
  for (size_t i = 0; i < 60; ++i) {
    // Every fifth has none.
    if (i % 5 != 4) settings[i] = {{"app.user", users[i]}};
    calls[i]->run.settings = settings[i];
  }
  RunTogether(connection_.get(), calls);
  for (size_t i = 0; i < 60; ++i) {
    EXPECT_TRUE(calls[i]->run.status.ok()) << calls[i]->run.status;
    EXPECT_EQ(calls[i]->row(), i % 5 != 4 ? "text " + users[i] : "text") << i;
    EXPECT_EQ(calls[i]->output.rows.size(), 1u) << i;
  }
  ExpectNobody("all of them");
}

TEST_F(CallSettingsTest, OnesFailureLeavesTheOthersTheirs) {
  const Calls calls = MakeCalls({"SELECT name FROM whose", "SELECT 1 / d FROM divisors",
                                 "SELECT name FROM whose", "SELECT name FROM whose"});
  MakeBrisk(calls);
  Ask("UPDATE divisors SET d = 0");
  const Settings ada = {{"app.user", "ada"}};
  const Settings eve = {{"app.user", "eve"}};
  const Settings wrong = {{"role", "nosuch"}};
  calls[0]->run.settings = calls[1]->run.settings = ada;
  calls[2]->run.settings = eve;
  calls[3]->run.settings = wrong;
  RunTogether(connection_.get(), calls);
  EXPECT_EQ(calls[0]->row(), "text ada") << calls[0]->run.status;
  EXPECT_EQ(calls[1]->reason(), Reason::kDataException) << calls[1]->run.status;
  EXPECT_EQ(calls[2]->row(), "text eve") << calls[2]->run.status;
  EXPECT_FALSE(calls[3]->run.status.ok());
  ExpectNobody("all of them");
}

TEST_F(CallSettingsTest, CallersWhoMayOnlyRead) {
  const auto call = TryWith({{"app.user", "ada"}}, "SELECT name FROM whose", {}, true);
  EXPECT_EQ(call->row(), "text ada") << call->run.status;
  // They cannot change them.
  for (const char* sql : {"SET app.\"user\" = 'eve'", "SET LOCAL app.\"user\" = 'eve'",
                          "SELECT set_config('app.user', 'eve', true)",
                          "SELECT name FROM whose, set_config('app.user', 'eve', true)"}) {
    EXPECT_EQ(TryWith({{"app.user", "ada"}}, sql, {}, true)->reason(), Reason::kNotAllowed) << sql;
  }
  const auto failed = TryWith({{"app.user", "ada"}}, "SELECT 'x'::integer", {}, true);
  EXPECT_FALSE(failed->run.status.ok());
  ExpectNobody("the failures");
  Call many("SELECT name FROM whose WHERE name = $1");
  std::vector<std::vector<Value>> rows = {{Value::Text("ada")}, {Value::Text("eve")}};
  const Settings ada = {{"app.user", "ada"}};
  many.run.rows = rows;
  many.run.must_only_read = true;
  many.run.settings = ada;
  driver::StatementRun* run = &many.run;
  connection_->RunBatch({&run, 1});
  EXPECT_TRUE(many.run.status.ok()) << many.run.status;
  ExpectNobody("rows");
}

// They share one read-only transaction, which has one value.
TEST_F(CallSettingsTest, ReadersAreSentTogetherIfTheirsAreTheSame) {
  const Calls calls = MakeCalls(std::vector<std::string>(6, "SELECT name FROM whose"));
  MakeBrisk(calls);
  const Settings ada = {{"app.user", "ada"}};
  const Settings eve = {{"app.user", "eve"}};
  std::vector<driver::StatementRun*> runs;
  for (size_t i = 0; i < 6; ++i) {
    calls[i]->run.must_only_read = true;
    calls[i]->run.settings = i < 4 ? ada : eve;
    runs.push_back(&calls[i]->run);
  }
  EXPECT_EQ(connection_->Together(runs), 4u);
  EXPECT_EQ(connection_->RunBatch(runs), 4u);
  const std::span<driver::StatementRun* const> rest = std::span(runs).subspan(4);
  EXPECT_EQ(connection_->RunBatch(rest), 2u);
  for (size_t i = 0; i < 6; ++i) EXPECT_EQ(calls[i]->row(), i < 4 ? "text ada" : "text eve");
  ExpectNobody("all of them");
}

TEST_F(CallSettingsTest, ATransactionHasThemToItsEnd) {
  const Settings ada = {{"app.user", "ada"}};
  for (const bool commits : {true, false}) {
    driver::TransactionOptions options;
    options.settings = ada;
    ASSERT_TRUE(connection_->Begin(options).ok());
    EXPECT_EQ(TryInTransaction(kUser)->row(), "text ada");
    EXPECT_TRUE(connection_->Savepoint("s").ok());
    EXPECT_EQ(TryInTransaction("SELECT set_config('app.user', 'eve', true)")->row(), "text eve");
    EXPECT_FALSE(TryInTransaction("SELECT nosuch")->run.status.ok());
    EXPECT_TRUE(connection_->RollbackTo("s").ok());
    EXPECT_EQ(TryInTransaction(kUser)->row(), "text ada");
    EXPECT_TRUE((commits ? connection_->Commit() : connection_->Rollback()).ok());
    EXPECT_TRUE(connection_->Reset().ok());
    ExpectNobody("the transaction");
  }
}

TEST_F(CallSettingsTest, ATransactionThatOnlyReads) {
  const Settings ada = {{"app.user", "ada"}};
  driver::TransactionOptions options;
  options.settings = ada;
  options.must_only_read = true;
  ASSERT_TRUE(connection_->Begin(options).ok());
  EXPECT_EQ(TryInTransaction(kUser)->row(), "text ada");
  EXPECT_EQ(TryInTransaction("SELECT set_config('app.user', 'eve', true)")->reason(),
            Reason::kNotAllowed);
  EXPECT_TRUE(connection_->Commit().ok());
  EXPECT_TRUE(connection_->Reset().ok());
  ExpectNobody("the transaction");
}

}  // namespace
}  // namespace penstock::postgres
