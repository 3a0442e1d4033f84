#include "penstock/provider.h"

#include <algorithm>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "client/src/cancellation.h"
#include "client/src/channel.h"
#include "client/src/convert.h"
#include "client/src/dialect.h"
#include "client/src/exec.h"
#include "client/src/key_value.h"
#include "client/src/methods.h"
#include "client/src/migrate.h"
#include "client/src/pipes.h"
#include "client/src/query.h"
#include "client/src/statement.h"
#include "client/src/status.h"
#include "client/src/tls_link.h"
#include "client/src/transaction.h"
#include "client/src/unary.h"
#include "penstock/errors.h"
#include "penstock/internal/v1/admin.pb.h"
#include "penstock/internal/v1/migration.pb.h"

namespace penstock {
namespace internal {
namespace {

constexpr absl::Duration kConnectTimeout = absl::Seconds(10);
// The pause between two attempts of Connect.
constexpr absl::Duration kConnectPause = absl::Milliseconds(20);
// The limit of each step of examining TLS. All steps together take at most this part of the time
// that is left.
constexpr absl::Duration kLookAtTls = absl::Seconds(1);
constexpr int kPartForTls = 8;

class DaemonProvider final : public Provider {
 public:
  explicit DaemonProvider(std::shared_ptr<Channel> channel)
      : parts_(new Parts(std::move(channel))) {
    channel_->Keep(idle_);
  }
  ~DaemonProvider() override {
    if (!channel_->forked()) delete parts_;
  }

  absl::Status Connect(const Context& ctx) override {
    const bool limited = ctx.deadline() != absl::InfiniteFuture();
    const Context until = limited ? ctx : ctx.WithTimeout(kConnectTimeout);
    absl::Status cause;
    for (;;) {
      bool lost = false;
      absl::Status status = Ask(until, &lost).status();
      // Any other error does not come from a missing daemon, and is final. A daemon that is still
      // starting is tried again.
      if (!lost) return IsTimeout(status) && !cause.ok() ? TimedOut(limited, cause) : status;
      if (absl::Status tls = TlsFailure(until); !tls.ok()) return tls;
      cause = std::move(status);
      const absl::Time next = absl::Now() + kConnectPause;
      if (next >= until.deadline()) return TimedOut(limited, cause);
      if (ctx.cancellation()->WaitUntil(next)) return channel_->CheckQuery(ctx);
    }
  }

  absl::Status Close() override {
    channel_->open.Cancel();
    exec_.Close();
    idle_->EndAll();
    return absl::OkStatus();
  }

  absl::Status Ping(const Context& ctx) override { return Ask(ctx).status(); }
  absl::StatusOr<PingInfo> Inspect(const Context& ctx) override { return Ask(ctx); }
  absl::StatusOr<sql::Dialect> Dialect(const Context& ctx) override {
    return AskDialect(channel_, ctx);
  }

  absl::StatusOr<std::unique_ptr<penstock::Transaction>> Transaction(
      const Context& ctx, const TransactionOptions& options) override {
    return BeginTransaction(channel_, ctx, options);
  }

  absl::StatusOr<std::unique_ptr<Rows>> QueryArgs(const Context& ctx, std::string_view sql,
                                                  Args args) override {
    return RunQuery(channel_, pipes_, ctx, sql, args);
  }
  Async<std::unique_ptr<Rows>> QueryArgsAsync(const Context& ctx, std::string_view sql,
                                              Args args) override {
    return RunQueryAsync(pipes_, ctx, sql, args);
  }

  absl::StatusOr<Result> ExecArgs(const Context& ctx, std::string_view sql, Args args) override {
    v1::PipelineRequest::Call call;
    absl::Status status = Fill(sql, args, call.mutable_exec());
    if (!status.ok()) return status;
    return RunExec(ctx, &call);
  }
  Async<Result> ExecArgsAsync(const Context& ctx, std::string_view sql, Args args) override {
    v1::PipelineRequest::Call call;
    absl::Status status = Fill(sql, args, call.mutable_exec());
    return RunExecAsync(ctx, std::move(status), &call);
  }

  absl::StatusOr<Result> ExecRows(const Context& ctx, std::string_view sql,
                                  std::vector<Args> rows) override {
    v1::PipelineRequest::Call call;
    absl::Status status = Fill(sql, rows, call.mutable_exec());
    if (!status.ok()) return status;
    // On the wire, no rows would mean one run without arguments.
    if (rows.empty()) return Result();
    return RunExec(ctx, &call);
  }
  Async<Result> ExecRowsAsync(const Context& ctx, std::string_view sql,
                              std::vector<Args> rows) override {
    v1::PipelineRequest::Call call;
    absl::Status status = Fill(sql, rows, call.mutable_exec());
    if (status.ok() && rows.empty()) {
      return Async<Result>(std::make_shared<KnownCall<Result>>(pipes_->loop(), Result()));
    }
    return RunExecAsync(ctx, std::move(status), &call);
  }

  std::vector<absl::StatusOr<Result>> ExecBatch(const Context& ctx,
                                                std::vector<BatchStatement> batch) override {
    return RunBatch(batch,
                    [&](auto* requests, auto* outcomes) { exec_.RunAll(ctx, requests, outcomes); });
  }

  std::vector<absl::StatusOr<Result>> ExecUntilFailure(const Context& ctx,
                                                       std::vector<BatchStatement> batch) override {
    return RunBatch(batch, [&](auto* requests, auto* outcomes) {
      exec_.RunUntilFailure(ctx, requests, outcomes);
    });
  }

  absl::StatusOr<std::unique_ptr<Statement>> Prepare(const Context& ctx,
                                                     std::string_view sql) override {
    return PrepareStatement(channel_, idle_, pipes_, ctx, sql);
  }
  Async<std::unique_ptr<Statement>> PrepareAsync(const Context& ctx,
                                                 std::string_view sql) override {
    return PrepareStatementAsync(channel_, idle_, pipes_, ctx, sql);
  }

  std::unique_ptr<penstock::KeyValue> KeyValue(std::string_view keyspace) override {
    return MakeKeyValue(channel_, pipes_, std::string(keyspace));
  }

  absl::Status Migrate(const Context& ctx, std::string_view path) override {
    return Migrate(ctx, path, MigrateOptions()).status();
  }

  absl::StatusOr<MigrateResult> Migrate(const Context& ctx, std::string_view path,
                                        const MigrateOptions& options) override {
    return RunMigrate(channel_, ctx, path, options);
  }

  absl::StatusOr<MigrationReport> MigrationStatus(const Context& ctx,
                                                  std::string_view path) override {
    return RunMigrationStatus(channel_, ctx, path, {});
  }

  absl::StatusOr<MigrationReport> MigrationStatus(const Context& ctx, std::string_view path,
                                                  const std::vector<CodeMigration>& code) override {
    return RunMigrationStatus(channel_, ctx, path, code);
  }

  absl::StatusOr<std::vector<DatabaseInfo>> ListDatabases(const Context& ctx) override {
    v1::ListDatabasesResponse response;
    absl::Status status = Read(ctx, method::kListDatabases, v1::ListDatabasesRequest(), &response);
    if (!status.ok()) return status;
    std::vector<DatabaseInfo> databases;
    for (const v1::Database& database : response.databases()) {
      databases.push_back({.name = database.name(),
                           .driver = database.driver(),
                           .is_default = database.is_default()});
    }
    return databases;
  }

 private:
  static absl::Status Fill(std::string_view sql, const Args& args, v1::ExecRequest* request) {
    absl::Status status = CheckSql(sql);
    if (status.ok()) status = ToProto(args, request->mutable_args());
    request->set_sql(std::string(sql));
    return status;
  }

  static absl::Status Fill(std::string_view sql, const std::vector<Args>& rows,
                           v1::ExecRequest* request) {
    absl::Status status = Fill(sql, Args(), request);
    return status.ok() ? ToProto(rows, request->mutable_rows()) : status;
  }

  // Runs a call whose `exec` has a statement and its arguments.
  absl::StatusOr<Result> RunExec(const Context& ctx, v1::PipelineRequest::Call* call) {
    absl::Status status = channel_->Check(ctx);
    if (status.ok()) status = SetSettings(ctx, call->mutable_exec());
    if (!status.ok()) return status;
    call->mutable_exec()->set_database(channel_->config.database);
    SetTimeout(ctx, call->mutable_exec());
    if (auto first = pipes_->TryRun(ctx, /*writes=*/true, call)) {
      if (!first->ok()) return first->status();
      return ExecutedOf((*first)->answer);
    }
    return exec_.Run(ctx, call->mutable_exec());
  }
  Async<Result> RunExecAsync(const Context& ctx, absl::Status filled,
                             v1::PipelineRequest::Call* call) {
    if (filled.ok()) filled = SetSettings(ctx, call->mutable_exec());
    if (!filled.ok()) return pipes_->FailAsync<Result>(std::move(filled));
    call->mutable_exec()->set_database(channel_->config.database);
    SetTimeout(ctx, call->mutable_exec());
    return pipes_->RunAsync<Result>(ctx, MakePipeRequest(*channel_, ctx, /*writes=*/true, call),
                                    [](const std::shared_ptr<Pipes>&, const PipeFirst& first,
                                       const AsyncExecutor&) { return ExecutedOf(first.answer); });
  }
  static absl::StatusOr<Result> ExecutedOf(const v1::PipelineResponse::Answer& answer) {
    if (!answer.has_executed()) return ProtocolError("an empty answer to a statement");
    return FromProto(answer.executed());
  }

  template <typename Run>
  static std::vector<absl::StatusOr<Result>> RunBatch(const std::vector<BatchStatement>& batch,
                                                      Run run) {
    std::vector<v1::ExecRequest> requests(batch.size());
    std::vector<absl::StatusOr<Result>> outcomes(batch.size(), Result());
    for (size_t i = 0; i < batch.size(); ++i) {
      absl::Status status = Fill(batch[i].sql, batch[i].args, &requests[i]);
      if (!status.ok()) outcomes[i] = status;
    }
    run(&requests, &outcomes);
    return outcomes;
  }

  // Makes a call that changes nothing, within the limits of `ctx`. `*lost` is set if no daemon was
  // found, or its connection was lost.
  template <typename Request, typename Response>
  absl::Status Read(const Context& ctx, const char* method, const Request& request,
                    Response* response, bool* lost = nullptr) {
    if (absl::Status status = channel_->CheckQuery(ctx); !status.ok()) return status;
    return channel_->Call(ctx, [&](const std::shared_ptr<Connection>& connection, Again* again) {
      // The request has no field for the time that is left, so the call's own deadline tells the
      // daemon, without a grace.
      absl::Status status = TryUnary(channel_, *connection, ctx, ctx.deadline(), /*writes=*/false,
                                     method, request, response, again);
      if (lost != nullptr) *lost = *again != Again::kNo;
      return status;
    });
  }

  // Returns an error if the connection fails because of TLS, in which case no further attempt can
  // succeed. gRPC itself says no more than "Socket closed".
  absl::Status TlsFailure(const Context& until) const {
    const absl::Duration part = (until.deadline() - absl::Now()) / kPartForTls;
    if (part <= absl::ZeroDuration()) return absl::OkStatus();
    const std::string why = ExplainTlsFailure(channel_->config, std::min(part, kLookAtTls));
    if (why.empty()) return absl::OkStatus();
    return MakeError(absl::StatusCode::kUnavailable, why, {.reason = "CONNECTION_FAILED"});
  }

  // The error of a Connect that did not succeed. It has the cause and, if the caller has set a
  // deadline, says that it has passed.
  static absl::Status TimedOut(bool limited, const absl::Status& cause) {
    if (!limited) return cause;
    const absl::Status passed = CallDeadlinePassed();
    return MakeError(passed.code(), absl::StrCat(passed.message(), "; ", cause.message()),
                     GetErrorDetails(cause));
  }

  absl::StatusOr<PingInfo> Ask(const Context& ctx, bool* lost = nullptr) {
    v1::PingRequest request;
    request.set_database(channel_->config.database);
    v1::PingResponse response;
    const absl::Time begin = absl::Now();
    absl::Status status = Read(ctx, method::kPing, request, &response, lost);
    if (!status.ok()) return status;
    const v1::Capabilities& capabilities = response.capabilities();
    return PingInfo{.database = response.database(),
                    .driver = response.driver(),
                    .dialect = response.dialect(),
                    .server_version = response.server_version(),
                    .backend_round_trip = FromProto(response.round_trip()),
                    .round_trip = absl::Now() - begin,
                    .last_insert_id = capabilities.last_insert_id(),
                    .returning = capabilities.returning(),
                    .savepoints = capabilities.savepoints(),
                    .transactional_ddl = capabilities.transactional_ddl(),
                    .arrays = capabilities.arrays(),
                    .single_writer = capabilities.single_writer(),
                    .staleness = capabilities.staleness(),
                    .read_committed = capabilities.read_committed(),
                    .settings = capabilities.settings()};
  }

  struct Parts {
    explicit Parts(std::shared_ptr<Channel> to_daemon)
        : channel(std::move(to_daemon)), exec(channel, idle) {}
    const std::shared_ptr<Channel> channel;
    const std::shared_ptr<IdleStreams> idle = std::make_shared<IdleStreams>();
    const std::shared_ptr<Pipes> pipes = std::make_shared<Pipes>(channel);
    ExecRunner exec;
  };

  // Leaked in a forked process; see Channel::forked.
  Parts* const parts_;
  const std::shared_ptr<Channel>& channel_ = parts_->channel;
  const std::shared_ptr<IdleStreams>& idle_ = parts_->idle;
  const std::shared_ptr<Pipes>& pipes_ = parts_->pipes;
  ExecRunner& exec_ = parts_->exec;
};

}  // namespace
}  // namespace internal

absl::StatusOr<std::unique_ptr<Provider>> New(const Config& config) {
  absl::StatusOr<std::shared_ptr<internal::Channel>> channel = internal::Channel::Make(config);
  if (!channel.ok()) return channel.status();
  return std::make_unique<internal::DaemonProvider>(*std::move(channel));
}

}  // namespace penstock
