#include "client/cli/output.h"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <string>
#include <thread>

#include "gtest/gtest.h"

namespace penstock::cli {
namespace {

class OutputTest : public ::testing::Test {
 protected:
  void SetUp() override {
    signal(SIGPIPE, SIG_IGN);
    ASSERT_EQ(pipe(pipe_), 0);
  }
  void TearDown() override {
    CloseReader();
    close(pipe_[1]);
  }

  void CloseReader() {
    if (pipe_[0] >= 0) close(pipe_[0]);
    pipe_[0] = -1;
  }
  std::string ReadSome() {
    char bytes[128 * 1024];
    const ssize_t count = read(pipe_[0], bytes, sizeof(bytes));
    return count < 0 ? "" : std::string(bytes, count);
  }

  int pipe_[2] = {-1, -1};
};

TEST_F(OutputTest, WritesOnFlush) {
  Output output(pipe_[1]);
  output.buffer()->append("hello");
  ASSERT_TRUE(output.Flush().ok());
  EXPECT_TRUE(output.buffer()->empty());
  EXPECT_EQ(ReadSome(), "hello");
}

TEST_F(OutputTest, KeepsLittleAndWritesMuch) {
  fcntl(pipe_[0], F_SETFL, O_NONBLOCK);
  Output output(pipe_[1]);
  output.buffer()->append("little");
  ASSERT_TRUE(output.MaybeFlush().ok());
  EXPECT_EQ(ReadSome(), "");
  output.buffer()->resize(64 * 1024, 'x');
  ASSERT_TRUE(output.MaybeFlush().ok());
  EXPECT_EQ(ReadSome().size(), 64u * 1024);
}

TEST_F(OutputTest, AGoneReaderIsAnError) {
  CloseReader();
  Output output(pipe_[1]);
  output.buffer()->append("x");
  const absl::Status status = output.Flush();
  EXPECT_NE(status.message().find("Broken pipe"), absl::string_view::npos) << status;
  // The error stays, and nothing piles up.
  output.buffer()->append("y");
  EXPECT_FALSE(output.MaybeFlush().ok());
  EXPECT_TRUE(output.buffer()->empty());
}

TEST_F(OutputTest, AFullDiskIsAnError) {
  const int full = open("/dev/full", O_WRONLY);
  ASSERT_GE(full, 0);
  Output output(full);
  output.buffer()->append("x");
  const absl::Status status = output.Flush();
  close(full);
  EXPECT_EQ(status.code(), absl::StatusCode::kInternal);
  EXPECT_NE(status.message().find("No space left"), absl::string_view::npos) << status;
}

// Another process has made it so, and both share it.
TEST_F(OutputTest, WaitsWhereWritingDoesNotBlock) {
  fcntl(pipe_[1], F_SETFL, O_NONBLOCK);
  constexpr size_t kBytes = size_t{4} << 20;
  std::string received;
  std::thread reader([&] {
    while (received.size() < kBytes) received += ReadSome();
  });
  Output output(pipe_[1]);
  *output.buffer() = std::string(kBytes, 'x');
  EXPECT_TRUE(output.Flush().ok());
  reader.join();
  EXPECT_EQ(received.size(), kBytes);
}

}  // namespace
}  // namespace penstock::cli
