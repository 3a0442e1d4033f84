// What surrounds the daemon does not bring it to a halt: few descriptors, a log that
// nobody reads, signals at any time.
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <memory>
#include <regex>
#include <thread>
#include <tuple>

#include "fmt/format.h"
#include "gmock/gmock.h"
#include "google/protobuf/stubs/logging.h"
#include "grpcpp/generic/generic_stub.h"
#include "gtest/gtest.h"
#include "server/net/unique_fd.h"
#include "tests/support/certificates.h"
#include "tests/support/eventually.h"
#include "tests/support/process.h"
#include "tests/support/sockets.h"
#include "tests/support/temp_dir.h"
#include "tests/support/wire.h"

namespace penstock::testing {
namespace {

using server::UniqueFd;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

// What a call with these bytes as its one message ends with.
grpc::Status CallRaw(Wire* wire, const std::string& method, const std::string& bytes) {
  grpc::ClientContext context;
  grpc::CompletionQueue queue;
  grpc::GenericStub stub(wire->channel());
  const auto call = stub.PrepareCall(&context, method, &queue);
  const grpc::Slice slice(bytes);
  void* tag = nullptr;
  bool ok = false;
  call->StartCall(nullptr);
  queue.Next(&tag, &ok);
  call->WriteLast(grpc::ByteBuffer(&slice, 1), {}, nullptr);
  queue.Next(&tag, &ok);
  grpc::Status status;
  call->Finish(&status, nullptr);
  queue.Next(&tag, &ok);
  return status;
}

class SurroundingsTest : public ::testing::Test {
 protected:
  std::string file(const std::string& name) const { return folder_.path() + "/" + name; }
  std::string target() const { return "unix:" + file("s.sock"); }

  std::string Write(const std::string& name, const std::string& text) const {
    std::ofstream(file(name)) << text;
    return file(name);
  }

  std::string Folder(const std::string& name) const {
    std::filesystem::create_directory(file(name));
    return file(name);
  }

  // The daemon, by a shell that runs `before` first.
  std::unique_ptr<Process> Start(const std::string& before, const std::string& flags = "") {
    const std::string command = fmt::format(
        "{}; exec {} --data-dir {} --listen 127.0.0.1:0 --listen {} --http-listen 127.0.0.1:0 {}",
        before, BuiltProgram("penstockd"), file("data"), target(), flags);
    auto daemon =
        std::make_unique<Process>(std::vector<std::string>{"sh", "-c", command}, folder_.path());
    return daemon;
  }

  // Waits until it serves.
  void Addresses(Process* daemon) {
    const std::string line = daemon->LineAfter("penstockd ready: grpc ");
    ASSERT_FALSE(line.empty()) << daemon->output();
    tcp_ = line.substr(0, line.find(' '));
    http_ = line.substr(line.rfind(' ') + 1);
  }

  TempDir folder_;
  std::string tcp_;
  std::string http_;
};

// The soft limit is raised, the rest is capped: nothing ends the listening for good.
TEST_F(SurroundingsTest, MoreConnectionsThanDescriptors) {
  const auto daemon = Start("ulimit -n 256");
  Addresses(daemon.get());
  std::vector<UniqueFd> idle;
  for (int i = 0; i < 280; ++i) idle.push_back(ConnectTcp(tcp_));
  // All that may be are there: who comes now is refused, and that is told.
  Eventually(
      [&] { return HttpGet(http_, "/readyz").find("max_connections") != std::string::npos; });
  EXPECT_THAT(HttpGet(http_, "/readyz"), StartsWith("HTTP/1.1 503 "));
  ASSERT_FALSE(HasFatalFailure());
  EXPECT_THAT(HttpGet(http_, "/healthz"), StartsWith("HTTP/1.1 200 "));
  EXPECT_FALSE(Wire(tcp_).Query("SELECT 1").status.ok());
  // The others are served, and the database has descriptors.
  idle.clear();
  Eventually([&] { return HttpGet(http_, "/readyz").ends_with("ready\n"); });
  ASSERT_FALSE(HasFatalFailure());
  EXPECT_EQ(Wire(tcp_).Query("SELECT 1").text(), "1");
  EXPECT_TRUE(Wire(target()).Exec("CREATE TABLE t (id INTEGER)").status.ok());
  EXPECT_THAT(daemon->output(), HasSubstr("a connection was refused"));
}

TEST_F(SurroundingsTest, TheSoftLimitIsRaised) {
  const auto daemon = Start("ulimit -S -n 64; ulimit -H -n 512");
  Addresses(daemon.get());
  std::vector<UniqueFd> idle;
  for (int i = 0; i < 100; ++i) idle.push_back(ConnectTcp(tcp_));
  EXPECT_EQ(Wire(tcp_).Query("SELECT 1").text(), "1");
}

TEST_F(SurroundingsTest, TooFewDescriptorsAreToldAtTheStart) {
  const auto daemon = Start("ulimit -n 100");
  EXPECT_EQ(daemon->Wait(), 1);
  EXPECT_THAT(daemon->output(), HasSubstr("the limit of open files is 100, but at least"));
}

// What is printed to a closed descriptor does not end up in a database's file.
TEST_F(SurroundingsTest, ClosedStandardDescriptorsAreReplaced) {
  // A test that is not root's may look at the descriptors of such a daemon alone.
  const std::string config = Write("c.yaml", "server: {core_dumps: true}\n");
  const auto daemon = Start("exec 0<&- 2>&-", "--config " + config);
  Addresses(daemon.get());
  for (const char* fd : {"0", "2"}) {
    EXPECT_EQ(std::filesystem::read_symlink(fmt::format("/proc/{}/fd/{}", daemon->pid(), fd)),
              "/dev/null");
  }
}

// Standard error is a pipe that nobody reads: statements go on, and SIGTERM ends it.
TEST_F(SurroundingsTest, ALogThatNobodyReads) {
  ASSERT_EQ(mkfifo(file("fifo").c_str(), 0600), 0);
  const UniqueFd reader(open(file("fifo").c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  Write("c.yaml", "log: {slow_statement: 1ms, parameter_values: true}\n");
  const auto daemon = Start("exec 2>" + file("fifo"), "--config " + file("c.yaml"));
  Addresses(daemon.get());
  Wire wire(target());
  const std::string padding(1900, 'x');
  const std::string slow =
      "WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < 20000) "
      "SELECT count(*) /* " +
      padding + " */ FROM c WHERE $1 <> ''";
  // More than a pipe holds.
  for (int i = 0; i < 100; ++i) {
    const Outcome outcome = wire.Query(slow, {Text(padding)});
    ASSERT_TRUE(outcome.status.ok()) << outcome.status.error_message();
  }
  daemon->Signal(SIGTERM);
  EXPECT_EQ(daemon->Wait(), 0) << daemon->output();
}

// Lines of libraries, and what clients put into them, are lines of the log.
TEST_F(SurroundingsTest, EveryLineIsJson) {
  const auto daemon = Start("true", "--log-format json");
  Addresses(daemon.get());
  Wire wire(target());
  // This process has its own to say about them.
  google::protobuf::SetLogHandler(nullptr);
  for (int i = 0; i < 300; ++i) {
    // gRPC's own complaint of a preface that is none.
    const UniqueFd fd = ConnectTcp(tcp_);
    const std::string rubbish = "rubbish\n{\"level\":\"forged\"}\x1b[2J\r\n\r\n";
    ASSERT_GT(write(fd.get(), rubbish.data(), rubbish.size()), 0);
    // protobuf's, of text that is not UTF-8.
    (void)wire.Query("SELECT '\xff\xfe'");
  }
  daemon->Signal(SIGTERM);
  EXPECT_EQ(daemon->Wait(), 0);
  std::istringstream output(daemon->output());
  int lines = 0;
  for (std::string line; std::getline(output, line);) {
    if (line.starts_with("penstockd ready")) continue;
    ++lines;
    EXPECT_THAT(line, StartsWith("{\"ts\":\""));
    EXPECT_THAT(line, EndsWith("}"));
    EXPECT_THAT(line, Not(HasSubstr("\x1b")));
  }
  EXPECT_GT(lines, 2);
  EXPECT_LT(lines, 1000);
}

TEST_F(SurroundingsTest, MistakesInTheConfigurationAreJsonAsWell) {
  Write("c.yaml", "server: {max_pipeline: none, drain_grace: 5}\n");
  const auto daemon = Start("true", "--log-format json --config " + file("c.yaml"));
  EXPECT_EQ(daemon->Wait(), 78);
  std::istringstream output(daemon->output());
  int lines = 0;
  for (std::string line; std::getline(output, line); ++lines) {
    EXPECT_THAT(line, StartsWith("{\"ts\":\""));
  }
  EXPECT_EQ(lines, 2) << daemon->output();
}

class SignalledMigrationTest : public SurroundingsTest,
                               public ::testing::WithParamInterface<int> {};

// A step that runs for ever is cancelled.
TEST_P(SignalledMigrationTest, StopsAStepThatRuns) {
  std::filesystem::create_directory(file("steps"));
  Write("steps/1_long.up.sql",
        "CREATE TABLE t AS WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c) "
        "SELECT count(*) FROM c;\n");
  Write("c.yaml", fmt::format("databases: {{main: {{driver: sqlite, migrate_on_start: {}}}}}\n",
                              file("steps")));
  const auto daemon = Start("true", "--log-level debug --config " + file("c.yaml"));
  // It runs once its transaction has the database's write lock, which makes a log file.
  Eventually([&] { return std::filesystem::exists(file("data/main.db-wal")); });
  ASSERT_FALSE(HasFatalFailure());
  const auto began = std::chrono::steady_clock::now();
  daemon->Signal(GetParam());
  EXPECT_EQ(daemon->Wait(), 0) << daemon->output();
  EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds(4));
  EXPECT_THAT(daemon->output(), HasSubstr("stopped"));
  EXPECT_THAT(daemon->output(), Not(HasSubstr("ready")));
}

// So is waiting for a server that is not there.
TEST_P(SignalledMigrationTest, StopsWaiting) {
  std::filesystem::create_directory(file("steps"));
  Write("steps/1_t.up.sql", "CREATE TABLE t (id INTEGER);\n");
  Write("c.yaml", fmt::format("databases: {{main: {{driver: postgres, host: {0}, database: x, "
                              "migrate_on_start: {0}/steps}}}}\n",
                              folder_.path()));
  const auto daemon = Start("true", "--config " + file("c.yaml"));
  ASSERT_TRUE(daemon->WaitForOutput("waiting for the database"));
  const auto began = std::chrono::steady_clock::now();
  daemon->Signal(GetParam());
  EXPECT_EQ(daemon->Wait(), 0) << daemon->output();
  EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds(4));
}

INSTANTIATE_TEST_SUITE_P(Signals, SignalledMigrationTest, ::testing::Values(SIGTERM, SIGINT));

TEST_F(SurroundingsTest, SighupReloads) {
  Write("c.yaml", "log: {level: info}\nserver: {max_pipeline: 10}\n");
  const auto daemon = Start("true", "--config " + file("c.yaml"));
  Addresses(daemon.get());
  Write("c.yaml", "log: {level: warn}\nserver: {max_pipeline: 20, max_sessions: 7}\n");
  daemon->Signal(SIGHUP);
  ASSERT_TRUE(daemon->WaitForOutput("server.max_pipeline, server.max_sessions"))
      << daemon->output();
  EXPECT_THAT(daemon->output(), HasSubstr("a configuration change needs a restart"));
  // Below the new level.
  EXPECT_THAT(daemon->output(), Not(HasSubstr("INFO reloaded")));
  Write("c.yaml", "log: {level: loud}\nserver: {max_pipeline: x}\n");
  daemon->Signal(SIGHUP);
  ASSERT_TRUE(daemon->WaitForOutput("'loud' is not one of"));
  ASSERT_TRUE(daemon->WaitForOutput("server.max_pipeline"));
  EXPECT_EQ(Wire(target()).Query("SELECT 1").text(), "1");
  Write("c.yaml", "log: {level: info}\nserver: {max_pipeline: 10}\n");
  daemon->Signal(SIGHUP);
  ASSERT_TRUE(daemon->WaitForOutput("INFO reloaded"));
  daemon->Signal(SIGTERM);
  EXPECT_EQ(daemon->Wait(), 0);
}

// --check finds what the start finds, all of it.
TEST_F(SurroundingsTest, CheckFindsWhatTheStartFinds) {
  Write("password", "hunter2\n");
  std::filesystem::permissions(file("password"), std::filesystem::perms(0644));
  Write("c.yaml",
        fmt::format("databases:\n"
                    "  one: {{driver: sqlite, database: {0}/1.db, migrate_on_start: {0}/missing,\n"
                    "        options: {{synchronos: full, busy_timeout_ms: soon}}}}\n"
                    "  two: {{driver: postgres, connection_string: 'host=x port=nonsense'}}\n"
                    "  three: {{driver: postgres, host: x, password_file: {0}/password}}\n"
                    "  four: {{driver: pebble, database: {0}/4, options: {{create: perhaps}}}}\n"
                    "default_database: one\n",
                    folder_.path()));
  const auto check = Start("true", "--check --config " + file("c.yaml"));
  EXPECT_EQ(check->Wait(), 78);
  const std::string found = check->output();
  for (const char* part :
       {"synchronos", "busy_timeout_ms", "missing", "port", "everybody can read", "create"}) {
    EXPECT_THAT(found, HasSubstr(part));
  }
  EXPECT_THAT(found, Not(HasSubstr("hunter2")));
  const auto start = Start("true", "--config " + file("c.yaml"));
  EXPECT_EQ(start->Wait(), 78);
  EXPECT_EQ(start->output(), found);
}

// So does a certificate that nobody trusts any more: the daemon's own, or the authority's.
TEST_F(SurroundingsTest, ExpiredCertificatesAreFoundByCheckAndStart) {
  MakeCertificate(folder_.path(), "good");
  MakeCertificate(folder_.path(), "old");
  Process openssl({"openssl", "x509", "-in", "old.crt", "-signkey", "old.key", "-days", "-1",
                   "-out", "old.crt"},
                  folder_.path());
  ASSERT_EQ(openssl.Wait(), 0) << openssl.output();
  const auto config = [this](const std::string& own, const std::string& authority) {
    Write("c.yaml", fmt::format("server: {{tls: {{cert_file: {0}/{1}.crt, key_file: {0}/{1}.key, "
                                "client_ca_file: {0}/{2}.crt}}}}\n",
                                folder_.path(), own, authority));
    return "--config " + file("c.yaml");
  };
  EXPECT_EQ(Start("true", "--check " + config("good", "good"))->Wait(), 0);
  for (const auto& [own, authority, key] :
       {std::tuple("old", "good", "cert_file"), std::tuple("good", "old", "client_ca_file")}) {
    for (const char* check : {"--check ", ""}) {
      const auto daemon = Start("true", check + config(own, authority));
      EXPECT_EQ(daemon->Wait(), 78) << daemon->output();
      EXPECT_THAT(daemon->output(), HasSubstr(std::string("server.tls.") + key));
      EXPECT_THAT(daemon->output(), HasSubstr("has expired; put a certificate there"));
    }
  }
}

// What the shipped example says is accepted to the last value: as it is, and each option
// that stands in a comment on the driver that it is for.
TEST_F(SurroundingsTest, TheExampleIsGood) {
  const std::string example = PENSTOCK_DEPLOY_DIR "/penstock.example.yaml";
  const auto check = Start("true", "--check --config " + example);
  EXPECT_EQ(check->Wait(), 0) << check->output();
  std::ifstream lines(example);
  // The options of each driver, all of them uncommented, by the headings of the example.
  std::map<std::string, std::string> options = {
      {"SQLite's", ""}, {"PostgreSQL's", ""}, {"Pebble's", ""}};
  std::string* driver = nullptr;
  for (std::string line; std::getline(lines, line);) {
    for (auto& [heading, ours] : options) {
      if (line.find(heading) != std::string::npos && line.ends_with("defaults:")) driver = &ours;
    }
    static const std::regex commented("      # ([a-z_]+: [a-z0-9]+)");
    std::smatch match;
    if (driver != nullptr && std::regex_match(line, match, commented)) {
      *driver += "      " + match[1].str() + "\n";
    }
  }
  EXPECT_THAT(options["SQLite's"], HasSubstr("max_page_count"));
  EXPECT_THAT(options["PostgreSQL's"], HasSubstr("cancel_grace_ms"));
  EXPECT_THAT(options["Pebble's"], HasSubstr("wal_sync"));
  Write("c.yaml", "databases:\n  main:\n    options:\n" + options["SQLite's"] +
                      "  server:\n    driver: postgres\n    host: localhost\n    options:\n" +
                      options["PostgreSQL's"] + "  keys:\n    driver: pebble\n    options:\n" +
                      options["Pebble's"]);
  const auto options_check = Start("true", "--check --config " + file("c.yaml"));
  EXPECT_EQ(options_check->Wait(), 0) << options_check->output();
}

// Some kilobytes that would become a gigabyte are not expanded.
TEST_F(SurroundingsTest, CompressedRequestsAreRefused) {
  const auto daemon = Start("true");
  Addresses(daemon.get());
  Wire wire(target());
  ASSERT_EQ(wire.Query("SELECT 1").text(), "1");
  const int64_t before = daemon->resident_bytes();
  grpc::ClientContext context;
  context.set_compression_algorithm(GRPC_COMPRESS_GZIP);
  v1::QueryRequest request;
  request.set_sql("SELECT 1 /* " + std::string(size_t{128} << 20, ' ') + " */");
  auto reader = wire.stub().Query(&context, request);
  v1::QueryResponse part;
  EXPECT_FALSE(reader->Read(&part));
  EXPECT_EQ(reader->Finish().error_code(), grpc::StatusCode::UNIMPLEMENTED);
  EXPECT_LT(daemon->resident_bytes() - before, int64_t{64} << 20);
}

// Nor is a message of values that are two bytes each.
TEST_F(SurroundingsTest, ManyEmptyValuesAreRefusedUnparsed) {
  const auto daemon = Start("true");
  Addresses(daemon.get());
  Wire wire(target());
  ASSERT_EQ(wire.Query("SELECT 1").text(), "1");
  const int64_t before = daemon->resident_bytes();
  v1::QueryRequest query;
  query.set_sql("SELECT 1");
  v1::QueryRequest one;
  one.add_args();
  // As bytes, which this process has not to parse either.
  std::string bytes = query.SerializeAsString();
  const std::string empty = one.SerializeAsString();
  for (int i = 0; i < 20'000'000; ++i) bytes += empty;
  const grpc::Status status = CallRaw(&wire, "/penstock.v1.DatabaseService/Query", bytes);
  EXPECT_EQ(DetailOf(status).reason(), v1::REASON_LIMIT_EXCEEDED) << status.error_message();
  EXPECT_LT(daemon->resident_bytes() - before, int64_t{200} << 20);
}

// One connection with requests that never end does not take the memory of all.
TEST_F(SurroundingsTest, RequestsThatNeverEndAreBounded) {
  Write("c.yaml", "server: {max_message_bytes: 8MiB, max_request_memory_bytes: 32MiB}\n");
  const auto daemon = Start("true", "--config " + file("c.yaml"));
  Addresses(daemon.get());
  ASSERT_EQ(Wire(tcp_).Query("SELECT 1").text(), "1");
  const int64_t before = daemon->resident_bytes();
  // 700 MiB.
  Process greedy({"/usr/bin/python3", PENSTOCK_TEST_DIR "/unfinished_requests.py", tcp_, "100",
                  std::to_string(7 << 20)},
                 Folder("greedy"));
  ASSERT_TRUE(greedy.WaitForOutput("stopped")) << greedy.output();
  EXPECT_LT(daemon->resident_bytes() - before, int64_t{128} << 20);
  EXPECT_EQ(Wire(target()).Query("SELECT 1").text(), "1");
}

// Nor do requests that wait, each of them good. What is refused was not executed.
TEST_F(SurroundingsTest, RequestsThatWaitAreBoundedTogether) {
  constexpr int kCalls = 20;
  constexpr int kRows = 20'000;
  Write("c.yaml", "server: {max_message_bytes: 8MiB, max_request_memory_bytes: 16MiB}\n");
  const auto daemon = Start("true", "--config " + file("c.yaml"));
  Addresses(daemon.get());
  Wire wire(target());
  ASSERT_TRUE(wire.Exec("CREATE TABLE t (i INTEGER)").status.ok());
  // Has the writer.
  grpc::ClientContext holder;
  auto transaction = wire.stub().Transaction(&holder);
  v1::TransactionRequest step;
  v1::TransactionResponse done;
  step.mutable_begin();
  ASSERT_TRUE(transaction->Write(step) && transaction->Read(&done));

  v1::ExecRequest request;
  request.set_sql("INSERT INTO t VALUES (?)");
  for (int i = 0; i < kRows; ++i) request.add_rows()->add_values()->set_integer(i);
  std::atomic<int> refused{0};
  std::atomic<int> executed{0};
  std::vector<std::thread> callers;
  for (int i = 0; i < kCalls; ++i) {
    callers.emplace_back([&] {
      Wire own(tcp_);
      grpc::ClientContext context;
      auto stream = own.stub().Exec(&context);
      v1::ExecResponse response;
      stream->Write(request);
      if (stream->Read(&response)) {
        executed += response.has_summary() ? 1 : 0;
        return;
      }
      const grpc::Status status = stream->Finish();
      const v1::ErrorDetail detail = DetailOf(status);
      EXPECT_EQ(status.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED)
          << status.error_message();
      // gRPC itself, which has no detail, resets a stream while requests that have not arrived
      // whole take as much as that.
      if (!status.error_details().empty()) {
        EXPECT_EQ(detail.reason(), v1::REASON_LIMIT_EXCEEDED) << status.error_message();
        EXPECT_EQ(detail.retry(), v1::RETRY_STATEMENT);
      }
      ++refused;
    });
  }
  // Those that were taken wait for the writer.
  Eventually([&] { return refused >= kCalls / 2; });
  // A step that finds no room ends its transaction, which is what is to be run again.
  *step.mutable_exec()->mutable_rows() = request.rows();
  step.mutable_exec()->set_sql(request.sql());
  EXPECT_TRUE(transaction->Write(step));
  EXPECT_FALSE(transaction->Read(&done));
  const v1::ErrorDetail ended = DetailOf(transaction->Finish());
  EXPECT_EQ(ended.reason(), v1::REASON_LIMIT_EXCEEDED);
  EXPECT_EQ(ended.retry(), v1::RETRY_TRANSACTION);
  for (std::thread& caller : callers) caller.join();
  EXPECT_EQ(refused + executed, kCalls);
  EXPECT_GT(executed, 0);
  EXPECT_EQ(wire.Query("SELECT count(*) FROM t").text(), std::to_string(executed * kRows));
}

// One connection does not take the sessions of all.
TEST_F(SurroundingsTest, StreamsOfOneConnectionAreLimited) {
  Write("c.yaml", "server: {max_sessions: 20, max_streams_by_connection: 5}\n");
  const auto daemon = Start("true", "--config " + file("c.yaml"));
  Addresses(daemon.get());
  Wire greedy(target());
  std::vector<std::unique_ptr<grpc::ClientContext>> contexts;
  std::vector<std::unique_ptr<grpc::ClientReaderWriterInterface<v1::ExecRequest, v1::ExecResponse>>>
      streams;
  for (int i = 0; i < 5; ++i) {
    contexts.push_back(std::make_unique<grpc::ClientContext>());
    streams.push_back(greedy.stub().Exec(contexts.back().get()));
  }
  // The client keeps it back.
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::milliseconds(300));
  auto sixth = greedy.stub().Exec(&context);
  EXPECT_EQ(sixth->Finish().error_code(), grpc::StatusCode::DEADLINE_EXCEEDED);
  EXPECT_EQ(Wire(tcp_).Query("SELECT 1").text(), "1");
  for (auto& open : contexts) open->TryCancel();
}

}  // namespace
}  // namespace penstock::testing
