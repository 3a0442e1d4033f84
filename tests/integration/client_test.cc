// The C++ client, the penstock command and the examples against the built
// daemon.
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/time/clock.h"
#include "gtest/gtest.h"
#include "penstock/penstock.h"
#include "tests/support/gateway.h"
#include "tests/support/process.h"

namespace penstock::testing {
namespace {

class ClientTest : public ::testing::Test {
 protected:
  void SetUp() override { StartDaemon(); }

  std::string target() const { return "unix:" + folder_.path() + "/s.sock"; }

  void StartDaemon() {
    daemon_ = std::make_unique<Process>(
        std::vector<std::string>{BuiltProgram("penstockd"), "--data-dir", folder_.path() + "/data",
                                 "--listen", target(), "--http-listen", "127.0.0.1:0"},
        folder_.path());
    ASSERT_TRUE(daemon_->WaitForOutput("penstockd ready"));
  }

  // The exit code and the output of the command.
  std::pair<int, std::string> Run(std::vector<std::string> words) {
    Process process(words, folder_.path());
    const int code = process.Wait();
    return {code, process.output()};
  }
  std::pair<int, std::string> Penstock(const std::vector<std::string>& arguments) {
    std::vector<std::string> words = {BuiltProgram("penstock"), "--target", target()};
    words.insert(words.end(), arguments.begin(), arguments.end());
    return Run(words);
  }

  TempDir folder_;
  std::unique_ptr<Process> daemon_;
};

// gRPC itself ends no call, whatever its deadline, while a socket is full that nobody reads.
TEST_F(ClientTest, CallsEndAlsoWhenTheDaemonIsStopped) {
  const std::string large(size_t{16} << 20, 'x');
  auto db = penstock::New(penstock::Config{.target = target()});
  ASSERT_TRUE(db.ok()) << db.status();
  ASSERT_TRUE((*db)->Exec(Context(), "CREATE TABLE t (text TEXT)").ok());
  daemon_->Signal(SIGSTOP);
  const auto soon = [](absl::Time began) { return absl::Now() - began < absl::Seconds(10); };
  {
    const absl::Time began = absl::Now();
    const Context ctx = Context().WithTimeout(absl::Milliseconds(500));
    const absl::Status status = (*db)->Exec(ctx, "INSERT INTO t VALUES ($1)", large).status();
    EXPECT_TRUE(IsTimeout(status) && IsCommitOutcomeUnknown(status)) << status;
    EXPECT_TRUE(soon(began));
  }
  // The others, over a connection that nothing waits in: it was not sent.
  for (int i = 0; i < 3; ++i) {
    const absl::Time began = absl::Now();
    const absl::Status status =
        (*db)->KeyValue("keys")->Put(Context().WithTimeout(absl::Milliseconds(300)), "a", "b");
    EXPECT_TRUE(IsTimeout(status) && !IsCommitOutcomeUnknown(status)) << status;
    EXPECT_TRUE(soon(began));
  }
  daemon_->Signal(SIGCONT);
  ASSERT_EQ((*db)->Connect(Context()), absl::OkStatus());

  // One that is cancelled, a transaction and the provider itself.
  auto tx = (*db)->Transaction(Context());
  ASSERT_TRUE(tx.ok()) << tx.status();
  daemon_->Signal(SIGSTOP);
  const absl::Time began = absl::Now();
  const Context ctx;
  std::thread caller([&] {
    const absl::Status status = (*tx)->Exec(ctx, "INSERT INTO t VALUES ($1)", large).status();
    EXPECT_TRUE(IsCancelled(status)) << status;
    *tx = nullptr;
  });
  // Most likely while it is sent; at any moment the answer is the same.
  absl::SleepFor(absl::Milliseconds(300));
  ctx.Cancel();
  caller.join();
  *db = nullptr;
  EXPECT_TRUE(soon(began));
  daemon_->Signal(SIGCONT);
}

TEST_F(ClientTest, UsesTheDaemonAndSurvivesItsRestart) {
  auto db = penstock::New(penstock::Config{.target = target()});
  ASSERT_TRUE(db.ok()) << db.status();
  penstock::Context ctx;
  ASSERT_TRUE((*db)->Connect(ctx).ok());
  ASSERT_TRUE((*db)->Exec(ctx, "CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT)").ok());
  auto stmt = (*db)->Prepare(ctx, "INSERT INTO users VALUES ($1, $2)");
  ASSERT_TRUE(stmt.ok()) << stmt.status();
  for (int i = 0; i < 100; ++i) {
    ASSERT_TRUE((*stmt)->Exec(ctx, i, "name " + std::to_string(i)).ok());
  }
  auto twice = (*stmt)->Exec(ctx, 7, "again");
  EXPECT_TRUE(penstock::IsUniqueViolation(twice.status())) << twice.status();
  {
    auto tx = (*db)->Transaction(ctx);
    ASSERT_TRUE(tx.ok());
    ASSERT_TRUE((*tx)->Exec(ctx, "DELETE FROM users").ok());
  }  // rolled back

  daemon_->Signal(SIGKILL);
  daemon_->Wait();
  StartDaemon();
  // The channel finds the new daemon; what was acknowledged is there.
  penstock::Context patient;
  absl::Status connected = (*db)->Connect(patient);
  ASSERT_TRUE(connected.ok()) << connected;
  auto rows = (*db)->Query(ctx, "SELECT id, name FROM users WHERE id >= $1 ORDER BY id", 90);
  ASSERT_TRUE(rows.ok()) << rows.status();
  int64_t expected = 90;
  while ((*rows)->Next()) {
    int64_t id = 0;
    std::string name;
    ASSERT_TRUE((*rows)->Scan(&id, &name).ok());
    EXPECT_EQ(id, expected);
    EXPECT_EQ(name, "name " + std::to_string(expected++));
  }
  EXPECT_TRUE((*rows)->Err().ok()) << (*rows)->Err();
  EXPECT_EQ(expected, 100);
}

// The daemon is back; nothing was sent to the old one that the new one could not do.
TEST_F(ClientTest, TheFirstCallAfterARestartIsDoneOnce) {
  auto db = *penstock::New(penstock::Config{.target = target()});
  const penstock::Context ctx;
  ASSERT_TRUE(db->Exec(ctx, "CREATE TABLE t (id INTEGER PRIMARY KEY)").ok());
  const auto stmt = *db->Prepare(ctx, "INSERT INTO t VALUES ($1)");
  const auto kv = db->KeyValue("");
  for (int round = 0; round < 6; ++round) {
    const int signal = round % 2 == 0 ? SIGTERM : SIGKILL;
    daemon_->Signal(signal);
    daemon_->Wait();
    StartDaemon();
    const int id = 10 * round;
    EXPECT_EQ(stmt->Exec(ctx, id + 1).status(), absl::OkStatus()) << round;
    EXPECT_EQ(db->Exec(ctx, "INSERT INTO t VALUES ($1)", id + 2).status(), absl::OkStatus());
    EXPECT_EQ(kv->Put(ctx, std::to_string(id), "v"), absl::OkStatus()) << round;
    EXPECT_EQ(
        db->ExecBatch(ctx, {{.sql = "INSERT INTO t VALUES ($1)", .args = {id + 3}}})[0].status(),
        absl::OkStatus());
    EXPECT_EQ(penstock::RunInTransaction(
                  ctx, *db,
                  [&](const penstock::Context& in, penstock::Transaction& tx) {
                    return tx.Exec(in, "INSERT INTO t VALUES ($1)", id + 4).status();
                  }),
              absl::OkStatus());
  }
  auto rows = *db->Query(ctx, "SELECT count(*) FROM t");
  ASSERT_TRUE(rows->Next());
  int64_t count = 0;
  ASSERT_TRUE(rows->Scan(&count).ok());
  EXPECT_EQ(count, 6 * 4);
}

// gRPC's threads are not in the child: it is refused, and ends.
TEST_F(ClientTest, AForkedProcessIsRefusedAndEnds) {
  auto db = *penstock::New(penstock::Config{.target = target()});
  const penstock::Context ctx;
  ASSERT_TRUE(db->Exec(ctx, "CREATE TABLE t (id INTEGER)").ok());
  auto stmt = *db->Prepare(ctx, "INSERT INTO t VALUES ($1)");
  auto tx = *db->Transaction(ctx);
  const pid_t child = fork();
  if (child == 0) {
    alarm(20);  // what hangs is killed
    const bool refused =
        absl::IsFailedPrecondition(db->Exec(ctx, "SELECT 1").status()) &&
        absl::IsFailedPrecondition(db->Ping(ctx)) &&
        absl::IsFailedPrecondition(stmt->Exec(ctx, 1).status()) &&
        absl::IsFailedPrecondition(tx->Exec(ctx, "SELECT 1").status()) &&
        absl::IsFailedPrecondition(penstock::New(penstock::Config{.target = target()}).status());
    tx = nullptr;
    stmt = nullptr;
    db = nullptr;
    exit(refused ? 0 : 1);
  }
  int status = -1;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status)) << "signal " << WTERMSIG(status);
  EXPECT_EQ(WEXITSTATUS(status), 0);
  // The parent's links were left alone.
  EXPECT_EQ(tx->Exec(ctx, "INSERT INTO t VALUES (1)").status(), absl::OkStatus());
  EXPECT_EQ(tx->Commit(ctx), absl::OkStatus());
  EXPECT_EQ(stmt->Exec(ctx, 2).status(), absl::OkStatus());
}

TEST_F(ClientTest, TheCommandAnswersInEveryFormat) {
  EXPECT_EQ(Penstock({"ping"}).first, 0);
  EXPECT_EQ(Penstock({"exec", "CREATE TABLE t (id INTEGER, name TEXT)"}).first, 0);
  EXPECT_EQ(Penstock({"exec", "INSERT INTO t VALUES ($1, $2)", "1", "one, \"two\""}).first, 0);
  const auto [code, table] = Penstock({"query", "SELECT * FROM t"});
  EXPECT_EQ(code, 0) << table;
  EXPECT_NE(table.find("one, \"two\""), std::string::npos) << table;
  const std::string csv = Penstock({"--format", "csv", "query", "SELECT * FROM t"}).second;
  EXPECT_NE(csv.find("1,\"one, \"\"two\"\"\""), std::string::npos) << csv;
  const std::string json = Penstock({"--format", "json", "query", "SELECT * FROM t"}).second;
  EXPECT_NE(json.find("\"id\": 1"), std::string::npos) << json;
  EXPECT_NE(Penstock({"databases"}).second.find("main"), std::string::npos);
}

TEST_F(ClientTest, TheCommandsExitCodeSaysWhatWentWrong) {
  const auto [failed, said] = Penstock({"query", "SELECT * FROM missing"});
  EXPECT_EQ(failed, 1);
  EXPECT_NE(said.find("no such table: missing"), std::string::npos) << said;
  EXPECT_EQ(Penstock({"quary", "SELECT 1"}).first, 2);
  daemon_->Signal(SIGTERM);
  EXPECT_EQ(daemon_->Wait(), 0);
  EXPECT_EQ(Penstock({"ping"}).first, 3);
}

TEST_F(ClientTest, TheExamplesRun) {
  const auto [quick, quick_output] = Run({BuiltProgram("example_quickstart"), target()});
  EXPECT_EQ(quick, 0) << quick_output;
  const auto [unicode, unicode_output] = Run({BuiltProgram("example_unicode_data"), "--target",
                                              target(), "/usr/share/unicode/UnicodeData.txt"});
  EXPECT_EQ(unicode, 0) << unicode_output;
}

}  // namespace
}  // namespace penstock::testing
