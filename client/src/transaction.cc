#include "client/src/transaction.h"

#include <optional>
#include <string>
#include <utility>

#include "client/src/convert.h"
#include "client/src/dialect.h"
#include "client/src/key_value.h"
#include "client/src/transaction_stream.h"

namespace penstock::internal {
namespace {

using Answer = v1::TransactionResponse;
using StreamPointer = std::shared_ptr<TransactionStream>;

// Fills in a statement with its arguments. Fails if it cannot be sent.
absl::Status Fill(const Context& ctx, std::string_view sql, const Args& args,
                  v1::TransactionRequest::Statement* statement) {
  absl::Status status = CheckSql(sql);
  if (status.ok()) status = ToProto(args, statement->mutable_args());
  statement->set_sql(std::string(sql));
  statement->set_format(v1::FORMAT_COLUMNS);
  SetTimeout(ctx, statement);
  return status;
}

absl::StatusOr<Result> Execute(TransactionStream* stream, const Context& ctx,
                               const v1::TransactionRequest& request) {
  const absl::StatusOr<Answer> answer = stream->Step(ctx, request, Answer::kExecuted);
  if (!answer.ok()) return answer.status();
  return FromProto(answer->executed());
}

// A prepared statement that belongs to a transaction.
class TransactionStatement final : public Statement {
 public:
  TransactionStatement(StreamPointer stream, const v1::Prepared& prepared)
      : stream_(std::move(stream)),
        statement_(prepared.statement()),
        parameter_count_(prepared.parameter_count()),
        columns_(std::make_shared<const std::vector<ColumnType>>(FromProto(prepared.columns()))) {}

  ~TransactionStatement() override { Close().IgnoreError(); }

  absl::StatusOr<std::unique_ptr<Rows>> QueryArgs(const Context& ctx, Args args) override {
    absl::StatusOr<std::unique_ptr<ResultSource>> source = Run(ctx, args);
    if (!source.ok()) return source.status();
    return StreamedRows::Open(*std::move(source), columns_);
  }

  absl::StatusOr<Result> ExecArgs(const Context& ctx, Args args) override {
    const absl::StatusOr<std::unique_ptr<ResultSource>> source = Run(ctx, args);
    if (!source.ok()) return source.status();
    return DropRows(source->get());
  }

  int ParameterCount() const override { return parameter_count_; }
  std::vector<ColumnType> ColumnTypes() const override { return *columns_; }

  absl::Status Close() override {
    if (std::exchange(closed_, true)) return absl::OkStatus();
    // If it cannot be closed now, the end of the transaction closes it.
    if (!stream_->open() || stream_->busy()) return absl::OkStatus();
    v1::TransactionRequest request;
    request.mutable_close_statement()->set_statement(statement_);
    return stream_->Step(Context(), request, Answer::kDone).status();
  }

 private:
  absl::StatusOr<std::unique_ptr<ResultSource>> Run(const Context& ctx, const Args& args) {
    if (closed_) return absl::FailedPreconditionError("the statement has been closed");
    v1::TransactionRequest request;
    v1::TransactionRequest::Execute* execute = request.mutable_execute();
    execute->set_statement(statement_);
    execute->set_format(v1::FORMAT_COLUMNS);
    SetTimeout(ctx, execute);
    if (absl::Status status = ToProto(args, execute->mutable_args()); !status.ok()) return status;
    return stream_->Query(ctx, request);
  }

  const StreamPointer stream_;
  const uint64_t statement_;
  const int parameter_count_;
  const ColumnList columns_;
  bool closed_ = false;
};

class StreamTransaction final : public Transaction {
 public:
  explicit StreamTransaction(StreamPointer stream) : stream_(std::move(stream)) {}
  ~StreamTransaction() override { stream_->Abandon(); }

  absl::StatusOr<sql::Dialect> Dialect(const Context& ctx) override {
    if (dialect_.has_value()) return *dialect_;
    absl::StatusOr<sql::Dialect> dialect = AskDialect(stream_->channel(), ctx);
    if (dialect.ok()) dialect_ = *dialect;
    return dialect;
  }

  absl::StatusOr<std::unique_ptr<Rows>> QueryArgs(const Context& ctx, std::string_view sql,
                                                  Args args) override {
    v1::TransactionRequest request;
    absl::Status status = Fill(ctx, sql, args, request.mutable_query());
    if (!status.ok()) return status;
    absl::StatusOr<std::unique_ptr<ResultSource>> source = stream_->Query(ctx, request);
    if (!source.ok()) return source.status();
    return StreamedRows::Open(*std::move(source));
  }

  absl::StatusOr<Result> ExecArgs(const Context& ctx, std::string_view sql, Args args) override {
    v1::TransactionRequest request;
    absl::Status status = Fill(ctx, sql, args, request.mutable_exec());
    if (!status.ok()) return status;
    return Execute(stream_.get(), ctx, request);
  }

  absl::StatusOr<Result> ExecRows(const Context& ctx, std::string_view sql,
                                  std::vector<Args> rows) override {
    if (rows.empty()) return Result();
    v1::TransactionRequest request;
    absl::Status status = Fill(ctx, sql, {}, request.mutable_exec());
    if (status.ok()) status = ToProto(rows, request.mutable_exec()->mutable_rows());
    if (!status.ok()) return status;
    return Execute(stream_.get(), ctx, request);
  }

  absl::StatusOr<std::unique_ptr<Statement>> Prepare(const Context& ctx,
                                                     std::string_view sql) override {
    if (absl::Status status = CheckSql(sql); !status.ok()) return status;
    v1::TransactionRequest request;
    request.mutable_prepare()->set_sql(std::string(sql));
    const absl::StatusOr<Answer> answer = stream_->Step(ctx, request, Answer::kPrepared);
    if (!answer.ok()) return answer.status();
    return std::make_unique<TransactionStatement>(stream_, answer->prepared());
  }

  std::unique_ptr<penstock::KeyValue> KeyValue(std::string_view keyspace) override {
    return MakeKeyValue(stream_, std::string(keyspace));
  }

  absl::Status Commit(const Context& ctx) override {
    v1::TransactionRequest request;
    request.mutable_commit();
    return stream_->End(ctx, request, Answer::kCommitted);
  }

  absl::Status Rollback(const Context& ctx) override {
    v1::TransactionRequest request;
    request.mutable_rollback();
    return stream_->End(ctx, request, Answer::kRolledBack);
  }

  void LimitBy(const Context& ctx) override { stream_->Bind(ctx); }

  absl::Status Savepoint(const Context& ctx, std::string_view name) override {
    v1::TransactionRequest request;
    return Named(ctx, name, &request, request.mutable_savepoint());
  }
  absl::Status RollbackTo(const Context& ctx, std::string_view name) override {
    v1::TransactionRequest request;
    return Named(ctx, name, &request, request.mutable_rollback_to());
  }
  absl::Status Release(const Context& ctx, std::string_view name) override {
    v1::TransactionRequest request;
    return Named(ctx, name, &request, request.mutable_release());
  }

 private:
  absl::Status Named(const Context& ctx, std::string_view name, v1::TransactionRequest* request,
                     v1::TransactionRequest::Savepoint* step) {
    if (absl::Status status = CheckUtf8(name, "the savepoint's name"); !status.ok()) return status;
    step->set_name(std::string(name));
    return stream_->Step(ctx, *request, Answer::kDone).status();
  }

  const StreamPointer stream_;
  // The dialect of the transaction's database, once it is known.
  std::optional<sql::Dialect> dialect_;
};

v1::IsolationLevel ToProto(Isolation isolation) {
  switch (isolation) {
    case Isolation::kDefault: break;
    case Isolation::kReadCommitted: return v1::ISOLATION_LEVEL_READ_COMMITTED;
    case Isolation::kRepeatableRead: return v1::ISOLATION_LEVEL_REPEATABLE_READ;
    case Isolation::kSerializable: return v1::ISOLATION_LEVEL_SERIALIZABLE;
  }
  return v1::ISOLATION_LEVEL_UNSPECIFIED;
}

}  // namespace

absl::StatusOr<std::unique_ptr<Transaction>> BeginTransaction(std::shared_ptr<Channel> channel,
                                                              const Context& ctx,
                                                              const TransactionOptions& options) {
  v1::TransactionRequest request;
  v1::TransactionRequest::Begin* begin = request.mutable_begin();
  begin->set_database(channel->config.database);
  begin->set_isolation(ToProto(options.isolation));
  begin->set_read_only(options.read_only);
  if (options.idle_timeout != absl::InfiniteDuration()) {
    ToProto(options.idle_timeout, begin->mutable_idle_timeout());
  }
  if (options.timeout != absl::InfiniteDuration()) {
    ToProto(options.timeout, begin->mutable_timeout());
  }
  if (absl::Status set = SetSettings(ctx, begin); !set.ok()) return set;
  auto stream = std::make_shared<TransactionStream>(std::move(channel));
  if (absl::Status begun = stream->Begin(ctx, request); !begun.ok()) return begun;
  return std::make_unique<StreamTransaction>(std::move(stream));
}

std::unique_ptr<Transaction> LentTransaction(std::shared_ptr<TransactionStream> stream) {
  return std::make_unique<StreamTransaction>(std::move(stream));
}

}  // namespace penstock::internal
