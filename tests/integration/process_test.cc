// The built daemon as a process: how it starts, is used, is killed and ends.
#include <signal.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <set>
#include <thread>
#include <vector>

#include "fmt/format.h"
#include "gtest/gtest.h"
#include "tests/support/gateway.h"
#include "tests/support/process.h"
#include "tests/support/wire.h"

namespace penstock::testing {
namespace {

class ProcessTest : public ::testing::Test {
 protected:
  std::string file(const std::string& name) const { return folder_.path() + "/" + name; }
  std::string target() const { return "unix:" + file("data/penstock.sock"); }

  // The daemon with ports of its own choice and further flags.
  std::vector<std::string> Command(const std::vector<std::string>& flags = {}) const {
    std::vector<std::string> words = {BuiltProgram("penstockd"),
                                      "--data-dir",
                                      file("data"),
                                      "--listen",
                                      "127.0.0.1:0",
                                      "--listen",
                                      target(),
                                      "--http-listen",
                                      "127.0.0.1:0"};
    words.insert(words.end(), flags.begin(), flags.end());
    return words;
  }

  std::string WriteConfig(const std::string& yaml) const {
    std::ofstream(file("penstock.yaml")) << yaml;
    return file("penstock.yaml");
  }

  // Starts a daemon that must not start, and returns what it said.
  std::string Refusal(const std::string& yaml, int exit_code) {
    Process daemon({BuiltProgram("penstockd"), "--config", WriteConfig(yaml)}, folder_.path());
    EXPECT_EQ(daemon.Wait(), exit_code) << daemon.output();
    EXPECT_EQ(daemon.output().find("ready"), std::string::npos);
    return daemon.output();
  }

  TempDir folder_;
};

TEST_F(ProcessTest, ServesAPythonClientAndHttp) {
  std::filesystem::create_directory(file("stubs"));
  Process protoc(
      {"protoc", "-I", PENSTOCK_PROTO_DIR, "--python_out=" + file("stubs"),
       "--grpc_out=" + file("stubs"), "--plugin=protoc-gen-grpc=/usr/bin/grpc_python_plugin",
       "penstock/v1/value.proto", "penstock/v1/error.proto", "penstock/v1/database.proto",
       "penstock/v1/key_value.proto", "penstock/v1/admin.proto"},
      folder_.path());
  ASSERT_EQ(protoc.Wait(), 0) << protoc.output();
  Process daemon(Command(), folder_.path());
  const std::string line = daemon.LineAfter("penstockd ready: grpc ");
  const std::string tcp = line.substr(0, line.find(' '));
  const std::string http = line.substr(line.rfind(' ') + 1);
  Process python(
      {"/usr/bin/python3", PENSTOCK_TEST_DIR "/python_client.py", file("stubs"), tcp, http},
      folder_.path());
  EXPECT_EQ(python.Wait(), 0) << python.output();
  daemon.Signal(SIGTERM);
  EXPECT_EQ(daemon.Wait(), 0) << daemon.output();
  EXPECT_FALSE(std::filesystem::exists(file("data/penstock.sock")));
}

// Every acknowledged write survives kill -9.
TEST_F(ProcessTest, AcknowledgedWritesSurviveAKill) {
  constexpr int kWriters = 8;
  std::set<int64_t> acknowledged;
  for (int round = 0; round < 3; ++round) {
    Process daemon(Command(), folder_.path());
    ASSERT_TRUE(daemon.WaitForOutput("penstockd ready"));
    Wire wire(target());
    ASSERT_TRUE(wire.Exec("CREATE TABLE IF NOT EXISTS t (id INTEGER PRIMARY KEY)").status.ok());
    std::mutex mutex;
    std::atomic<int> count = 0;
    std::vector<std::thread> writers;
    for (int w = 0; w < kWriters; ++w) {
      writers.emplace_back([&, w] {
        PrepareStream insert(wire, "INSERT INTO t VALUES ($1)");
        for (int64_t i = 0;; ++i) {
          const int64_t id = (round * kWriters + w) * 1'000'000 + i;
          if (!insert.Run({Int(id)}).status.ok()) return;  // killed
          std::lock_guard lock(mutex);
          acknowledged.insert(id);
          ++count;
        }
      });
    }
    while (count < 1500) std::this_thread::yield();
    daemon.Signal(SIGKILL);
    EXPECT_EQ(daemon.Wait(), 128 + SIGKILL);
    for (std::thread& writer : writers) writer.join();
  }
  // The socket that the killed daemon left behind is in nobody's way.
  Process daemon(Command(), folder_.path());
  ASSERT_TRUE(daemon.WaitForOutput("penstockd ready"));
  Wire wire(target());
  std::set<int64_t> stored;
  for (const v1::Row& row : wire.Query("SELECT id FROM t").rows) {
    stored.insert(row.values(0).integer());
  }
  EXPECT_GE(acknowledged.size(), 4500u);
  for (const int64_t id : acknowledged) EXPECT_EQ(stored.count(id), 1u) << id;
  EXPECT_EQ(wire.Query("PRAGMA integrity_check").text(), "'ok'");
}

TEST_F(ProcessTest, SigtermDrains) {
  const std::string config = WriteConfig("server:\n  drain_grace: 300ms\n");
  Process daemon(Command({"--config", config}), folder_.path());
  ASSERT_TRUE(daemon.WaitForOutput("penstockd ready"));
  Wire wire(target());
  ASSERT_TRUE(wire.Exec("CREATE TABLE t (id INTEGER)").status.ok());
  PrepareStream idle(wire, "SELECT 1");
  TransactionStream open(wire);
  ASSERT_TRUE(open.Begin().has_begun());
  ASSERT_TRUE(open.Exec("INSERT INTO t VALUES (1)").has_executed());
  daemon.Signal(SIGTERM);
  // An idle stream ends at once, a transaction after the grace time.
  const grpc::Status status = idle.WaitForEnd();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAVAILABLE) << status.error_message();
  EXPECT_EQ(DetailOf(status).reason(), v1::REASON_DRAINING);
  TransactionStream::Response response;
  EXPECT_FALSE(open.Read(&response));
  EXPECT_EQ(DetailOf(open.Finish()).reason(), v1::REASON_DRAINING);
  EXPECT_EQ(daemon.Wait(), 0) << daemon.output();
  Process again(Command(), folder_.path());
  ASSERT_TRUE(again.WaitForOutput("penstockd ready"));
  EXPECT_EQ(Wire(target()).Query("SELECT count(*) FROM t").text(), "0");
}

TEST_F(ProcessTest, ARunningStatementFinishesWithinTheGraceTime) {
  Process daemon(Command(), folder_.path());
  ASSERT_TRUE(daemon.WaitForOutput("penstockd ready"));
  Wire wire(target());
  grpc::ClientContext context;
  v1::QueryRequest request;
  request.set_sql(
      "WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < 3000000) "
      "SELECT count(*) FROM c");
  auto reader = wire.stub().Query(&context, request);
  daemon.Signal(SIGTERM);
  Outcome outcome;
  for (v1::QueryResponse part; reader->Read(&part);) outcome.Add(part);
  const grpc::Status status = reader->Finish();
  // It either had begun, and finished, or came too late and was told so.
  if (status.ok()) {
    EXPECT_EQ(outcome.text(), "3000000");
  } else {
    EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAVAILABLE) << status.error_message();
  }
  EXPECT_EQ(daemon.Wait(), 0);
}

TEST_F(ProcessTest, ASecondSignalEndsItAtOnce) {
  Process daemon(Command(), folder_.path());
  ASSERT_TRUE(daemon.WaitForOutput("penstockd ready"));
  Wire wire(target());
  TransactionStream open(wire);
  ASSERT_TRUE(open.Begin().has_begun());
  daemon.Signal(SIGTERM);
  ASSERT_TRUE(daemon.WaitForOutput("draining"));
  daemon.Signal(SIGTERM);
  EXPECT_EQ(daemon.Wait(), 128 + SIGTERM);
}

TEST_F(ProcessTest, MistakesInTheConfigurationAreAllToldAtOnce) {
  const std::string said = Refusal(
      "server:\n  listen: 0.0.0.0:7420\n  drain_grace: 10\ndatabases:\n  main:\n    drivr: "
      "sqlite\n",
      78);
  EXPECT_NE(said.find("penstock.yaml:2"), std::string::npos) << said;
  EXPECT_NE(said.find("insecure"), std::string::npos) << said;
  EXPECT_NE(said.find("penstock.yaml:3"), std::string::npos) << said;
  EXPECT_NE(said.find("drivr"), std::string::npos) << said;
  EXPECT_NE(said.find("driver"), std::string::npos) << said;
}

TEST_F(ProcessTest, CheckReadsConnectionStringsAndOptions) {
  const std::string yaml =
      "databases:\n"
      "  main: {driver: postgres, connection_string: 'postgresql://u:hunter2/x@h:5432/d'}\n"
      "  other: {driver: cockroachdb, host: h, options: {cancel_grace_ms: soon}}\n"
      "  lite: {database: ':memory:', options: {synchronous: maybe}}\n";
  Process check({BuiltProgram("penstockd"), "--check", "--config", WriteConfig(yaml)},
                folder_.path());
  EXPECT_EQ(check.Wait(), 78) << check.output();
  for (const std::string& said : {check.output(), Refusal(yaml, 78)}) {
    EXPECT_EQ(said.find("hunter"), std::string::npos) << said;
    EXPECT_NE(said.find("yaml:2: databases.main: invalid connection_string"), std::string::npos)
        << said;
    EXPECT_NE(said.find("yaml:3: databases.other.options.cancel_grace_ms: option"),
              std::string::npos)
        << said;
    EXPECT_NE(said.find("yaml:4: databases.lite.options.synchronous: option"), std::string::npos)
        << said;
  }
}

TEST_F(ProcessTest, DatabasesThatDoNotOpenAreNamed) {
  std::ofstream(file("text.db")) << std::string(5000, 'x');
  const std::string said =
      Refusal(fmt::format("server: {{listen: 'unix:{0}/s', http_listen: ''}}\ndefault_database: a\n"
                          "databases:\n"
                          "  a: {{database: '{0}/text.db'}}\n"
                          "  b: {{database: '{0}/missing/b.db'}}\n",
                          folder_.path()),
              1);
  EXPECT_NE(said.find("database 'a'"), std::string::npos) << said;
  EXPECT_NE(said.find("not a SQLite database"), std::string::npos) << said;
  EXPECT_NE(said.find("database 'b'"), std::string::npos) << said;
  EXPECT_NE(said.find("create the folder"), std::string::npos) << said;
}

TEST_F(ProcessTest, ATakenAddressIsNamed) {
  Process first(Command(), folder_.path());
  ASSERT_TRUE(first.WaitForOutput("penstockd ready"));
  Process second(Command(), folder_.path());
  EXPECT_EQ(second.Wait(), 1);
  EXPECT_NE(second.output().find("another process listens on"), std::string::npos)
      << second.output();
  // The first one still serves.
  EXPECT_TRUE(Wire(target()).Query("SELECT 1").status.ok());
}

// A tiny tmpfs in a mount namespace of the daemon's own.
TEST_F(ProcessTest, AFullDiskIsToldAndNothingIsLost) {
  std::vector<std::string> words = {"unshare", "--mount"};
  if (geteuid() != 0) words.push_back("--map-root-user");
  std::string daemon_command;
  std::filesystem::create_directory(file("data"));
  words.insert(words.end(),
               {"sh", "-c", "mount -t tmpfs -o size=2m tmpfs \"$1/data\" && shift && exec \"$@\"",
                "sh", folder_.path()});
  std::vector<std::string> command = Command();
  // The socket outside, as the test does not see into the mount.
  const std::string socket = "unix:" + file("s.sock");
  for (std::string& word : command) {
    if (word == target()) word = socket;
  }
  words.insert(words.end(), command.begin(), command.end());
  Process daemon(words, folder_.path());
  ASSERT_TRUE(daemon.WaitForOutput("penstockd ready"));
  Wire wire(socket);
  ASSERT_TRUE(wire.Exec("CREATE TABLE t (id INTEGER PRIMARY KEY, v BLOB)").status.ok());
  int64_t stored = 0;
  Outcome outcome;
  do {
    outcome =
        wire.Exec("INSERT INTO t VALUES ($1, $2)", {Int(stored), Blob(std::string(50'000, 'x'))});
    if (outcome.status.ok()) ++stored;
  } while (outcome.status.ok() && stored < 1000);
  EXPECT_EQ(outcome.status.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED)
      << outcome.status.error_message();
  EXPECT_EQ(outcome.detail.reason(), v1::REASON_DISK_FULL);
  EXPECT_GT(stored, 3);
  EXPECT_EQ(wire.Query("SELECT count(*) FROM t").text(), fmt::format("{}", stored));
  EXPECT_EQ(wire.Query("PRAGMA integrity_check").text(), "'ok'");
}

TEST_F(ProcessTest, AThousandIdleStreamsTakeLittleMemoryAndNoThread) {
  Process daemon(Command(), folder_.path());
  ASSERT_TRUE(daemon.WaitForOutput("penstockd ready"));
  Wire wire(target());
  ASSERT_EQ(wire.Query("SELECT 1").text(), "1");
  const int64_t memory = daemon.resident_bytes();
  const int64_t threads = daemon.threads();
  std::vector<std::unique_ptr<PrepareStream>> streams;
  for (int i = 0; i < 1000; ++i) {
    streams.push_back(std::make_unique<PrepareStream>(wire, "SELECT $1"));
    ASSERT_EQ(streams.back()->prepared().parameter_count(), 1);
  }
  EXPECT_LE(daemon.resident_bytes() - memory, int64_t{60} << 20);
  // gRPC may start one or two of its own; none belongs to a stream.
  EXPECT_LE(daemon.threads() - threads, 4);
}

TEST_F(ProcessTest, FiveMillionRowsToASlowReaderTakeLittleMemory) {
  // The address sanitizer, if this build has it, keeps 256 MiB of freed memory back
  // to find its late use: that would be measured here, not the daemon. Other builds
  // take no notice.
  const char* set = std::getenv("ASAN_OPTIONS");
  std::vector<std::string> words = {
      "env", fmt::format("ASAN_OPTIONS={}:quarantine_size_mb=1", set != nullptr ? set : "")};
  const std::vector<std::string> command = Command();
  words.insert(words.end(), command.begin(), command.end());
  Process daemon(words, folder_.path());
  ASSERT_TRUE(daemon.WaitForOutput("penstockd ready"));
  Wire wire(target());
  ASSERT_EQ(wire.Query("SELECT 1").text(), "1");
  const int64_t idle = daemon.resident_bytes();
  int64_t most = 0;
  grpc::ClientContext context;
  v1::QueryRequest request;
  request.set_format(v1::FORMAT_COLUMNS);
  request.set_sql(
      "WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < 5000000) "
      "SELECT i, i * 2, 'row ' || i, i / 3.0 FROM c");
  auto reader = wire.stub().Query(&context, request);
  int64_t rows = 0;
  for (v1::QueryResponse part; reader->Read(&part);) {
    rows += part.row_count();
    // This is what makes the reader slow: it waits for nothing, but gives the daemon
    // every chance to run ahead.
    if (rows % 100 == 0) std::this_thread::sleep_for(std::chrono::milliseconds(5));
    most = std::max(most, daemon.resident_bytes());
  }
  EXPECT_TRUE(reader->Finish().ok());
  EXPECT_EQ(rows, 5'000'000);
  EXPECT_LE(most - idle, int64_t{64} << 20);
}

// gRPC returns a write to such a client only when it reads again.
TEST_F(ProcessTest, AStoppedClientHoldsNeitherAConnectionNorTheEnd) {
  const std::string config = WriteConfig("server:\n  stall_timeout: 300ms\n  drain_grace: 300ms\n");
  Process daemon(Command({"--config", config}), folder_.path());
  ASSERT_TRUE(daemon.WaitForOutput("penstockd ready"));
  Process client({BuiltProgram("penstock"), "--target", target(), "--format", "csv", "query",
                  "WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c) "
                  "SELECT 'row ' || i FROM c"},
                 folder_.path());
  ASSERT_TRUE(client.WaitForOutput("row 1"));
  client.Signal(SIGSTOP);
  ASSERT_TRUE(daemon.WaitForOutput("client cut off"));
  Wire wire(target());
  const auto admin = v1::AdminService::NewStub(wire.channel());
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  for (int in_use = 1; in_use != 0;) {
    ASSERT_LT(std::chrono::steady_clock::now(), until) << "the connection is still in use";
    grpc::ClientContext context;
    v1::GetStatsResponse stats;
    ASSERT_TRUE(admin->GetStats(&context, {}, &stats).ok());
    in_use = 0;
    for (const auto& pool : stats.databases(0).pools()) in_use += pool.in_use();
  }
  daemon.Signal(SIGTERM);
  EXPECT_EQ(daemon.Wait(), 0) << daemon.output();
}

}  // namespace
}  // namespace penstock::testing
