// Pipeline: many calls over one stream, each with an outcome of its own.
#include <algorithm>
#include <chrono>
#include <map>
#include <random>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "fmt/format.h"
#include "grpcpp/generic/generic_stub.h"
#include "penstock/v1/key_value.pb.h"
#include "tests/conformance/backend.h"
#include "tests/support/pipeline_stream.h"

namespace penstock::testing {
namespace {

using Answer = PipelineStream::Answer;
using Call = PipelineStream::Call;
using std::chrono::milliseconds;

class Pipeline : public Conformance {
 protected:
  PipelineStream& stream() {
    if (stream_ == nullptr) stream_ = std::make_unique<PipelineStream>(wire());
    return *stream_;
  }
  void NewStream() { stream_ = std::make_unique<PipelineStream>(wire()); }

  // The stream ends with this reason.
  void ExpectEnd(v1::Reason reason) {
    const grpc::Status status = stream().WaitForEnd();
    EXPECT_EQ(DetailOf(status).reason(), reason) << status.error_message();
  }

  // No statement holds a connection or waits for one.
  bool AtRest() {
    grpc::ClientContext context;
    v1::GetStatsResponse stats;
    EXPECT_TRUE(v1::AdminService::NewStub(wire().channel())->GetStats(&context, {}, &stats).ok());
    return std::ranges::all_of(stats.databases(0).pools(), [](const auto& pool) {
      return pool.in_use() == 0 && pool.waiting() == 0;
    });
  }

  // Far more than a first batch.
  std::string Large() { return backend().series(100'000); }

 private:
  std::unique_ptr<PipelineStream> stream_;
};
PENSTOCK_CONFORMANCE_ON(Pipeline, KeyValueBackends());

// Those that need a table with columns of their own.
class TablePipeline : public Pipeline {
 protected:
  void SetUp() override { Do("CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT)"); }
};
PENSTOCK_CONFORMANCE(TablePipeline);

// Results that wait for a credit may hold all connections. What waits for one comes after this.
class StalledPipeline : public TablePipeline {
 protected:
  void SetUp() override {
    config().server.stall_timeout = milliseconds(100);
    TablePipeline::SetUp();
  }
};
PENSTOCK_CONFORMANCE(StalledPipeline);

TEST_P(Pipeline, TheFirstMessageTellsTheLimits) {
  config().server.max_pipeline_calls = 77;
  config().server.max_pipeline_bytes = 777'777;
  ASSERT_TRUE(stream().Read());
  EXPECT_EQ(stream().limits().max_calls(), 77u);
  EXPECT_EQ(stream().limits().max_bytes(), 777'777u);
  EXPECT_TRUE(stream().Finish().ok());
}

TEST_P(TablePipeline, EveryCallHasTheAnswerOfItsSort) {
  Call prepare = PipelineStream::Prepare(3, 1, "SELECT v FROM t WHERE id = $1");
  EXPECT_EQ(stream()
                .Do(PipelineStream::Exec(1, "INSERT INTO t VALUES ($1, $2)", {Int(1), Text("a")}))
                .summary.rows_affected(),
            1);
  stream().Send({PipelineStream::Query(2, "SELECT id, v FROM t"), prepare,
                 PipelineStream::Run(4, 1, {Int(1)}), PipelineStream::Run(5, 1, {Int(2)})});
  EXPECT_EQ(stream().Receive(2).result().columns_size(), 2);
  const Answer prepared = stream().Receive(3);
  EXPECT_EQ(prepared.prepared().parameter_count(), 1);
  EXPECT_EQ(prepared.prepared().columns_size(), 1);
  EXPECT_TRUE(prepared.prepared().read_only());
  const Answer run = stream().Receive(4);
  EXPECT_EQ(run.result().columns_size(), 0) << "they are in `prepared`";
  ASSERT_EQ(run.result().rows_size(), 1);
  EXPECT_EQ(ToText(run.result().rows(0)), "'a'");
  EXPECT_EQ(stream().Receive(5).result().summary().rows_returned(), 0);
  Call close;
  close.set_id(6);
  close.mutable_close_statement()->set_statement(1);
  stream().Send({close, PipelineStream::Run(7, 1, {Int(1)})});
  EXPECT_TRUE(stream().Receive(6).has_closed());
  EXPECT_EQ(stream().Receive(7).error().detail().reason(), v1::REASON_PROTOCOL);
  EXPECT_TRUE(stream().Finish().ok());
}

TEST_P(Pipeline, KeysAndValues) {
  std::vector<Call> calls(7);
  for (size_t i = 0; i < calls.size(); ++i) calls[i].set_id(i + 1);
  calls[0].mutable_put()->set_key("k1");
  calls[0].mutable_put()->set_value("v1");
  stream().Send({calls[0]});
  EXPECT_TRUE(stream().Receive(1).has_put());
  auto* condition = calls[1].mutable_write()->add_conditions();
  condition->set_key("k1");
  condition->mutable_absent();
  calls[2].mutable_get()->set_key("k1");
  calls[3].mutable_batch_get()->add_keys("k2");
  calls[3].mutable_batch_get()->add_keys("k1");
  calls[4].mutable_scan()->set_prefix("k");
  stream().Send({calls[1], calls[2], calls[3], calls[4]});
  EXPECT_EQ(stream().Receive(2).written().failed_condition(), 1);
  EXPECT_EQ(stream().Receive(3).got().value(), "v1");
  const Answer several = stream().Receive(4);
  ASSERT_EQ(several.batch_got().results_size(), 2);
  EXPECT_FALSE(several.batch_got().results(0).found());
  EXPECT_EQ(several.batch_got().results(1).value(), "v1");
  const Answer scanned = stream().Receive(5);
  ASSERT_EQ(scanned.scanned().entries_size(), 1);
  EXPECT_FALSE(scanned.more());
  calls[5].mutable_delete_()->set_key("k1");
  stream().Send({calls[5]});
  EXPECT_TRUE(stream().Receive(6).has_deleted());
  calls[6].mutable_delete_range()->set_prefix("k");
  stream().Send({calls[6]});
  const Answer range = stream().Receive(7);
  ASSERT_TRUE(range.has_range_deleted());
  EXPECT_EQ(range.range_deleted().deleted(), 0);
}

// The same operation after another on recycled memory has nothing of the one before.
TEST_P(Pipeline, ACallHasNothingOfTheOneBefore) {
  Call put;
  put.set_id(1);
  put.mutable_put()->set_key("k");
  put.mutable_put()->set_value("v");
  stream().Send({put});
  EXPECT_TRUE(stream().Receive(1).has_put());
  for (int i = 0; i < 3; ++i) {
    for (const char* key : {"k", "none"}) {
      Call get;
      get.set_id(1);
      get.mutable_get()->set_key(key);
      stream().Send({get});
      EXPECT_EQ(stream().Receive(1).got().found(), key == std::string("k"));
      EXPECT_EQ(stream().Do(PipelineStream::Query(1, "SELECT $1, $2", {Int(i), Text("x")})).text(),
                fmt::format("{}|'x'", i));
      EXPECT_FALSE(stream().Do(PipelineStream::Query(1, "SELEC")).status.ok());
    }
  }
}

TEST_P(Pipeline, OneThatIsSlowHoldsUpNoOther) {
  stream().Send({PipelineStream::Query(1, backend().endless_query())});
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(stream().Do(PipelineStream::Query(2, "SELECT $1", {Int(i)})).text(),
              fmt::format("{}", i));
  }
  EXPECT_FALSE(stream().answers().contains(1));
  stream().Cancel(1);
  const Answer cancelled = stream().Receive(1);
  EXPECT_EQ(cancelled.error().code(), grpc::StatusCode::CANCELLED);
  EXPECT_EQ(cancelled.error().detail().reason(), v1::REASON_CANCELLED);
  EXPECT_EQ(stream().Do(PipelineStream::Query(1, "SELECT 3")).text(), "3");
}

TEST_P(Pipeline, EachHasItsOwnTimeout) {
  Call slow = PipelineStream::Query(1, backend().endless_query());
  slow.mutable_query()->mutable_timeout()->set_nanos(50'000'000);
  stream().Send({slow, PipelineStream::Query(2, "SELECT 1")});
  EXPECT_EQ(stream().Receive(2).result().summary().rows_returned(), 1);
  EXPECT_EQ(stream().Receive(1).error().detail().reason(), v1::REASON_REQUEST_TIMEOUT);
}

TEST_P(Pipeline, OneThatFailsTouchesNoOther) {
  std::vector<Call> calls;
  for (uint64_t id = 1; id <= 100; ++id) {
    calls.push_back(PipelineStream::Query(id, id % 3 == 0 ? "SELEC" : "SELECT $1",
                                          id % 3 == 0 ? Values() : Values{Int(1)}));
  }
  stream().Send(calls);
  for (const Call& call : calls) {
    const Outcome outcome = stream().Receive(call);
    EXPECT_EQ(outcome.detail.reason(),
              call.id() % 3 == 0 ? v1::REASON_SYNTAX : v1::REASON_UNSPECIFIED);
    EXPECT_EQ(outcome.text(), call.id() % 3 == 0 ? "" : "1");
  }
}

TEST_P(Pipeline, ALargeResultComesByPartsWhenItIsAskedFor) {
  for (const v1::Format format : {v1::FORMAT_ROWS, v1::FORMAT_COLUMNS}) {
    Call large = PipelineStream::Query(1, Large());
    large.mutable_query()->set_format(format);
    stream().Send({large});
    Answer first = stream().Receive(1);
    EXPECT_TRUE(first.more());
    // Nobody has asked for the next part.
    EXPECT_EQ(stream().Do(PipelineStream::Query(2, "SELECT 2")).text(), "2");
    EXPECT_FALSE(stream().answers().contains(1));
    stream().answers()[1].push_back(first);
    const Outcome outcome = stream().Receive(large);
    EXPECT_TRUE(outcome.has_summary) << outcome.status.error_message();
    EXPECT_EQ(outcome.rows.size(), 100'000u);
    EXPECT_GT(outcome.messages, 3);
    EXPECT_EQ(ToText(outcome.rows.back()), "100000|'row 100000'");
  }
}

TEST_P(Pipeline, AResultThatNobodyContinuesIsEndedAndTheStreamGoesOn) {
  config().server.stall_timeout = milliseconds(300);
  stream().Send({PipelineStream::Query(1, Large())});
  EXPECT_TRUE(stream().Receive(1).more());
  const Answer ended = stream().Receive(1);
  EXPECT_EQ(ended.error().detail().reason(), v1::REASON_STALL_TIMEOUT) << ended.error().message();
  EXPECT_EQ(stream().Do(PipelineStream::Query(1, "SELECT 1")).text(), "1");
}

TEST_P(Pipeline, ACancelMeetsACallWhereverItIs) {
  // Unknown, and answered.
  stream().Cancel(5);
  EXPECT_EQ(stream().Do(PipelineStream::Query(1, "SELECT 1")).text(), "1");
  stream().Cancel(1);
  stream().Next(1);
  // It waits for the client.
  stream().Send({PipelineStream::Query(1, Large())});
  EXPECT_TRUE(stream().Receive(1).more());
  stream().Cancel(1);
  EXPECT_EQ(stream().Receive(1).error().detail().reason(), v1::REASON_CANCELLED);
  // It runs, or waits for a connection.
  std::vector<Call> calls;
  for (uint64_t id = 1; id <= 20; ++id) {
    calls.push_back(PipelineStream::Query(id, backend().endless_query()));
  }
  stream().Send(calls);
  PipelineStream::Request cancel;
  for (uint64_t id = 1; id <= 20; ++id) cancel.add_cancel(id);
  stream().Write(cancel);
  for (uint64_t id = 1; id <= 20; ++id) {
    EXPECT_EQ(stream().Receive(id).error().detail().reason(), v1::REASON_CANCELLED);
  }
  // In the message that brings it.
  cancel.Clear();
  *cancel.add_calls() = PipelineStream::Query(1, backend().endless_query());
  cancel.add_cancel(1);
  stream().Write(cancel);
  EXPECT_EQ(stream().Receive(1).error().detail().reason(), v1::REASON_CANCELLED);
  EXPECT_TRUE(stream().Finish().ok());
}

TEST_P(Pipeline, WhatIsNoCallEndsTheStreamAfterTheOthersAreAnswered) {
  Call without_id = PipelineStream::Query(0, "SELECT 1");
  Call without_content;
  without_content.set_id(2);
  for (const Call& wrong : {without_id, without_content, PipelineStream::Query(1, "SELECT 2")}) {
    NewStream();
    Call slow = PipelineStream::Query(1, backend().endless_query());
    slow.mutable_query()->mutable_timeout()->set_nanos(200'000'000);
    stream().Send({slow, wrong});
    EXPECT_EQ(stream().Receive(1).error().detail().reason(), v1::REASON_REQUEST_TIMEOUT);
    ExpectEnd(v1::REASON_PROTOCOL);
  }
}

TEST_P(Pipeline, AMessageWithoutCallsIsNone) {
  stream().Write({});
  stream().Next(1);
  EXPECT_EQ(stream().Do(PipelineStream::Query(1, "SELECT 1")).text(), "1");
  EXPECT_TRUE(stream().Finish().ok());
}

TEST_P(Pipeline, TooManyCallsAreRefusedAndDoNotRun) {
  config().server.max_pipeline_calls = 10;
  std::vector<Call> calls;
  for (uint64_t id = 1; id <= 10; ++id) {
    calls.push_back(PipelineStream::Query(id, backend().endless_query()));
  }
  stream().Send(calls);
  const Outcome refused = stream().Do(PipelineStream::Query(11, "SELECT 1"));
  EXPECT_EQ(refused.detail.reason(), v1::REASON_QUEUE_FULL);
  EXPECT_EQ(refused.status.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  // A cancel is heard all the same, and makes room.
  stream().Cancel(3);
  EXPECT_EQ(stream().Receive(3).error().detail().reason(), v1::REASON_CANCELLED);
  // The connections are not free, but this needs none.
  EXPECT_EQ(stream().Do(PipelineStream::Run(11, 1)).detail.reason(), v1::REASON_PROTOCOL);
}

// Refusals have to be read as well: those of one message are not gathered without end.
TEST_P(Pipeline, AMessageWithFarTooManyCallsEndsTheStream) {
  config().server.max_pipeline_calls = 1;
  config().server.max_pipeline_bytes = size_t{64} << 10;
  Call slow = PipelineStream::Query(1, backend().endless_query());
  slow.mutable_query()->mutable_timeout()->set_nanos(200'000'000);
  std::vector<Call> calls = {slow};
  for (uint64_t id = 2; id <= 10'000; ++id) calls.push_back(PipelineStream::Query(id, "SELECT 1"));
  stream().Send(calls);
  EXPECT_EQ(stream().Receive(1).error().detail().reason(), v1::REASON_REQUEST_TIMEOUT);
  ExpectEnd(v1::REASON_LIMIT_EXCEEDED);
  EXPECT_LT(stream().answers().size(), calls.size() / 2);
  for (const auto& [id, answers] : stream().answers()) {
    EXPECT_EQ(answers.front().error().detail().reason(), v1::REASON_QUEUE_FULL) << id;
  }
}

TEST_P(Pipeline, NumbersWithoutEndEndTheStream) {
  config().server.max_pipeline_calls = 10;
  PipelineStream::Request request;
  for (uint64_t id = 1; id <= 20; ++id) request.add_cancel(id);
  ASSERT_TRUE(stream().Write(request));
  EXPECT_EQ(stream().Do(PipelineStream::Query(1, "SELECT 1")).text(), "1");
  for (uint64_t id = 1; id <= 21; ++id) request.add_next(id);
  ASSERT_TRUE(stream().Write(request));
  ExpectEnd(v1::REASON_PROTOCOL);
}

TEST_P(Pipeline, TooManyBytesAreRefused) {
  config().server.max_pipeline_bytes = size_t{64} << 10;
  stream().Send({PipelineStream::Query(1, backend().endless_query())});
  const Values large = {Text(std::string(70'000, 'x'))};
  EXPECT_EQ(stream().Do(PipelineStream::Query(2, "SELECT $1", large)).detail.reason(),
            v1::REASON_QUEUE_FULL);
  stream().Cancel(1);
  EXPECT_TRUE(stream().Receive(1).has_error());
  // One that is alone has room.
  EXPECT_TRUE(stream().Do(PipelineStream::Query(2, "SELECT $1", large)).status.ok());
}

TEST_P(Pipeline, TenThousandCallsInAMessage) {
  config().server.max_pipeline_calls = 10'000;
  std::vector<Call> calls;
  for (uint64_t id = 1; id <= 10'000; ++id) {
    calls.push_back(PipelineStream::Query(id, "SELECT $1", {Int(static_cast<int64_t>(id))}));
  }
  stream().Send(calls);
  for (const Call& call : calls) {
    EXPECT_EQ(stream().Receive(call).text(), fmt::format("{}", call.id()));
  }
  EXPECT_LT(stream().messages(), 10'000) << "answers share messages";
  EXPECT_TRUE(stream().answers().empty());
}

TEST_P(Pipeline, AStatementThatCannotBePreparedFailsItsRuns) {
  stream().Send({PipelineStream::Prepare(1, 1, "SELEC"), PipelineStream::Run(2, 1)});
  EXPECT_EQ(stream().Receive(1).error().detail().reason(), v1::REASON_SYNTAX);
  EXPECT_EQ(stream().Receive(2).error().detail().reason(), v1::REASON_SYNTAX);
  EXPECT_EQ(stream().Do(PipelineStream::Run(3, 1)).detail.reason(), v1::REASON_SYNTAX);
  // The number is free.
  stream().Send({PipelineStream::Prepare(1, 1, "SELECT 5"), PipelineStream::Run(2, 1)});
  EXPECT_TRUE(stream().Receive(1).has_prepared());
  EXPECT_EQ(ToText(stream().Receive(2).result().rows(0)), "5");
  // Now it is not; and 0 is no number.
  for (const uint32_t number : {1u, 0u}) {
    EXPECT_EQ(stream().Do(PipelineStream::Prepare(1, number, "SELECT 6")).detail.reason(),
              v1::REASON_PROTOCOL);
  }
}

TEST_P(Pipeline, TextThatIsNotUtf8IsAnErrorOfItsCall) {
  PipelineStream::Request request;
  *request.add_calls() = PipelineStream::Query(1, "SELECT 1");
  std::string bytes = request.SerializeAsString();
  bytes.replace(bytes.find("SELECT"), 6,
                "SEL\xff\xfe"
                "C");
  grpc::GenericStub stub(wire().channel());
  grpc::ClientContext context;
  grpc::CompletionQueue queue;
  const auto call = stub.PrepareCall(&context, "/penstock.v1.DatabaseService/Pipeline", &queue);
  const auto next = [&queue] {
    void* tag = nullptr;
    bool ok = false;
    return queue.Next(&tag, &ok) && ok;
  };
  call->StartCall(nullptr);
  ASSERT_TRUE(next());
  const grpc::Slice slice(bytes);
  call->WriteLast(grpc::ByteBuffer(&slice, 1), {}, nullptr);
  ASSERT_TRUE(next());
  PipelineStream::Response all;
  grpc::ByteBuffer answer;
  for (call->Read(&answer, nullptr); next(); call->Read(&answer, nullptr)) {
    grpc::Slice part;
    ASSERT_TRUE(answer.DumpToSingleSlice(&part).ok());
    PipelineStream::Response response;
    ASSERT_TRUE(response.ParseFromArray(part.begin(), static_cast<int>(part.size())));
    all.MergeFrom(response);
  }
  ASSERT_EQ(all.answers_size(), 1);
  EXPECT_EQ(all.answers(0).error().detail().reason(), v1::REASON_PROTOCOL);
}

TEST_P(TablePipeline, AClosedSideEndsTheStreamWhenAllIsAnswered) {
  stream().Send({PipelineStream::Query(1, Large()), PipelineStream::Query(2, "SELECT 2")});
  EXPECT_TRUE(stream().Receive(1).more());
  stream().WritesDone();
  EXPECT_EQ(stream().Receive(1).error().detail().reason(), v1::REASON_CANCELLED);
  EXPECT_TRUE(stream().Receive(2).has_result());
  EXPECT_TRUE(stream().WaitForEnd().ok());
}

TEST_P(TablePipeline, RowsOfAStatementThatWritesComeByParts) {
  const Call call = PipelineStream::Query(
      1, fmt::format("INSERT INTO t SELECT i, s FROM ({}) AS numbers RETURNING id, v",
                     backend().series(50'000)));
  const Outcome outcome = stream().Do(call);
  EXPECT_EQ(outcome.rows.size(), 50'000u) << outcome.status.error_message();
  EXPECT_GT(outcome.messages, 1);
  EXPECT_EQ(Ask("SELECT count(*) FROM t"), "50000");
}

TEST_P(Pipeline, ADrainAnswersWhatRunsAndRefusesWhatComes) {
  Call slow = PipelineStream::Query(1, backend().endless_query());
  slow.mutable_query()->mutable_timeout()->set_nanos(500'000'000);
  stream().Send({slow, PipelineStream::Query(2, Large())});
  EXPECT_TRUE(stream().Receive(2).more());
  std::thread drain([this] { gateway().daemon().Drain(); });
  while (!stream().draining()) ASSERT_TRUE(stream().Read());
  const Outcome refused = stream().Do(PipelineStream::Query(3, "SELECT 1"));
  EXPECT_EQ(refused.detail.reason(), v1::REASON_DRAINING) << refused.status.error_message();
  EXPECT_EQ(refused.detail.retry(), v1::RETRY_STATEMENT);
  stream().Next(2);
  EXPECT_TRUE(stream().Receive(PipelineStream::Query(2, "")).has_summary);
  EXPECT_EQ(stream().Receive(1).error().detail().reason(), v1::REASON_REQUEST_TIMEOUT);
  EXPECT_TRUE(stream().WaitForEnd().ok());
  drain.join();
}

TEST_P(Pipeline, TheEndOfADrainEndsEachCall) {
  config().server.drain_grace = milliseconds(200);
  stream().Send(
      {PipelineStream::Query(1, backend().endless_query()), PipelineStream::Query(2, Large())});
  EXPECT_TRUE(stream().Receive(2).more());
  std::thread drain([this] { gateway().daemon().Drain(); });
  for (const uint64_t id : {1, 2}) {
    EXPECT_EQ(stream().Receive(id).error().detail().reason(), v1::REASON_DRAINING);
  }
  EXPECT_TRUE(stream().WaitForEnd().ok());
  drain.join();
}

TEST_P(Pipeline, AnIdleStreamEnds) {
  config().server.stream_idle_timeout = milliseconds(200);
  EXPECT_EQ(stream().Do(PipelineStream::Query(1, "SELECT 1")).text(), "1");
  const grpc::Status end = stream().WaitForEnd();
  EXPECT_EQ(DetailOf(end).reason(), v1::REASON_LIMIT_EXCEEDED) << end.error_message();
}

TEST_P(Pipeline, AClientThatGoesTakesItsCallsWithIt) {
  std::vector<Call> calls = {PipelineStream::Query(100, Large())};
  for (uint64_t id = 1; id <= 20; ++id) {
    calls.push_back(PipelineStream::Query(id, backend().endless_query()));
  }
  stream().Send({calls[0]});
  EXPECT_TRUE(stream().Receive(100).more());
  stream().Send({calls.begin() + 1, calls.end()});
  EXPECT_FALSE(AtRest());
  stream().CancelStream();
  Eventually([this] { return AtRest(); });
}

TEST_P(Pipeline, AClientThatReadsNothingIsCutOff) {
  config().server.stall_timeout = milliseconds(300);
  config().server.max_pipeline_bytes = size_t{1} << 20;
  const std::string megabyte = fmt::format("SELECT {}", backend().blob_of(1 << 20));
  ASSERT_TRUE(stream().Read());
  for (uint64_t id = 1; id <= 200; ++id) {
    if (!stream().Send({PipelineStream::Query(id, megabyte)})) break;
  }
  // It writes on, for as long as somebody takes it.
  Eventually([this] { return !stream().Write({}); });
  Eventually([this] { return AtRest(); });
  EXPECT_FALSE(stream().WaitForEnd().ok());
}

// Answers that nobody takes are bounded: their calls fail, each by itself.
TEST_P(Pipeline, ALargeAnswerIsACallsOwnProblem) {
  config().server.max_message_bytes = size_t{64} << 10;
  config().server.batch_bytes = size_t{64} << 10;
  const std::string sql = fmt::format("SELECT {}", backend().blob_of(100'000));
  const Outcome large = stream().Do(PipelineStream::Query(1, sql));
  EXPECT_EQ(large.detail.reason(), v1::REASON_LIMIT_EXCEEDED) << large.status.error_message();
  EXPECT_EQ(stream().Do(PipelineStream::Query(1, "SELECT 1")).text(), "1");
}

// Ids, cancels, credits and ends in any order: each call has exactly one last answer.
TEST_P(StalledPipeline, EachCallHasOneLastAnswerWhateverHappens) {
  const uint32_t seed = std::random_device()();
  SCOPED_TRACE(fmt::format("seed {}", seed));
  std::mt19937 random(seed);
  const auto chance = [&random](int percent) { return static_cast<int>(random() % 100) < percent; };
  for (int round = 0; round < 5; ++round) {
    NewStream();
    stream().Send({PipelineStream::Prepare(1'000'000, 1, "SELECT $1")});
    std::set<uint64_t> open = {1'000'000};
    std::set<uint64_t> waiting;
    uint64_t next_id = 1;
    int answered = 0;
    const auto take = [&] {
      for (auto& [id, answers] : stream().answers()) {
        for (const Answer& answer : answers) {
          ASSERT_TRUE(open.contains(id)) << "nobody has asked for " << id;
          ASSERT_NE(answer.answer_case(), Answer::ANSWER_NOT_SET);
          if (answer.more()) {
            waiting.insert(id);
          } else {
            open.erase(id);
            waiting.erase(id);
            ++answered;
          }
        }
      }
      stream().answers().clear();
    };
    for (int step = 0; step < 150; ++step) {
      PipelineStream::Request request;
      for (uint32_t calls = random() % 8; calls > 0; --calls) {
        const uint64_t id = next_id++;
        open.insert(id);
        switch (random() % 6) {
          case 0: *request.add_calls() = PipelineStream::Query(id, backend().series(3)); break;
          case 1: *request.add_calls() = PipelineStream::Query(id, backend().series(5'000)); break;
          case 2: *request.add_calls() = PipelineStream::Query(id, "SELEC"); break;
          case 3: *request.add_calls() = PipelineStream::Run(id, 1, {Int(5)}); break;
          case 4:
            *request.add_calls() = PipelineStream::Exec(
                id, "INSERT INTO t VALUES ($1, 'x')", {Int(static_cast<int64_t>(random() % 500))});
            break;
          default: {
            Call slow = PipelineStream::Query(id, backend().endless_query());
            slow.mutable_query()->mutable_timeout()->set_nanos(1'000'000);
            *request.add_calls() = slow;
          }
        }
      }
      for (const uint64_t id : std::set<uint64_t>(waiting)) {
        if (!chance(60)) continue;
        request.add_next(id);
        waiting.erase(id);
      }
      for (const uint64_t id : open) {
        if (chance(5)) request.add_cancel(id);
        if (chance(2)) request.add_next(id);
      }
      ASSERT_TRUE(stream().Write(request));
      // What does not wait for the client is going to be answered.
      while (open.size() > waiting.size() && chance(50)) {
        ASSERT_TRUE(stream().Read());
        take();
        if (HasFatalFailure()) return;
      }
    }
    // The end: the client closes its side, or cancels the rest and waits for each.
    if (round % 2 == 0) {
      stream().WritesDone();
      while (stream().Read()) take();
      EXPECT_TRUE(stream().WaitForEnd().ok());
    } else {
      PipelineStream::Request ends;
      for (const uint64_t id : open) ends.add_cancel(id);
      ASSERT_TRUE(stream().Write(ends));
      while (!open.empty() && stream().Read()) take();
    }
    if (HasFatalFailure()) return;
    EXPECT_TRUE(open.empty()) << open.size() << " without an answer";
    EXPECT_EQ(answered, static_cast<int>(next_id));
  }
}

}  // namespace
}  // namespace penstock::testing
