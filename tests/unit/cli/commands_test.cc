#include "client/cli/commands.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include <sstream>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "penstock/errors.h"
#include "penstock/mocks.h"

namespace penstock::cli {
namespace {

using ::testing::_;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::MatchesRegex;
using ::testing::NiceMock;
using ::testing::Not;
using ::testing::Return;

// A pipe for the output: what fits into one is all that these tests write.
class CommandsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    signal(SIGPIPE, SIG_IGN);
    ASSERT_EQ(pipe(pipe_), 0);
    fcntl(pipe_[0], F_SETFL, O_NONBLOCK);
    ON_CALL(db_, Ping).WillByDefault(Return(absl::OkStatus()));
  }
  void TearDown() override {
    close(pipe_[0]);
    close(pipe_[1]);
  }

  ExitCode Run(const Options& options, const std::string& input = "") {
    const int in = memfd_create("input", 0);
    EXPECT_EQ(pwrite(in, input.data(), input.size(), 0), static_cast<ssize_t>(input.size()));
    return RunReading(options, in);
  }
  // Closes `in`.
  ExitCode RunReading(const Options& options, int in) {
    std::ostringstream err;
    Output out(pipe_[1]);
    const ExitCode code = RunCommand(options, &db_, {.in = in, .out = &out, .err = &err});
    close(in);
    errors_ = err.str();
    char bytes[64 * 1024];
    const ssize_t count = read(pipe_[0], bytes, sizeof(bytes));
    output_ = count < 0 ? "" : std::string(bytes, count);
    return code;
  }

  NiceMock<MockProvider> db_;
  int pipe_[2] = {-1, -1};
  std::string output_;
  std::string errors_;
};

absl::Status NoSuchTable() {
  return MakeError(
      absl::StatusCode::kNotFound, "no such table: x",
      {.reason = "UNDEFINED_TABLE", .sqlstate = "42P01", .position = 15, .hint = "create it"});
}

TEST_F(CommandsTest, QueryWritesRows) {
  EXPECT_CALL(db_, QueryArgs(_, "select $1, $2", ElementsAre(Value(7), Value("x"))))
      .WillOnce([](auto&&...) {
        return MakeRows({"a", "b"}, {{7, "x"}});
      });
  EXPECT_EQ(Run({.command = Command::kQuery, .sql = "select $1, $2", .args = {"7", "x"}}), kExitOk);
  EXPECT_EQ(output_, " a | b\n---+---\n 7 | x\n(1 row)\n");
  EXPECT_EQ(errors_, "");
}

TEST_F(CommandsTest, ADashReadsTheStatementFromStandardInput) {
  EXPECT_CALL(db_, QueryArgs(_, "select 1\n", IsEmpty())).WillOnce([](auto&&...) {
    return MakeRows({"a"}, {{1}});
  });
  EXPECT_EQ(
      Run({.command = Command::kQuery, .format = OutputFormat::kCsv, .sql = "-"}, "select 1\n"),
      kExitOk);
  EXPECT_EQ(output_, "a\r\n1\r\n");
}

TEST_F(CommandsTest, StandardInputThatCannotBeReadIsNotAnEmptyOne) {
  EXPECT_CALL(db_, Ping).Times(0);
  EXPECT_CALL(db_, ExecArgs).Times(0);
  EXPECT_CALL(db_, KeyValue).Times(0);
  const Options exec{.command = Command::kExec, .sql = "-"};
  const Options put{.command = Command::kKeyValue, .args = {"put", "a", "-"}};
  for (const Options& options : {exec, put}) {
    EXPECT_EQ(RunReading(options, open("/", O_RDONLY | O_DIRECTORY)), kExitUsage);
    EXPECT_THAT(errors_, HasSubstr("cannot read standard input: Is a directory"));
    EXPECT_EQ(RunReading(options, open("/dev/null", O_WRONLY)), kExitUsage);
    EXPECT_THAT(errors_, HasSubstr("cannot read standard input: Bad file descriptor"));
    EXPECT_EQ(output_, "");
  }
}

// A terminal whose other end has gone, after half of a statement.
TEST_F(CommandsTest, HalfOfAStatementIsNotSent) {
  EXPECT_CALL(db_, ExecArgs).Times(0);
  const int master = posix_openpt(O_RDWR | O_NOCTTY);
  ASSERT_GE(master, 0);
  ASSERT_EQ(grantpt(master), 0);
  ASSERT_EQ(unlockpt(master), 0);
  const int terminal = open(ptsname(master), O_RDWR | O_NOCTTY);
  ASSERT_GE(terminal, 0);
  // The second read of this side, once nobody has the terminal, is EIO.
  ASSERT_EQ(write(terminal, "delete from t\n", 14), 14);
  close(terminal);
  EXPECT_EQ(RunReading({.command = Command::kExec, .sql = "-"}, master), kExitUsage);
  EXPECT_THAT(errors_, HasSubstr("cannot read standard input: Input/output error"));
}

TEST_F(CommandsTest, AQueryWithoutColumnsTellsWhatItChanged) {
  EXPECT_CALL(db_, QueryArgs).WillOnce([](auto&&...) { return MakeRows({}, {}); });
  EXPECT_EQ(Run({.command = Command::kQuery, .sql = "delete from x"}), kExitOk);
  EXPECT_EQ(output_, "0 rows affected\n");
}

TEST_F(CommandsTest, ExecTellsWhatItChanged) {
  EXPECT_CALL(db_, ExecArgs(_, "insert", _))
      .WillOnce(Return(Result(1, 42)))
      .WillOnce(Return(Result(3)))
      .WillOnce(Return(Result(3)));
  Options options{.command = Command::kExec, .sql = "insert"};
  EXPECT_EQ(Run(options), kExitOk);
  EXPECT_EQ(output_, "1 row affected, last insert id 42\n");
  EXPECT_EQ(Run(options), kExitOk);
  EXPECT_EQ(output_, "3 rows affected\n");
  options.format = OutputFormat::kJson;
  EXPECT_EQ(Run(options), kExitOk);
  EXPECT_EQ(output_, "[\n {\"rows_affected\": 3, \"last_insert_id\": null}\n]\n");
}

TEST_F(CommandsTest, PingDescribesTheDatabase) {
  EXPECT_CALL(db_, Inspect)
      .WillOnce(Return(PingInfo{.database = "main",
                                .driver = "sqlite",
                                .dialect = "sqlite",
                                .server_version = "3.40.1",
                                .backend_round_trip = absl::Microseconds(1500),
                                .round_trip = absl::Milliseconds(2)}));
  EXPECT_EQ(Run({.command = Command::kPing, .format = OutputFormat::kCsv}), kExitOk);
  EXPECT_EQ(output_, ("database,driver,dialect,version,backend_ms,round_trip_ms\r\n"
                      "main,sqlite,sqlite,3.40.1,1.5,2.0\r\n"));
}

TEST_F(CommandsTest, DatabasesListsThem) {
  EXPECT_CALL(db_, ListDatabases)
      .WillOnce(Return(std::vector<DatabaseInfo>{{"main", "sqlite", true}, {"x", "postgres"}}));
  EXPECT_EQ(Run({.command = Command::kDatabases, .format = OutputFormat::kCsv}), kExitOk);
  EXPECT_EQ(output_, "name,driver,default\r\nmain,sqlite,true\r\nx,postgres,false\r\n");
}

TEST_F(CommandsTest, AFailedStatementExitsWith1) {
  EXPECT_CALL(db_, QueryArgs).WillOnce([](auto&&...) { return NoSuchTable(); });
  EXPECT_EQ(Run({.command = Command::kQuery, .sql = "select * from x"}), kExitFailed);
  EXPECT_EQ(output_, "");
  EXPECT_EQ(errors_,
            "penstock: no such table: x\n"
            "  line 1: select * from x\n"
            "                        ^\n"
            "  NOT_FOUND, reason UNDEFINED_TABLE, SQLSTATE 42P01, position 15\n"
            "  hint: create it\n");
}

TEST_F(CommandsTest, AResultThatBreaksOffIsNotTakenForAWholeOne) {
  EXPECT_CALL(db_, QueryArgs).WillOnce([](auto&&...) {
    return MakeRows({"a"}, {{1}}, absl::DataLossError("the page is damaged"));
  });
  EXPECT_EQ(Run({.command = Command::kQuery, .format = OutputFormat::kJson, .sql = "x"}),
            kExitFailed);
  EXPECT_EQ(output_, "[\n {\"a\": 1}");
  EXPECT_THAT(errors_, HasSubstr("the page is damaged"));
}

TEST_F(CommandsTest, AnUnreachableDaemonExitsWith3) {
  for (const absl::Status& status :
       {absl::UnavailableError("refused"), absl::DeadlineExceededError("no answer")}) {
    EXPECT_CALL(db_, Ping).WillOnce(Return(status));
    EXPECT_EQ(Run({.command = Command::kQuery, .sql = "x"}), kExitUnreachable);
    EXPECT_CALL(db_, Inspect).WillOnce(Return(status));
    EXPECT_EQ(Run({.command = Command::kPing}), kExitUnreachable);
    EXPECT_CALL(db_, ListDatabases).WillOnce(Return(status));
    EXPECT_EQ(Run({.command = Command::kDatabases}), kExitUnreachable);
  }
}

TEST_F(CommandsTest, ALostDaemonExitsWith3AndASlowStatementWith1) {
  EXPECT_CALL(db_, ExecArgs)
      .WillOnce(Return(absl::UnavailableError("gone")))
      .WillOnce(Return(absl::DeadlineExceededError("too slow")));
  EXPECT_EQ(Run({.command = Command::kExec, .sql = "x"}), kExitUnreachable);
  EXPECT_EQ(Run({.command = Command::kExec, .sql = "x"}), kExitFailed);
}

TEST_F(CommandsTest, AnUnknownDatabaseExitsWith1) {
  EXPECT_CALL(db_, Ping).WillOnce(Return(absl::NotFoundError("no database \"y\"")));
  EXPECT_EQ(Run({.command = Command::kQuery, .database = "y", .sql = "x"}), kExitFailed);
}

TEST_F(CommandsTest, AWrongArgumentExitsWith2AndSendsNothing) {
  EXPECT_CALL(db_, Ping).Times(0);
  EXPECT_CALL(db_, QueryArgs).Times(0);
  EXPECT_EQ(Run({.command = Command::kQuery, .sql = "x", .args = {"int:x"}}), kExitUsage);
  EXPECT_THAT(errors_, HasSubstr("parameter $1"));
}

TEST_F(CommandsTest, AReaderThatGoesAwayEndsItEarly) {
  EXPECT_CALL(db_, QueryArgs).WillOnce([](auto&&...) {
    // More than is buffered, so that it ends before all of it was read.
    const std::vector<Value> row = {std::string(100'000, 'x')};
    return MakeRows({"a"}, {100, row}, absl::DataLossError("must not be reached"));
  });
  close(pipe_[0]);
  EXPECT_EQ(Run({.command = Command::kQuery, .format = OutputFormat::kCsv, .sql = "x"}),
            kExitFailed);
  EXPECT_EQ(errors_, "penstock: cannot write the output: Broken pipe\n  INTERNAL\n");
}

TEST_F(CommandsTest, AnErrorCannotMoveTheCursor) {
  EXPECT_EQ(DescribeError(absl::UnknownError("a\x1b[2J")), "penstock: a\\u{1b}[2J\n  UNKNOWN\n");
}

TEST_F(CommandsTest, WhatTheBackendSaysGoesToTheErrors) {
  const Notices notices{.list = {{.severity = "NOTICE", .message = "skipping\x1b"},
                                 {.severity = "WARNING", .message = "odd", .hint = "mend it"}},
                        .dropped = 3};
  EXPECT_CALL(db_, ExecArgs).WillOnce(Return(Result(1, {}, notices)));
  EXPECT_EQ(Run({.command = Command::kExec, .sql = "x"}), kExitOk);
  EXPECT_EQ(errors_,
            "NOTICE: skipping\\u{1b}\nWARNING: odd\n  hint: mend it\n3 more notices are not "
            "shown\n");
}

TEST_F(CommandsTest, ATokenIsCheckedByItsFirstLine) {
  const std::string token = "pst_app_" + std::string(43, 'a');
  EXPECT_EQ(Run({.command = Command::kCheckToken, .format = OutputFormat::kCsv}, token + "\nx"),
            kExitOk);
  EXPECT_EQ(output_,
            "id,sha256\r\n"
            "app,57b0b8b67e50063c6aeda60151fe3a2e1013d7c9a2f94274e194abdaa68519c2\r\n");
  EXPECT_EQ(Run({.command = Command::kCheckToken}, "secret" + token), kExitFailed);
  EXPECT_EQ(output_, "");
  EXPECT_THAT(errors_, HasSubstr("this is not a token"));
  EXPECT_THAT(errors_, Not(HasSubstr(token)));
}

TEST_F(CommandsTest, ANewTokenAloneIsTheOutput) {
  const Options options{.command = Command::kNewToken,
                        .new_token = {.id = "app", .expires = "2999-01-01T00:00:00Z"}};
  EXPECT_EQ(Run(options), kExitFailed) << "it is too far away";
  EXPECT_EQ(output_, "");
  EXPECT_EQ(Run({.command = Command::kNewToken, .new_token = {.id = "app"}}), kExitOk);
  EXPECT_THAT(output_, MatchesRegex("pst_app_[A-Za-z0-9_-]{43}\n"));
  EXPECT_THAT(errors_, Not(HasSubstr("pst_")));
}

TEST_F(CommandsTest, AnErrorHasItsDetail) {
  const absl::Status status = MakeError(absl::StatusCode::kFailedPrecondition, "cannot drop t",
                                        {.reason = "WRONG_STATE",
                                         .schema = "s",
                                         .table = "t",
                                         .column = "c",
                                         .hint = "CASCADE",
                                         .detail = "view v depends on it"});
  EXPECT_EQ(DescribeError(status),
            "penstock: cannot drop t\n  FAILED_PRECONDITION, reason WRONG_STATE, schema s, table "
            "t, column "
            "c\n  detail: view v depends on it\n  hint: CASCADE\n");
}

TEST(Provider, TlsFilesThatCannotBeReadAreRefused) {
  const Options options{.target = "127.0.0.1:1", .tls_ca = "/nonexistent/ca.pem"};
  EXPECT_FALSE(MakeProvider(options).ok());
  EXPECT_TRUE(MakeProvider({.target = "127.0.0.1:1"}).ok());
}

TEST(Provider, ATokenFileThatCannotBeReadIsRefused) {
  const absl::Status status =
      MakeProvider({.target = "127.0.0.1:1", .token_file = "/nonexistent/token"}).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kUnauthenticated);
  EXPECT_THAT(std::string(status.message()), HasSubstr("/nonexistent/token"));
  EXPECT_TRUE(MakeProvider({.target = "127.0.0.1:1", .token = "pst_a"}).ok());
  EXPECT_FALSE(MakeProvider({.target = "db.internal:1", .token = "pst_a"}).ok());
}

TEST(Provider, CommandsWithoutADaemonHaveNone) {
  for (const Command command : {Command::kNewToken, Command::kCheckToken, Command::kNewMigration}) {
    const auto db = MakeProvider({.command = command, .token_file = "/nonexistent/token"});
    ASSERT_TRUE(db.ok()) << db.status();
    EXPECT_EQ(*db, nullptr);
  }
}

}  // namespace
}  // namespace penstock::cli
