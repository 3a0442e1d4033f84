// Operations on keys and values by a caller who may only read.
#include "drivers/api/error.h"
#include "tests/unit/key_value/fixture.h"

namespace penstock::driver {
namespace {

class OnlyReadTest : public KeyValueTest {
 protected:
  // Both sorts of connection; the second serves backends that have no other.
  std::vector<Connection*> Connections() { return {reader_.get(), writer_.get()}; }

  void RunAsReader(Connection* connection, Operation* operation) {
    operation->run.must_only_read = true;
    StatementRun* const run = &operation->run;
    connection->Together({&run, 1});
    ASSERT_EQ(connection->RunBatch({&run, 1}), 1u);
    EXPECT_FALSE(run->wrong_lane);
    Finish(operation);
  }

  static std::vector<OperationPtr> Writes(const std::string& keyspace) {
    std::vector<OperationPtr> writes;
    const auto add = [&](std::vector<KeyMutation> mutations,
                         std::vector<KeyCondition> conditions = {}) {
      writes.push_back(MakeWrite(std::move(mutations), std::move(conditions), keyspace));
    };
    add({Put("b", "2")});
    add({Put("b", "2"), Put("c", "3")});
    add({Delete("a")});
    add({DeleteRange("a", std::nullopt)});
    add({Put("b", "2")}, {Absent("b")});
    // These would do nothing.
    add({Delete("nothing")});
    add({}, {Present("a")});
    add({Put("b", "2")}, {Present("nothing")});
    return writes;
  }

  // Whether SQL sees the keyspace, and so whether it has been made.
  bool Exists(const std::string& keyspace) {
    const bool pebble = GetParam() == "pebble";
    const std::string sql =
        pebble ? "SELECT 1 FROM pragma_table_list WHERE name = '" + keyspace + "'"
               : "SELECT 1 FROM sqlite_schema WHERE name = 'penstock_kv_" + keyspace + "'";
    StatementRun look;
    look.sql = sql;
    StatementRun* const run = &look;
    EXPECT_EQ(reader_->RunBatch({&run, 1}), 1u);
    EXPECT_TRUE(look.status.ok()) << look.status;
    return look.summary.rows_returned > 0;
  }
};

TEST_P(OnlyReadTest, ReadsAreServedAndMakeNoKeyspace) {
  Write({Put("a", "1")});
  for (Connection* connection : Connections()) {
    const OperationPtr get = MakeGet({"a", "b"});
    RunAsReader(connection, get.get());
    EXPECT_EQ(get->output.entries, (Entries{{"a", "1"}})) << get->run.status;
    const OperationPtr scan = MakeScan({});
    RunAsReader(connection, scan.get());
    EXPECT_EQ(scan->output.entries, (Entries{{"a", "1"}})) << scan->run.status;
    for (const OperationPtr& read : {MakeGet({"a"}, "fresh"), MakeScan({}, "fresh")}) {
      RunAsReader(connection, read.get());
      EXPECT_TRUE(read->run.status.ok()) << read->run.status;
      EXPECT_TRUE(read->output.entries.empty());
    }
    EXPECT_FALSE(Exists("fresh"));
  }
}

TEST_P(OnlyReadTest, WritesAreRefused) {
  Write({Put("a", "1")});
  for (const std::string keyspace : {"kv", "fresh"}) {
    for (Connection* connection : Connections()) {
      for (const OperationPtr& write : Writes(keyspace)) {
        RunAsReader(connection, write.get());
        EXPECT_EQ(write->reason(), Reason::kNotAllowed) << write->run.status;
      }
      EXPECT_EQ(Scan(), (Entries{{"a", "1"}}));
      EXPECT_FALSE(Exists("fresh"));
    }
  }
}

TEST_P(OnlyReadTest, InATransaction) {
  Write({Put("a", "1")});
  for (const std::string keyspace : {"kv", "fresh"}) {
    for (Connection* connection : Connections()) {
      ASSERT_TRUE(connection->Begin({.must_only_read = true}).ok());
      const OperationPtr get = MakeGet({"a"}, keyspace);
      connection->Run(get->run);
      Finish(get.get());
      EXPECT_TRUE(get->run.status.ok()) << get->run.status;
      EXPECT_EQ(get->output.entries.size(), keyspace == "kv" ? 1u : 0u);
      for (const OperationPtr& write : Writes(keyspace)) {
        connection->Run(write->run);
        EXPECT_EQ(write->reason(), Reason::kNotAllowed) << write->run.status;
      }
      EXPECT_TRUE(connection->Commit().ok());
      EXPECT_EQ(Scan(), (Entries{{"a", "1"}}));
      EXPECT_FALSE(Exists("fresh"));
    }
  }
  // The next transaction may write.
  ASSERT_TRUE(writer_->Begin({}).ok());
  const OperationPtr write = MakeWrite({Put("b", "2")});
  RunInTransaction(write.get());
  EXPECT_TRUE(write->run.status.ok()) << write->run.status;
  ASSERT_TRUE(writer_->Commit().ok());
  EXPECT_EQ(Get({"b"}).size(), 1u);
}

TEST_P(OnlyReadTest, OthersOfItsBatchGoOn) {
  const OperationPtr before = MakeWrite({Put("a", "1")});
  const OperationPtr refused = MakeWrite({Put("b", "2")});
  const OperationPtr after = MakeWrite({Put("c", "3")});
  refused->run.must_only_read = true;
  std::vector<StatementRun*> runs = {&before->run, &refused->run, &after->run};
  for (size_t done = 0; done < runs.size();) {
    done += writer_->RunBatch(std::span<StatementRun* const>(runs).subspan(done));
  }
  EXPECT_TRUE(before->run.status.ok()) << before->run.status;
  EXPECT_EQ(refused->reason(), Reason::kNotAllowed) << refused->run.status;
  EXPECT_TRUE(after->run.status.ok()) << after->run.status;
  EXPECT_EQ(Scan(), (Entries{{"a", "1"}, {"c", "3"}}));
}

PENSTOCK_ON_EACH_DRIVER(OnlyReadTest);

}  // namespace
}  // namespace penstock::driver
