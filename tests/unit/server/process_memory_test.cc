#include "drivers/api/process_memory.h"

#include <filesystem>
#include <fstream>

#include "gtest/gtest.h"
#include "tests/support/temp_dir.h"

namespace penstock::driver {
namespace {

class ProcessMemoryTest : public ::testing::Test {
 protected:
  void Write(const std::string& path, const std::string& text) {
    const std::filesystem::path file = folder_.path() + "/" + path;
    std::filesystem::create_directories(file.parent_path());
    std::ofstream(file) << text;
  }
  size_t Limit() const {
    return ControlGroupMemory(folder_.path() + "/cgroup", folder_.path() + "/fs");
  }

  testing::TempDir folder_;
};

TEST_F(ProcessMemoryTest, TheSmallestOfTheGroupsAroundCounts) {
  Write("cgroup", "0::/system.slice/penstock.service\n");
  Write("fs/system.slice/penstock.service/memory.max", "max\n");
  EXPECT_EQ(Limit(), 0u);
  Write("fs/system.slice/memory.max", "1000\n");
  EXPECT_EQ(Limit(), 1000u);
  Write("fs/system.slice/penstock.service/memory.max", "500\n");
  EXPECT_EQ(Limit(), 500u);
}

// The path is one of the host's, and what is seen is the container's.
TEST_F(ProcessMemoryTest, AContainersOwn) {
  Write("cgroup", "0::/../docker/4711\n");
  Write("fs/memory.max", "2000\n");
  EXPECT_EQ(Limit(), 2000u);
}

TEST_F(ProcessMemoryTest, TheOlderVersion) {
  Write("cgroup", "12:cpu,cpuacct:/a\n4:memory:/a\n1:name=systemd:/a\n");
  Write("fs/memory/a/memory.limit_in_bytes", "3000\n");
  Write("fs/memory/memory.limit_in_bytes", "9223372036854771712\n");
  EXPECT_EQ(Limit(), 3000u);
}

TEST_F(ProcessMemoryTest, RubbishIsNoLimit) {
  EXPECT_EQ(Limit(), 0u);
  Write("cgroup", "\n:\n0\n0::\nx:y\n");
  Write("fs/memory.max", "-1x");
  EXPECT_EQ(Limit(), 0u);
}

TEST_F(ProcessMemoryTest, ThereIsSome) { EXPECT_GT(ProcessMemory(), size_t{64} << 20); }

}  // namespace
}  // namespace penstock::driver
