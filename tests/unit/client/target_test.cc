#include "client/src/target.h"

#include <string>

#include "gtest/gtest.h"

namespace penstock::internal {
namespace {

TEST(Target, IsWhatGrpcReadsAsThatPath) {
  EXPECT_EQ(*LinkTarget("unix:/run/p-1_2~.sock"), "unix:/run/p-1_2~.sock");
  EXPECT_EQ(*LinkTarget("unix:///run/p.sock"), "unix:/run/p.sock");
  EXPECT_EQ(*LinkTarget("unix:data/p.sock"), "unix:data/p.sock");
  EXPECT_EQ(*LinkTarget("unix:/a%41#b?c d"), "unix:/a%2541%23b%3Fc%20d");
  EXPECT_EQ(*LinkTarget("unix:/\xc3\xa9"), "unix:/%C3%A9");
}

TEST(Target, HasAHostAndAPort) {
  EXPECT_EQ(*LinkTarget("127.0.0.1:7420"), "dns:///127.0.0.1:7420");
  EXPECT_EQ(*LinkTarget("[::1]:7420"), "dns:///[::1]:7420");
  EXPECT_EQ(*LinkTarget("dns:///a:1"), "dns:///a:1");
  for (const char* target : {"", "a", "a:", ":1", "a:0", "a:65536", "::1:7420"}) {
    EXPECT_EQ(LinkTarget(target).status().code(), absl::StatusCode::kInvalidArgument) << target;
  }
}

TEST(Target, IsLocalIfWhatIsSentStaysOnThisMachine) {
  for (const char* target :
       {"unix:/run/p.sock", "unix:p.sock", "127.0.0.1:7420", "127.255.0.9:1", "[::1]:7420",
        "[0:0::1]:7420", "localhost:7420", "ipv4:127.0.0.1:1", "ipv6:[::1]:1", "dns:localhost:1"}) {
    EXPECT_TRUE(IsLocalTarget(target)) << target;
  }
  for (const char* target :
       {"0.0.0.0:7420", "128.0.0.1:1", "10.0.0.1:1", "[::]:1", "[::ffff:10.0.0.1]:1", "db:7420",
        "localhost.example.org:1", "127.0.0.1.example.org:1", "[x/localhost]:1", "", "127.0.0.1"}) {
    EXPECT_FALSE(IsLocalTarget(target)) << target;
  }
}

TEST(Target, APathThatNoSocketHasIsRefused) {
  EXPECT_TRUE(LinkTarget("unix:" + std::string(107, 'a')).ok());
  for (const std::string& target :
       {std::string("unix:"), "unix:" + std::string(108, 'a'), std::string("unix:/a,b")}) {
    EXPECT_EQ(LinkTarget(target).status().code(), absl::StatusCode::kInvalidArgument) << target;
  }
}

}  // namespace
}  // namespace penstock::internal
