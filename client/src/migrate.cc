#include "client/src/migrate.h"

#include <algorithm>
#include <filesystem>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/cleanup/cleanup.h"
#include "client/src/convert.h"
#include "client/src/methods.h"
#include "client/src/read_file.h"
#include "client/src/status.h"
#include "client/src/stream.h"
#include "client/src/transaction.h"
#include "client/src/transaction_link.h"
#include "client/src/transaction_stream.h"
#include "fmt/format.h"
#include "penstock/internal/v1/migration.pb.h"
#include "penstock/provider.h"

namespace penstock::internal {
namespace {

namespace fs = std::filesystem;
using Action = MigrateOptions::Action;
using Request = v1::MigrateRequest;
using MigrateStream = Stream<v1::MigrateRequest, v1::MigrateResponse>;

// Files are sent in messages of about this size.
constexpr size_t kMessageBytes = size_t{1} << 20;

void SetRepair(Request::Repair::Action action, const MigrateOptions& options,
               Request::Start* start) {
  Request::Repair* repair = start->mutable_repair();
  repair->set_version(options.version);
  repair->set_action(action);
  repair->set_statement(options.statement);
}

void Fill(const MigrateOptions& options, Request::Start* start) {
  switch (options.action) {
    case Action::kUp: start->mutable_up()->set_steps(options.steps); break;
    case Action::kDown: start->mutable_down()->set_steps(options.steps); break;
    case Action::kTo: start->mutable_to()->set_version(options.version); break;
    case Action::kBaseline: start->mutable_baseline()->set_version(options.version); break;
    case Action::kMarkApplied:
      SetRepair(Request::Repair::ACTION_MARK_APPLIED, options, start);
      break;
    case Action::kMarkNotApplied:
      SetRepair(Request::Repair::ACTION_MARK_NOT_APPLIED, options, start);
      break;
    case Action::kResume: SetRepair(Request::Repair::ACTION_RESUME, options, start); break;
  }
  for (const CodeMigration& code : options.code) {
    v1::CodeStep* step = start->add_code_steps();
    step->set_version(code.version);
    step->set_name(code.name);
    step->set_has_down(code.down != nullptr);
  }
  start->set_dry_run(options.dry_run);
  start->set_allow_gaps(options.allow_gaps);
  if (options.statement_timeout != absl::InfiniteDuration()) {
    ToProto(options.statement_timeout, start->mutable_statement_timeout());
  }
  // What is longer than that is as good as for ever, and would not fit.
  ToProto(std::clamp(options.lock_timeout, absl::ZeroDuration(), absl::Hours(24 * 365)),
          start->mutable_lock_timeout());
}

// `start` and the files, in as many messages as it takes.
std::vector<Request> Requests(Request::Start start, std::vector<v1::MigrationFile> files) {
  std::vector<Request> requests(1);
  *requests[0].mutable_start() = std::move(start);
  size_t bytes = 0;
  for (v1::MigrationFile& file : files) {
    if (bytes > 0 && bytes + file.content().size() > kMessageBytes) {
      if (requests.size() == 1) {
        requests.back().mutable_start()->set_more_files(true);
      } else {
        requests.back().mutable_files()->set_more_files(true);
      }
      requests.emplace_back().mutable_files();
      bytes = 0;
    }
    bytes += file.content().size();
    *(requests.size() == 1 ? requests.back().mutable_start()->add_files()
                           : requests.back().mutable_files()->add_files()) = std::move(file);
  }
  return requests;
}

MigrationStep FromProto(const v1::MigrationStep& from) {
  return {.version = from.version(),
          .name = from.name(),
          .down = from.direction() == v1::MIGRATION_DIRECTION_DOWN,
          .file = from.file(),
          .transactional = from.transactional(),
          .first_statement = from.first_statement(),
          .statements = {from.statements().begin(), from.statements().end()}};
}

MigrationRecord FromProto(const v1::MigrationRecord& from) {
  return {.version = from.version(),
          .name = from.name(),
          .checksum = from.checksum(),
          .down = from.direction() == v1::MIGRATION_DIRECTION_DOWN,
          .state = from.state(),
          .statement = from.statement(),
          .note = from.note(),
          .applied_at = absl::FromUnixSeconds(from.applied_at().seconds()) +
                        absl::Nanoseconds(from.applied_at().nanos()),
          .duration = internal::FromProto(from.duration())};
}

MigrationEvent FromProto(const v1::MigrateResponse& from) {
  MigrationEvent event;
  if (from.has_waiting()) {
    event.elapsed = internal::FromProto(from.waiting().elapsed());
  } else if (from.has_plan()) {
    event.kind = MigrationEvent::Kind::kPlan;
    for (const v1::MigrationStep& step : from.plan().steps()) event.plan.push_back(FromProto(step));
  } else {
    const v1::MigrateResponse::Step& step = from.step();
    event.kind = step.done()             ? MigrationEvent::Kind::kDone
                 : step.statement() == 0 ? MigrationEvent::Kind::kStarted
                                         : MigrationEvent::Kind::kProgress;
    event.step = step.index();
    event.statement = step.statement();
    event.statements = step.statements();
    event.elapsed = internal::FromProto(step.elapsed());
    event.notices = internal::FromProto(step.notices(), step.notices_dropped());
  }
  return event;
}

// A migration's stream, lent to the transaction of a code step.
class CodeLink final : public TransactionLink {
 public:
  CodeLink(MigrateStream* stream, const Context& ctx) : stream_(stream), ctx_(ctx) {}

  void Enter(const Context& ctx) override { stream_->Enter(ctx); }
  void Leave() override { stream_->Enter(ctx_); }
  void Bind(const Context& ctx) override { stream_->Bind(ctx); }
  bool Send(const v1::TransactionRequest& request) override {
    Request wrapped;
    *wrapped.mutable_transaction() = request;
    return stream_->Send(wrapped);
  }
  bool Receive(v1::TransactionResponse* response) override {
    v1::MigrateResponse wrapped;
    if (!stream_->Receive(&wrapped)) return false;
    response->Swap(wrapped.mutable_transaction());
    return true;
  }
  bool MaybeSent() override { return stream_->MaybeSent(); }
  absl::Status End() override { return stream_->End(); }
  void AwaitEnd() override { stream_->AwaitEnd(); }

 private:
  MigrateStream* const stream_;
  const Context ctx_;
};

// Calls the function of the step and tells the daemon how it ended. Not OK: the stream
// has broken. `*outcome`: what the function returned.
absl::Status RunCode(const std::shared_ptr<Channel>& channel, const Context& ctx,
                     const MigrationStep& step, const MigrateOptions& options,
                     MigrateStream* stream, absl::Status* outcome) {
  const auto code = std::find_if(
      options.code.begin(), options.code.end(),
      [&step](const CodeMigration& candidate) { return candidate.version == step.version; });
  if (code == options.code.end()) return ProtocolError("the daemon asks for an unknown code step");
  auto link = std::make_shared<TransactionStream>(channel, std::make_unique<CodeLink>(stream, ctx));
  const std::unique_ptr<Transaction> transaction = LentTransaction(link);
  // What of the transaction outlives a function that throws must not reach the stream.
  const absl::Cleanup detach = [&link] { link->Detach(); };
  const auto& function = step.down ? code->down : code->up;
  *outcome = function != nullptr ? function(transaction.get())
                                 : absl::FailedPreconditionError("there is no such function");
  absl::Status ready = link->GiveBack();
  if (!ready.ok()) return ready;
  Request request;
  v1::MigrateRequest::CodeDone* done = request.mutable_code_done();
  if (!outcome->ok()) {
    done->mutable_error()->set_code(static_cast<int>(outcome->code()));
    done->mutable_error()->set_message(
        std::string(outcome->message().data(), outcome->message().size()));
  }
  return stream->Send(request) ? absl::OkStatus() : stream->End();
}

// Answers what comes until the result is there. `*failure`: of a function.
absl::StatusOr<MigrateResult> Follow(const std::shared_ptr<Channel>& channel, const Context& ctx,
                                     const MigrateOptions& options, MigrateStream* stream,
                                     absl::Status* failure) {
  MigrateResult result;
  for (v1::MigrateResponse response; stream->Receive(&response);) {
    if (response.has_result()) {
      result.steps = response.result().steps();
      result.version = response.result().version();
      for (const v1::MigrationRecord& record : response.result().records()) {
        result.records.push_back(FromProto(record));
      }
      stream->AwaitEnd();
      return result;
    }
    if (response.has_code_turn()) {
      const auto index = static_cast<size_t>(response.code_turn().index());
      if (index >= result.plan.size()) return ProtocolError("a code step is not in the plan");
      absl::Status status = RunCode(channel, ctx, result.plan[index], options, stream, failure);
      if (!status.ok()) return status;
      continue;
    }
    MigrationEvent event = FromProto(response);
    if (options.on_event) options.on_event(event);
    if (event.kind == MigrationEvent::Kind::kPlan) result.plan = std::move(event.plan);
  }
  return stream->End();
}

// Whether the same call, made again after it was cut off, does what is left and no more.
bool GoesOn(const MigrateOptions& options) {
  return options.dry_run || options.action == Action::kTo ||
         (options.action == Action::kUp && options.steps == 0);
}

// `*again`: see Settle.
absl::StatusOr<MigrateResult> RunOnce(const std::shared_ptr<Channel>& channel,
                                      const Connection& connection, const Context& ctx,
                                      const std::vector<Request>& requests,
                                      const MigrateOptions& options, Again* again) {
  MigrateStream stream(channel, connection, ctx, method::kMigrate);
  bool begun = true;
  for (const Request& request : requests) begun = begun && stream.Send(request);
  // Before all of the files are there, the daemon does nothing.
  begun = begun && stream.MaybeSent();
  absl::Status failure;
  absl::StatusOr<MigrateResult> result = begun ? Follow(channel, ctx, options, &stream, &failure)
                                               : absl::StatusOr<MigrateResult>(stream.End());
  // The function's own error says more than what came back of it.
  if (result.ok() || !failure.ok()) return result.ok() ? result : failure;
  if (!begun) return Settle(result.status(), Reach::kNotSent, again);
  // Events and functions of the caller's do not run twice: that is for him to say.
  return Settle(result.status(), GoesOn(options) ? Reach::kHarmless : Reach::kMaybeSent);
}

}  // namespace

absl::StatusOr<std::vector<v1::MigrationFile>> ReadMigrations(std::string_view path) {
  std::error_code error;
  std::vector<v1::MigrationFile> files;
  for (fs::directory_iterator entries(fs::path(path), error);
       !error && entries != fs::directory_iterator(); entries.increment(error)) {
    const fs::path& file = entries->path();
    if (file.extension() != ".sql") continue;
    // A link to nothing is not a step less.
    std::error_code unknown;
    const bool regular = entries->is_regular_file(unknown);
    if (!regular && !unknown) continue;
    absl::StatusOr<std::string> content = ReadFile(file.string());
    if (!content.ok()) return content.status();
    files.emplace_back().set_name(file.filename().string());
    files.back().set_content(*std::move(content));
  }
  if (error) {
    return absl::NotFoundError(
        fmt::format("cannot read the folder of migrations {}: {}", path, error.message()));
  }
  std::sort(files.begin(), files.end(),
            [](const auto& a, const auto& b) { return a.name() < b.name(); });
  return files;
}

absl::StatusOr<MigrateResult> RunMigrate(const std::shared_ptr<Channel>& channel,
                                         const Context& ctx, std::string_view path,
                                         const MigrateOptions& options) {
  absl::Status status = channel->Check(ctx);
  if (!status.ok()) return status;
  absl::StatusOr<std::vector<v1::MigrationFile>> files = path.empty() && !options.code.empty()
                                                             ? std::vector<v1::MigrationFile>()
                                                             : ReadMigrations(path);
  if (!files.ok()) return files.status();
  Request::Start start;
  start.set_database(channel->config.database);
  Fill(options, &start);
  const std::vector<Request> requests = Requests(std::move(start), *std::move(files));
  for (const Request& request : requests) {
    status = channel->CheckSize(request);
    if (!status.ok()) return status;
  }
  return channel->Call(ctx, [&](const std::shared_ptr<Connection>& connection, Again* again) {
    return RunOnce(channel, *connection, ctx, requests, options, again);
  });
}

MigrationReport FromProto(const v1::GetStatusResponse& from) {
  MigrationReport report;
  report.version = from.version();
  for (const v1::MigrationRecord& record : from.history()) {
    report.history.push_back(FromProto(record));
  }
  for (const v1::MigrationStatus& entry : from.migrations()) {
    // The wire's states begin with "unspecified".
    const int state = std::max(static_cast<int>(entry.state()) - 1, 0);
    report.migrations.push_back({.version = entry.version(),
                                 .name = entry.name(),
                                 .state = static_cast<MigrationStatus::State>(state),
                                 .file = entry.file(),
                                 .has_down = entry.has_down(),
                                 .record = FromProto(entry.record())});
  }
  return report;
}

}  // namespace penstock::internal
