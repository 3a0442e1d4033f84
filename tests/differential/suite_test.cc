// The project's own SQL files, in every mode, with no difference but those of the list.
#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "tests/differential/run.h"

namespace penstock::differential {
namespace {

std::vector<std::string> SuiteFiles() {
  std::vector<std::string> files;
  for (const auto& entry :
       std::filesystem::directory_iterator(PENSTOCK_DIFFERENTIAL_DIR "/suite")) {
    files.push_back(entry.path().string());
  }
  std::sort(files.begin(), files.end());
  return files;
}

// One after the other, so that the list can be held against all of them together.
TEST(Suite, HasNoDifferencesButKnownOnes) {
  const Backend& backend = SqliteBackend();
  const absl::StatusOr<KnownDifferences> known =
      KnownDifferences::Read(PENSTOCK_DIFFERENTIAL_DIR "/known_differences.yaml");
  ASSERT_TRUE(known.ok()) << known.status();
  Report all;
  for (const std::string& file : SuiteFiles()) {
    const absl::StatusOr<Script> script = ReadScript(file, backend);
    ASSERT_TRUE(script.ok()) << script.status();
    EXPECT_FALSE(script->records.empty()) << file;
    for (const Mode mode :
         {Mode::kAutocommit, Mode::kTransaction, Mode::kPrepare, Mode::kParameters}) {
      const absl::StatusOr<Report> report = RunAlone(*script, backend, *known, mode, SIZE_MAX);
      ASSERT_TRUE(report.ok()) << report.status();
      all.Add(*report);
    }
  }
  for (const Difference& difference : all.differences) {
    ADD_FAILURE() << difference.path << ":" << difference.line << " (" << ModeName(difference.mode)
                  << ")\n"
                  << difference.sql << "\n"
                  << difference.what;
  }
  for (const Known& entry : known->entries()) {
    EXPECT_GT(all.known[entry.name], 0U) << "the known difference '" << entry.name
                                         << "' holds for no statement; take it off the list";
  }
  // What the files themselves say is right in every case.
  EXPECT_GT(all.agreed, 0U);
  EXPECT_EQ(all.disagreed, 0U) << all.first_disagreements[0];
}

}  // namespace
}  // namespace penstock::differential
