// The files of the built daemon: its unix sockets, and who may read the rest.
#include <signal.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <string>

#include "fmt/format.h"
#include "gtest/gtest.h"
#include "penstock/penstock.h"
#include "tests/support/process.h"
#include "tests/support/temp_dir.h"

namespace penstock::testing {
namespace {

namespace fs = std::filesystem;

class FilesTest : public ::testing::Test {
 protected:
  std::string file(const std::string& name) const { return folder_.path() + "/" + name; }

  // A daemon that was started with this umask and serves `socket`, with data of its own.
  std::unique_ptr<Process> Daemon(const std::string& socket, const std::string& mask = "022",
                                  const std::string& driver = "sqlite") {
    const std::string data = file(fmt::format("data{}", ++count_));
    const std::string config = file(fmt::format("{}.yaml", count_));
    fs::create_directory(data);
    fs::permissions(data, fs::perms::all);
    std::ofstream(config) << fmt::format(
        "data_dir: {0}\nserver: {{http_listen: 'off', listen: ['unix:{2}']}}\n"
        "databases: {{main: {{driver: {1}}}}}\n",
        data, driver, socket);
    return std::make_unique<Process>(
        std::vector<std::string>{"sh", "-c", "umask $0; exec \"$@\"", mask,
                                 BuiltProgram("penstockd"), "--config", config},
        folder_.path());
  }

  // What becomes of a write over a new link.
  static absl::Status Put(const std::string& socket) {
    auto db = New({.target = "unix:" + socket});
    if (!db.ok()) return db.status();
    return (*db)->KeyValue("")->Put(Context().WithTimeout(absl::Seconds(10)), "a", "b");
  }

  static unsigned ModeOf(const fs::path& path) {
    struct stat info {};
    EXPECT_EQ(lstat(path.c_str(), &info), 0) << path;
    return info.st_mode & 0777;
  }

  TempDir folder_;
  int count_ = 0;
};

TEST_F(FilesTest, AnySocketIsServedUnderItsName) {
  for (const char* name :
       {"a%41", "%", "a#b", "a?b=c", "a b", "é", "[x]", "a:b", "a@b+c;d&e", "\\"}) {
    const auto daemon = Daemon(file(name));
    ASSERT_TRUE(daemon->WaitForOutput("penstockd ready")) << daemon->output();
    EXPECT_TRUE(fs::is_socket(file(name))) << name;
    EXPECT_EQ(Put(file(name)), absl::OkStatus()) << name;
    daemon->Signal(SIGTERM);
    EXPECT_EQ(daemon->Wait(), 0);
    EXPECT_FALSE(fs::exists(file(name))) << name;
  }
}

TEST_F(FilesTest, ASocketThatCannotBeIsRefusedByBothSides) {
  for (const auto& [name, reason] :
       {std::pair(std::string("a,b"), "comma"), std::pair(std::string(108, 'a'), "107")}) {
    const auto daemon = Daemon(file(name));
    EXPECT_EQ(daemon->Wait(), 78);
    EXPECT_NE(daemon->output().find(reason), std::string::npos) << daemon->output();
    const absl::Status refused = Put(file(name));
    EXPECT_EQ(refused.code(), absl::StatusCode::kInvalidArgument);
    EXPECT_NE(refused.message().find(reason), absl::string_view::npos) << refused;
  }
}

TEST_F(FilesTest, ADaemonThatEndsLeavesTheNextOnesSocketAlone) {
  const std::string socket = file("s.sock");
  const auto old = Daemon(socket);
  ASSERT_TRUE(old->WaitForOutput("penstockd ready"));
  fs::remove(socket);
  const auto next = Daemon(socket);
  ASSERT_TRUE(next->WaitForOutput("penstockd ready"));
  old->Signal(SIGTERM);
  EXPECT_EQ(old->Wait(), 0);
  EXPECT_EQ(Put(socket), absl::OkStatus());
  // One that was killed leaves a socket that is in nobody's way.
  next->Signal(SIGKILL);
  next->Wait();
  EXPECT_TRUE(fs::is_socket(socket));
  const auto last = Daemon(socket);
  ASSERT_TRUE(last->WaitForOutput("penstockd ready"));
  EXPECT_EQ(Put(socket), absl::OkStatus());
  // One that cannot have the socket leaves it, too.
  EXPECT_EQ(Daemon(socket)->Wait(), 1);
  EXPECT_EQ(Put(socket), absl::OkStatus());
  // No other name is left in the folder.
  for (const fs::directory_entry& entry : fs::directory_iterator(folder_.path())) {
    EXPECT_TRUE(!entry.is_socket() || entry.path() == socket) << entry;
  }
}

TEST_F(FilesTest, DataIsTheUsersAloneWhateverTheUmask) {
  for (const char* driver : {"sqlite", "pebble"}) {
    const auto daemon = Daemon(file("s.sock"), "000", driver);
    ASSERT_TRUE(daemon->WaitForOutput("penstockd ready")) << daemon->output();
    EXPECT_EQ(ModeOf(file("s.sock")), 0666u);
    ASSERT_EQ(Put(file("s.sock")), absl::OkStatus());
    int files = 0;
    const std::string data = file(fmt::format("data{}", count_));
    for (const fs::directory_entry& entry : fs::recursive_directory_iterator(data)) {
      EXPECT_EQ(ModeOf(entry.path()), entry.is_directory() ? 0700u : 0600u) << entry;
      ++files;
    }
    EXPECT_GE(files, 3);
  }
  const auto daemon = Daemon(file("group.sock"), "007");
  ASSERT_TRUE(daemon->WaitForOutput("penstockd ready"));
  EXPECT_EQ(ModeOf(file("group.sock")), 0660u);
}

}  // namespace
}  // namespace penstock::testing
