#include "client/cli/migrate.h"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <ostream>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "client/cli/commands.h"
#include "client/cli/encode.h"
#include "client/cli/formatter.h"
#include "client/cli/notices.h"
#include "fmt/format.h"

namespace penstock::cli {
namespace {

namespace fs = std::filesystem;
using State = MigrationStatus::State;

// Versions with this many digits are times.
constexpr size_t kTimestampDigits = 14;
constexpr size_t kDefaultDigits = 4;

std::string Took(absl::Duration duration) {
  if (duration < absl::Seconds(10)) {
    return fmt::format("{:.1f} ms", absl::ToDoubleMilliseconds(duration));
  }
  return absl::FormatDuration(absl::Trunc(duration, absl::Milliseconds(100)));
}

std::string Title(const MigrationStep& step) {
  return fmt::format("{:4} {}", step.down ? "down" : "up",
                     step.file.empty()
                         ? fmt::format("the code step {} '{}'", step.version, step.name)
                         : step.file);
}

void PrintOthers(const std::vector<std::string>& files, std::ostream* err) {
  for (const std::string& file : files) *err << "  ignored: " << Printable(file) << '\n';
}

// Reports the progress of a migration while it runs.
class Reporter {
 public:
  Reporter(Output* out, std::ostream* err, bool dry_run)
      : out_(out), err_(err), dry_run_(dry_run) {}

  void On(const MigrationEvent& event) {
    switch (event.kind) {
      case MigrationEvent::Kind::kWaiting: Slow(event, "waiting for another migrator"); break;
      case MigrationEvent::Kind::kPlan:
        plan_ = event.plan;
        PrintOthers(event.other_files, err_);
        if (dry_run_) PrintPlan();
        break;
      case MigrationEvent::Kind::kStarted: next_ = absl::Seconds(1); break;
      case MigrationEvent::Kind::kProgress:
        Slow(event, fmt::format("{}: statement {} of {}", Title(StepOf(event)), event.statement,
                                event.statements));
        break;
      case MigrationEvent::Kind::kDone:
        PrintNotices(event.notices, err_);
        Print(fmt::format("{}  {}\n", Title(StepOf(event)), Took(event.elapsed)));
        break;
    }
  }

 private:
  const MigrationStep& StepOf(const MigrationEvent& event) const {
    static const MigrationStep kUnknown;
    const auto index = static_cast<size_t>(event.step);
    return index < plan_.size() ? plan_[index] : kUnknown;
  }

  // Reports after 1, 2, 4, 8, … seconds.
  void Slow(const MigrationEvent& event, std::string_view what) {
    if (event.elapsed < next_) return;
    next_ = 2 * std::max(next_, absl::Seconds(1));
    *err_ << "  " << what << ", "
          << absl::FormatDuration(absl::Trunc(event.elapsed, absl::Seconds(1))) << '\n'
          << std::flush;
  }

  // Prints the plan as a script for psql and sqlite3.
  void PrintPlan() {
    for (const MigrationStep& step : plan_) {
      std::string text = fmt::format(
          "-- {}{}{}\n", Title(step), step.transactional ? "" : " (no transaction)",
          step.first_statement > 1 ? fmt::format(" from statement {}", step.first_statement) : "");
      if (step.foreign_keys_off) text += "PRAGMA foreign_keys=OFF;\n";
      const bool transaction = step.transactional && !step.statements.empty();
      if (transaction) text += "BEGIN;\n";
      const auto done = static_cast<size_t>(std::max<int64_t>(step.first_statement - 1, 0));
      for (size_t i = done; i < step.statements.size(); ++i) text += step.statements[i] + ";\n";
      if (transaction) text += "COMMIT;\n";
      if (step.foreign_keys_off) text += "PRAGMA foreign_keys=ON;\n";
      Print(text + "\n");
    }
  }

  // Ignores an error: it must not stop a migration that runs, and the last Flush returns it again.
  void Print(std::string_view text) {
    out_->buffer()->append(text);
    out_->Flush().IgnoreError();
  }

  Output* const out_;
  std::ostream* const err_;
  const bool dry_run_;
  std::vector<MigrationStep> plan_;
  absl::Duration next_ = absl::Seconds(1);
};

std::string_view NameOf(State state) {
  switch (state) {
    case State::kApplied: return "applied";
    case State::kPending: return "pending";
    case State::kGap: return "GAP";
    case State::kChanged: return "CHANGED";
    case State::kMissing: return "MISSING";
    case State::kNewer: return "newer";
    case State::kUnfinished: return "UNFINISHED";
    case State::kResuming: return "resuming";
  }
  return "";
}

std::string NoteOf(const MigrationStatus& migration) {
  const MigrationRecord& record = migration.record;
  switch (migration.state) {
    case State::kGap: return "a later version is applied";
    case State::kChanged: return "the file has changed since it was applied";
    case State::kMissing: return "the file is missing";
    case State::kNewer: return "applied by a newer release";
    case State::kResuming: return fmt::format("continues with statement {}", record.statement);
    case State::kUnfinished:
      return fmt::format("{} at statement {}{}{}", record.down ? "down stopped" : "up stopped",
                         record.statement, record.note.empty() ? "" : ": ", record.note);
    default: return migration.is_code && record.note.empty() ? "code" : record.note;
  }
}

// A version above the range of an integer Value becomes text.
Value VersionValue(uint64_t version) {
  return std::in_range<int64_t>(version) ? Value(version) : Value(std::to_string(version));
}

ExitCode CodeOf(const MigrationReport& report) {
  ExitCode code = report.refusal.ok() ? kExitOk : kExitRefused;
  for (const MigrationStatus& migration : report.migrations) {
    switch (migration.state) {
      case State::kApplied:
      case State::kNewer: break;
      case State::kPending:
      case State::kResuming: code = std::max(code, kExitPending); break;
      default: return kExitRefused;
    }
  }
  return code;
}

bool IsApplied(const MigrationStatus& migration) {
  return migration.state == State::kApplied || migration.state == State::kNewer ||
         migration.state == State::kChanged || migration.state == State::kMissing;
}

std::vector<Value> RowOf(const MigrationStatus& migration) {
  const MigrationRecord& record = migration.record;
  const bool recorded = !record.state.empty();
  return {VersionValue(migration.version),
          migration.name,
          std::string(NameOf(migration.state)),
          recorded
              ? Value(absl::FormatTime("%Y-%m-%d %H:%M:%S", record.applied_at, absl::UTCTimeZone()))
              : Value(),
          recorded ? Value(absl::ToInt64Milliseconds(record.duration)) : Value(),
          NoteOf(migration)};
}

// Says at which version the database is, how many migrations are in each state, and what is wrong.
std::string Summary(const MigrationReport& report) {
  const bool none = std::none_of(report.migrations.begin(), report.migrations.end(), IsApplied);
  std::string text = none ? std::string("no migration is applied")
                          : fmt::format("the database is at version {}", report.version);
  std::string_view before = ": ";
  for (int i = 0; i <= static_cast<int>(State::kResuming); ++i) {
    const auto state = static_cast<State>(i);
    const auto count = std::count_if(
        report.migrations.begin(), report.migrations.end(),
        [state](const MigrationStatus& migration) { return migration.state == state; });
    if (count == 0) continue;
    text += fmt::format("{}{} {}", std::exchange(before, ", "), count, NameOf(state));
  }
  text += '\n';
  if (!report.refusal.ok()) text += "`up` would be refused:\n" + DescribeError(report.refusal);
  return text;
}

// Returns the highest version in the folder as it is written; empty if there is none.
std::string HighestVersion(const fs::path& folder) {
  std::string highest;
  uint64_t most = 0;
  std::error_code error;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder, error)) {
    const std::string name = entry.path().filename().string();
    const size_t digits = std::min(name.find('_'), name.size());
    uint64_t version = 0;
    const auto [end, wrong] = std::from_chars(name.data(), name.data() + digits, version);
    if (wrong != std::errc() || end != name.data() + digits || version < most) continue;
    most = version;
    highest = name.substr(0, digits);
  }
  return highest;
}

std::string NextVersion(const fs::path& folder, bool timestamp) {
  const std::string highest = HighestVersion(folder);
  if (timestamp || highest.size() == kTimestampDigits) {
    const std::string now = absl::FormatTime("%Y%m%d%H%M%S", absl::Now(), absl::UTCTimeZone());
    if (now > highest || highest.size() != kTimestampDigits) return now;
  }
  uint64_t version = 0;
  std::from_chars(highest.data(), highest.data() + highest.size(), version);
  return fmt::format("{:0{}}", version + 1, highest.empty() ? kDefaultDigits : highest.size());
}

}  // namespace

absl::Status RunMigrate(const Options& options, const Context& ctx, Provider* db, Output* out,
                        std::ostream* err) {
  MigrateOptions wanted = options.migrate.options;
  Reporter reporter(out, err, wanted.dry_run);
  wanted.on_event = [&reporter](const MigrationEvent& event) { reporter.On(event); };
  const absl::StatusOr<MigrateResult> result = db->Migrate(ctx, options.migrate.folder, wanted);
  if (!result.ok()) return result.status();
  std::string* text = out->buffer();
  for (const MigrationRecord& record : result->records) {
    *text += fmt::format("recorded: {} {} {} {}\n", record.version, record.name,
                         record.down ? "down" : "up", record.state);
  }
  const size_t steps = wanted.dry_run ? result->plan.size() : static_cast<size_t>(result->steps);
  if (result->records.empty()) {
    if (wanted.dry_run) *text += "-- ";
    *text += steps == 0 ? "nothing to do; "
                        : fmt::format("{} step{}{}; ", steps, steps == 1 ? "" : "s",
                                      wanted.dry_run ? " to run" : "");
  }
  *text += fmt::format("the database is at version {}\n", result->version);
  return out->Flush();
}

absl::Status PrintMigrationStatus(const Options& options, const Context& ctx, Provider* db,
                                  Output* out, std::ostream* err, ExitCode* code) {
  const absl::StatusOr<MigrationReport> report = db->MigrationStatus(ctx, options.migrate.folder);
  if (!report.ok()) return report.status();
  PrintOthers(report->other_files, err);
  const bool table = options.format == OutputFormat::kTable;
  if (table) {
    *out->buffer() += Summary(*report);
  } else {
    *err << Summary(*report);
  }
  const auto listed = [&](const MigrationStatus& migration) {
    return !table || options.migrate.all ||
           (migration.state != State::kApplied && migration.state != State::kNewer);
  };
  if (!table || std::any_of(report->migrations.begin(), report->migrations.end(), listed)) {
    const std::unique_ptr<Formatter> formatter = MakeFormatter(options, out->buffer());
    formatter->Begin({"version", "name", "state", "applied_at", "took_ms", "note"});
    for (const MigrationStatus& migration : report->migrations) {
      if (listed(migration)) formatter->Row(RowOf(migration));
    }
    formatter->End();
  }
  *code = CodeOf(*report);
  return out->Flush();
}

absl::Status NewMigration(const Options& options, Output* out) {
  const fs::path folder(options.migrate.folder);
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) {
    return absl::FailedPreconditionError(
        fmt::format("cannot create {}: {}", folder.string(), error.message()));
  }
  const std::string version = NextVersion(folder, options.migrate.timestamp);
  for (const char* direction : {"up", "down"}) {
    const fs::path file =
        folder / fmt::format("{}_{}.{}.sql", version, options.migrate.name, direction);
    std::ofstream stream(file, std::ios::app);
    stream << "-- " << options.migrate.name << ", " << direction << "\n";
    stream.close();
    if (!stream.good()) {
      return absl::FailedPreconditionError(fmt::format("cannot write {}", file.string()));
    }
    *out->buffer() += file.string() + "\n";
  }
  return out->Flush();
}

}  // namespace penstock::cli
