// Peers that mean no good: they take all sessions, or write into the log.
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <fstream>
#include <memory>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "fmt/format.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/net/unique_fd.h"
#include "tests/support/eventually.h"
#include "tests/support/process.h"
#include "tests/support/temp_dir.h"
#include "tests/support/wire.h"

namespace penstock::testing {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

class PeersTest : public ::testing::Test {
 protected:
  // `server`: keys of that section.
  void Start(const std::string& server, const std::vector<std::string>& flags = {}) {
    const std::string config = folder_.path() + "/c.yaml";
    std::ofstream(config) << fmt::format(
        "data_dir: {0}/data\nserver: {{listen: ['127.0.0.1:0', 'unix:{0}/s'], http_listen: '', "
        "{1}}}\n",
        folder_.path(), server);
    std::vector<std::string> words = {BuiltProgram("penstockd"), "--config", config};
    words.insert(words.end(), flags.begin(), flags.end());
    daemon_ = std::make_unique<Process>(words, folder_.path());
    const std::string line = daemon_->LineAfter("penstockd ready: grpc ");
    ASSERT_FALSE(line.empty()) << daemon_->output();
    tcp_ = line.substr(0, line.find(' '));
  }

  std::string local() const { return "unix:" + folder_.path() + "/s"; }

  const TempDir folder_;
  std::unique_ptr<Process> daemon_;
  std::string tcp_;
};

void ExpectRefusal(const grpc::Status& status, const std::string& limit) {
  const v1::ErrorDetail detail = DetailOf(status);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_EQ(detail.reason(), v1::REASON_LIMIT_EXCEEDED) << status.error_message();
  EXPECT_EQ(detail.retry(), v1::RETRY_STATEMENT);
  EXPECT_THAT(status.error_message(), HasSubstr(limit));
  EXPECT_THAT(detail.hint(), HasSubstr(limit));
}

// Many connections of one peer, an address or whoever comes by a unix socket, leave room
// for the others.
void ExpectShare(const std::string& greedy, const std::string& other, int share) {
  // A connection for each stream.
  std::vector<std::unique_ptr<Wire>> wires;
  std::vector<std::unique_ptr<PrepareStream>> streams;
  for (int i = 0; i < share; ++i) {
    wires.push_back(std::make_unique<Wire>(greedy));
    streams.push_back(std::make_unique<PrepareStream>(*wires.back(), "SELECT 1"));
    EXPECT_EQ(streams.back()->prepared().columns_size(), 1) << i;
  }
  ExpectRefusal(Wire(greedy).Query("SELECT 1").status, "max_sessions_by_peer");
  EXPECT_EQ(Wire(other).Query("SELECT 1").text(), "1");
  streams.clear();
  Eventually([&] { return Wire(greedy).Query("SELECT 1").status.ok(); });
}

TEST_F(PeersTest, OnePeerHasThreeQuartersOfTheSessions) {
  Start("max_sessions: 20, max_streams_by_connection: 5");
  ExpectShare(tcp_, local(), 15);
  ExpectShare(local(), tcp_, 15);
}

TEST_F(PeersTest, TheShareOfAPeerIsConfigured) {
  Start("max_sessions: 20, max_sessions_by_peer: 3");
  ExpectShare(tcp_, local(), 3);
}

TEST_F(PeersTest, StreamsThatIdleAreEnded) {
  Start("stream_idle_timeout: 50ms");
  Wire wire(tcp_);
  PrepareStream prepared(wire, "SELECT 1");
  EXPECT_EQ(prepared.Run({}).text(), "1");
  ExpectRefusal(prepared.WaitForEnd(), "stream_idle_timeout");
  // One that has asked for nothing yet.
  grpc::ClientContext context;
  const auto stream = wire.stub().Exec(&context);
  v1::ExecResponse none;
  EXPECT_FALSE(stream->Read(&none));
  ExpectRefusal(stream->Finish(), "stream_idle_timeout");
}

// A statement that runs is not idle, however long it takes.
TEST_F(PeersTest, StreamsThatWorkAreNotEnded) {
  Start("stream_idle_timeout: 20ms");
  const std::string long_one =
      "WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < 1000000) ";
  Wire wire(tcp_);
  const Outcome made = wire.Exec("CREATE TABLE t AS " + long_one + "SELECT count(*) AS n FROM c");
  EXPECT_TRUE(made.status.ok()) << made.status.error_message();
  PrepareStream prepared(wire, long_one + "SELECT count(*) FROM c");
  EXPECT_EQ(prepared.Run({}).text(), "1000000");
}

// A frame of HTTP/2 on stream 1 or 0.
std::string Frame(char type, char flags, char stream, const std::string& payload) {
  std::string frame;
  for (int shift : {16, 8, 0}) frame += static_cast<char>((payload.size() >> shift) & 0xff);
  return frame + type + flags + std::string(3, '\0') + stream + payload;
}

// A header of HPACK that is in no table; both parts have less than 127 bytes.
std::string Header(const std::string& name, const std::string& value) {
  return std::string(1, '\0') + static_cast<char>(name.size()) + name +
         static_cast<char>(value.size()) + value;
}

// What a client of gRPC's would not send: a call with these headers besides. Returns once
// the daemon has read all of it and closed the connection.
void CallWith(const std::string& address, const std::string& path, const std::string& headers) {
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(static_cast<uint16_t>(std::stoi(address.substr(address.rfind(':') + 1))));
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const server::UniqueFd fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  ASSERT_EQ(connect(fd.get(), reinterpret_cast<const sockaddr*>(&to), sizeof(to)), 0);
  const std::string bytes =
      "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + Frame(4, 0, 0, "") +
      Frame(1, 4 | 1, 1,
            Header(":method", "POST") + Header(":scheme", "http") + Header(":path", path) +
                Header(":authority", "x") + Header("content-type", "application/grpc") +
                Header("te", "trailers") + headers);
  ASSERT_EQ(write(fd.get(), bytes.data(), bytes.size()), static_cast<ssize_t>(bytes.size()));
  ASSERT_EQ(shutdown(fd.get(), SHUT_WR), 0);
  char answer[4096];
  while (read(fd.get(), answer, sizeof(answer)) > 0) {
  }
}

constexpr std::string_view kForged = "1\n{\"ts\":\"forged\"}\x1b[2J\r\n";

// Sends it in every place, and returns the log's lines.
std::vector<std::string> LinesAfterForging(const std::string& address, Process* daemon) {
  const std::string path = "/penstock.v1.DatabaseService/Query";
  const std::string forged(kForged);
  for (const char* name : {"grpc-timeout", "user-agent", "x-penstock-application", "grpc-encoding",
                           "grpc-accept-encoding", "grpc-trace-bin", "x-other", "content-length"}) {
    CallWith(address, path, Header(name, forged));
  }
  CallWith(address, path, Header("x" + forged, "1"));
  CallWith(address, path + forged, "");
  daemon->Signal(SIGTERM);
  EXPECT_EQ(daemon->Wait(), 0);
  std::vector<std::string> lines;
  std::istringstream output(daemon->output());
  for (std::string line; std::getline(output, line);) {
    if (!line.starts_with("penstockd ready")) lines.push_back(line);
  }
  return lines;
}

TEST_F(PeersTest, ForeignTextIsALineOfJson) {
  Start("max_pipeline: 8", {"--log-level", "trace", "--log-format", "json"});
  const std::vector<std::string> lines = LinesAfterForging(tcp_, daemon_.get());
  for (const std::string& line : lines) {
    EXPECT_THAT(line, StartsWith("{\"ts\":\"2"));
    EXPECT_THAT(line, EndsWith("}"));
    EXPECT_THAT(line, Not(HasSubstr("\x1b")));
  }
  // gRPC has said something about it.
  EXPECT_THAT(daemon_->output(), HasSubstr("forged"));
}

TEST_F(PeersTest, ForeignTextIsALineOfText) {
  Start("max_pipeline: 8", {"--log-level", "trace"});
  for (const std::string& line : LinesAfterForging(tcp_, daemon_.get())) {
    EXPECT_THAT(line, StartsWith("20"));
    EXPECT_THAT(line, Not(HasSubstr("\x1b")));
  }
  EXPECT_THAT(daemon_->output(), HasSubstr("forged"));
}

}  // namespace
}  // namespace penstock::testing
