// Errors that stop RocksDB's writes, and how they go on.
#include "drivers/pebble/recovery.h"

#include <dirent.h>
#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <thread>

#include "drivers/pebble/error.h"
#include "drivers/pebble/options.h"
#include "drivers/pebble/pebble_driver.h"
#include "fmt/format.h"
#include "tests/support/eventually.h"
#include "tests/unit/key_value/fixture.h"

namespace penstock::pebble {
namespace {

using ::penstock::testing::Eventually;

using Background = rocksdb::BackgroundErrorReason;
using driver::Entries;
using driver::Reason;
using rocksdb::IOStatus;
using rocksdb::Status;
using Severity = rocksdb::Status::Severity;

TEST(RemedyTest, EveryErrorOfTheFileSystemIsResumedFrom) {
  const Status too_many_files = IOStatus::IOError("While open a file", "Too many open files");
  const Status full = IOStatus::NoSpace("full");
  const Status gone = IOStatus::PathNotFound("gone");
  for (const Status& error : {too_many_files, full, gone}) {
    const Status fatal(error, Severity::kFatalError);
    for (const Background reason :
         {Background::kFlush, Background::kWriteCallback, Background::kMemTable,
          Background::kManifestWrite, Background::kFlushNoWAL, Background::kManifestWriteNoWAL}) {
      EXPECT_EQ(RemedyOf(reason, fatal), Remedy::kResume) << error.ToString();
    }
    EXPECT_EQ(RemedyOf(Background::kCompaction, fatal), Remedy::kCompactAgain);
    EXPECT_EQ(RemedyOf(Background::kFlush, Status(error, Severity::kUnrecoverableError)),
              Remedy::kReopen);
  }
  EXPECT_EQ(RemedyOf(Background::kFlush, Status(IOStatus::IOFenced(), Severity::kFatalError)),
            Remedy::kReopen);
  for (const Background reason : {Background::kFlush, Background::kCompaction,
                                  Background::kMemTable, Background::kWriteCallback}) {
    EXPECT_EQ(RemedyOf(reason, Status::Corruption("checksum")), Remedy::kReopen);
    EXPECT_EQ(RemedyOf(reason, Status::InvalidArgument("that")), Remedy::kReopen);
  }
}

TEST(RecoveryTest, ACompactionThatFailsStopsNoWrites) {
  driver::ProblemList problems;
  Recovery recovery(&problems);
  Status error(IOStatus::NoSpace("full"), Severity::kFatalError);
  recovery.OnBackgroundError(Background::kCompaction, &error);
  EXPECT_TRUE(error.ok());
  EXPECT_EQ(recovery.errors(), 1);
  ASSERT_EQ(problems.List().size(), 1u);
  EXPECT_EQ(problems.List()[0].kind, "compaction_fails");
  EXPECT_FALSE(problems.List()[0].refuses);
  rocksdb::CompactionJobInfo job;
  job.status = IOStatus::NoSpace("full");
  recovery.OnCompactionCompleted(nullptr, job);
  EXPECT_EQ(problems.List().size(), 1u);
  job.status = Status::OK();
  recovery.OnCompactionCompleted(nullptr, job);
  EXPECT_TRUE(problems.List().empty());
}

TEST(RecoveryTest, DamageIsNotResumedFrom) {
  driver::ProblemList problems;
  Recovery recovery(&problems);
  Status error(Status::Corruption("checksum"), Severity::kUnrecoverableError);
  recovery.OnBackgroundError(Background::kFlush, &error);
  EXPECT_EQ(error.severity(), Severity::kUnrecoverableError);
  // A later error does not make it look better.
  Status later(IOStatus::IOError("later"), Severity::kFatalError);
  recovery.OnBackgroundError(Background::kFlush, &later);
  EXPECT_EQ(later.severity(), Severity::kFatalError);
  ASSERT_EQ(problems.List().size(), 1u);
  EXPECT_NE(problems.List()[0].text.find("restart the daemon"), std::string::npos);
}

TEST(ClassifyTest, WhatIsRefusedForAnEarlierErrorMayBeTriedAgain) {
  const Status error(IOStatus::IOError("Too many open files"), Severity::kHardError);
  const driver::ErrorInfo info = driver::GetErrorInfo(Classify(error));
  EXPECT_EQ(info.reason, Reason::kIo);
  EXPECT_EQ(info.retry, driver::Retry::kStatement);
  EXPECT_NE(info.hint.find("/readyz"), std::string::npos);
}

// Leaves this process the file descriptors that it has, and a few more.
class FewFiles {
 public:
  explicit FewFiles(int more) {
    getrlimit(RLIMIT_NOFILE, &before_);
    rlimit few = before_;
    few.rlim_cur = static_cast<rlim_t>(HighestOpen() + 1 + more);
    setrlimit(RLIMIT_NOFILE, &few);
    // Those below the highest.
    for (int i = 0; i < more; ++i) kept_free_.push_back(dup(0));
    for (int file; (file = dup(0)) >= 0;) taken_.push_back(file);
    for (const int file : kept_free_) close(file);
  }
  ~FewFiles() {
    for (const int file : taken_) close(file);
    setrlimit(RLIMIT_NOFILE, &before_);
  }

 private:
  static int HighestOpen() {
    int highest = 0;
    DIR* const folder = opendir("/proc/self/fd");
    while (const dirent* entry = readdir(folder)) {
      highest = std::max(highest, std::atoi(entry->d_name));
    }
    closedir(folder);
    return highest;
  }

  rlimit before_{};
  std::vector<int> kept_free_;
  std::vector<int> taken_;
};

class ResumeTest : public driver::KeyValueTest {
 protected:
  ResumeTest() {
    reader_.reset();
    writer_.reset();
    driver_.reset();
    driver::Config config;
    config.name = "main";
    config.driver = "pebble";
    config.database = folder_ + "/pebble";
    config.options = {{"write_buffer_mib", "1"}, {"compression", "none"}};
    auto opened = pebble::Open(config);
    EXPECT_TRUE(opened.ok()) << opened.status();
    driver_ = *std::move(opened);
    writer_ = Connect(driver::Lane::kWrite);
    reader_ = Connect(driver::Lane::kRead);
  }

  absl::Status TryPut(const std::string& key) {
    const driver::OperationPtr write = driver::MakeWrite({driver::Put(key, value_)});
    Run(write.get());
    return write->run.status;
  }

  // What the problem says; empty: there is none of this kind.
  std::string TextOf(const std::string& kind) const {
    for (const driver::Problem& problem : driver_->Problems()) {
      if (problem.kind == kind) return problem.text;
    }
    return "";
  }

  // Writes until a write is refused, and expects that all goes on once there are files.
  void RunOutOfFiles(int left) {
    Entries stored = Scan();
    {
      const FewFiles few(left);
      absl::Status status;
      for (int i = 0; i < 2000 && status.ok(); ++i) {
        const std::string key = fmt::format("{:02}-{:05}", round_, i);
        status = TryPut(key);
        if (status.ok()) stored.emplace_back(key, value_);
      }
      ++round_;
      ASSERT_FALSE(status.ok());
      EXPECT_EQ(driver::GetErrorInfo(status).reason, Reason::kIo) << status;
      EXPECT_EQ(driver::GetErrorInfo(status).retry, driver::Retry::kStatement) << status;
      // With none left it does not end before its cause.
      if (left == 0) {
        EXPECT_NE(TextOf("writes_stopped").find("Too many open files"), std::string::npos)
            << TextOf("writes_stopped");
        EXPECT_FALSE(TryPut("refused").ok());
      }
    }
    Eventually([&] { return TextOf("writes_stopped").empty(); });
    ASSERT_TRUE(TryPut("zz").ok());
    stored.erase(std::remove_if(stored.begin(), stored.end(),
                                [](const auto& entry) { return entry.first == "zz"; }),
                 stored.end());
    stored.emplace_back("zz", value_);
    EXPECT_EQ(Scan().size(), stored.size());
    EXPECT_EQ(Scan(), stored);
  }

  const std::string value_ = std::string(20'000, 'v');
  int round_ = 0;
};
INSTANTIATE_TEST_SUITE_P(Drivers, ResumeTest, ::testing::Values("pebble"));

TEST_P(ResumeTest, WritesGoOnWhenThereAreFileDescriptorsAgain) {
  ASSERT_TRUE(TryPut("zz").ok());
  // Where it fails depends on what is left: a log, a table, a manifest.
  for (const int left : {0, 1, 2, 0}) RunOutOfFiles(left);
  const Entries stored = Scan();
  Crash();
  EXPECT_EQ(Scan(), stored);
}

// RocksDB left one half made when it could not open its folder once more: it was there
// already, and could not be written to, until the database was opened anew.
TEST_P(ResumeTest, AKeyspaceIsMadeWithoutAFileDescriptorToSpare) {
  ASSERT_TRUE(TryPut("a").ok());
  {
    const FewFiles few(0);
    const driver::OperationPtr write = driver::MakeWrite({driver::Put("a", "1")}, {}, "other");
    Run(write.get());
  }
  Eventually([&] { return TextOf("writes_stopped").empty(); });
  Write({driver::Put("a", "1")}, "other");
  EXPECT_EQ(Scan({}, "other"), (Entries{{"a", "1"}}));
  ASSERT_TRUE(TryPut("b").ok());
}

}  // namespace
}  // namespace penstock::pebble
