#include "server/net/unix_socket.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/net/listener.h"
#include "tests/support/temp_dir.h"

namespace penstock::server {
namespace {

using ::testing::HasSubstr;
namespace fs = std::filesystem;

// What a daemon does with it.
struct Listening {
  std::unique_ptr<UnixSocket> socket;
  UniqueFd fd;
};

class UnixSocketTest : public ::testing::Test {
 protected:
  // Prepared and listening, not yet published.
  static Listening Listen(const std::string& path) {
    absl::StatusOr<std::unique_ptr<UnixSocket>> socket = UnixSocket::Prepare(path);
    EXPECT_TRUE(socket.ok()) << socket.status();
    if (!socket.ok()) return {nullptr, UniqueFd()};
    absl::StatusOr<UniqueFd> fd = ListenUnix((*socket)->bound_path());
    EXPECT_TRUE(fd.ok()) << fd.status();
    return {*std::move(socket), fd.ok() ? *std::move(fd) : UniqueFd()};
  }

  // Somebody listens on it, and it is `by`.
  static bool Answers(const std::string& path, const Listening& by) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, path.c_str(), path.size());
    const UniqueFd fd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) {
      return false;
    }
    return static_cast<bool>(UniqueFd(accept4(by.fd.get(), nullptr, nullptr, SOCK_NONBLOCK)));
  }

  const testing::TempDir folder_;
  const std::string path_ = folder_.path() + "/s.sock";
};

TEST_F(UnixSocketTest, HasItsNameFromPublishToWithdraw) {
  for (const char* name : {"s", "a%b", "a#b?c,d", "a b", ".s"}) {
    const std::string path = folder_.path() + "/" + name;
    const Listening it = Listen(path);
    EXPECT_FALSE(fs::exists(path)) << name;
    ASSERT_TRUE(it.socket->Publish(0620).ok()) << name;
    struct stat info {};
    ASSERT_EQ(stat(path.c_str(), &info), 0) << name;
    EXPECT_EQ(info.st_mode, S_IFSOCK | 0620U) << name;
    EXPECT_TRUE(Answers(path, it)) << name;
    it.socket->Withdraw();
    EXPECT_FALSE(fs::exists(path)) << name;
  }
  EXPECT_TRUE(fs::is_empty(folder_.path()));
}

TEST_F(UnixSocketTest, LeavesNothingThatWasNotPublished) {
  { const Listening it = Listen(path_); }
  EXPECT_TRUE(fs::is_empty(folder_.path()));
}

TEST_F(UnixSocketTest, TakesTheNameOfADeadOne) {
  Listening dead = Listen(path_);
  ASSERT_TRUE(dead.socket->Publish(0600).ok());
  dead.fd.Reset();
  const Listening it = Listen(path_);
  ASSERT_TRUE(it.socket->Publish(0600).ok());
  EXPECT_TRUE(Answers(path_, it));
}

// An old daemon that ends late leaves the new one's alone.
TEST_F(UnixSocketTest, AnOldOnesEndLeavesTheNewOnes) {
  Listening old = Listen(path_);
  ASSERT_TRUE(old.socket->Publish(0600).ok());
  old.fd.Reset();
  const Listening it = Listen(path_);
  ASSERT_TRUE(it.socket->Publish(0600).ok());
  old.socket->Withdraw();
  EXPECT_TRUE(Answers(path_, it));
  old.socket.reset();
  EXPECT_TRUE(Answers(path_, it));
}

TEST_F(UnixSocketTest, IsRefusedWhereSomebodyListens) {
  const Listening it = Listen(path_);
  ASSERT_TRUE(it.socket->Publish(0600).ok());
  const absl::StatusOr<std::unique_ptr<UnixSocket>> second = UnixSocket::Prepare(path_);
  EXPECT_EQ(second.status().code(), absl::StatusCode::kAlreadyExists);
  EXPECT_THAT(std::string(second.status().message()), HasSubstr("another process listens on"));
  // The two of them were started at once: the first to publish has it.
  const std::string path = folder_.path() + "/other";
  const Listening one = Listen(path);
  const Listening two = Listen(path);
  ASSERT_TRUE(two.socket->Publish(0600).ok());
  EXPECT_EQ(one.socket->Publish(0600).code(), absl::StatusCode::kAlreadyExists);
  one.socket->Withdraw();
  EXPECT_TRUE(Answers(path, two));
}

TEST_F(UnixSocketTest, IsRefusedInPlaceOfSomethingElse) {
  std::ofstream(path_) << "data";
  EXPECT_EQ(UnixSocket::Prepare(path_).status().code(), absl::StatusCode::kAlreadyExists);
  EXPECT_EQ(fs::file_size(path_), 4U);
  const std::string late = folder_.path() + "/late";
  const Listening it = Listen(late);
  fs::create_symlink(path_, late);
  EXPECT_EQ(it.socket->Publish(0600).code(), absl::StatusCode::kAlreadyExists);
  EXPECT_TRUE(fs::is_symlink(late));
}

TEST_F(UnixSocketTest, PathsThatNoSocketCanHaveAreRefused) {
  const size_t rest = sizeof(sockaddr_un::sun_path) - 1 - folder_.path().size() - 1;
  const std::string longest = folder_.path() + "/" + std::string(rest, 'x');
  const Listening it = Listen(longest);
  ASSERT_TRUE(it.socket->Publish(0600).ok());
  EXPECT_TRUE(Answers(longest, it));
  EXPECT_EQ(UnixSocket::Prepare(longest + "x").status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_FALSE(UnixSocket::Prepare(folder_.path() + "/none/s").ok());
}

}  // namespace
}  // namespace penstock::server
