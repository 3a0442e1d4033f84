// docs_blocks PAGE:LINE: runs one C++ block of the documents, and exits with 0 if it is good.
#include <cstdlib>

#include "gmock/gmock.h"
#include "tests/docs/prelude.h"

namespace penstock_docs {

absl::Status RunPart(Part* part) {
  const char* target = std::getenv("PENSTOCK_TARGET");
  if (target == nullptr) return absl::InvalidArgumentError("PENSTOCK_TARGET is not set");
  auto db = penstock::New({.target = target});
  if (!db.ok()) return db.status();
  return part(*db, penstock::Context().WithTimeout(absl::Seconds(20)));
}

absl::Status FromExitCode(int code) {
  if (code == 0) return absl::OkStatus();
  return absl::UnknownError("it ended with exit code " + std::to_string(code));
}

}  // namespace penstock_docs

int main(int argc, char** argv) {
  // Mocks that are not called as a block says make it fail.
  testing::InitGoogleMock(&argc, argv);
  const auto block = penstock_docs::kBlocks.find(argc > 1 ? argv[1] : "");
  if (block == penstock_docs::kBlocks.end()) {
    std::cerr
        << "usage: docs_blocks PAGE:LINE\nThere is no such block among those that are built. If "
           "the page has changed, build docs_blocks again. These are there:\n";
    for (const auto& [place, run] : penstock_docs::kBlocks) std::cerr << "  " << place << "\n";
    return 2;
  }
  const absl::Status status = block->second(1, argv);
  if (!status.ok()) std::cerr << block->first << ": " << status << "\n";
  const bool mocks_failed = testing::UnitTest::GetInstance()->ad_hoc_test_result().Failed();
  return status.ok() && !mocks_failed ? 0 : 1;
}
