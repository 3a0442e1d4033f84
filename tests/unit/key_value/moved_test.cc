// The files of a database that are removed, renamed or replaced while it is open.
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>

#include "drivers/api/kept_files.h"
#include "tests/unit/key_value/fixture.h"

namespace penstock::driver {
namespace {

namespace fs = std::filesystem;

class MovedTest : public KeyValueTest {
 protected:
  MovedTest() {
    // The database has a folder of its own, which may go.
    reader_.reset();
    writer_.reset();
    driver_.reset();
    parent_ = folder_;
    folder_ = parent_ + "/home";
    fs::create_directory(folder_);
    Open();
    Write({Put("a", "1")});
  }
  ~MovedTest() override { folder_ = parent_; }

  std::string away() const { return parent_ + "/away"; }

  // As soon as it has been noticed a write is refused, and nothing of it is there.
  void ExpectRefused(const std::string& with) {
    driver_->Examine();
    const OperationPtr write = MakeWrite({Put("refused", "1")});
    Run(write.get());
    EXPECT_EQ(write->reason(), Reason::kIo) << write->run.status;
    EXPECT_NE(write->run.status.message().find(with), absl::string_view::npos) << write->run.status;
    EXPECT_FALSE(GetErrorInfo(write->run.status).hint.empty());
    // So is a transaction.
    ASSERT_TRUE(writer_->Begin({}).ok());
    const OperationPtr in_transaction = MakeWrite({Put("refused", "2")});
    RunInTransaction(in_transaction.get());
    EXPECT_TRUE(in_transaction->run.status.ok()) << in_transaction->run.status;
    EXPECT_EQ(GetErrorInfo(writer_->Commit()).reason, Reason::kIo);
    const std::vector<Problem> problems = driver_->Problems();
    ASSERT_EQ(problems.size(), 1u);
    EXPECT_EQ(problems[0].kind, "files_moved");
    EXPECT_TRUE(problems[0].refuses);
    EXPECT_NE(problems[0].text.find(with), std::string::npos) << problems[0].text;
    // Who reads goes on with what there was.
    EXPECT_EQ(Scan(), (Entries{{"a", "1"}}));
  }

  void ExpectHealed() {
    driver_->Examine();
    EXPECT_TRUE(driver_->Problems().empty());
    Write({Put("b", "2")});
    EXPECT_EQ(Scan(), (Entries{{"a", "1"}, {"b", "2"}}));
    Open();
    EXPECT_EQ(Scan(), (Entries{{"a", "1"}, {"b", "2"}}));
  }

  // The files below a folder: their sizes and when they were last written.
  static std::map<std::string, std::pair<std::uintmax_t, fs::file_time_type>> Files(
      const std::string& folder) {
    std::map<std::string, std::pair<std::uintmax_t, fs::file_time_type>> files;
    for (const auto& each : fs::recursive_directory_iterator(folder)) {
      if (each.is_regular_file()) {
        files[each.path()] = {each.file_size(), each.last_write_time()};
      }
    }
    return files;
  }

  std::string parent_;
};
PENSTOCK_ON_EACH_DRIVER(MovedTest);

TEST_P(MovedTest, AFolderThatWasRenamedIsNotWrittenToUntilItIsBack) {
  fs::rename(folder_, away());
  ExpectRefused("no longer exists");
  fs::rename(away(), folder_);
  ExpectHealed();
}

// Before it has been noticed, too.
TEST_P(MovedTest, NoWriteIsAcknowledged) {
  for (const bool in_transaction : {false, true}) {
    fs::rename(folder_, away());
    absl::Status status;
    const OperationPtr write = MakeWrite({Put("b", "2")});
    if (in_transaction) {
      ASSERT_TRUE(writer_->Begin({}).ok());
      RunInTransaction(write.get());
      status = writer_->Commit();
    } else {
      Run(write.get());
      status = write->run.status;
    }
    EXPECT_EQ(GetErrorInfo(status).reason, Reason::kCommitOutcomeUnknown) << status;
    EXPECT_EQ(driver_->Problems().size(), 1u);
    fs::rename(away(), folder_);
    driver_->Examine();
    EXPECT_TRUE(driver_->Problems().empty());
  }
  // It came back with the files.
  EXPECT_EQ(Scan(), (Entries{{"a", "1"}, {"b", "2"}}));
  ExpectHealed();
}

TEST_P(MovedTest, ItIsNoticedWithoutAWrite) {
  driver_->Examine();
  EXPECT_TRUE(driver_->Problems().empty());
  fs::rename(folder_, away());
  driver_->Examine();
  EXPECT_EQ(driver_->Problems().size(), 1u);
  fs::rename(away(), folder_);
  ExpectHealed();
}

TEST_P(MovedTest, AFolderThatWasRemovedIsNotWrittenTo) {
  fs::remove_all(folder_);
  ExpectRefused("no longer exists");
  // A folder of the same name is not the one that was opened, and stays as it is.
  fs::create_directory(folder_);
  ExpectRefused("no longer exists");
  EXPECT_TRUE(fs::is_empty(folder_));
  auto connection = driver_->Connect(Lane::kRead, Deadline::None());
  if (connection.ok()) connection->reset();
  EXPECT_TRUE(fs::is_empty(folder_));
}

// As when a backup is restored under the running daemon.
TEST_P(MovedTest, ACopyThatTookTheFoldersPlaceIsLeftAlone) {
  fs::copy(folder_, away(), fs::copy_options::recursive);
  fs::rename(folder_, parent_ + "/old");
  fs::rename(away(), folder_);
  const auto before = Files(folder_);
  ExpectRefused("is no longer the file that was opened");
  driver_->Examine();
  reader_.reset();
  writer_.reset();
  driver_.reset();
  EXPECT_EQ(Files(folder_), before);
  Open();
  EXPECT_EQ(Scan(), (Entries{{"a", "1"}}));
}

// What the daemon acknowledges is in its log first.
TEST_P(MovedTest, ALogThatWasRemovedIsNotWrittenTo) {
  int removed = 0;
  std::vector<fs::path> logs;
  for (const auto& each : fs::recursive_directory_iterator(folder_)) {
    const std::string name = each.path().filename();
    if (name.ends_with(".log") || name.ends_with("-wal")) logs.push_back(each.path());
  }
  for (const fs::path& log : logs) removed += fs::remove(log) ? 1 : 0;
  ASSERT_EQ(removed, 1);
  ExpectRefused(logs.front());
}

TEST_P(MovedTest, FilesThatChangePlacesAsTheDatabaseGrowsAreNotMissed) {
  const std::string value(10'000, 'v');
  for (int i = 0; i < 3000; ++i) Write({Put("key" + std::to_string(i), value)});
  driver_->Examine();
  EXPECT_TRUE(driver_->Problems().empty());
}

TEST(KeptFilesTest, WhoHasCommittedIntoFilesThatWentAwayDoesNotKnowTheOutcome) {
  const std::string path = fs::temp_directory_path() / ("kept-" + std::to_string(getpid()));
  std::ofstream(path) << "text";
  ProblemList problems;
  KeptFiles files(&problems);
  files.Keep(path);
  files.Keep(path + "-that-is-not-there");
  EXPECT_TRUE(files.Check().ok());
  EXPECT_TRUE(files.CheckAfter().ok());
  fs::rename(path, path + "-away");
  EXPECT_EQ(GetErrorInfo(files.CheckAfter()).reason, Reason::kCommitOutcomeUnknown);
  EXPECT_EQ(GetErrorInfo(files.Check()).reason, Reason::kIo);
  EXPECT_EQ(problems.List().size(), 1u);
  fs::rename(path + "-away", path);
  EXPECT_TRUE(files.Check().ok());
  EXPECT_TRUE(problems.List().empty());
  files.Forget(path);
  fs::remove(path);
  EXPECT_TRUE(files.Check().ok());
}

}  // namespace
}  // namespace penstock::driver
