// Prepare streams.
#include "fmt/format.h"
#include "tests/conformance/backend.h"

namespace penstock::testing {
namespace {

class Prepare : public Conformance {
 protected:
  void SetUp() override { Do("CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT)"); }
};
PENSTOCK_CONFORMANCE(Prepare);

TEST_P(Prepare, DescribesAndRunsAsOftenAsAsked) {
  PrepareStream insert(wire(), "INSERT INTO t VALUES ($1, $2)");
  EXPECT_EQ(insert.prepared().parameter_count(), 2);
  EXPECT_TRUE(insert.prepared().columns().empty());
  EXPECT_FALSE(insert.prepared().read_only());
  for (int i = 0; i < 10; ++i) {
    EXPECT_EQ(insert.Run({Int(i), Text(fmt::format("v{}", i))}).summary.rows_affected(), 1);
  }
  PrepareStream select(wire(), "SELECT v FROM t WHERE id = $1", v1::FORMAT_COLUMNS);
  EXPECT_EQ(select.prepared().columns_size(), 1);
  EXPECT_TRUE(select.prepared().read_only());
  EXPECT_EQ(select.Run({Int(3)}).text(), "'v3'");
  EXPECT_EQ(select.Run({Int(99)}).text(), "");
  // The columns were told once.
  EXPECT_TRUE(select.Run({Int(4)}).columns.empty());
  EXPECT_TRUE(select.Finish().ok());
}

TEST_P(Prepare, AFailedRunIsAnAnswerAndTheStreamGoesOn) {
  PrepareStream insert(wire(), "INSERT INTO t VALUES ($1, 'x')");
  EXPECT_TRUE(insert.Run({Int(1)}).status.ok());
  EXPECT_EQ(insert.Run({Int(1)}).detail.reason(), v1::REASON_UNIQUE_VIOLATION);
  EXPECT_EQ(insert.Run({}).detail.reason(), v1::REASON_INVALID_PARAMETER);
  EXPECT_EQ(insert.Run({Text("not a number")}).status.error_code(),
            grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_TRUE(insert.Run({Int(2)}).status.ok());
  EXPECT_TRUE(insert.Finish().ok());
  EXPECT_EQ(Ask("SELECT count(*) FROM t"), "2");
}

TEST_P(Prepare, RunsMayBeSentAhead) {
  PrepareStream insert(wire(), "INSERT INTO t VALUES ($1, NULL)");
  for (int i = 0; i < 500; ++i) insert.Send({Int(i)});
  for (int i = 0; i < 500; ++i) EXPECT_TRUE(insert.Receive().status.ok()) << i;
  EXPECT_EQ(Ask("SELECT count(*) FROM t"), "500");
}

TEST_P(Prepare, AStatementThatCannotBePreparedEndsTheStream) {
  PrepareStream bad(wire(), "SELEC");
  const grpc::Status status = bad.Finish();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(DetailOf(status).reason(), v1::REASON_SYNTAX);
  PrepareStream empty(wire(), "");
  EXPECT_EQ(DetailOf(empty.Finish()).reason(), v1::REASON_EMPTY_STATEMENT);
}

TEST_P(Prepare, AMessageOutOfOrderEndsTheStream) {
  grpc::ClientContext context;
  auto stream = wire().stub().Prepare(&context);
  v1::PrepareRequest request;
  request.set_sql("SELECT 1");
  stream->Write(request);
  stream->Write(request);  // a second statement
  stream->WritesDone();
  v1::PrepareResponse response;
  EXPECT_TRUE(stream->Read(&response));
  EXPECT_FALSE(stream->Read(&response));
  EXPECT_EQ(DetailOf(stream->Finish()).reason(), v1::REASON_PROTOCOL);

  grpc::ClientContext other;
  stream = wire().stub().Prepare(&other);
  *request.add_args() = Int(1);
  stream->Write(request);  // arguments with the statement
  stream->WritesDone();
  EXPECT_FALSE(stream->Read(&response));
  EXPECT_EQ(DetailOf(stream->Finish()).reason(), v1::REASON_PROTOCOL);
}

TEST_P(Prepare, ALargeResultComesInPartsAndTheStreamGoesOn) {
  constexpr int kRows = 100'000;
  PrepareStream select(wire(), backend().series(kRows), v1::FORMAT_COLUMNS);
  for (int run = 0; run < 2; ++run) {
    const Outcome outcome = select.Run({});
    EXPECT_GT(outcome.messages, 3);
    ASSERT_EQ(outcome.rows.size(), static_cast<size_t>(kRows));
    EXPECT_EQ(ToText(outcome.rows.back()), fmt::format("{0}|'row {0}'", kRows));
  }
}

// Rows may have been sent when a run fails: its answer is the error all the same, and
// the next run has none of them.
TEST_P(Prepare, ARunThatFailsMidwayIsAnErrorAndLeavesNothingBehind) {
  // $1 is whether it fails, so that the stream is one and the same.
  for (const int64_t rows : {0, 3, 100'000}) {
    const std::string sql =
        fmt::format("SELECT * FROM ({}) AS failing WHERE $1 UNION ALL SELECT -1, 'whole' WHERE $2",
                    backend().fails_after(rows));
    for (const v1::Format format : {v1::FORMAT_ROWS, v1::FORMAT_COLUMNS}) {
      PrepareStream stream(wire(), sql, format);
      for (int run = 0; run < 2; ++run) {
        const Outcome failed = stream.Run({Bool(true), Bool(true)});
        EXPECT_FALSE(failed.status.ok());
        EXPECT_EQ(failed.detail.reason(), v1::REASON_DATA_EXCEPTION)
            << failed.status.error_message();
        EXPECT_FALSE(failed.has_summary);
        if (rows == 100'000) {
          EXPECT_GT(failed.messages, 1) << "it was to be streamed";
        }
        const Outcome whole = stream.Run({Bool(false), Bool(true)});
        EXPECT_EQ(whole.text(), "-1|'whole'") << whole.status.error_message();
        EXPECT_EQ(whole.summary.rows_returned(), 1);
      }
      EXPECT_TRUE(stream.Finish().ok());
    }
  }
}

// The same with the next run sent before the failure is known.
TEST_P(Prepare, WhatWasSentAheadRunsAfterARunThatFailsMidway) {
  PrepareStream stream(wire(),
                       fmt::format("SELECT * FROM ({}) AS failing WHERE $1 UNION ALL SELECT -1, $2",
                                   backend().fails_after(100'000)));
  for (int run = 0; run < 10; ++run)
    stream.Send({Bool(run % 2 == 0), Text(fmt::format("{}", run))});
  for (int run = 0; run < 10; ++run) {
    const Outcome outcome = stream.Receive();
    EXPECT_EQ(outcome.status.ok(), run % 2 == 1) << outcome.status.error_message();
    EXPECT_EQ(outcome.has_summary, run % 2 == 1);
    if (run % 2 == 1) {
      EXPECT_EQ(outcome.text(), fmt::format("-1|'{}'", run));
    }
  }
  EXPECT_TRUE(stream.Finish().ok());
}

TEST_P(Prepare, ASchemaChangeIsSeenAndItsColumnsAreTold) {
  Do("INSERT INTO t VALUES (1, 'a')");
  PrepareStream select(wire(), "SELECT * FROM t");
  EXPECT_EQ(select.Run({}).text(), "1|'a'");
  Do("ALTER TABLE t ADD COLUMN w INTEGER DEFAULT 7");
  const Outcome outcome = select.Run({});
  EXPECT_EQ(outcome.text(), "1|'a'|7");
  EXPECT_EQ(outcome.columns.size(), 3u);
}

// It pins no connection: far more streams than connections are open at once.
TEST_P(Prepare, ManyIdleStreamsHoldNoConnection) {
  std::vector<std::unique_ptr<PrepareStream>> streams;
  for (int i = 0; i < 100; ++i) {
    streams.push_back(std::make_unique<PrepareStream>(wire(), "SELECT $1"));
  }
  for (auto& stream : streams) EXPECT_EQ(stream->Run({Int(5)}).text(), "5");
  TransactionStream transaction(wire());
  EXPECT_TRUE(transaction.Begin().has_begun());
}

}  // namespace
}  // namespace penstock::testing
