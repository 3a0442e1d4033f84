// Opening: options, and files that are not what they should be.
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "drivers/sqlite/options.h"
#include "drivers/sqlite/sqlite_driver.h"
#include "tests/unit/sqlite/fixture.h"

namespace penstock::sqlite {
namespace {

class OpenTest : public SqliteTest {
 protected:
  // The error of opening, with its hint.
  static std::string OpenError(const driver::Config& config) {
    auto driver = Open(config);
    if (driver.ok()) return "";
    return driver.status().ToString() + " " + driver::GetErrorInfo(driver.status()).hint;
  }
};

// Of another process, as far as SQLite's locks are concerned.
class Stranger {
 public:
  explicit Stranger(const std::string& path) {
    EXPECT_EQ(sqlite3_open(path.c_str(), &db_), SQLITE_OK);
  }
  ~Stranger() { sqlite3_close(db_); }
  void Exec(const char* sql) {
    EXPECT_EQ(sqlite3_exec(db_, sql, nullptr, nullptr, nullptr), SQLITE_OK) << sqlite3_errmsg(db_);
  }

 private:
  sqlite3* db_ = nullptr;
};

#define EXPECT_HAS(text, part) EXPECT_NE((text).find(part), std::string::npos) << (text)

TEST_F(OpenTest, Info) {
  const driver::DriverInfo& info = driver_->info();
  EXPECT_EQ(info.name, "sqlite");
  EXPECT_EQ(info.dialect, "sqlite");
  EXPECT_TRUE(info.split_lanes);
  EXPECT_EQ(info.max_writers, 1);
  EXPECT_TRUE(info.embedded);
  EXPECT_TRUE(info.capabilities.single_writer);
  EXPECT_FALSE(info.capabilities.arrays);
  EXPECT_EQ(driver_->server_version(), sqlite3_libversion());
  EXPECT_TRUE(reader_->Ping({}).ok());
  EXPECT_TRUE(writer_->healthy());
}

TEST_F(OpenTest, OptionsAreChecked) {
  const std::tuple<const char*, const char*, const char*> cases[] = {
      {"synchronus", "full", "synchronous"},        {"synchronous", "off", "full, extra or normal"},
      {"busy_timeout_ms", "soon", "number"},        {"busy_timeout_ms", "-1", "number"},
      {"busy_timeout_ms", "99999999999", "number"}, {"foreign_keys", "2", "on or off"},
      {"journal_mode", "delete", "only wal"},
  };
  for (const auto& [key, value, part] : cases) {
    driver::Config config = ConfigFor("options.db");
    config.options[key] = value;
    const std::string error = OpenError(config);
    EXPECT_HAS(error, key);
    EXPECT_HAS(error, part);
  }
  EXPECT_FALSE(std::filesystem::exists(folder_ + "/options.db"));
}

TEST_F(OpenTest, OptionsHold) {
  OpenWith({{"synchronous", "normal"},
            {"foreign_keys", "off"},
            {"cache_size_kib", "512"},
            {"mmap_size_bytes", "65536"},
            {"max_page_count", "1000"},
            {"journal_mode", "wal"}});
  EXPECT_EQ(Try("PRAGMA synchronous")->row(), "integer 1");
  EXPECT_EQ(Try("PRAGMA foreign_keys")->row(), "integer 0");
  EXPECT_EQ(Try("PRAGMA cache_size")->row(), "integer -512");
  EXPECT_EQ(Try("PRAGMA mmap_size")->row(), "integer 65536");
  EXPECT_EQ(Try("PRAGMA max_page_count")->row(), "integer 1000");
}

TEST_F(OpenTest, Locations) {
  driver::Config config = ConfigFor("a%b?c#d.db");
  EXPECT_EQ(OpenError(config), "");
  EXPECT_TRUE(std::filesystem::exists(config.database));
  config.connection_string = config.database;
  EXPECT_EQ(OpenError(config), "");
  config.connection_string = "other.db";
  EXPECT_HAS(OpenError(config), "different files");
  config.database.clear();
  config.connection_string = "file:" + folder_ + "/with%20space.db?mode=rwc";
  EXPECT_EQ(OpenError(config), "");
  EXPECT_TRUE(std::filesystem::exists(folder_ + "/with space.db"));
  config.connection_string = "file://" + folder_ + "/missing.db?mode=rw";
  EXPECT_HAS(OpenError(config), "create the file first");
  for (const char* uri : {"file:x?mode=memory", "file:x?cache=shared", "file:x?vfs=none",
                          "file://host/x", "file:%zz", "file:", "file:?mode=ro"}) {
    config.connection_string = uri;
    EXPECT_HAS(OpenError(config), "INVALID_ARGUMENT") << uri;
  }
  config.connection_string.clear();
  EXPECT_HAS(OpenError(config), "no file is named");
}

TEST_F(OpenTest, AMissingFolder) {
  const std::string error = OpenError(ConfigFor("none/test.db"));
  EXPECT_HAS(error, folder_ + "/none/test.db");
  EXPECT_HAS(error, "the folder " + folder_ + "/none, which does not exist");
}

TEST_F(OpenTest, AFolder) {
  std::filesystem::create_directory(folder_ + "/folder");
  EXPECT_HAS(OpenError(ConfigFor("folder")), "it is a folder");
}

TEST_F(OpenTest, NotADatabase) {
  std::ofstream(folder_ + "/letter.txt") << std::string(5000, 'x');
  const std::string error = OpenError(ConfigFor("letter.txt"));
  EXPECT_HAS(error, "letter.txt");
  EXPECT_HAS(error, "DATA_LOSS");
  EXPECT_HAS(error, "not a SQLite database");
}

TEST_F(OpenTest, LockedByAnother) {
  const driver::Config plain = ConfigFor("locked.db");
  Stranger stranger(plain.database);
  stranger.Exec("CREATE TABLE t(a); BEGIN EXCLUSIVE");
  driver::Config config = plain;
  config.options["busy_timeout_ms"] = "20";
  const std::string error = OpenError(config);
  EXPECT_HAS(error, "locked.db");
  EXPECT_HAS(error, "find the process that has locked the file");
}

TEST_F(OpenTest, AWriteWaitsForAnotherProcessAsLongAsItMay) {
  OpenWith({{"busy_timeout_ms", "30"}});
  Exec("CREATE TABLE t(a)");
  Stranger stranger(folder_ + "/test.db");
  stranger.Exec("BEGIN IMMEDIATE");
  const auto call = Try("INSERT INTO t VALUES (1)");
  EXPECT_EQ(call->reason(), Reason::kBusy);
  const Calls calls =
      MakeCalls({"INSERT INTO t VALUES (1)", "SELECT 5", "INSERT INTO t VALUES (2)"});
  RunTogether(writer_.get(), calls);
  EXPECT_EQ(calls[0]->reason(), Reason::kBusy);
  EXPECT_EQ(calls[1]->row(), "integer 5");
  EXPECT_EQ(calls[2]->reason(), Reason::kBusy);
  EXPECT_EQ(driver::GetErrorInfo(writer_->Begin({})).reason, Reason::kBusy);
  // Readers are not in its way.
  EXPECT_EQ(Read("SELECT count(*) FROM t"), "integer 0");
  stranger.Exec("COMMIT");
  Exec("INSERT INTO t VALUES (1)");
}

TEST_F(OpenTest, TheWaitForALockHasTheDeadlineOfTheRun) {
  Exec("CREATE TABLE t(a)");
  Stranger stranger(folder_ + "/test.db");
  stranger.Exec("BEGIN IMMEDIATE");
  for (const size_t size : {1, 2}) {
    Calls calls;
    for (size_t i = 0; i < size; ++i) {
      calls.push_back(std::make_unique<Call>("INSERT INTO t VALUES (1)"));
      calls.back()->run.deadline = In(std::chrono::milliseconds(20), Reason::kCallDeadline);
    }
    const auto began = std::chrono::steady_clock::now();
    RunTogether(writer_.get(), calls);
    EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds(1));
    for (const auto& call : calls) EXPECT_EQ(call->reason(), Reason::kCallDeadline);
  }
  const absl::Status begun =
      writer_->Begin({.deadline = In(std::chrono::milliseconds(20), Reason::kCallDeadline)});
  EXPECT_EQ(driver::GetErrorInfo(begun).reason, Reason::kCallDeadline);
}

TEST_F(OpenTest, ReadOnlyByItsUri) {
  Exec("CREATE TABLE t(a)");
  driver::Config config = ConfigFor("test.db");
  config.connection_string = "file:" + config.database + "?mode=ro";
  config.database.clear();
  OpenConfig(config);
  EXPECT_EQ(Read("SELECT count(*) FROM t"), "integer 0");
  EXPECT_EQ(Try("INSERT INTO t VALUES (1)")->reason(), Reason::kReadOnly);
  const Calls calls =
      MakeCalls({"INSERT INTO t VALUES (1)", "SELECT count(*) FROM t", "VACUUM", "DROP TABLE t"});
  RunTogether(writer_.get(), calls);
  EXPECT_EQ(calls[0]->reason(), Reason::kReadOnly);
  EXPECT_EQ(calls[1]->row(), "integer 0");
  EXPECT_EQ(calls[2]->reason(), Reason::kReadOnly) << calls[2]->run.status;
  EXPECT_EQ(calls[3]->reason(), Reason::kReadOnly);
  ASSERT_TRUE(writer_->Begin({}).ok());
  EXPECT_EQ(TryInTransaction("INSERT INTO t VALUES (1)")->reason(), Reason::kReadOnly);
  EXPECT_TRUE(writer_->Rollback().ok());
}

// Root may write to everything, so the owner of nothing looks at the files.
class AsNobody {
 public:
  AsNobody() : was_root_(geteuid() == 0) {
    if (was_root_) {
      EXPECT_EQ(seteuid(65534), 0);
    }
  }
  ~AsNobody() {
    if (was_root_) {
      EXPECT_EQ(seteuid(0), 0);
    }
  }

 private:
  const bool was_root_;
};

TEST_F(OpenTest, AFileThatMayNotBeWrittenCanBeRead) {
  const driver::Config config = ConfigFor("plain.db");
  Stranger(config.database).Exec("CREATE TABLE t(a); INSERT INTO t VALUES (1)");
  ASSERT_EQ(chmod(config.database.c_str(), 0444), 0);
  ASSERT_EQ(chmod(folder_.c_str(), 0755), 0);
  const AsNobody nobody;
  OpenConfig(config);
  EXPECT_EQ(Read("SELECT a FROM t"), "integer 1");
  EXPECT_EQ(Try("INSERT INTO t VALUES (2)")->reason(), Reason::kReadOnly);
}

TEST_F(OpenTest, AFolderThatMayNotBeWrittenIsSaidClearly) {
  ASSERT_EQ(chmod(folder_.c_str(), 0555), 0);
  {
    const AsNobody nobody;
    const std::string error = OpenError(ConfigFor("new.db"));
    EXPECT_HAS(error, "new.db");
    EXPECT_HAS(error, "check the owner and the mode");
  }
  ASSERT_EQ(chmod(folder_.c_str(), 0755), 0);
}

TEST_F(OpenTest, TheFileIsKeptInWal) {
  Exec("CREATE TABLE t(a)");
  EXPECT_TRUE(std::filesystem::exists(folder_ + "/test.db-wal"));
  EXPECT_EQ(Try("PRAGMA journal_mode")->row(), "text wal");
}

}  // namespace
}  // namespace penstock::sqlite
