// A result that is dropped before its end: the statement is cancelled only if it has more to do.
#include <chrono>

#include "tests/support/pgwire_proxy.h"
#include "tests/unit/postgres/fixture.h"

namespace penstock::postgres {
namespace {

using testing::PostgresCluster;

class CursorTest : public PostgresDriverTest {
 protected:
  CursorTest() {
    config_.connection_string = proxy_.connection_string("postgres");
    OpenDriver();
    EXPECT_TRUE(connection_->Begin({}).ok());
  }

  // Runs the statement up to its first batch, and drops the rest.
  void Drop(Call* call) {
    connection_->Run(call->run);
    ASSERT_TRUE(call->run.status.ok()) << call->run.status;
    ASSERT_NE(call->run.cursor, nullptr) << "the result has to be larger than the first batch";
    call->run.cursor.reset();
  }

  testing::PgwireProxy proxy_{PostgresCluster::Shared().socket_folder()};
};

TEST_F(CursorTest, NothingIsCancelledWhereOnlyTheEndIsLeft) {
  Call large("SELECT repeat('x', 200000)");
  Drop(&large);
  EXPECT_EQ(proxy_.counts().cancels, 0);
  EXPECT_EQ(TryInTransaction("SELECT 1")->row(), "integer 1");
}

// The server keeps the end of a row until it has more to send, so that the first two come.
constexpr char kEndless[] =
    "SELECT repeat('x', 200000), pg_sleep(CASE WHEN i > 3 THEN 600 END) FROM generate_series(1, 9) "
    "AS i";

TEST_F(CursorTest, AStatementThatGoesOnIsCancelled) {
  const auto began = std::chrono::steady_clock::now();
  Call endless(kEndless);
  Drop(&endless);
  EXPECT_EQ(proxy_.counts().cancels, 1);
  EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds(60));
  EXPECT_TRUE(connection_->transaction_aborted());
  EXPECT_TRUE(connection_->Rollback().ok());
}

TEST_F(CursorTest, ACallerWhoHasCancelledDoesNotWaitForTheEnd) {
  driver::Cancellation cancellation;
  Call endless(kEndless);
  endless.run.cancellation = &cancellation;
  connection_->Run(endless.run);
  ASSERT_NE(endless.run.cursor, nullptr) << endless.run.status;
  cancellation.Cancel(absl::CancelledError("the client has gone"));
  endless.run.cursor.reset();
  EXPECT_EQ(proxy_.counts().cancels, 1);
  EXPECT_TRUE(connection_->Rollback().ok());
}

}  // namespace
}  // namespace penstock::postgres
