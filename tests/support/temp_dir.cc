#include "tests/support/temp_dir.h"

#include <cstdlib>
#include <filesystem>

#include "gtest/gtest.h"

namespace penstock::testing {

TempDir::TempDir() {
  std::string path = (std::filesystem::temp_directory_path() / "penstock-XXXXXX").string();
  EXPECT_NE(mkdtemp(path.data()), nullptr);
  path_ = path;
}

TempDir::~TempDir() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

}  // namespace penstock::testing
