// Operations inside a client's transaction.
#include "tests/unit/key_value/fixture.h"

namespace penstock::driver {
namespace {

class Transactions : public KeyValueTest {
 protected:
  void Begin() { ASSERT_TRUE(writer_->Begin({}).ok()); }
  OperationPtr Do(OperationPtr operation) {
    RunInTransaction(operation.get());
    EXPECT_TRUE(operation->run.status.ok()) << operation->run.status;
    return operation;
  }
};
PENSTOCK_ON_EACH_DRIVER(Transactions);

TEST_P(Transactions, SeesItsOwnWritesAndNobodyElseDoes) {
  Write({Put("a", "1")});
  Begin();
  Do(MakeWrite({Put("b", "2"), Delete("a")}));
  EXPECT_EQ(Do(MakeScan({}))->output.entries, (Entries{{"b", "2"}}));
  EXPECT_EQ(Do(MakeGet({"a", "b"}))->output.entries, (Entries{{"b", "2"}}));
  EXPECT_EQ(Scan(), (Entries{{"a", "1"}}));
  ASSERT_TRUE(writer_->Commit().ok());
  EXPECT_EQ(Scan(), (Entries{{"b", "2"}}));
}

TEST_P(Transactions, ARollbackLeavesNothing) {
  Write({Put("a", "1")});
  Begin();
  Do(MakeWrite({Put("b", "2"), DeleteRange("a", "b")}, {Present("a")}));
  Do(MakeWrite({Put("x", "2")}, {}, "created_within"));
  ASSERT_TRUE(writer_->Rollback().ok());
  EXPECT_EQ(Scan(), (Entries{{"a", "1"}}));
  EXPECT_EQ(Scan({}, "created_within"), Entries{});
  // The keyspace can be written again.
  Begin();
  Do(MakeWrite({Put("x", "2")}, {}, "created_within"));
  ASSERT_TRUE(writer_->Commit().ok());
  EXPECT_EQ(Scan({}, "created_within"), (Entries{{"x", "2"}}));
}

TEST_P(Transactions, HasSavepoints) {
  Begin();
  Do(MakeWrite({Put("a", "1")}));
  ASSERT_TRUE(writer_->Savepoint("one").ok());
  Do(MakeWrite({Put("a", "2"), Put("b", "2")}));
  ASSERT_TRUE(writer_->Savepoint("two").ok());
  Do(MakeWrite({Put("c", "3")}));
  ASSERT_TRUE(writer_->RollbackTo("one").ok());
  EXPECT_EQ(Do(MakeScan({}))->output.entries, (Entries{{"a", "1"}}));
  EXPECT_FALSE(writer_->Release("two").ok());
}

TEST_P(Transactions, RollBackToASavepointMoreThanOnce) {
  Begin();
  ASSERT_TRUE(writer_->Savepoint("one").ok());
  for (int i = 0; i < 3; ++i) {
    Do(MakeWrite({Put("b", "2")}, {Absent("b")}));
    ASSERT_TRUE(writer_->RollbackTo("one").ok());
  }
  Do(MakeWrite({Put("c", "3")}));
  ASSERT_TRUE(writer_->Release("one").ok());
  ASSERT_TRUE(writer_->Commit().ok());
  EXPECT_EQ(Scan(), (Entries{{"c", "3"}}));
}

TEST_P(Transactions, AConditionThatFailsEndsNothing) {
  Begin();
  Do(MakeWrite({Put("a", "1")}));
  EXPECT_EQ(Do(MakeWrite({Put("a", "2")}, {Absent("a")}))->operation.failed_condition, 0u);
  EXPECT_EQ(Do(MakeWrite({Put("b", "2")}, {Equals("a", "1")}))->operation.failed_condition,
            std::nullopt);
  EXPECT_EQ(Do(MakeWrite({Put("b", "2")}, {Present("b")}, "other"))->operation.failed_condition,
            0u);
  ASSERT_TRUE(writer_->Commit().ok());
  EXPECT_EQ(Scan(), (Entries{{"a", "1"}, {"b", "2"}}));
}

TEST_P(Transactions, OneThatOnlyReadsSeesOneSnapshotAndMayNotWrite) {
  Write({Put("a", "1")});
  TransactionOptions options;
  options.read_only = true;
  ASSERT_TRUE(reader_->Begin(options).ok());
  Write({Put("a", "2")});
  const OperationPtr get = MakeGet({"a"});
  reader_->Run(get->run);
  ASSERT_TRUE(get->run.status.ok()) << get->run.status;
  EXPECT_EQ(get->output.entries, (Entries{{"a", "1"}}));
  const OperationPtr put = MakeWrite({Put("b", "1")});
  reader_->Run(put->run);
  EXPECT_EQ(put->reason(), Reason::kReadOnly);
  ASSERT_TRUE(reader_->Rollback().ok());
}

}  // namespace
}  // namespace penstock::driver
