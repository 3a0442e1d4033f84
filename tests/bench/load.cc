#include "tests/bench/load.h"

#include <fmt/format.h>
#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>

#include <atomic>
#include <string>
#include <utility>
#include <vector>

#include "penstock/v1/database.grpc.pb.h"
#include "tests/bench/callers.h"
#include "tests/bench/unary_callers.h"

namespace penstock::bench {
namespace {

constexpr char kFailingSql[] = "SELECT id, name FROM points WHERE id = $1 / 0";

// Returns what is wrong with the row of a point select, or an empty text.
std::string CheckRow(const v1::QueryResponse& result, int64_t id) {
  if (result.row_count() != 1 || result.data_size() != 2 || result.data(0).integers_size() != 1 ||
      result.data(0).integers(0) != id || result.data(1).data().size() != kNameLength) {
    return fmt::format("asked for row {}, got: {}", id, result.ShortDebugString());
  }
  return {};
}

// A Prepare stream with one run outstanding.
class PrepareCaller final
    : public Caller,
      public grpc::ClientBidiReactor<v1::PrepareRequest, v1::PrepareResponse> {
 public:
  PrepareCaller(v1::DatabaseService::Stub* stub, const Round& round, Progress* progress, int number)
      : Caller(round, progress, number),
        insert_(round.call == Call::kPreparedInsert),
        failing_(round.failing) {
    request_.set_sql(insert_ ? kInsertSql : kSelectSql);
    if (failing_ == Failing::kStatement) request_.set_sql(kFailingSql);
    request_.set_format(v1::FORMAT_COLUMNS);
    stub->async()->Prepare(&context_, this);
    Send();
    StartCall();
  }

  void OnReadDone(bool ok) override {
    if (!ok) return;  // OnDone reports why
    if (!prepared_) {
      prepared_ = answer_.has_prepared();
      if (!prepared_) return Refuse("not prepared: " + answer_.ShortDebugString());
      return BothDone();
    }
    stopwatch_.Stop();
    std::string wrong = Check();
    if (!wrong.empty()) return Refuse(std::move(wrong));
    ids_.Next();
    go_on_ = progress_->Answered();
    BothDone();
  }

  void OnWriteDone(bool ok) override {
    if (ok) BothDone();
  }

  void OnDone(const grpc::Status& status) override {
    if (!status.ok()) progress_->Fail("Prepare: " + status.error_message());
    progress_->Ended();
  }

 private:
  void Send() {
    pending_ = 2;
    stopwatch_.Start();
    StartWrite(&request_);
    StartRead(&answer_);
  }

  // Called when the write is done and when its answer has come, in either order: gRPC allows the
  // next write only after it has reported that the one before is done.
  void BothDone() {
    if (pending_.fetch_sub(1) != 1) return;
    if (!go_on_) return StartWritesDone();
    if (request_.args().empty()) {  // this is the first run
      request_.Clear();
      request_.add_args();
    }
    if (failing_ == Failing::kValue) {
      request_.mutable_args(0)->set_text("no number");
    } else {
      request_.mutable_args(0)->set_integer(ids_.current());
    }
    Send();
  }

  std::string Check() const {
    if (failing_ != Failing::kNot) {
      return answer_.has_error() ? "" : "a run has not failed: " + answer_.ShortDebugString();
    }
    if (answer_.has_error()) return answer_.error().message();
    if (!insert_) return CheckRow(answer_.result(), ids_.current());
    if (answer_.result().summary().rows_affected() == 1) return {};
    return "no row was inserted: " + answer_.ShortDebugString();
  }

  void Refuse(std::string why) {
    progress_->Fail(std::move(why));
    context_.TryCancel();
  }

  const bool insert_;
  const Failing failing_;
  grpc::ClientContext context_;
  v1::PrepareRequest request_;
  v1::PrepareResponse answer_;
  bool prepared_ = false;
  bool go_on_ = true;
  std::atomic<int> pending_{0};
};

// Makes calls of Query, one after another.
class QueryCaller final : public Caller {
 public:
  QueryCaller(v1::DatabaseService::Stub* stub, const Round& round, Progress* progress, int number)
      : Caller(round, progress, number),
        stub_(stub),
        authorization_(round.token.empty() ? "" : "Bearer " + round.token) {
    request_.set_sql(round.sql);
    request_.set_format(v1::FORMAT_COLUMNS);
    request_.add_args();
    Send();
  }

 private:
  class OneCall final : public grpc::ClientReadReactor<v1::QueryResponse> {
   public:
    explicit OneCall(QueryCaller* caller) : caller_(caller) {
      if (!caller_->authorization_.empty()) {
        context_.AddMetadata("authorization", caller_->authorization_);
      }
      caller_->stub_->async()->Query(&context_, &caller_->request_, this);
      StartRead(&answer_);
      StartCall();
    }
    void OnReadDone(bool ok) override {
      if (!ok) return;
      if (++messages_ == 1) wrong_ = CheckRow(answer_, caller_->ids_.current());
      StartRead(&rest_);
    }
    void OnDone(const grpc::Status& status) override {
      if (!status.ok()) wrong_ = "Query: " + status.error_message();
      if (wrong_.empty() && messages_ != 1) wrong_ = fmt::format("{} messages", messages_);
      QueryCaller* const caller = caller_;
      const std::string wrong = std::move(wrong_);
      delete this;
      caller->Answer(wrong);
    }

   private:
    QueryCaller* const caller_;
    grpc::ClientContext context_;
    v1::QueryResponse answer_;
    v1::QueryResponse rest_;  // stays empty: a point select is answered by one message
    int messages_ = 0;
    std::string wrong_;
  };

  void Send() {
    request_.mutable_args(0)->set_integer(ids_.current());
    stopwatch_.Start();
    new OneCall(this);
  }

  void Answer(const std::string& wrong) {
    stopwatch_.Stop();
    ids_.Next();
    if (!wrong.empty()) progress_->Fail(wrong);
    if (progress_->Answered()) return Send();
    progress_->Ended();
  }

  v1::DatabaseService::Stub* const stub_;
  const std::string authorization_;
  v1::QueryRequest request_;
};

}  // namespace

absl::StatusOr<RoundResult> RunRound(const std::vector<std::shared_ptr<grpc::Channel>>& channels,
                                     const Round& round) {
  std::vector<std::unique_ptr<v1::DatabaseService::Stub>> stubs;
  for (const auto& channel : channels) stubs.push_back(v1::DatabaseService::NewStub(channel));
  return RunCallers(round, [&](int number, Progress* progress) -> std::unique_ptr<Caller> {
    const size_t place = static_cast<size_t>(number) % channels.size();
    switch (round.call) {
      case Call::kPreparedSelect:
      case Call::kPreparedInsert:
        return std::make_unique<PrepareCaller>(stubs[place].get(), round, progress, number);
      case Call::kQuerySelect:
        return std::make_unique<QueryCaller>(stubs[place].get(), round, progress, number);
      default: return MakeUnaryCaller(channels[place], round, progress, number);
    }
  });
}

}  // namespace penstock::bench
