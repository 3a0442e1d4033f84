// Row-level security by settings of the session, on a PostgreSQL whose role does not own the table:
// callers with JSON Web Tokens, and calls that carry settings.
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <fstream>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "fmt/format.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "penstock/penstock.h"
#include "penstock/v1/key_value.grpc.pb.h"
#include "tests/conformance/identities.h"
#include "tests/support/eventually.h"
#include "tests/support/gateway.h"
#include "tests/support/postgres_cluster.h"
#include "tests/support/process.h"
#include "tests/support/wire.h"
#include "tests/unit/auth/jwt_fixture.h"

namespace penstock::testing {
namespace {

using grpc::StatusCode;
using server::IdentitySetting;
using server::Members;
using server::Right;
using server::Rights;
using ::testing::HasSubstr;
using ::testing::Not;
using Settings = std::map<std::string, std::string>;

constexpr char kMine[] = "SELECT string_agg(text, ' ' ORDER BY text) FROM notes";
constexpr char kUser[] = "SELECT current_setting('app.user', true)";

std::string Jwt(const std::string& subject, Members claims = {}) {
  using std::chrono::system_clock;
  const auto now = system_clock::to_time_t(system_clock::now());
  claims.insert({{"sub", "\"" + subject + "\""},
                 {"aud", "\"penstock\""},
                 {"nbf", std::to_string(now - 60)},
                 {"exp", std::to_string(now + 3600)}});
  const std::string message =
      server::Base64Url(server::Json({{"alg", "\"ES256\""}, {"kid", "\"e\""}})) + "." +
      server::Base64Url(server::Json(claims));
  return message + "." + server::Base64Url(server::EcKey().Sign("ES256", message));
}

v1::QueryRequest Request(const std::string& sql, const Settings& settings,
                         const std::string& database = "") {
  v1::QueryRequest request;
  request.set_sql(sql);
  request.set_database(database);
  request.mutable_settings()->insert(settings.begin(), settings.end());
  return request;
}

// The database `main` derives the user, the tenant, the identity and all claims from who calls, and
// lets calls carry app.request. `open` is the same one on the server, lets calls carry app.user and
// derives nothing.
class CallSettingsTest : public ::testing::Test {
 protected:
  CallSettingsTest() : config_(SqliteConfig(folder_.path())) {
    PostgresCluster& cluster = PostgresCluster::Shared();
    const std::string name = cluster.CreateDatabase();
    role_ = "caller_" + name;
    owner_ = fmt::format("host={} user=postgres dbname={}", cluster.socket_folder(), name);
    server::DatabaseConfig database = config_.databases.at("main");
    database.pool.max_open = database.pool.max_idle = 2;
    database.driver = driver::Config();
    database.driver.driver = "postgres";
    database.driver.host = cluster.socket_folder();
    database.driver.database = name;
    database.driver.username = "postgres";
    AddDatabase("owner", database);
    database.driver.username = role_;
    database.settings.carried = {"app.user"};
    AddDatabase("open", database);
    database.settings.carried = {"app.request"};
    database.settings.derived = {
        {.name = "app.tenant", .source = IdentitySetting::Source::kClaim, .claim = "tenant"},
        {.name = "app.user", .source = IdentitySetting::Source::kClaim, .claim = "sub"},
        {.name = "app.who", .source = IdentitySetting::Source::kIdentity, .claim = ""},
        {.name = "request.jwt.claims", .source = IdentitySetting::Source::kClaims, .claim = ""}};
    config_.databases.erase("main");
    AddDatabase("main", database);
    config_.default_database = "main";
    config_.server.listen = {"127.0.0.1:0"};
    std::ofstream(folder_.path() + "/keys.json")
        << server::KeySetText({server::EcKey().Jwk({{"kid", "\"e\""}})});
    config_.jwt = {.jwks_file = folder_.path() + "/keys.json",
                   .algorithms = {"ES256"},
                   .audience = "penstock",
                   .issuer = ""};
    config_.identities.emplace("root", Identity("root", "*", Rights::All()));
    config_.identities.emplace("app", Identity("app", "*", Rights().With(Right::kWrite)));
    config_.identities.at("app").jwt_subjects = {"ada", "eve", "tim", "bob"};
    config_.identities.emplace("view", Identity("view", "*", Rights().With(Right::kRead)));
    config_.identities.at("view").jwt_subjects = {"vera", "vito"};
  }

  void SetUp() override {
    gateway_ = std::make_unique<Gateway>(config_);
    Own("CREATE ROLE " + role_ + " LOGIN");
    Own("GRANT CREATE, USAGE ON SCHEMA public TO " + role_);
    Own("CREATE TABLE notes (owner text NOT NULL CHECK (owner <> '') DEFAULT "
        "current_setting('app.user'), text text)");
    Own("ALTER TABLE notes ENABLE ROW LEVEL SECURITY");
    Own("CREATE POLICY own ON notes USING (owner = current_setting('app.user', true))");
    Own("GRANT ALL ON notes TO " + role_);
    for (const char* user : {"ada", "eve", "tim", "bob", "vera", "vito"}) {
      Own(fmt::format("INSERT INTO notes VALUES ('{0}', '{0}1'), ('{0}', '{0}2')", user));
    }
  }
  void TearDown() override {
    gateway_.reset();
    Process({PostgresProgram("psql"), "-X", owner_, "-c", "DROP OWNED BY " + role_, "-c",
             "DROP ROLE " + role_},
            folder_.path())
        .Wait();
  }

  void AddDatabase(const std::string& name, server::DatabaseConfig database) {
    database.driver.name = name;
    config_.databases.emplace(name, std::move(database));
  }
  // Runs a statement as the owner of the table.
  void Own(const std::string& sql) {
    const Outcome outcome = As("root").Query(Request(sql, {}, "owner"));
    ASSERT_TRUE(outcome.status.ok()) << sql << ": " << outcome.status.error_message();
  }
  const std::string& target() const { return gateway_->target(); }

  // A client of an identity, or of a subject with a token that has a tenant.
  Wire& As(const std::string& identity) { return Client(identity, TokenOf(identity)); }
  Wire& For(const std::string& subject) {
    return Client(subject, Jwt(subject, {{"tenant", R"(["t1",2])"}}));
  }
  Wire& Client(const std::string& name, const std::string& token) {
    std::unique_ptr<Wire>& client = clients_[name];
    if (client == nullptr) client = std::make_unique<Wire>(target(), token);
    return *client;
  }

  // Both sessions of `open` find nobody's setting: a transaction holds the one, so that a statement
  // beside it has the other.
  void ExpectNobody(const std::string& after) {
    TransactionStream held(As("app"));
    v1::TransactionRequest begin;
    begin.mutable_begin()->set_database("open");
    ASSERT_TRUE(held.Step(begin).has_begun()) << after;
    for (const bool in_transaction : {true, false}) {
      const auto ask = [&](const std::string& sql) {
        return in_transaction ? held.Query(sql).text()
                              : As("app").Query(Request(sql, {}, "open")).text();
      };
      const std::string user = ask(kUser);
      EXPECT_TRUE(user == "''" || user == "NULL") << after << ": " << user;
      EXPECT_EQ(ask(kMine), "NULL") << after;
    }
    held.Rollback();
  }

  TempDir folder_;
  std::string role_;
  std::string owner_;
  server::Config config_;
  std::unique_ptr<Gateway> gateway_;

 private:
  std::map<std::string, std::unique_ptr<Wire>> clients_;
};

TEST_F(CallSettingsTest, EachCallerSeesHisRows) {
  for (const char* subject : {"ada", "eve", "vera"}) {
    EXPECT_EQ(For(subject).Query(kMine).text(), fmt::format("'{0}1 {0}2'", subject));
  }
  EXPECT_TRUE(For("ada").Exec("INSERT INTO notes(text) VALUES ('ada3')").status.ok());
  EXPECT_EQ(For("ada").Query(kMine).text(), "'ada1 ada2 ada3'");
  EXPECT_EQ(For("eve").Exec("UPDATE notes SET text = 'mine'").summary.rows_affected(), 2);
  const Outcome others = For("eve").Exec("INSERT INTO notes VALUES ('ada', 'ada4')");
  EXPECT_EQ(others.status.error_code(), StatusCode::PERMISSION_DENIED);
  EXPECT_EQ(For("ada").Query(kMine).text(), "'ada1 ada2 ada3'");
}

TEST_F(CallSettingsTest, WhatIsDerived) {
  const std::string all =
      "SELECT current_setting('app.user'), current_setting('app.tenant'), "
      "current_setting('app.who'), current_setting('request.jwt.claims')::jsonb->'tenant'->>0, "
      "current_setting('app.request', true)";
  EXPECT_EQ(For("ada").Query(Request(all, {{"app.request", "r-1"}})).text(),
            R"('ada'|'["t1",2]'|'app'|'t1'|'r-1')");
  EXPECT_EQ(For("vera").Query(all).text(), R"('vera'|'["t1",2]'|'view'|'t1'|'')");
}

TEST_F(CallSettingsTest, APreparedStatementHasThoseOfTheRun) {
  PrepareStream prepared(For("ada"), kMine);
  EXPECT_EQ(prepared.Run({}).text(), "'ada1 ada2'");
  EXPECT_EQ(prepared.Run({}).text(), "'ada1 ada2'");
  grpc::ClientContext context;
  const auto stream = As("app").stub().Prepare(As("app").Authorized(&context));
  v1::PrepareRequest request;
  request.set_database("open");
  request.set_sql(kMine);
  v1::PrepareResponse response;
  ASSERT_TRUE(stream->Write(request) && stream->Read(&response) && response.has_prepared());
  for (const std::string user : {"ada", "eve", "", "eve", "ada"}) {
    request.Clear();
    if (!user.empty()) (*request.mutable_settings())["app.user"] = user;
    ASSERT_TRUE(stream->Write(request) && stream->Read(&response));
    const v1::Value& value = response.result().rows(0).values(0);
    EXPECT_EQ(ToText(value), user.empty() ? "NULL" : fmt::format("'{0}1 {0}2'", user));
  }
  request.Clear();
  (*request.mutable_settings())["app.other"] = "x";
  ASSERT_TRUE(stream->Write(request) && stream->Read(&response));
  EXPECT_EQ(response.error().detail().reason(), v1::REASON_NOT_ALLOWED);
  stream->WritesDone();
  EXPECT_TRUE(stream->Finish().ok());
}

TEST_F(CallSettingsTest, RequestsOfOneExecStreamHaveEachTheirOwn) {
  std::vector<v1::ExecRequest> requests(3);
  requests[0].set_database("open");
  requests[0].set_sql("INSERT INTO notes(text) SELECT 'new'");
  (*requests[0].mutable_settings())["app.user"] = "ada";
  (*requests[1].mutable_settings())["app.user"] = "eve";
  for (v1::ExecRequest& request : requests) request.set_on_error(v1::ON_ERROR_CONTINUE);
  grpc::Status status;
  const auto answers = As("app").ExecAll(requests, &status);
  ASSERT_EQ(answers.size(), 3u) << status.error_message();
  EXPECT_EQ(answers[0].summary().rows_affected(), 1) << answers[0].DebugString();
  EXPECT_EQ(answers[1].summary().rows_affected(), 1) << answers[1].DebugString();
  // The statement is that of the request before, and the settings are not.
  EXPECT_TRUE(answers[2].has_error());
  EXPECT_EQ(For("ada").Query(kMine).text(), "'ada1 ada2 new'");
  EXPECT_EQ(For("eve").Query(kMine).text(), "'eve1 eve2 new'");
  v1::ExecRequest rows;
  rows.set_database("open");
  rows.set_sql("INSERT INTO notes(text) VALUES ($1)");
  for (int i = 0; i < 20; ++i) *rows.add_rows()->add_values() = Text("row");
  (*rows.mutable_settings())["app.user"] = "tim";
  As("app").ExecAll({rows}, &status);
  EXPECT_TRUE(status.ok()) << status.error_message();
  EXPECT_EQ(For("tim").Query("SELECT count(*) FROM notes").text(), "22");
  ExpectNobody("the streams");
}

TEST_F(CallSettingsTest, ATransactionHasThemToItsEnd) {
  TransactionStream stream(As("app"));
  v1::TransactionRequest begin;
  begin.mutable_begin()->set_database("open");
  (*begin.mutable_begin()->mutable_settings())["app.user"] = "ada";
  ASSERT_TRUE(stream.Step(begin).has_begun());
  EXPECT_EQ(stream.Query(kMine).text(), "'ada1 ada2'");
  stream.Savepoint("s");
  EXPECT_TRUE(stream.Exec("SELECT nosuch").has_error());
  stream.RollbackTo("s");
  EXPECT_EQ(stream.Query(kMine).text(), "'ada1 ada2'");
  EXPECT_TRUE(stream.Commit().has_committed());
  EXPECT_TRUE(stream.Finish().ok());
  ExpectNobody("the commit");

  TransactionStream derived(For("eve"));
  derived.Begin();
  EXPECT_EQ(derived.Query(kMine).text(), "'eve1 eve2'");
  derived.Cancel();
  derived.Finish();
  TransactionStream reader(For("vera"));
  reader.Begin(/*read_only=*/true);
  EXPECT_EQ(reader.Query(kMine).text(), "'vera1 vera2'");
  reader.Commit();
  EXPECT_TRUE(reader.Finish().ok());
  ExpectNobody("the others");
}

// Whose rows come does not depend on who else asks, and with what.
TEST_F(CallSettingsTest, ManyCallersOnTwoConnections) {
  constexpr int kRounds = 60;
  const std::vector<std::string> subjects = {"ada", "eve", "tim", "bob", "vera", "vito"};
  for (const std::string& subject : subjects) For(subject);
  As("app");
  std::atomic<int> answers = 0;
  const auto expect = [&answers](const std::string& user, const std::string& text) {
    EXPECT_EQ(text, fmt::format("'{0}1 {0}2'", user));
    ++answers;
  };
  std::vector<std::thread> threads;
  for (size_t i = 0; i < 2 * subjects.size(); ++i) {
    threads.emplace_back([&, user = subjects[i % subjects.size()]] {
      Wire& own = For(user);
      Wire& shared = As("app");
      PrepareStream prepared(own, kMine);
      for (int round = 0; round < kRounds; ++round) {
        switch ((round + i) % 6) {
          case 0: expect(user, prepared.Run({}).text()); break;
          case 1:
            expect(user, shared.Query(Request(kMine, {{"app.user", user}}, "open")).text());
            break;
          case 2: {
            TransactionStream stream(own);
            stream.Begin();
            expect(user, stream.Query(kMine).text());
            if (round % 2 == 0) stream.Rollback();
            stream.Finish();
            break;
          }
          case 3:
            EXPECT_EQ(own.Query("SELECT 1 / (count(*) - 2) FROM notes").detail.reason(),
                      v1::REASON_DATA_EXCEPTION);
            break;
          default: expect(user, own.Query(kMine).text());
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(answers, static_cast<int>(threads.size()) * kRounds * 5 / 6);
  ExpectNobody("all of them");
}

TEST_F(CallSettingsTest, NothingIsLeftHoweverAStatementEnds) {
  const auto run = [this](const std::string& sql) {
    return As("app").Query(Request(sql, {{"app.user", "ada"}}, "open"));
  };
  for (const char* sql : {"SELECT nosuch", "COMMIT", "SELECT 1; COMMIT", "DO $$BEGIN COMMIT; END$$",
                          "SET app.\"user\" = 'eve'", "SELECT set_config('app.user', 'eve', false)",
                          "DO $$BEGIN PERFORM set_config('app.user', 'eve', false); COMMIT; END$$",
                          "SELECT pg_terminate_backend(pg_backend_pid())"}) {
    run(sql);
    ExpectNobody(sql);
  }
  v1::QueryRequest late = Request("SELECT pg_sleep(1000)", {{"app.user", "ada"}}, "open");
  late.mutable_timeout()->set_nanos(50'000'000);
  EXPECT_EQ(As("app").Query(late).detail.reason(), v1::REASON_REQUEST_TIMEOUT);
  ExpectNobody("the timeout");
  // A client that goes away in the middle of a result.
  {
    grpc::ClientContext context;
    const auto reader =
        As("app").stub().Query(As("app").Authorized(&context),
                               Request("SELECT repeat('x', 1000) FROM generate_series(1, 100000)",
                                       {{"app.user", "ada"}}, "open"));
    v1::QueryResponse part;
    ASSERT_TRUE(reader->Read(&part));
    context.TryCancel();
    reader->Finish();
  }
  ExpectNobody("the cancel");
}

TEST_F(CallSettingsTest, WhatIsRefused) {
  const auto refused = [](const Outcome& outcome, StatusCode code, v1::Reason reason,
                          const std::string& message) {
    EXPECT_EQ(outcome.status.error_code(), code) << outcome.status.error_message();
    EXPECT_EQ(outcome.detail.reason(), reason);
    EXPECT_THAT(outcome.status.error_message(), HasSubstr(message));
    EXPECT_THAT(outcome.status.error_message(), Not(HasSubstr("s3cret")));
    EXPECT_NE(outcome.detail.hint(), "");
  };
  const auto denied = [&](const Outcome& outcome, const std::string& message) {
    refused(outcome, StatusCode::PERMISSION_DENIED, v1::REASON_NOT_ALLOWED, message);
  };
  denied(For("ada").Query(Request(kMine, {{"app.user", "s3cret"}})),
         "the setting 'app.user' of database 'main' is derived from who calls");
  for (const std::string name :
       {"role", "session_authorization", "transaction_read_only", "search_path", "row_security",
        "App.user", "app.user ", "", "app.other", "app.user'; DROP TABLE notes; --"}) {
    denied(As("app").Query(Request(kMine, {{"app.user", "ada"}, {name, "s3cret"}}, "open")),
           "a call cannot carry the setting '" + name + "' to database 'open'");
  }
  denied(As("app").Query(kMine), "from a JSON Web Token, which the caller has not");
  Wire no_tenant(target(), Jwt("ada"));
  denied(no_tenant.Query(kMine), "from the claim 'tenant', which the caller has not");
  Wire null_tenant(target(), Jwt("ada", {{"tenant", "null"}}));
  denied(null_tenant.Query(kMine), "from the claim 'tenant'");
  Wire nul(target(), Jwt("ada", {{"tenant", R"("s3cret\u0000")"}}));
  refused(nul.Query(kMine), StatusCode::INVALID_ARGUMENT, v1::REASON_INVALID_PARAMETER,
          "the value of setting 'app.tenant' contains a NUL character");
  refused(As("app").Query(Request(kMine, {{"app.user", std::string("s3cret\0", 7)}}, "open")),
          StatusCode::INVALID_ARGUMENT, v1::REASON_INVALID_PARAMETER,
          "the value of setting 'app.user' contains a NUL character");
  const std::string longest(16 << 10, 'x');
  EXPECT_EQ(As("app").Query(Request(kUser, {{"app.user", longest}}, "open")).text(),
            "'" + longest + "'");
  refused(As("app").Query(Request(kMine, {{"app.user", longest + "y"}}, "open")),
          StatusCode::RESOURCE_EXHAUSTED, v1::REASON_LIMIT_EXCEEDED,
          "the value of setting 'app.user' has 16385 bytes, more than 16384");
  v1::PrepareRequest first;
  first.set_sql(kMine);
  (*first.mutable_settings())["app.request"] = "x";
  grpc::ClientContext context;
  const auto stream = For("ada").stub().Prepare(For("ada").Authorized(&context));
  stream->Write(first);
  v1::PrepareResponse response;
  EXPECT_FALSE(stream->Read(&response));
  EXPECT_EQ(DetailOf(stream->Finish()).reason(), v1::REASON_PROTOCOL);
  TransactionStream transaction(As("app"));
  transaction.Begin();
  EXPECT_EQ(DetailOf(transaction.Finish()).reason(), v1::REASON_NOT_ALLOWED);
  ExpectNobody("all of them");
}

// Keys and values are rows of a table.
TEST_F(CallSettingsTest, KeyValueCallsHaveWhatIsDerived) {
  const auto put = [&](const std::string& user) {
    grpc::ClientContext context;
    v1::WriteRequest request;
    for (const char* key : {"a", "b"}) {
      v1::Mutation* const mutation = request.add_mutations();
      mutation->mutable_put()->set_key(key);
      mutation->mutable_put()->set_value(user);
    }
    v1::WriteResponse response;
    return v1::KeyValueService::NewStub(For(user).channel())
        ->Write(For(user).Authorized(&context), request, &response);
  };
  grpc::Status status = put("ada");
  ASSERT_TRUE(status.ok()) << status.error_message();
  Own("CREATE TABLE log (user_name text)");
  Own("GRANT ALL ON log TO " + role_);
  Own("CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN INSERT INTO log VALUES "
      "(current_setting('app.user', true)); RETURN NEW; END$$");
  Own("CREATE TRIGGER noting BEFORE INSERT OR UPDATE ON penstock_kv_kv FOR EACH ROW EXECUTE "
      "FUNCTION note()");
  status = put("eve");
  ASSERT_TRUE(status.ok()) << status.error_message();
  EXPECT_EQ(As("root").Query(Request("SELECT DISTINCT user_name FROM log", {}, "owner")).text(),
            "'eve'");
}

TEST_F(CallSettingsTest, ByTheClient) {
  auto made = New({.target = target(), .database = "open", .token = TokenOf("app")});
  ASSERT_TRUE(made.ok()) << made.status();
  Provider& db = **made;
  const Context ada = Context().WithSetting("app.user", "eve").WithSetting("app.user", "ada");
  const auto mine = [&](const Context& ctx) {
    const auto row = db.QueryRow<std::optional<std::string>>(ctx, kMine);
    EXPECT_TRUE(row.ok()) << row.status();
    return row.ok() ? row->value_or("none") : "";
  };
  EXPECT_EQ(mine(ada), "ada1 ada2");
  EXPECT_EQ(mine(Context()), "none");
  const auto inserted = db.Exec(ada, "INSERT INTO notes(text) VALUES ($1)", "ada3");
  EXPECT_TRUE(inserted.ok()) << inserted.status();
  const auto batch = db.ExecBatch(ada, {{"INSERT INTO notes(text) VALUES ($1)", {"ada4"}},
                                        {"INSERT INTO notes(text) VALUES ($1)", {"ada5"}}});
  for (const auto& outcome : batch) EXPECT_TRUE(outcome.ok()) << outcome.status();
  const auto prepared = db.Prepare(ada, kMine);
  ASSERT_TRUE(prepared.ok()) << prepared.status();
  for (const auto& [ctx, rows] : {std::pair(ada, 5), std::pair(Context(), 0)}) {
    auto found = (*prepared)->Query(ctx);
    ASSERT_TRUE(found.ok()) << found.status();
    std::optional<std::string> text;
    ASSERT_TRUE((*found)->Next() && (*found)->Scan(&text).ok());
    EXPECT_EQ(text.value_or(""), rows > 0 ? "ada1 ada2 ada3 ada4 ada5" : "");
  }
  const absl::Status run = RunInTransaction(ada, db, [](const Context& ctx, Transaction& tx) {
    return tx.Exec(ctx, "UPDATE notes SET text = 'x'").status();
  });
  EXPECT_TRUE(run.ok()) << run;
  EXPECT_EQ(mine(ada), "x x x x x");
  EXPECT_EQ(mine(Context().WithSetting("app.user", "eve")), "eve1 eve2");
  const auto refused = db.Exec(ada.WithSetting("role", "postgres"), "SELECT 1");
  EXPECT_TRUE(absl::IsPermissionDenied(refused.status())) << refused.status();
  const auto info = db.Inspect(Context());
  ASSERT_TRUE(info.ok()) << info.status();
  EXPECT_TRUE(info->settings);
  ExpectNobody("the client");
}

// The daemon and the command as they are shipped. The log names statements and callers, and shows
// no value of a setting.
TEST_F(CallSettingsTest, TheLogShowsNoValue) {
  const driver::Config& database = config_.databases.at("open").driver;
  std::ofstream(folder_.path() + "/penstock.yaml") << fmt::format(
      "data_dir: {0}/data\nserver: {{listen: 'unix:{0}/s.sock', http_listen: ''}}\n"
      "log: {{slow_statement: 1ms, audit: writes, parameter_values: true, level: trace}}\n"
      "databases:\n  main:\n    driver: postgres\n    host: {1}\n    database: {2}\n"
      "    username: {3}\n    call_settings: [app.user]\n",
      folder_.path(), database.host, database.database, database.username);
  Process daemon({BuiltProgram("penstockd"), "--config", folder_.path() + "/penstock.yaml"},
                 folder_.path());
  ASSERT_NE(daemon.LineAfter("penstockd ready: grpc "), "") << daemon.output();
  const auto command = [&](std::vector<std::string> words) {
    std::vector<std::string> all = {BuiltProgram("penstock"), "--target",
                                    "unix:" + folder_.path() + "/s.sock"};
    all.insert(all.end(), words.begin(), words.end());
    Process process(all, folder_.path());
    process.Wait();
    return process.output();
  };
  EXPECT_THAT(command({"query", "--setting", "app.user=s3cret",
                       "SELECT current_setting('app.user') FROM pg_sleep(0.01)"}),
              HasSubstr("s3cret"));
  EXPECT_THAT(
      command({"exec", "--setting=app.user=s3cret", "INSERT INTO notes(text) VALUES ('x')"}),
      HasSubstr("1 row affected"));
  EXPECT_THAT(command({"query", "INSERT INTO notes(text) VALUES ('y')", "--setting",
                       "app.user=s3cret", "--setting", "app.other=s3cret"}),
              HasSubstr("a call cannot carry the setting 'app.other'"));
  EXPECT_TRUE(daemon.WaitForOutput("slow statement"));
  EXPECT_TRUE(daemon.WaitForOutput("INFO audit")) << daemon.output();
  EXPECT_TRUE(daemon.WaitForOutput("a call was refused")) << daemon.output();
  EXPECT_THAT(daemon.output(), Not(HasSubstr("s3cret")));
}

}  // namespace
}  // namespace penstock::testing
