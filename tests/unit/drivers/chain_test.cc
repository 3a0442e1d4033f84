#include "drivers/api/chain.h"

#include "drivers/api/error.h"
#include "gtest/gtest.h"

namespace penstock::driver {
namespace {

TEST(ChainTest, NothingStartsBehindAFailure) {
  Chain chain;
  StatementRun run;
  run.chain = &chain;
  run.wrong_lane = true;
  run.summary.rows_affected = 1;
  EXPECT_TRUE(MayStart(&run));
  EXPECT_FALSE(run.wrong_lane);
  EXPECT_EQ(run.summary.rows_affected, 0);
  NoteFailure(run);
  EXPECT_FALSE(chain.failed);
  run.status = MakeError(Reason::kSyntax, "wrong");
  NoteFailure(run);
  EXPECT_TRUE(chain.failed);
  EXPECT_FALSE(MayStart(&run));
  EXPECT_EQ(GetErrorInfo(run.status).reason, Reason::kCancelled);
}

TEST(ChainTest, AStatementWithoutAChainHarmsNobody) {
  StatementRun run;
  run.status = MakeError(Reason::kSyntax, "wrong");
  NoteFailure(run);
  EXPECT_TRUE(MayStart(&run));
  EXPECT_TRUE(run.status.ok());
}

}  // namespace
}  // namespace penstock::driver
