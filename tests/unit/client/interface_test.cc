// What a program may write, and what the compiler refuses.
#pragma GCC diagnostic error "-Wmissing-field-initializers"
#include <chrono>
#include <optional>
#include <span>
#include <sstream>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "penstock/penstock.h"

namespace penstock {
namespace {

struct Stranger {};

static_assert(Argument<int> && Argument<const char*> && Argument<std::string&> &&
              Argument<std::nullptr_t> && Argument<std::optional<int>> && Argument<Bytes> &&
              Argument<std::string_view> && Argument<absl::string_view> && Argument<absl::Time>);
static_assert(Argument<std::vector<int>> && Argument<std::span<const std::string>> &&
              Argument<Decimal> && Argument<Uuid> && Argument<absl::CivilDay> &&
              Argument<std::chrono::milliseconds> && Argument<std::chrono::sys_days> &&
              Argument<std::chrono::year_month_day> && Argument<Kind>);
static_assert(!Argument<Stranger> && !Argument<int*> && !Argument<std::vector<Stranger>> &&
              !Argument<std::optional<Stranger>> && !Argument<long double> && !Argument<Args>);

template <typename T>
concept CanExec = requires(Provider& db, const Context& ctx, T value) {
  db.Exec(ctx, "", value);
};
static_assert(CanExec<int> && !CanExec<Stranger> && !CanExec<int*>);

template <typename Body>
concept CanRun = requires(const Context& ctx, Provider& db, Body body) {
  RunInTransaction(ctx, db, body);
};
static_assert(CanRun<absl::Status (*)(Transaction&)>);
static_assert(CanRun<absl::StatusOr<std::string> (*)(const Context&, Transaction&)>);
static_assert(!CanRun<void (*)(Transaction&)> && !CanRun<absl::Status (*)()>);

// Any one member can be named, and the others are what they say.
TEST(InterfaceTest, StructsCanBeInitialisedInPart) {
  EXPECT_EQ(Config{.target = "a:1"}.max_message_bytes, size_t{64} << 20);
  EXPECT_EQ(ErrorDetails{.constraint = "c"}.position, 0);
  EXPECT_EQ(Entry{.key = "k"}.value, "");
  EXPECT_EQ(ScanOptions{.limit = 3}.prefix, "");
  EXPECT_EQ(Condition{.key = "k"}.value, "");
  EXPECT_EQ(Mutation{.key = "k"}.value, "");
  EXPECT_EQ(ColumnType{.kind = Kind::kText}.name, "");
  EXPECT_EQ(Notice{.message = "m"}.hint, "");
  EXPECT_TRUE(Notices{.dropped = 1}.list.empty());
  EXPECT_TRUE(BatchStatement{.sql = "x"}.args.empty());
  EXPECT_EQ(RunOptions{.max_attempts = 2}.transaction.isolation, Isolation::kDefault);
  EXPECT_TRUE(MigrateOptions{.steps = 1}.code.empty());
  EXPECT_EQ(CodeMigration{.version = 1}.name, "");
  EXPECT_EQ(MigrationRecord{.version = 1}.note, "");
  EXPECT_EQ(PingInfo{.driver = "d"}.database, "");
  EXPECT_EQ(DatabaseInfo{.name = "n"}.driver, "");
}

TEST(InterfaceTest, AStatusThatIsPrintedCanBeRead) {
  const absl::Status status =
      MakeError(absl::StatusCode::kAlreadyExists, "there is one",
                {.reason = "UNIQUE_VIOLATION", .constraint = "users_pkey", .position = 7});
  std::ostringstream printed;
  printed << status;
  EXPECT_THAT(printed.str(), ::testing::HasSubstr("there is one"));
  EXPECT_THAT(printed.str(), ::testing::HasSubstr("REASON_UNIQUE_VIOLATION"));
  EXPECT_THAT(printed.str(), ::testing::HasSubstr("users_pkey"));
  EXPECT_THAT(printed.str(), ::testing::Not(::testing::ContainsRegex("x0|x1|googleapis")));
  EXPECT_EQ(GetErrorDetails(status).constraint, "users_pkey");
  EXPECT_EQ(GetErrorDetails(status).position, 7);
}

TEST(InterfaceTest, EntriesThatWereClosedAreNotTakenForWhole) {
  const auto entries = MakeEntries({{.key = "a", .value = "1"}, {.key = "b", .value = "2"}});
  EXPECT_EQ(entries->Key(), "");
  ASSERT_TRUE(entries->Next());
  EXPECT_EQ(entries->Key(), "a");
  entries->Close();
  EXPECT_EQ(entries->Key(), "");
  EXPECT_EQ(entries->Err(), absl::OkStatus());
  EXPECT_FALSE(entries->Next());
  EXPECT_TRUE(absl::IsFailedPrecondition(entries->Err()));
  const auto whole = MakeEntries({{.key = "a", .value = "1"}});
  while (whole->Next()) {
  }
  whole->Close();
  EXPECT_FALSE(whole->Next());
  EXPECT_EQ(whole->Err(), absl::OkStatus());
}

}  // namespace
}  // namespace penstock
