#include "migrations/plan.h"

#include "drivers/api/error.h"
#include "fmt/format.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace penstock::migrations {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr Target kUp{};
constexpr Target kDownAll{.kind = Target::Kind::kDown};

Target To(uint64_t version) { return {.kind = Target::Kind::kTo, .version = version}; }
Target Down(int64_t steps) { return {.kind = Target::Kind::kDown, .steps = steps}; }
Target UpBy(int64_t steps) { return {.kind = Target::Kind::kUp, .steps = steps}; }

// Files with ways down; the third step's is missing if `broken`.
Source Files(const std::vector<uint64_t>& versions,
             std::optional<uint64_t> without_down = std::nullopt) {
  std::vector<File> files;
  for (const uint64_t version : versions) {
    files.push_back({fmt::format("{}_m.up.sql", version), fmt::format("select {}", version)});
    if (version == without_down) continue;
    files.push_back({fmt::format("{}_m.down.sql", version), "select 0"});
  }
  const auto dialect = MakeDialect("sqlite", "penstock_migrations");
  absl::StatusOr<Source> source = ReadSource(files, {}, "sqlite", **dialect);
  EXPECT_TRUE(source.ok()) << source.status();
  return *std::move(source);
}

History Applied(const Source& source, const std::vector<uint64_t>& versions) {
  std::vector<HistoryRow> rows;
  for (const uint64_t version : versions) {
    const auto found = source.find(version);
    rows.push_back({.id = static_cast<int64_t>(rows.size()) + 1,
                    .version = version,
                    .name = "m",
                    .checksum = found == source.end() ? "gone" : found->second.up->checksum});
  }
  return History(rows);
}

History With(const History& history, HistoryRow row) {
  std::vector<HistoryRow> rows = history.rows();
  row.id = history.next_id();
  row.name = "m";
  rows.push_back(row);
  return History(rows);
}

std::vector<std::string> Titles(const absl::StatusOr<std::vector<PlanStep>>& plan) {
  std::vector<std::string> titles;
  if (!plan.ok()) {
    titles.push_back("error: " + std::string(plan.status().message()));
    return titles;
  }
  for (const PlanStep& step : *plan) titles.push_back(step.Title());
  return titles;
}

std::vector<std::string> PlanOf(const Source& source, const History& history, const Target& target,
                                bool allow_gaps = false) {
  return Titles(MakePlan(source, history, target, allow_gaps));
}

TEST(Plan, UpAndDown) {
  const Source source = Files({1, 2, 10});
  const History none;
  const History two = Applied(source, {1, 2});
  EXPECT_THAT(PlanOf(source, none, kUp), ElementsAre("1_m.up.sql", "2_m.up.sql", "10_m.up.sql"));
  EXPECT_THAT(PlanOf(source, none, UpBy(1)), ElementsAre("1_m.up.sql"));
  EXPECT_THAT(PlanOf(source, two, kUp), ElementsAre("10_m.up.sql"));
  EXPECT_THAT(PlanOf(source, Applied(source, {1, 2, 10}), kUp), IsEmpty());
  EXPECT_THAT(PlanOf(source, two, Down(1)), ElementsAre("2_m.down.sql"));
  EXPECT_THAT(PlanOf(source, two, Down(7)), ElementsAre("2_m.down.sql", "1_m.down.sql"));
  EXPECT_THAT(PlanOf(source, two, kDownAll), ElementsAre("2_m.down.sql", "1_m.down.sql"));
  EXPECT_THAT(PlanOf(source, none, kDownAll), IsEmpty());
}

TEST(Plan, ToAVersion) {
  const Source source = Files({1, 2, 10});
  const History two = Applied(source, {1, 2});
  EXPECT_THAT(PlanOf(source, two, To(2)), IsEmpty());
  EXPECT_THAT(PlanOf(source, two, To(1)), ElementsAre("2_m.down.sql"));
  EXPECT_THAT(PlanOf(source, two, To(0)), ElementsAre("2_m.down.sql", "1_m.down.sql"));
  EXPECT_THAT(PlanOf(source, two, To(10)), ElementsAre("10_m.up.sql"));
  EXPECT_THAT(PlanOf(source, two, To(5)), ElementsAre("error: version 5 does not exist"));
  EXPECT_THAT(PlanOf(source, two, UpBy(-1)), ElementsAre(HasSubstr("negative")));
}

TEST(Plan, VersionZeroAndVersionsAboveInt64) {
  constexpr uint64_t kLast = UINT64_MAX;
  const Source source = Files({0, 1, kLast});
  const History all = Applied(source, {0, 1, kLast});
  EXPECT_EQ(all.version(), kLast);
  EXPECT_THAT(PlanOf(source, History(), To(0)), ElementsAre("0_m.up.sql"));
  EXPECT_THAT(PlanOf(source, all, kUp), IsEmpty());
  EXPECT_THAT(PlanOf(source, all, To(0)),
              ElementsAre("18446744073709551615_m.down.sql", "1_m.down.sql"));
  EXPECT_THAT(PlanOf(source, all, kDownAll),
              ElementsAre("18446744073709551615_m.down.sql", "1_m.down.sql", "0_m.down.sql"));
  EXPECT_THAT(PlanOf(source, Applied(source, {1}), kUp),
              ElementsAre(HasSubstr("0_m.up.sql: not applied, but the later version 1")));
}

// A code step has no file, and whoever does not know its code can go on without it.
TEST(Plan, ACodeStepThatIsAppliedMissesNothing) {
  const Source source = Files({1, 3, 5});
  for (const std::string_view note : {"code", ""}) {
    const History below = With(Applied(source, {1, 3}), {.version = 2, .note = std::string(note)});
    EXPECT_THAT(Compare(source, below).missing, IsEmpty());
    EXPECT_THAT(PlanOf(source, below, kUp), ElementsAre("5_m.up.sql"));
    EXPECT_THAT(PlanOf(source, below, Down(1)), ElementsAre("3_m.down.sql"));
    EXPECT_THAT(PlanOf(source, below, To(1)),
                ElementsAre(HasSubstr("migration 2 (m) cannot be undone here: it is a code step")));
    const History above =
        With(Applied(source, {1, 3, 5}), {.version = 9, .note = std::string(note)});
    EXPECT_THAT(Compare(source, above).newer, IsEmpty());
    EXPECT_THAT(PlanOf(source, above, kUp), IsEmpty());
  }
}

TEST(Plan, AStepTakenBackIsPendingAgain) {
  const Source source = Files({1, 2});
  const History history =
      With(Applied(source, {1, 2}), {.version = 2, .direction = Direction::kDown});
  EXPECT_THAT(PlanOf(source, history, kUp), ElementsAre("2_m.up.sql"));
  EXPECT_EQ(history.version(), 1);
}

TEST(Plan, RefusesChangedMissingAndGaps) {
  const Source source = Files({1, 2, 3});
  History changed = With(History(), {.version = 1, .checksum = "other"});
  EXPECT_THAT(PlanOf(source, changed, kUp),
              ElementsAre("error: 1_m.up.sql: the file has changed since it was applied"));
  EXPECT_THAT(PlanOf(Files({1, 3}), Applied(Files({1, 2}), {1, 2}), kUp),
              ElementsAre("error: migration 2 (m) is applied, but its file is missing"));
  EXPECT_THAT(PlanOf(source, Applied(source, {1, 3}), kUp),
              ElementsAre("error: 2_m.up.sql: not applied, but the later version 3 is"));
  EXPECT_THAT(PlanOf(source, Applied(source, {1, 3}), kUp, true), ElementsAre("2_m.up.sql"));
}

TEST(Plan, WhatANewerReleaseAppliedIsLeftAlone) {
  const Source old_release = Files({1, 2});
  const History newer = Applied(Files({1, 2, 3}), {1, 2, 3});
  EXPECT_THAT(PlanOf(old_release, newer, kUp), IsEmpty());
  EXPECT_THAT(Compare(old_release, newer).newer, ElementsAre(3));
  EXPECT_THAT(PlanOf(old_release, newer, Down(1)),
              ElementsAre(HasSubstr("migration 3 (m) cannot be undone")));
}

TEST(Plan, NoWayDown) {
  const Source source = Files({1, 2}, /*without_down=*/2);
  EXPECT_THAT(PlanOf(source, Applied(source, {1, 2}), Down(2)),
              ElementsAre(HasSubstr("2_m.up.sql: cannot be undone, because it has no down file")));
  EXPECT_THAT(PlanOf(source, Applied(source, {1}), Down(1)), ElementsAre("1_m.down.sql"));
}

// An empty down takes back an empty up, and nothing else.
TEST(Plan, EmptyFilesDoNothing) {
  Source source = Files({1});
  source.at(1).up->blank = true;
  source.at(1).down->blank = true;
  EXPECT_THAT(PlanOf(source, Applied(source, {}), kUp), ElementsAre("1_m.up.sql"));
  EXPECT_THAT(PlanOf(source, Applied(source, {1}), Down(1)), ElementsAre("1_m.down.sql"));
  source.at(1).up->blank = false;
  EXPECT_THAT(PlanOf(source, Applied(source, {1}), Down(1)),
              ElementsAre(HasSubstr("because the file is empty")));
}

TEST(Plan, AnUnfinishedStepWantsRepair) {
  const Source source = Files({1, 2});
  const HistoryRow row{.version = 2, .state = RowState::kFailed, .statement = 3, .note = "why"};
  const History failed = With(Applied(source, {1}), row);
  EXPECT_THAT(PlanOf(source, failed, kUp),
              ElementsAre(HasSubstr("2_m.up.sql: statement 3 of the up step failed (why)")));
  EXPECT_THAT(driver::GetErrorInfo(MakePlan(source, failed, kUp, false).status()).hint,
              HasSubstr("`penstock migrate repair FOLDER --applied 2`"));
  const auto resumed = MakeRepair(source, failed, {.kind = Repair::Kind::kResume, .version = 2});
  ASSERT_TRUE(resumed.ok()) << resumed.status();
  EXPECT_EQ(resumed->id, 2);
  EXPECT_EQ(resumed->statement, 3);
  const History repaired = With(Applied(source, {1}), *resumed);
  const auto plan = MakePlan(source, repaired, kUp, false);
  ASSERT_THAT(Titles(plan), ElementsAre("2_m.up.sql"));
  EXPECT_EQ((*plan)[0].first_statement, 3);
  // Not before that is done.
  EXPECT_THAT(PlanOf(source, repaired, Down(1)), ElementsAre(HasSubstr("leave it unfinished")));
}

TEST(Plan, RepairMarks) {
  const Source source = Files({1, 2});
  const HistoryRow row{.version = 2, .state = RowState::kRunning, .statement = 1};
  const History cut_off = With(Applied(source, {1}), row);
  const auto applied = MakeRepair(source, cut_off, {.version = 2});
  ASSERT_TRUE(applied.ok());
  EXPECT_THAT(PlanOf(source, With(Applied(source, {1}), *applied), kUp), IsEmpty());
  const auto gone =
      MakeRepair(source, cut_off, {.kind = Repair::Kind::kMarkNotApplied, .version = 2});
  ASSERT_TRUE(gone.ok());
  EXPECT_THAT(PlanOf(source, With(Applied(source, {1}), *gone), kUp), ElementsAre("2_m.up.sql"));
  EXPECT_FALSE(MakeRepair(source, cut_off, {.version = 7}).ok());
  EXPECT_FALSE(MakeRepair(source, cut_off, {.kind = Repair::Kind::kResume, .version = 1}).ok());
}

TEST(Plan, RepairTakesAChangedFileOver) {
  const Source source = Files({1});
  const History changed = With(History(), {.version = 1, .checksum = "other"});
  const auto row = MakeRepair(source, changed, {.version = 1});
  ASSERT_TRUE(row.ok());
  EXPECT_EQ(row->id, 0);
  EXPECT_THAT(PlanOf(source, With(changed, *row), kUp), IsEmpty());
}

TEST(Plan, Baseline) {
  const Source source = Files({1, 2, 3});
  auto rows = MakeBaseline(source, History(), 2);
  ASSERT_TRUE(rows.ok());
  ASSERT_EQ(rows->size(), 2u);
  EXPECT_EQ((*rows)[1].checksum, source.at(2).up->checksum);
  EXPECT_FALSE(MakeBaseline(source, Applied(source, {1}), 2).ok());
  // Nothing is applied, and there is a history.
  rows = MakeBaseline(source, History(), 0);
  ASSERT_TRUE(rows.ok());
  ASSERT_EQ(rows->size(), 1u);
  EXPECT_THAT(PlanOf(source, With(History(), rows->front()), kUp),
              ElementsAre("1_m.up.sql", "2_m.up.sql", "3_m.up.sql"));
  // Older files need not exist.
  rows = MakeBaseline(Files({5, 6}), History(), 4);
  ASSERT_TRUE(rows.ok());
  ASSERT_EQ(rows->size(), 1u);
  EXPECT_THAT(PlanOf(Files({5, 6}), With(History(), rows->front()), kUp),
              ElementsAre("5_m.up.sql", "6_m.up.sql"));
}

}  // namespace
}  // namespace penstock::migrations
