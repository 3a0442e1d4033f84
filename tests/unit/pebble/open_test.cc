// Opening, closing, and files that are not as they should be.
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "drivers/api/error.h"
#include "drivers/pebble/options.h"
#include "drivers/pebble/pebble_driver.h"
#include "rocksdb/db.h"
#include "tests/unit/key_value/fixture.h"

namespace penstock::driver {
namespace {

namespace fs = std::filesystem;

class OpenTest : public KeyValueTest {
 protected:
  Config MakeConfig(std::map<std::string, std::string> options = {}) const {
    Config config;
    config.name = "main";
    config.driver = "pebble";
    config.database = folder_ + "/pebble";
    config.options = std::move(options);
    return config;
  }

  void Close() {
    reader_.reset();
    writer_.reset();
    driver_.reset();
  }

  absl::Status OpenWith(std::map<std::string, std::string> options) {
    Close();
    auto driver = pebble::Open(MakeConfig(std::move(options)));
    if (!driver.ok()) return driver.status();
    driver_ = *std::move(driver);
    writer_ = Connect(Lane::kWrite);
    reader_ = Connect(Lane::kRead);
    return absl::OkStatus();
  }

  // The table files of the closed database.
  std::vector<fs::path> Tables() const {
    std::vector<fs::path> tables;
    for (const auto& file : fs::directory_iterator(folder_ + "/pebble")) {
      if (file.path().extension() == ".sst") tables.push_back(file.path());
    }
    return tables;
  }
};
INSTANTIATE_TEST_SUITE_P(Drivers, OpenTest, ::testing::Values("pebble"));

TEST_P(OpenTest, RefusesASecondOpener) {
  const auto second = pebble::Open(MakeConfig());
  ASSERT_FALSE(second.ok());
  EXPECT_NE(second.status().message().find("is already open"), absl::string_view::npos)
      << second.status();
  EXPECT_FALSE(GetErrorInfo(second.status()).hint.empty());
  Write({Put("a", "1")});
  Open();
  EXPECT_EQ(Scan().size(), 1u);
}

// The system's lock does not tell two openers of one process apart, nor RocksDB two
// paths.
TEST_P(OpenTest, RefusesASecondOpenerByAnotherPath) {
  fs::create_directory_symlink(folder_ + "/pebble", folder_ + "/link");
  for (const char* path : {"/link", "/./pebble", "/../"}) {
    Config config = MakeConfig();
    config.database = folder_ + path;
    if (std::string(path) == "/../") {
      config.database = folder_ + "/../" + fs::path(folder_).filename().string() + "/pebble";
    }
    const absl::Status second = pebble::Open(config).status();
    EXPECT_EQ(GetErrorInfo(second).reason, Reason::kBackendResources) << second;
    EXPECT_NE(second.message().find("is already open in this process"), absl::string_view::npos)
        << second;
  }
  Write({Put("a", "1")});
  Open();
  EXPECT_EQ(Scan().size(), 1u);
}

TEST_P(OpenTest, NamesTheProcessThatHasItOpen) {
  Close();
  const std::string lock = folder_ + "/pebble/LOCK";
  int ready[2];
  ASSERT_EQ(pipe(ready), 0);
  const pid_t child = fork();
  if (child == 0) {
    const int file = open(lock.c_str(), O_RDWR);
    struct flock whole = {};
    whole.l_type = F_WRLCK;
    whole.l_whence = SEEK_SET;
    const char done = fcntl(file, F_SETLK, &whole) == 0 ? '1' : '0';
    if (write(ready[1], &done, 1) != 1) _exit(1);
    pause();
    _exit(0);
  }
  char done = 0;
  ASSERT_EQ(read(ready[0], &done, 1), 1);
  ASSERT_EQ(done, '1');
  const absl::Status second = pebble::Open(MakeConfig()).status();
  EXPECT_EQ(GetErrorInfo(second).reason, Reason::kBackendResources) << second;
  EXPECT_NE(second.message().find("is already open in process " + std::to_string(child)),
            absl::string_view::npos)
      << second;
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
  for (const int end : ready) close(end);
  Open();
}

// The word in a path is no reason to think so.
TEST_P(OpenTest, AFolderNamedLockThatCannotBeOpenedIsNotOpenAlready) {
  for (const char* file : {"LOCK", "CURRENT"}) {
    Config config = MakeConfig();
    config.database = folder_ + "/lock-" + file;
    fs::create_directories(config.database + "/" + file);
    const absl::Status opened = pebble::Open(config).status();
    ASSERT_FALSE(opened.ok());
    EXPECT_EQ(opened.message().find("is already open"), absl::string_view::npos) << opened;
    EXPECT_NE(opened.message().find(config.database), absl::string_view::npos) << opened;
  }
}

TEST_P(OpenTest, KeepsItsDataWithOtherOptions) {
  Write({Put("a", "1")});
  ASSERT_TRUE(
      OpenWith({{"compression", "zstd"}, {"wal_sync", "os"}, {"block_cache_mib", "1"}}).ok());
  EXPECT_EQ(Scan(), (Entries{{"a", "1"}}));
  Write({Put("b", "2")});
  ASSERT_TRUE(OpenWith({{"create", "off"}}).ok());
  EXPECT_EQ(Scan().size(), 2u);
}

TEST_P(OpenTest, SaysWhatIsWrongWithAnOption) {
  const std::pair<const char*, const char*> mistakes[] = {
      {"wal_sync", "sometimes"}, {"compression", "gzip"}, {"block_cache_mib", "0"},
      {"max_open_files", "x"},   {"no_such", "1"},        {"create", "maybe"}};
  for (const auto& [key, text] : mistakes) {
    const absl::Status status = pebble::ParseOptions(MakeConfig({{key, text}})).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << key;
    EXPECT_NE(status.message().find(key), absl::string_view::npos) << status;
  }
  Config nowhere;
  EXPECT_FALSE(pebble::ParseOptions(nowhere).ok());
}

TEST_P(OpenTest, RefusesAFolderThatIsNotThereOrNotItsOwn) {
  Config config = MakeConfig({{"create", "off"}});
  config.database = folder_ + "/nothing";
  EXPECT_FALSE(pebble::Open(config).ok());
  std::ofstream(folder_ + "/file") << "text";
  config = MakeConfig();
  config.database = folder_ + "/file";
  const absl::Status status = pebble::Open(config).status();
  EXPECT_FALSE(status.ok());
  EXPECT_NE(status.message().find(folder_ + "/file"), absl::string_view::npos) << status;
}

TEST_P(OpenTest, LimitsTheNumberOfKeyspaces) {
  ASSERT_TRUE(OpenWith({{"max_keyspaces", "1"}}).ok());
  Write({Put("a", "1")}, "one");
  const OperationPtr write = MakeWrite({Put("a", "1")}, {}, "two");
  Run(write.get());
  EXPECT_EQ(write->reason(), Reason::kLimitExceeded);
  EXPECT_EQ(Scan({}, "two"), Entries{});
  Write({Put("b", "1")}, "one");
}

TEST_P(OpenTest, RunsSqlFromTheFirstMoment) {
  StatementRun run;
  run.sql = "SELECT count(*) FROM kv";
  StatementRun* const one = &run;
  reader_->RunBatch({&one, 1});
  EXPECT_TRUE(run.status.ok()) << run.status;
  EXPECT_EQ(run.summary.rows_returned, 1);
  EXPECT_TRUE(reader_->Describe("SELECT 1", {}, nullptr).ok());
  EXPECT_EQ(driver_->info().dialect, "sqlite");
}

TEST_P(OpenTest, ADamagedTableIsDataLoss) {
  Write({Put("a", std::string(10'000, 'x'))});
  Close();
  {
    // A flush of everything into tables.
    rocksdb::Options options;
    std::vector<std::string> names;
    const std::string path = folder_ + "/pebble";
    ASSERT_TRUE(rocksdb::DB::ListColumnFamilies(options, path, &names).ok());
    std::vector<rocksdb::ColumnFamilyDescriptor> families;
    for (const std::string& name : names) families.emplace_back(name, options);
    std::vector<rocksdb::ColumnFamilyHandle*> handles;
    rocksdb::DB* db = nullptr;
    ASSERT_TRUE(rocksdb::DB::Open(options, path, families, &handles, &db).ok());
    ASSERT_TRUE(db->Flush({}, handles).ok());
    for (auto* handle : handles) db->DestroyColumnFamilyHandle(handle);
    delete db;
  }
  const std::vector<fs::path> tables = Tables();
  ASSERT_FALSE(tables.empty());
  for (const fs::path& table : tables) {
    std::fstream file(table, std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(10);
    file.write("damage", 6);
  }
  ASSERT_TRUE(OpenWith({}).ok());
  const OperationPtr get = MakeGet({"a"});
  Run(get.get());
  EXPECT_EQ(get->run.status.code(), absl::StatusCode::kDataLoss) << get->run.status;
  const OperationPtr scan = MakeScan({});
  Run(scan.get());
  EXPECT_EQ(scan->reason(), Reason::kCorruption);
}

}  // namespace
}  // namespace penstock::driver
