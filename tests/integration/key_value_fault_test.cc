// RocksDB on disks that are full and files that are damaged, and what the daemon
// tells of it, over gRPC and at /metrics.
#include <arpa/inet.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <thread>

#include "fmt/format.h"
#include "gtest/gtest.h"
#include "penstock/penstock.h"
#include "tests/support/eventually.h"
#include "tests/support/gateway.h"
#include "tests/support/process.h"

namespace penstock::testing {
namespace {

namespace fs = std::filesystem;
using std::string;

// The answer to a GET, head included.
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

// A daemon on the pebble databases `main` and `other`.
class KeyValueFault : public ::testing::Test {
 protected:
  string file(const string& name) const { return folder_.path() + "/" + name; }
  string target() const { return "unix:" + file("penstock.sock"); }

  // The words before the daemon's own may put it somewhere else.
  void Start(std::vector<string> words = {}) {
    std::ofstream(file("penstock.yaml")) << fmt::format(
        "data_dir: {0}/data\n"
        // So that tests that are not root's may look at its root.
        "server: {{listen: ['{1}'], http_listen: '127.0.0.1:0', core_dumps: true}}\n"
        "default_database: main\n"
        "databases:\n  main: {{driver: pebble, options: {{{2}}}}}\n  other: {{driver: pebble}}\n",
        folder_.path(), target(), options_);
    words.insert(words.end(), {BuiltProgram("penstockd"), "--config", file("penstock.yaml")});
    daemon_ = std::make_unique<Process>(words, folder_.path());
    const string line = daemon_->LineAfter("penstockd ready: grpc ");
    ASSERT_FALSE(line.empty()) << daemon_->output();
    http_ = line.substr(line.rfind(' ') + 1);
  }

  void Stop() {
    daemon_->Signal(SIGTERM);
    ASSERT_EQ(daemon_->Wait(), 0) << daemon_->output();
  }

  std::unique_ptr<KeyValue> Open(const string& database) const {
    auto db = New(Config{.target = target(), .database = database});
    EXPECT_TRUE(db.ok()) << db.status();
    return (*db)->KeyValue("");
  }

  // The value of a metric with these labels; -1: it is not there.
  double Figure(const string& name, const string& labels = R"(database="main")") const {
    const string text = HttpGet(http_, "/metrics");
    const string line = fmt::format("\n{}{{{}}} ", name, labels);
    const size_t at = text.find(line);
    return at == string::npos ? -1 : std::stod(text.substr(at + line.size()));
  }

  // Overwrites some bytes near the beginning of each of the closed database's files
  // whose name contains this.
  void Damage(const string& database, const string& part) const {
    int count = 0;
    for (const auto& each : fs::directory_iterator(file("data/" + database + ".pebble"))) {
      if (each.path().filename().string().find(part) == string::npos) continue;
      std::fstream bytes(each.path(), std::ios::in | std::ios::out | std::ios::binary);
      bytes.seekp(10);
      bytes.write("damage", 6);
      ++count;
    }
    ASSERT_GT(count, 0);
  }

  const Context ctx_;
  TempDir folder_;
  string options_;
  std::unique_ptr<Process> daemon_;
  string http_;
};

// A tiny tmpfs in a mount namespace of the daemon's own.
TEST_F(KeyValueFault, AFullDiskIsToldAndWritesWorkAgainOnceThereIsSpace) {
  std::vector<string> words = {"unshare", "--mount"};
  if (geteuid() != 0) words.push_back("--map-root-user");
  fs::create_directory(file("data"));
  words.insert(words.end(),
               {"sh", "-c",
                "mount -t tmpfs -o size=32m tmpfs \"$1/data\" && "
                "head -c 8000000 /dev/urandom > \"$1/data/ballast\" && shift && exec \"$@\"",
                "sh", folder_.path()});
  options_ = "write_buffer_mib: '1', compression: none";
  ASSERT_NO_FATAL_FAILURE(Start(words));
  const auto kv = Open("main");
  const string value(20'000, 'v');
  int stored = 0;
  const auto key = [](int i) { return fmt::format("{:05}", i); };
  absl::Status status;
  while (stored < 1000 && (status = kv->Put(ctx_, key(stored), value)).ok()) ++stored;
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted) << status;
  EXPECT_EQ(GetErrorDetails(status).reason, "DISK_FULL") << status;
  EXPECT_GT(stored, 10);
  const auto count = [&] {
    int found = 0;
    const auto entries = kv->Scan(ctx_);
    EXPECT_TRUE(entries.ok()) << entries.status();
    if (!entries.ok()) return -1;
    while ((*entries)->Next() && (*entries)->Value() == value) ++found;
    EXPECT_TRUE((*entries)->Err().ok()) << (*entries)->Err();
    return found;
  };
  // What was acknowledged is there, and of what was not, nothing.
  EXPECT_EQ(count(), stored);
  const auto written =
      kv->Write(ctx_, {}, {Mutation::Put("a", value), Mutation::Put("b", value)}).status();
  EXPECT_EQ(written.code(), absl::StatusCode::kResourceExhausted) << written;
  EXPECT_EQ(count(), stored);
  EXPECT_GE(Figure("penstock_pebble_background_errors_total"), 1);

  // The test sees into the mount through the daemon's process.
  ASSERT_TRUE(
      fs::remove(fmt::format("/proc/{}/root{}/data/ballast", daemon_->pid(), folder_.path())));
  Eventually([&] { return kv->Put(ctx_, key(stored), value).ok(); });
  ++stored;
  EXPECT_EQ(count(), stored);
  Stop();
}

TEST_F(KeyValueFault, ADamagedTableIsDataLossOfOneDatabase) {
  ASSERT_NO_FATAL_FAILURE(Start());
  for (const char* database : {"main", "other"}) {
    ASSERT_TRUE(Open(database)->Put(ctx_, "a", string(10'000, 'v')).ok());
  }
  Stop();
  // What the log has goes into tables.
  ASSERT_NO_FATAL_FAILURE(Start());
  Stop();
  Damage("main", ".sst");
  ASSERT_NO_FATAL_FAILURE(Start());
  const auto kv = Open("main");
  const absl::Status got = kv->Get(ctx_, "a").status();
  EXPECT_EQ(got.code(), absl::StatusCode::kDataLoss) << got;
  EXPECT_NE(got.message().find("'main'"), absl::string_view::npos) << got;
  const absl::Status scanned = kv->Scan(ctx_).status();
  EXPECT_EQ(scanned.code(), absl::StatusCode::kDataLoss) << scanned;
  const auto other = Open("other")->Get(ctx_, "a");
  ASSERT_TRUE(other.ok()) << other.status();
  EXPECT_EQ(*other, string(10'000, 'v'));
  Stop();
}

TEST_F(KeyValueFault, ADatabaseThatIsTooDamagedToOpenKeepsNoOtherFromServing) {
  ASSERT_NO_FATAL_FAILURE(Start());
  for (const char* database : {"main", "other"}) {
    ASSERT_TRUE(Open(database)->Put(ctx_, "a", "1").ok());
  }
  Stop();
  Damage("main", "MANIFEST-");
  ASSERT_NO_FATAL_FAILURE(Start());
  EXPECT_NE(daemon_->output().find("database 'main'"), string::npos) << daemon_->output();
  // By its name, and as the default.
  for (const char* database : {"main", ""}) {
    const absl::Status got = Open(database)->Get(ctx_, "a").status();
    EXPECT_EQ(got.code(), absl::StatusCode::kDataLoss) << got;
    EXPECT_NE(got.message().find("'main'"), absl::string_view::npos) << got;
  }
  EXPECT_EQ(Open("other")->Get(ctx_, "a").value_or(""), "1");
  EXPECT_EQ(Figure("penstock_database_damaged"), 1);
  EXPECT_EQ(Figure("penstock_database_damaged", R"(database="other")"), 0);
  Stop();
}

TEST_F(KeyValueFault, WhatRocksDbTellsIsAtMetrics) {
  ASSERT_NO_FATAL_FAILURE(Start());
  const auto kv = Open("main");
  ASSERT_TRUE(kv->Put(ctx_, "a", "1").ok());
  const double syncs = Figure("penstock_pebble_wal_syncs_total");
  EXPECT_GE(syncs, 1);
  EXPECT_GT(Figure("penstock_pebble_wal_bytes_total"), 0);
  EXPECT_GT(Figure("penstock_pebble_memtable_bytes"), 0);
  EXPECT_EQ(Figure("penstock_pebble_block_cache_capacity_bytes"), 64.0 * (1 << 20));
  EXPECT_EQ(Figure("penstock_pebble_keyspaces"), 1);
  EXPECT_EQ(Figure("penstock_pebble_keyspaces", R"(database="other")"), 0);
  EXPECT_EQ(Figure("penstock_pebble_keyspace_keys", R"(database="main",keyspace="kv")"), 1);
  ASSERT_TRUE(kv->Put(ctx_, "b", "1").ok());
  EXPECT_EQ(Figure("penstock_pebble_wal_syncs_total"), syncs + 1);
  for (const char* name :
       {"block_cache_hits_total", "block_cache_misses_total", "block_cache_bytes",
        "pending_compaction_bytes", "running_flushes", "running_compactions", "write_stopped",
        "delayed_write_bytes_per_second", "stall_seconds_total", "background_errors_total"}) {
    EXPECT_GE(Figure(string("penstock_pebble_") + name), 0) << name;
  }
  EXPECT_GE(Figure("penstock_pebble_keyspace_live_bytes", R"(database="main",keyspace="kv")"), 0);
  EXPECT_GE(Figure("penstock_pebble_keyspace_table_bytes", R"(database="main",keyspace="kv")"), 0);
  Stop();
}

TEST_F(KeyValueFault, AnAbandonedScanReleasesItsIterator) {
  ASSERT_NO_FATAL_FAILURE(Start());
  const auto kv = Open("main");
  std::vector<Mutation> mutations;
  for (int i = 0; i < 20'000; ++i) {
    mutations.push_back(Mutation::Put(fmt::format("{:06}", i), string(1000, 'v')));
  }
  ASSERT_TRUE(kv->Write(ctx_, {}, mutations).ok());
  {
    // It waits for its reader.
    const auto entries = kv->Scan(ctx_);
    ASSERT_TRUE(entries.ok()) << entries.status();
    ASSERT_TRUE((*entries)->Next());
    EXPECT_EQ(Figure("penstock_pebble_open_iterators"), 1);
  }
  Eventually([&] { return Figure("penstock_pebble_open_iterators") == 0; });
  EXPECT_EQ(Figure("penstock_pebble_open_snapshots"), 0);
  Stop();
}

}  // namespace
}  // namespace penstock::testing
