// The mocks as a user's test has them.
#include "penstock/mocks.h"

#include <future>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace penstock {
namespace {

using ::testing::_;
using ::testing::ByMove;
using ::testing::ElementsAre;
using ::testing::Return;

// What a user would test.
absl::StatusOr<int64_t> Rename(Provider* db, int64_t id, std::string_view name) {
  const Context ctx;
  auto tx = db->Transaction(ctx);
  if (!tx.ok()) return tx.status();
  auto result = (*tx)->Exec(ctx, "UPDATE users SET name = $1 WHERE id = $2", name, id);
  if (!result.ok()) return result.status();
  if (absl::Status committed = (*tx)->Commit(ctx); !committed.ok()) return committed;
  return result->RowsAffected();
}

TEST(MocksTest, ATransaction) {
  auto tx = std::make_unique<MockTransaction>();
  EXPECT_CALL(*tx, ExecArgs(_, "UPDATE users SET name = $1 WHERE id = $2",
                            ElementsAre(Value("Ada"), Value(7))))
      .WillOnce(Return(Result(1)));
  EXPECT_CALL(*tx, Commit).WillOnce(Return(absl::OkStatus()));
  MockProvider db;
  EXPECT_CALL(db, Transaction(_, _))
      .WillOnce(Return(ByMove(std::unique_ptr<Transaction>(std::move(tx)))));
  EXPECT_EQ(Rename(&db, 7, "Ada").value(), 1);
}

TEST(MocksTest, AFailure) {
  MockProvider db;
  EXPECT_CALL(db, ExecArgs)
      .WillOnce(Return(MakeError(absl::StatusCode::kAlreadyExists, "it exists",
                                 {.reason = "UNIQUE_VIOLATION", .constraint = "users_pkey"})));
  EXPECT_TRUE(IsUniqueViolation(db.Exec(Context(), "INSERT …").status()));
}

TEST(MocksTest, RowsFromValues) {
  MockProvider db;
  EXPECT_CALL(db, QueryArgs).WillOnce([](auto&&...) {
    return MakeRows({"id", "name"}, {{1, "Ada"}});
  });
  auto rows = db.Query(Context(), "SELECT id, name FROM users");
  ASSERT_TRUE(rows.ok());
  ASSERT_TRUE((*rows)->Next());
  int id = 0;
  std::string name;
  EXPECT_TRUE((*rows)->Scan(&id, &name).ok());
  EXPECT_EQ(name, "Ada");
}

TEST(MocksTest, AStatement) {
  MockStatement statement;
  EXPECT_CALL(statement, ExecArgs(_, ElementsAre(Value(true)))).WillOnce(Return(Result(2)));
  EXPECT_EQ(statement.Exec(Context(), true)->RowsAffected(), 2);
}

TEST(MocksTest, ACallThatDoesNotBlock) {
  MockStatement statement;
  EXPECT_CALL(statement, ExecArgs(_, ElementsAre(Value(true)))).WillOnce(Return(Result(2)));
  std::promise<int64_t> affected;
  statement.ExecAsync(Context(), true).Start([&](const absl::StatusOr<Result>& result) {
    affected.set_value(result->RowsAffected());
  });
  EXPECT_EQ(affected.get_future().get(), 2);
}

}  // namespace
}  // namespace penstock
