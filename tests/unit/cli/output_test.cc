#include "client/cli/output.h"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <string>

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

TEST_F(OutputTest, AGoneReaderEndsItQuietly) {
  CloseReader();
  Output output(pipe_[1]);
  output.buffer()->append("x");
  EXPECT_FALSE(output.Flush().ok());
  EXPECT_TRUE(output.ReaderIsGone());
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
  EXPECT_FALSE(output.ReaderIsGone());
}

}  // namespace
}  // namespace penstock::cli
