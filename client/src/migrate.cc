// Migrations: sends the files of a folder over one Migrate stream, follows the daemon's progress,
// and runs the functions of code steps when their turn comes.
#include "client/src/migrate.h"

#include <algorithm>
#include <filesystem>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/ascii.h"
#include "client/src/convert.h"
#include "client/src/format.h"
#include "client/src/methods.h"
#include "client/src/read_file.h"
#include "client/src/status.h"
#include "client/src/stream.h"
#include "client/src/transaction.h"
#include "client/src/transaction_link.h"
#include "client/src/transaction_stream.h"
#include "penstock/internal/v1/migration.pb.h"
#include "penstock/provider.h"

namespace penstock::internal {
namespace {

namespace fs = std::filesystem;
using Action = MigrateOptions::Action;
using Request = v1::MigrateRequest;
using MigrateStream = Stream<v1::MigrateRequest, v1::MigrateResponse>;

// The approximate size of the messages in which files are sent.
constexpr size_t kMessageBytes = size_t{1} << 20;

void SetRepair(Request::Repair::Action action, const MigrateOptions& options,
               Request::Start* start) {
  Request::Repair* repair = start->mutable_repair();
  repair->set_version(options.version);
  repair->set_action(action);
  for (const uint64_t version : options.more_versions) repair->add_more_versions(version);
  repair->set_statement(options.statement);
}

void Announce(const std::vector<CodeMigration>& migrations, Request::Start* start) {
  for (const CodeMigration& code : migrations) {
    v1::CodeStep* step = start->add_code_steps();
    step->set_version(code.version);
    step->set_name(code.name);
    step->set_has_down(code.down != nullptr);
  }
}

void Fill(const MigrateOptions& options, Request::Start* start) {
  switch (options.action) {
    case Action::kUp: start->mutable_up()->set_steps(options.steps); break;
    case Action::kDown: start->mutable_down()->set_steps(options.steps); break;
    case Action::kTo: start->mutable_to()->set_version(options.version); break;
    case Action::kBaseline: start->mutable_baseline()->set_version(options.version); break;
    case Action::kAdopt: start->mutable_adopt(); break;
    case Action::kMarkApplied:
      SetRepair(Request::Repair::ACTION_MARK_APPLIED, options, start);
      break;
    case Action::kMarkNotApplied:
      SetRepair(Request::Repair::ACTION_MARK_NOT_APPLIED, options, start);
      break;
    case Action::kResume: SetRepair(Request::Repair::ACTION_RESUME, options, start); break;
  }
  Announce(options.code, start);
  start->set_dry_run(options.dry_run);
  start->set_allow_gaps(options.allow_gaps);
  if (options.statement_timeout != absl::InfiniteDuration()) {
    ToProto(options.statement_timeout, start->mutable_statement_timeout());
  }
  // A longer timeout is as good as infinite, and would not fit into the message.
  ToProto(std::clamp(options.lock_timeout, absl::ZeroDuration(), absl::Hours(24 * 365)),
          start->mutable_lock_timeout());
}

// Sends `start` and the files in as many messages as necessary. Each file is read when its turn
// comes. Fails if a file cannot be read or is too large for a message. Returns false if the stream
// has broken.
absl::StatusOr<bool> SendAll(Channel* channel, const Request::Start& start,
                             const std::vector<fs::path>& files, MigrateStream* stream) {
  Request request;
  *request.mutable_start() = start;
  size_t bytes = 0;
  const auto send = [&] {
    absl::Status fits = channel->CheckSize(request);
    if (!fits.ok()) return absl::StatusOr<bool>(fits);
    return absl::StatusOr<bool>(stream->Send(request));
  };
  for (const fs::path& path : files) {
    absl::StatusOr<std::string> content = ReadFile(path.string());
    if (!content.ok()) return content.status();
    if (bytes > 0 && bytes + content->size() > kMessageBytes) {
      if (request.has_start()) {
        request.mutable_start()->set_more_files(true);
      } else {
        request.mutable_files()->set_more_files(true);
      }
      absl::StatusOr<bool> sent = send();
      if (!sent.ok() || !*sent) return sent;
      request.Clear();
      request.mutable_files();
      bytes = 0;
    }
    bytes += content->size();
    v1::MigrationFile* file = request.has_start() ? request.mutable_start()->add_files()
                                                  : request.mutable_files()->add_files();
    file->set_name(path.filename().string());
    file->set_content(*std::move(content));
  }
  return send();
}

MigrationStep FromProto(const v1::MigrationStep& from) {
  return {.version = from.version(),
          .name = from.name(),
          .down = from.direction() == v1::MIGRATION_DIRECTION_DOWN,
          .file = from.file(),
          .transactional = from.transactional(),
          .first_statement = from.first_statement(),
          .statements = {from.statements().begin(), from.statements().end()},
          .foreign_keys_off = from.foreign_keys_off()};
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
    event.other_files = {from.plan().other_files().begin(), from.plan().other_files().end()};
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

// Lends a migration's stream to the transaction of a code step.
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

// Runs the function of a code step and tells the daemon its outcome, which is also stored in
// `*outcome`. Fails if the stream has broken.
absl::Status RunCode(const std::shared_ptr<Channel>& channel, const Context& ctx,
                     const MigrationStep& step, const MigrateOptions& options,
                     MigrateStream* stream, absl::Status* outcome) {
  const auto code = std::find_if(
      options.code.begin(), options.code.end(),
      [&step](const CodeMigration& candidate) { return candidate.version == step.version; });
  if (code == options.code.end()) return ProtocolError("the daemon asks for an unknown code step");
  auto link = std::make_shared<TransactionStream>(channel, std::make_unique<CodeLink>(stream, ctx));
  const std::unique_ptr<Transaction> transaction = LentTransaction(link);
  // If the function throws, objects of the transaction may outlive it; they must not use the
  // stream.
  const absl::Cleanup detach = [&link] { link->Detach(); };
  const auto& function = step.down ? code->down : code->up;
  *outcome =
      function != nullptr
          ? function(transaction.get())
          : absl::FailedPreconditionError(Format("the code migration {} has no function for {}",
                                                 step.version, step.down ? "down" : "up"));
  absl::Status ready = link->GiveBack();
  if (!ready.ok()) return ready;
  Request request;
  v1::MigrateRequest::CodeDone* done = request.mutable_code_done();
  if (!outcome->ok()) {
    done->mutable_error()->set_code(static_cast<int>(outcome->code()));
    done->mutable_error()->set_message(std::string(outcome->message()));
  }
  return stream->Send(request) ? absl::OkStatus() : stream->End();
}

// The arguments of one call.
struct Run {
  const MigrateOptions& options;
  const Request::Start& start;
  const std::vector<fs::path>& files;
  // Receives the answer if `start` asks for the status.
  v1::GetStatusResponse* report = nullptr;
};

// Handles the daemon's messages until the result arrives. `*failure` is the error of a function.
absl::StatusOr<MigrateResult> Follow(const std::shared_ptr<Channel>& channel, const Context& ctx,
                                     const Run& run, MigrateStream* stream, absl::Status* failure) {
  const MigrateOptions& options = run.options;
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
    if (response.has_status()) {
      if (run.report != nullptr) run.report->Swap(response.mutable_status());
      continue;
    }
    MigrationEvent event = FromProto(response);
    if (options.on_event) options.on_event(event);
    if (event.kind == MigrationEvent::Kind::kPlan) result.plan = std::move(event.plan);
  }
  return stream->End();
}

// Returns true if repeating the call after it was cut off would do only what is left.
bool GoesOn(const Run& run) {
  const MigrateOptions& options = run.options;
  return run.report != nullptr || options.dry_run || options.action == Action::kTo ||
         (options.action == Action::kUp && options.steps == 0);
}

// `*again` is explained at Settle.
absl::StatusOr<MigrateResult> RunOnce(const std::shared_ptr<Channel>& channel,
                                      const Connection& connection, const Context& ctx,
                                      const Run& run, Again* again) {
  MigrateStream stream(channel, connection, ctx, method::kMigrate);
  // The daemon does nothing before it has all files.
  const absl::StatusOr<bool> sent = SendAll(channel.get(), run.start, run.files, &stream);
  if (!sent.ok()) return sent.status();
  const bool begun = *sent && stream.MaybeSent();
  absl::Status failure;
  absl::StatusOr<MigrateResult> result = begun ? Follow(channel, ctx, run, &stream, &failure)
                                               : absl::StatusOr<MigrateResult>(stream.End());
  // The function's own error says more than the daemon's report of it.
  if (result.ok() || !failure.ok()) return result.ok() ? result : failure;
  if (!begun) return Settle(result.status(), Reach::kNotSent, again);
  // Not repeated here, because the caller's functions and on_event would be called twice.
  return Settle(result.status(), GoesOn(run) ? Reach::kHarmless : Reach::kMaybeSent);
}

// Returns the files of a folder whose names end in ".sql" (in any case), sorted by name. NOT_FOUND
// names the folder that cannot be read.
absl::StatusOr<std::vector<fs::path>> ListMigrations(std::string_view path) {
  std::error_code error;
  std::vector<fs::path> files;
  for (fs::directory_iterator entries(fs::path(path), error);
       !error && entries != fs::directory_iterator(); entries.increment(error)) {
    const fs::path& file = entries->path();
    if (absl::AsciiStrToLower(file.extension().string()) != ".sql") continue;
    // A dangling link is listed, so that it is reported instead of silently skipped.
    std::error_code unknown;
    const bool regular = entries->is_regular_file(unknown);
    if (regular || unknown) files.push_back(file);
  }
  if (error) {
    return absl::NotFoundError(
        internal::Format("cannot read the migrations folder {}: {}", path, error.message()));
  }
  if (files.empty()) {
    return absl::NotFoundError(
        internal::Format("the migrations folder {} has no file that ends in .sql", path));
  }
  std::sort(files.begin(), files.end());
  return files;
}

absl::StatusOr<MigrateResult> RunOver(const std::shared_ptr<Channel>& channel, const Context& ctx,
                                      std::string_view path, const MigrateOptions& options,
                                      Request::Start start, v1::GetStatusResponse* report) {
  absl::Status status = channel->CheckWithoutSettings(ctx);
  if (!status.ok()) return status;
  std::vector<fs::path> files;
  if (!path.empty() || (options.code.empty() && report == nullptr)) {
    absl::StatusOr<std::vector<fs::path>> listed = ListMigrations(path);
    if (!listed.ok()) return listed.status();
    files = *std::move(listed);
  }
  start.set_database(channel->config.database);
  const Run run{.options = options, .start = start, .files = files, .report = report};
  return channel->Call(ctx, [&](const std::shared_ptr<Connection>& connection, Again* again) {
    return RunOnce(channel, *connection, ctx, run, again);
  });
}

MigrationReport FromProto(const v1::GetStatusResponse& from) {
  MigrationReport report;
  report.version = from.version();
  for (const v1::MigrationRecord& record : from.history()) {
    report.history.push_back(FromProto(record));
  }
  for (const v1::MigrationStatus& entry : from.migrations()) {
    // The wire's enumeration has "unspecified" in front.
    const int state = std::max(static_cast<int>(entry.state()) - 1, 0);
    report.migrations.push_back({.version = entry.version(),
                                 .name = entry.name(),
                                 .state = static_cast<MigrationStatus::State>(state),
                                 .file = entry.file(),
                                 .has_down = entry.has_down(),
                                 .record = FromProto(entry.record()),
                                 .is_code = entry.is_code()});
  }
  report.other_files = {from.other_files().begin(), from.other_files().end()};
  if (from.has_refusal()) report.refusal = ToStatus(from.refusal());
  return report;
}

}  // namespace

absl::StatusOr<MigrateResult> RunMigrate(const std::shared_ptr<Channel>& channel,
                                         const Context& ctx, std::string_view path,
                                         const MigrateOptions& options) {
  Request::Start start;
  Fill(options, &start);
  return RunOver(channel, ctx, path, options, std::move(start), nullptr);
}

absl::StatusOr<MigrationReport> RunMigrationStatus(const std::shared_ptr<Channel>& channel,
                                                   const Context& ctx, std::string_view path,
                                                   const std::vector<CodeMigration>& code) {
  MigrateOptions options;
  options.code = code;
  Request::Start start;
  Announce(code, &start);
  start.mutable_status();
  v1::GetStatusResponse report;
  const absl::StatusOr<MigrateResult> result =
      RunOver(channel, ctx, path, options, std::move(start), &report);
  if (!result.ok()) return result.status();
  return FromProto(report);
}

}  // namespace penstock::internal
