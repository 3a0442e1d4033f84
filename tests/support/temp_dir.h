#ifndef PENSTOCK_TESTS_SUPPORT_TEMP_DIR_H_
#define PENSTOCK_TESTS_SUPPORT_TEMP_DIR_H_

#include <string>

namespace penstock::testing {

// A temporary folder, which is removed with the object.
class TempDir {
 public:
  TempDir();
  ~TempDir();
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace penstock::testing

#endif  // PENSTOCK_TESTS_SUPPORT_TEMP_DIR_H_
