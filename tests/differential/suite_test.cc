// The project's own SQL files, in every mode, with no difference but those of the list.
#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "tests/differential/run.h"

namespace penstock::differential {
namespace {

std::vector<std::string> SuiteFiles(const std::string& backend) {
  std::vector<std::string> files;
  for (const auto& entry :
       std::filesystem::directory_iterator(PENSTOCK_DIFFERENTIAL_DIR "/suite_" + backend)) {
    files.push_back(entry.path().string());
  }
  std::sort(files.begin(), files.end());
  return files;
}

// One after the other, so that the list can be held against all of them together.
class Suite : public ::testing::TestWithParam<const Backend*> {};

TEST_P(Suite, HasNoDifferencesButKnownOnes) {
  const Backend& backend = *GetParam();
  const absl::StatusOr<KnownDifferences> known = KnownDifferences::Read(
      PENSTOCK_DIFFERENTIAL_DIR "/known_differences_" + backend.name() + ".yaml");
  ASSERT_TRUE(known.ok()) << known.status();
  Report all;
  for (const std::string& file : SuiteFiles(backend.name())) {
    const absl::StatusOr<Script> script = ReadScript(file, backend);
    ASSERT_TRUE(script.ok()) << script.status();
    EXPECT_FALSE(script->records.empty()) << file;
    for (const Mode mode : backend.modes()) {
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
    if (entry.pending) continue;
    EXPECT_GT(all.known[entry.name], 0U) << "the known difference '" << entry.name
                                         << "' holds for no statement; take it off the list";
  }
  // What the files themselves say is right in every case.
  EXPECT_GT(all.agreed, 0U);
  EXPECT_EQ(all.disagreed, 0U) << all.first_disagreements[0];
}

INSTANTIATE_TEST_SUITE_P(Backends, Suite, ::testing::Values(&SqliteBackend(), &PostgresBackend()),
                         [](const auto& tested) { return tested.param->name(); });

}  // namespace
}  // namespace penstock::differential
