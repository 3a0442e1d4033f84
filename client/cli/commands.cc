#include "client/cli/commands.h"

#include <iterator>
#include <ostream>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "client/cli/arguments.h"
#include "client/cli/formatter.h"
#include "client/cli/gen.h"
#include "client/cli/key_value.h"
#include "client/cli/migrate.h"
#include "client/cli/notices.h"
#include "client/cli/secret.h"
#include "client/cli/token.h"
#include "client/src/read_file.h"
#include "client/src/tls_link.h"
#include "client/src/token_source.h"
#include "fmt/format.h"
#include "penstock/context.h"
#include "penstock/errors.h"

namespace penstock::cli {
namespace {

// How long the examination of a connection that failed may take.
constexpr absl::Duration kLookingAtTheLink = absl::Seconds(3);

using Table = std::vector<std::vector<Value>>;

// How a command ended, and the exit code of the process.
struct Outcome {
  absl::Status status;
  ExitCode code = kExitOk;
  // The statement, if the command has run one.
  std::string sql = {};
};

Outcome Ended(absl::Status status) {
  const ExitCode code = status.ok()                       ? kExitOk
                        : penstock::IsUnavailable(status) ? kExitUnreachable
                                                          : kExitFailed;
  return {std::move(status), code};
}

// The outcome of a call that only reaches the daemon and the database. If it times out, they could
// not be reached.
Outcome Unreached(absl::Status status) {
  const bool unreachable = penstock::IsUnavailable(status) || IsTimeout(status);
  return {std::move(status), unreachable ? kExitUnreachable : kExitFailed};
}

Config ConfigOf(const Options& options) {
  return {.target = options.target,
          .database = options.database,
          .tls = {.ca_file = options.tls_ca,
                  .cert_file = options.tls_cert,
                  .key_file = options.tls_key},
          .token = options.token};
}

bool NeedsDaemon(Command command) {
  return command != Command::kNewMigration && command != Command::kNewToken &&
         command != Command::kCheckToken && command != Command::kSecret;
}

Context ContextOf(const Options& options) { return Context().WithTimeout(options.timeout); }

absl::Status WriteTable(const Options& options, const std::vector<std::string>& columns,
                        const Table& rows, Output* out) {
  const std::unique_ptr<Formatter> formatter = MakeFormatter(options, out->buffer());
  formatter->Begin(columns);
  for (const std::vector<Value>& row : rows) formatter->Row(row);
  formatter->End();
  return out->Flush();
}

absl::Status WriteResult(const Options& options, const Result& result, Output* out) {
  const absl::StatusOr<int64_t> id = result.LastInsertId();
  if (options.format != OutputFormat::kTable) {
    return WriteTable(options, {"rows_affected", "last_insert_id"},
                      {{result.RowsAffected(), id.ok() ? Value(*id) : Value()}}, out);
  }
  fmt::format_to(std::back_inserter(*out->buffer()), "{} row{} affected", result.RowsAffected(),
                 result.RowsAffected() == 1 ? "" : "s");
  if (id.ok()) fmt::format_to(std::back_inserter(*out->buffer()), ", last insert id {}", *id);
  out->buffer()->push_back('\n');
  return out->Flush();
}

absl::Status WriteRows(const Options& options, Rows* rows, Output* out, std::ostream* err) {
  const std::unique_ptr<Formatter> formatter = MakeFormatter(options, out->buffer());
  formatter->Begin(rows->Columns());
  while (rows->Next()) {
    formatter->Row(rows->Values());
    if (absl::Status written = out->MaybeFlush(); !written.ok()) return written;
  }
  if (rows->Err().ok()) formatter->End();
  const absl::Status written = out->Flush();
  PrintNotices(rows->BackendNotices(), err);
  return rows->Err().ok() ? written : rows->Err();
}

// Reads a statement that returns no columns, and writes what it did.
absl::Status WriteSummary(const Options& options, Rows* rows, Output* out, std::ostream* err) {
  while (rows->Next()) {
  }
  if (!rows->Err().ok()) return rows->Err();
  PrintNotices(rows->BackendNotices(), err);
  return WriteResult(options, Result(rows->RowsAffected()), out);
}

Outcome Ping(const Options& options, Provider* db, Output* out) {
  const absl::StatusOr<PingInfo> ping = db->Inspect(ContextOf(options));
  if (!ping.ok()) return Unreached(ping.status());
  return Ended(WriteTable(
      options, {"database", "driver", "dialect", "version", "backend_ms", "round_trip_ms"},
      {{ping->database, ping->driver, ping->dialect, ping->server_version,
        absl::ToDoubleMilliseconds(ping->backend_round_trip),
        absl::ToDoubleMilliseconds(ping->round_trip)}},
      out));
}

Outcome Databases(const Options& options, Provider* db, Output* out) {
  const absl::StatusOr<std::vector<DatabaseInfo>> databases = db->ListDatabases(ContextOf(options));
  if (!databases.ok()) return Unreached(databases.status());
  Table rows;
  for (const DatabaseInfo& database : *databases) {
    rows.push_back({database.name, database.driver, database.is_default});
  }
  return Ended(WriteTable(options, {"name", "driver", "default"}, rows, out));
}

// The outcome of a command that changes the schema.
Outcome EndedMigration(absl::Status status) {
  Outcome outcome = Ended(std::move(status));
  if (GetErrorDetails(outcome.status).reason == "MIGRATION_REFUSED") outcome.code = kExitRefused;
  return outcome;
}

Outcome Migrate(const Options& options, Provider* db, const Streams& streams) {
  if (options.command == Command::kNewMigration) return Ended(NewMigration(options, streams.out));
  const Context ctx = ContextOf(options);
  // Ping first, because it fails at once if there is no daemon, while Connect would wait.
  if (absl::Status reached = db->Ping(ctx); !reached.ok()) return Unreached(reached);
  if (options.command == Command::kMigrate) {
    return EndedMigration(RunMigrate(options, ctx, db, streams.out, streams.err));
  }
  ExitCode code = kExitOk;
  Outcome outcome =
      EndedMigration(PrintMigrationStatus(options, ctx, db, streams.out, streams.err, &code));
  if (outcome.status.ok()) outcome.code = code;
  return outcome;
}

absl::Status RunStatement(const Options& options, const Context& ctx, const std::string& sql,
                          const std::vector<Value>& args, Provider* db, const Streams& streams) {
  if (options.command == Command::kExec) {
    const absl::StatusOr<Result> result = db->ExecArgs(ctx, sql, args);
    if (!result.ok()) return result.status();
    PrintNotices(result->BackendNotices(), streams.err);
    return WriteResult(options, *result, streams.out);
  }
  const absl::StatusOr<std::unique_ptr<Rows>> rows = db->QueryArgs(ctx, sql, args);
  if (!rows.ok()) return rows.status();
  return (*rows)->Columns().empty() ? WriteSummary(options, rows->get(), streams.out, streams.err)
                                    : WriteRows(options, rows->get(), streams.out, streams.err);
}

Outcome Statement(const Options& options, Provider* db, const Streams& streams) {
  const absl::StatusOr<std::vector<Value>> args = ParseArguments(options.args);
  if (!args.ok()) return {args.status(), kExitUsage};
  const absl::StatusOr<std::string> sql = options.sql == "-"
                                              ? internal::ReadAll(streams.in, "standard input")
                                              : absl::StatusOr<std::string>(options.sql);
  if (!sql.ok()) return {sql.status(), kExitUsage};

  Context ctx = ContextOf(options);
  for (const auto& [name, value] : options.settings) ctx = ctx.WithSetting(name, value);
  // Ping first, because it fails at once if there is no daemon, while Connect would wait.
  if (absl::Status reached = db->Ping(ctx); !reached.ok()) return Unreached(reached);
  Outcome outcome = Ended(RunStatement(options, ctx, *sql, *args, db, streams));
  outcome.sql = *sql;
  return outcome;
}

Outcome KeyValue(const Options& options, Provider* db, const Streams& streams) {
  const absl::StatusOr<KeyAndValue> given = ReadKeyAndValue(options, streams.in);
  if (!given.ok()) return {given.status(), kExitUsage};
  const Context ctx = ContextOf(options);
  // Ping first, because it fails at once if there is no daemon, while Connect would wait.
  if (absl::Status reached = db->Ping(ctx); !reached.ok()) return Unreached(reached);
  return Ended(RunKeyValue(options, *given, ctx, db, streams.out));
}

Outcome Gen(const Options& options, Provider* db, const Streams& streams) {
  const absl::StatusOr<std::string> checked = ReadCheckedFile(options);
  if (!checked.ok()) return {checked.status(), kExitUsage};
  const Context ctx = ContextOf(options);
  // Ping first, because it fails at once if there is no daemon, while Connect would wait.
  if (absl::Status reached = db->Ping(ctx); !reached.ok()) return Unreached(reached);
  ExitCode code = kExitOk;
  Outcome outcome = Ended(RunGen(options, *checked, ctx, db, streams.out, streams.err, &code));
  if (outcome.status.ok()) outcome.code = code;
  return outcome;
}

Outcome CheckToken(const Options& options, const Streams& streams) {
  const absl::StatusOr<std::string> text = internal::ReadAll(streams.in, "standard input");
  if (!text.ok()) return {text.status(), kExitUsage};
  const absl::StatusOr<TokenDigest> token = DigestToken(internal::FirstLine(*text));
  if (!token.ok()) return Ended(token.status());
  return Ended(WriteTable(options, {"id", "sha256"}, {{token->id, token->sha256}}, streams.out));
}

Outcome Secret(const Options& options, const Streams& streams) {
  absl::StatusOr<SecretInputs> inputs = ReadSecretInputs(options, streams.in);
  if (!inputs.ok()) return {inputs.status(), kExitUsage};
  return Ended(RunSecret(options, *std::move(inputs), streams.out));
}

Outcome Run(const Options& options, Provider* db, const Streams& streams) {
  switch (options.command) {
    case Command::kPing: return Ping(options, db, streams.out);
    case Command::kDatabases: return Databases(options, db, streams.out);
    case Command::kKeyValue: return KeyValue(options, db, streams);
    case Command::kGen: return Gen(options, db, streams);
    case Command::kMigrate:
    case Command::kMigrationStatus:
    case Command::kNewMigration: return Migrate(options, db, streams);
    case Command::kNewToken:
      return Ended(RunNewToken(options.new_token, absl::Now(), streams.out, streams.err));
    case Command::kCheckToken: return CheckToken(options, streams);
    case Command::kSecret: return Secret(options, streams);
    case Command::kQuery:
    case Command::kExec: break;
  }
  return Statement(options, db, streams);
}

}  // namespace

absl::StatusOr<std::unique_ptr<Provider>> MakeProvider(const Options& options) {
  if (!NeedsDaemon(options.command)) return nullptr;
  Config config = ConfigOf(options);
  if (!options.token_file.empty()) {
    // Read here and not by the provider: a file that cannot be read is a wrong command line.
    absl::StatusOr<std::string> token = internal::ReadToken(options.token_file);
    if (!token.ok()) return token.status();
    config.token = *std::move(token);
  }
  return New(config);
}

ExitCode RunCommand(const Options& options, Provider* db, const Streams& streams) {
  const Outcome outcome = Run(options, db, streams);
  if (outcome.status.ok()) return outcome.code;
  *streams.err << DescribeError(outcome.status, outcome.sql);
  if (penstock::IsUnavailable(outcome.status)) {
    const std::string link = internal::ExplainTlsFailure(ConfigOf(options), kLookingAtTheLink);
    if (!link.empty()) *streams.err << DescribeLink(link);
  }
  return outcome.code;
}

}  // namespace penstock::cli
