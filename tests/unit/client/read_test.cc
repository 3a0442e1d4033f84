// Whole results into structs, tuples and variables.
#include "penstock/read.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "penstock/mocks.h"

namespace penstock {
namespace {

using ::testing::_;
using ::testing::ElementsAre;
using ::testing::NiceMock;

struct User {
  int64_t id = 0;
  std::string name;
  std::optional<std::string> note;
  std::vector<int> numbers;
  bool operator==(const User&) const = default;
};

std::unique_ptr<Rows> SomeRows(absl::Status error = absl::OkStatus()) {
  return MakeRows({"id", "name", "note", "numbers"},
                  {{1, "Ada", "n", Value::Array({1, 2})}, {2, "Tim", nullptr, Value::Array({})}},
                  std::move(error));
}

const User kAda{1, "Ada", "n", {1, 2}};
const User kTim{2, "Tim", std::nullopt, {}};

class Answering : public NiceMock<MockProvider> {
 public:
  explicit Answering(std::function<absl::StatusOr<std::unique_ptr<Rows>>()> answer) {
    ON_CALL(*this, QueryArgs).WillByDefault([answer](auto&&...) { return answer(); });
  }
};

TEST(ReadTest, AllRowsIntoStructs) {
  Answering db([] { return SomeRows(); });
  EXPECT_CALL(db, QueryArgs(_, "SELECT", ElementsAre(Value(18))));
  const auto users = db.QueryAll<User>(Context(), "SELECT", 18);
  ASSERT_TRUE(users.ok()) << users.status();
  EXPECT_THAT(*users, ElementsAre(kAda, kTim));
}

TEST(ReadTest, IntoMembersThatAreNamed) {
  const auto users =
      ReadAll<User>(MakeRows({"name", "id"}, {{"Ada", 1}, {"Tim", 2}}), &User::name, &User::id);
  ASSERT_TRUE(users.ok()) << users.status();
  EXPECT_EQ((*users)[1].name, "Tim");
  EXPECT_EQ((*users)[1].id, 2);
}

TEST(ReadTest, TuplesAndSingleValues) {
  Answering db([] { return MakeRows({"n"}, {{7}}); });
  EXPECT_EQ(*db.QueryRow<int64_t>(Context(), "SELECT"), 7);
  EXPECT_EQ(*db.QueryRow<std::tuple<int>>(Context(), "SELECT"), std::tuple(7));
  EXPECT_THAT(*db.QueryAll<double>(Context(), "SELECT"), ElementsAre(7.0));
  EXPECT_EQ(*ReadAll<bool>(MakeRows({"b"}, {{true}, {0}})), (std::vector<bool>{true, false}));
}

TEST(ReadTest, OneRow) {
  const auto none = ReadOne<int>(MakeRows({"n"}, {}));
  EXPECT_TRUE(absl::IsNotFound(none.status())) << none.status();
  EXPECT_EQ(*ReadOptional<int>(MakeRows({"n"}, {})), std::nullopt);
  const auto two = ReadOne<int>(MakeRows({"n"}, {{1}, {2}}));
  EXPECT_TRUE(absl::IsFailedPrecondition(two.status())) << two.status();
}

// A result that breaks off is never taken for whole.
TEST(ReadTest, FailuresAreTold) {
  const absl::Status gone = absl::UnavailableError("gone");
  EXPECT_EQ(ReadAll<User>(SomeRows(gone)).status(), gone);
  EXPECT_EQ(ReadOne<int>(MakeRows({"n"}, {{1}}, gone)).status(), gone);
  EXPECT_EQ(ReadOptional<int>(MakeRows({"n"}, {}, gone)).status(), gone);
  EXPECT_EQ(ReadAll<int>(absl::StatusOr<std::unique_ptr<Rows>>(gone)).status(), gone);
  EXPECT_TRUE(absl::IsInvalidArgument(ReadAll<int>(MakeRows({"n"}, {{"x"}})).status()));
  EXPECT_TRUE(absl::IsInvalidArgument(ReadAll<User>(MakeRows({"n"}, {{1}})).status()));
}

TEST(ReadTest, ARangeForOverRows) {
  std::vector<User> users;
  const auto rows = SomeRows();
  for (const User& user : Each<User>(*rows)) users.push_back(user);
  EXPECT_THAT(users, ElementsAre(kAda, kTim));
  EXPECT_EQ(rows->Err(), absl::OkStatus());

  const auto wrong = MakeRows({"n"}, {{1}, {"x"}, {3}});
  std::vector<int> numbers;
  for (const int number : Each<int>(*wrong)) numbers.push_back(number);
  EXPECT_THAT(numbers, ElementsAre(1));
  EXPECT_TRUE(absl::IsInvalidArgument(wrong->Err())) << wrong->Err();
}

TEST(ReadTest, ArgumentsThatAreAtHand) {
  NiceMock<MockProvider> db;
  EXPECT_CALL(db, ExecArgs(_, "x", ElementsAre(Value(1), Value("a"))));
  const Args args = {1, "a"};
  static_cast<void>(db.Exec(Context(), "x", args));
}

TEST(ReadTest, AMockKnowsADialect) {
  NiceMock<MockProvider> db;
  EXPECT_EQ(*db.Dialect(Context()), sql::Dialect::kSqlite);
}

}  // namespace
}  // namespace penstock
