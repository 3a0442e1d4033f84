#include "client/src/unix_target.h"

#include <string>

#include "gtest/gtest.h"

namespace penstock::internal {
namespace {

TEST(UnixTarget, IsWhatGrpcReadsAsThatPath) {
  EXPECT_EQ(*GrpcTarget("unix:/run/p-1_2~.sock"), "unix:/run/p-1_2~.sock");
  EXPECT_EQ(*GrpcTarget("unix:///run/p.sock"), "unix:/run/p.sock");
  EXPECT_EQ(*GrpcTarget("unix:data/p.sock"), "unix:data/p.sock");
  EXPECT_EQ(*GrpcTarget("unix:/a%41#b?c d"), "unix:/a%2541%23b%3Fc%20d");
  EXPECT_EQ(*GrpcTarget("unix:/\xc3\xa9"), "unix:/%C3%A9");
}

TEST(UnixTarget, LeavesOthersAlone) {
  for (const char* target : {"127.0.0.1:7420", "[::1]:7420", "dns:///a:1", ""}) {
    EXPECT_EQ(*GrpcTarget(target), target);
  }
}

TEST(UnixTarget, APathThatNoSocketHasIsRefused) {
  EXPECT_TRUE(GrpcTarget("unix:" + std::string(107, 'a')).ok());
  for (const std::string& target :
       {std::string("unix:"), "unix:" + std::string(108, 'a'), std::string("unix:/a,b")}) {
    EXPECT_EQ(GrpcTarget(target).status().code(), absl::StatusCode::kInvalidArgument) << target;
  }
}

}  // namespace
}  // namespace penstock::internal
