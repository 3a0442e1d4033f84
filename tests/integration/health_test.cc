// What /readyz, /metrics and the log say when a database is in trouble, and that all is
// well again when the trouble is over.
#include <arpa/inet.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <thread>

#include "fmt/format.h"
#include "gtest/gtest.h"
#include "penstock/penstock.h"
#include "tests/support/eventually.h"
#include "tests/support/process.h"
#include "tests/support/temp_dir.h"
#include "tests/support/wire.h"

namespace penstock::testing {
namespace {

namespace fs = std::filesystem;
using std::string;

string HttpGet(const string& address, const string& path) {
  const size_t colon = address.rfind(':');
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(static_cast<uint16_t>(std::stoi(address.substr(colon + 1))));
  inet_pton(AF_INET, address.substr(0, colon).c_str(), &to.sin_addr);
  const int http = socket(AF_INET, SOCK_STREAM, 0);
  string answer;
  const string request = "GET " + path + " HTTP/1.0\r\n\r\n";
  if (connect(http, reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0 &&
      send(http, request.data(), request.size(), 0) == static_cast<ssize_t>(request.size())) {
    std::array<char, 4096> buffer;
    for (ssize_t size; (size = recv(http, buffer.data(), buffer.size(), 0)) > 0;) {
      answer.append(buffer.data(), static_cast<size_t>(size));
    }
  }
  close(http);
  return answer;
}

// A daemon on the databases `lite` (sqlite) and `keys` (pebble), each in a folder of its
// own.
class HealthTest : public ::testing::Test {
 protected:
  HealthTest() {
    fs::create_directory(file("lite"));
    fs::create_directory(file("keys"));
    std::ofstream(file("penstock.yaml")) << fmt::format(
        "data_dir: {0}\n"
        // So that tests that are not root's may look at its descriptors.
        "server: {{listen: ['{1}'], http_listen: '127.0.0.1:0', core_dumps: true}}\n"
        "default_database: lite\ndatabases:\n"
        "  lite: {{driver: sqlite, database: {0}/lite/main.db}}\n"
        "  keys: {{driver: pebble, database: {0}/keys/main,"
        " options: {{write_buffer_mib: '1', compression: none}}}}\n",
        folder_.path(), target());
    daemon_ = std::make_unique<Process>(
        std::vector<string>{BuiltProgram("penstockd"), "--config", file("penstock.yaml")},
        folder_.path());
    const string line = daemon_->LineAfter("penstockd ready: grpc ");
    EXPECT_FALSE(line.empty()) << daemon_->output();
    http_ = line.substr(line.rfind(' ') + 1);
  }

  string file(const string& name) const { return folder_.path() + "/" + name; }
  string target() const { return "unix:" + file("penstock.sock"); }

  absl::Status Put(const string& database, const string& key, const string& value) const {
    auto db = New(Config{.target = target(), .database = database});
    EXPECT_TRUE(db.ok()) << db.status();
    return (*db)->KeyValue("")->Put(ctx_, key, value);
  }

  int Count(const string& database) const {
    auto db = New(Config{.target = target(), .database = database});
    const auto entries = (*db)->KeyValue("")->Scan(ctx_);
    EXPECT_TRUE(entries.ok()) << entries.status();
    int found = 0;
    while (entries.ok() && (*entries)->Next()) ++found;
    return found;
  }

  // "" if it is ready, else what it says.
  string Readyz() const {
    const string answer = HttpGet(http_, "/readyz");
    const size_t body = answer.find("\r\n\r\n");
    if (answer.find(" 200 ") < body) return "";
    EXPECT_LT(answer.find(" 503 "), body) << answer;
    return answer.substr(body + 4);
  }

  // The value of a metric with these labels; -1: it is not there.
  double Figure(const string& name, const string& database, const string& problem) const {
    const string text = HttpGet(http_, "/metrics");
    const string line =
        fmt::format("\n{}{{database=\"{}\",problem=\"{}\"}} ", name, database, problem);
    const size_t at = text.find(line);
    return at == string::npos ? -1 : std::stod(text.substr(at + line.size()));
  }

  int64_t Logged(const string& text) const {
    const string log = daemon_->output();
    int64_t count = 0;
    for (size_t at = 0; (at = log.find(text, at)) != string::npos; ++at) ++count;
    return count;
  }

  const Context ctx_;
  TempDir folder_;
  std::unique_ptr<Process> daemon_;
  string http_;
};

TEST_F(HealthTest, AFolderThatIsRenamedAndComesBack) {
  for (const string database : {"lite", "keys"}) {
    ASSERT_TRUE(Put(database, "a", "1").ok());
    EXPECT_EQ(Readyz(), "");
    fs::rename(file(database), file("away"));
    // Nobody writes, and it is noticed all the same.
    Eventually([&] { return Readyz() != ""; });
    EXPECT_NE(Readyz().find("database '" + database + "': " + file(database)), string::npos)
        << Readyz();
    const absl::Status refused = Put(database, "b", "1");
    EXPECT_EQ(GetErrorDetails(refused).reason, "IO") << refused;
    EXPECT_EQ(Figure("penstock_database_problem", database, "files_moved"), 1);
    fs::rename(file("away"), file(database));
    Eventually([&] { return Readyz() == ""; });
    EXPECT_TRUE(Put(database, "c", "1").ok());
    EXPECT_EQ(Count(database), 2);
  }
  Eventually([&] { return Logged("a database problem has ended") == 2; });
  EXPECT_EQ(Logged("a database has a problem"), 2) << daemon_->output();
}

TEST_F(HealthTest, AFolderThatIsRemovedTakesNoMoreWrites) {
  for (const string database : {"lite", "keys"}) {
    ASSERT_TRUE(Put(database, "a", "1").ok());
    fs::remove_all(file(database));
    // Refused if it has been noticed by now.
    const absl::Status first = Put(database, "b", "1");
    const string reason = GetErrorDetails(first).reason;
    EXPECT_TRUE(reason == "IO" || reason == "COMMIT_OUTCOME_UNKNOWN") << first;
    const absl::Status refused = Put(database, "b", "1");
    EXPECT_EQ(GetErrorDetails(refused).reason, "IO") << refused;
    EXPECT_NE(Readyz().find("database '" + database + "'"), string::npos);
    EXPECT_NE(Readyz().find("restart the daemon"), string::npos) << Readyz();
    EXPECT_FALSE(Put(database, "b", "1").ok());
  }
}

// No new log can be opened, so RocksDB takes no writes.
TEST_F(HealthTest, WritesGoOnWhenThereAreFileDescriptorsAgain) {
  ASSERT_TRUE(Put("keys", "a", "1").ok());
  auto db = New(Config{.target = target(), .database = "keys"});
  const auto kv = (*db)->KeyValue("");
  // It has its connection before they are few.
  ASSERT_TRUE(kv->Put(ctx_, "b", "1").ok());
  EXPECT_EQ(Readyz(), "");
  rlimit before{};
  const pid_t pid = daemon_->pid();
  ASSERT_EQ(prlimit(pid, RLIMIT_NOFILE, nullptr, &before), 0);
  // As many as are open, and the gaps between, which fill as files are opened.
  int highest = 0;
  for (const auto& each : fs::directory_iterator(fmt::format("/proc/{}/fd", pid))) {
    highest = std::max(highest, std::stoi(each.path().filename()));
  }
  const rlimit few = {.rlim_cur = static_cast<rlim_t>(highest + 1), .rlim_max = before.rlim_max};
  ASSERT_EQ(prlimit(pid, RLIMIT_NOFILE, &few, nullptr), 0);
  int stored = 2;
  absl::Status status;
  const string value(100'000, 'v');
  for (int i = 0; i < 2000 && status.ok(); ++i) {
    status = kv->Put(ctx_, fmt::format("k{:05}", i), value);
    if (status.ok()) ++stored;
  }
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(GetErrorDetails(status).reason, "IO") << status;
  ASSERT_EQ(prlimit(pid, RLIMIT_NOFILE, &before, nullptr), 0);
  Eventually([&] { return kv->Put(ctx_, "z", "1").ok(); });
  ++stored;
  EXPECT_EQ(Readyz(), "");
  EXPECT_EQ(Count("keys"), stored);
  Eventually([&] { return Logged("a database problem has ended") >= 1; });
  EXPECT_GE(Logged("problem=writes_stopped"), 2) << daemon_->output();
  EXPECT_NE(daemon_->output().find("Too many open files"), string::npos) << daemon_->output();
  EXPECT_GE(Figure("penstock_database_problems_total", "keys", "writes_stopped"), 1);
  // What was acknowledged survives the process, too.
  daemon_->Signal(SIGKILL);
  daemon_->Wait();
  daemon_ = std::make_unique<Process>(
      std::vector<string>{BuiltProgram("penstockd"), "--config", file("penstock.yaml")},
      folder_.path());
  ASSERT_FALSE(daemon_->LineAfter("penstockd ready: grpc ").empty()) << daemon_->output();
  EXPECT_EQ(Count("keys"), stored);
}

}  // namespace
}  // namespace penstock::testing
