// The order service of client/examples, tested as a program that uses the library would test it:
// with the mocks, and without a daemon.
#include "client/examples/shop.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "penstock/mocks.h"

namespace penstock {
namespace {

using shop::Shop;
using ::testing::_;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::NiceMock;
using ::testing::Return;
using ::testing::StartsWith;

const Uuid kId{"123e4567-e89b-42d3-a456-426614174000"};

class OrdersTest : public ::testing::Test {
 protected:
  NiceMock<MockProvider> db_;
  const Context ctx_;
};

TEST_F(OrdersTest, AnItemIsReadByItsNumber) {
  EXPECT_CALL(db_, QueryArgs(_, HasSubstr("FROM \"items\""), ElementsAre(Value("A"))))
      .WillOnce([](auto&&...) {
        return MakeRows({"sku", "name", "price", "stock", "attributes", "photo"},
                        {{"A", "apple", Decimal{"1.50"}, 3, nullptr, nullptr}});
      });
  const auto item = Shop(db_).FindItem(ctx_, "A");
  ASSERT_TRUE(item.ok()) << item.status();
  EXPECT_EQ(item->name, "apple");
  EXPECT_EQ(item->price, Decimal{"1.50"});
  EXPECT_FALSE(item->photo.has_value());
}

TEST_F(OrdersTest, NoSuchItem) {
  EXPECT_CALL(db_, QueryArgs).WillOnce([](auto&&...) { return MakeRows({"sku"}, {}); });
  EXPECT_TRUE(absl::IsNotFound(Shop(db_).FindItem(ctx_, "A").status()));
}

// The transaction is the mock's own: what it does, the provider is asked.
TEST_F(OrdersTest, AnOrderTakesItsItemsAndIsWritten) {
  EXPECT_CALL(db_, ExecArgs(_, StartsWith("INSERT INTO \"orders\""), Contains(Value("ada"))))
      .WillOnce(Return(Result(1)));
  EXPECT_CALL(db_, ExecArgs(_, StartsWith("UPDATE \"items\""), _)).WillOnce(Return(Result(1)));
  EXPECT_CALL(db_, ExecRows(_, StartsWith("INSERT INTO \"order_lines\""),
                            ElementsAre(ElementsAre(Value(kId), Value("A"), Value(2)))))
      .WillOnce(Return(Result(1)));
  const auto placed = Shop(db_).Place(ctx_, "ada", {{"A", 2}}, {}, kId);
  ASSERT_TRUE(placed.ok()) << placed.status();
  EXPECT_EQ(*placed, kId);
}

TEST_F(OrdersTest, WhatIsNotThereIsNotSold) {
  EXPECT_CALL(db_, ExecArgs(_, StartsWith("INSERT"), _)).WillOnce(Return(Result(1)));
  EXPECT_CALL(db_, ExecArgs(_, StartsWith("UPDATE"), _)).WillOnce(Return(Result(0)));
  EXPECT_CALL(db_, ExecRows).Times(0);
  EXPECT_TRUE(absl::IsNotFound(Shop(db_).Place(ctx_, "ada", {{"A", 2}}, {}).status()));
}

TEST_F(OrdersTest, ATransactionThatWasAbortedIsRunAgain) {
  const absl::Status aborted =
      MakeError(absl::StatusCode::kAborted, "again",
                {.reason = "SERIALIZATION_FAILURE", .retry = Retry::kTransaction});
  EXPECT_CALL(db_, ExecArgs).WillOnce(Return(aborted)).WillRepeatedly(Return(Result(1)));
  EXPECT_CALL(db_, ExecRows).WillOnce(Return(Result(1)));
  EXPECT_CALL(db_, Transaction(_, _)).Times(2);
  EXPECT_EQ(Shop(db_).Place(ctx_, "ada", {{"A", 1}}, {}).status(), absl::OkStatus());
}

TEST_F(OrdersTest, AMisspeltReasonIsNoticed) {
  EXPECT_CALL(db_, ExecArgs)
      .WillOnce(Return(MakeError(absl::StatusCode::kFailedPrecondition, "sold out",
                                 {.reason = "CHECK_VIOLATON"})));
  const absl::Status status = Shop(db_).Place(ctx_, "ada", {{"A", 1}}, {}).status();
  EXPECT_TRUE(absl::IsInternal(status)) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr("CHECK_VIOLATON"));
}

TEST_F(OrdersTest, TheStatementIsOfTheDialect) {
  ON_CALL(db_, Dialect).WillByDefault(Return(sql::Dialect::kPostgres));
  EXPECT_CALL(db_, QueryArgs(_, HasSubstr("CAST($"), _)).Times(0);
  EXPECT_CALL(db_, QueryArgs(_, HasSubstr("\"sku\" = $1"), _)).WillOnce([](auto&&...) {
    return MakeRows({"sku"}, {});
  });
  EXPECT_TRUE(absl::IsNotFound(Shop(db_).FindItem(ctx_, "A").status()));
}

// A keyspace that no test said anything of is empty, and takes what is written.
TEST_F(OrdersTest, InvoicesBeginWithOne) {
  EXPECT_EQ(Shop(db_).NextInvoiceNumber(ctx_).value_or(0), 1);
}

TEST_F(OrdersTest, AnInvoiceNumberThatSomebodyElseTookIsNotUsed) {
  auto kv = std::make_unique<NiceMock<MockKeyValue>>();
  EXPECT_CALL(*kv, Get(_, "invoice"))
      .WillOnce(Return(std::optional<std::string>("7")))
      .WillOnce(Return(std::optional<std::string>("8")));
  EXPECT_CALL(*kv, Write)
      .WillOnce(Return(WriteResult{.applied = false}))
      .WillOnce(Return(WriteResult()));
  EXPECT_CALL(db_, KeyValue("shop")).WillOnce(Return(::testing::ByMove(std::move(kv))));
  EXPECT_EQ(Shop(db_).NextInvoiceNumber(ctx_).value_or(0), 9);
}

TEST_F(OrdersTest, AStatementThatNobodyExpectedSaysWhichItIs) {
  const absl::Status status = Shop(db_).Cancel(ctx_, kId);
  EXPECT_TRUE(absl::IsUnimplemented(status)) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr("UPDATE \"orders\""));
}

}  // namespace
}  // namespace penstock
