#include "drivers/postgres/error.h"

#include <algorithm>
#include <iterator>

#include "drivers/api/error.h"
#include "drivers/api/hidden_values.h"
#include "drivers/postgres/cockroach_error.h"
#include "drivers/postgres/sqlstate.h"

namespace penstock::postgres {
namespace {

using driver::Reason;

// The places in the server where errors are made; no language translates them.
constexpr std::string_view kRaise = "exec_stmt_raise";
constexpr std::string_view kParseOne = "exec_parse_message";

bool IsRaised(const ServerError& error) { return error.source_function == kRaise; }

// It tells of the data, or of what may be tried again. What else it could tell, of the
// server, the daemon or the link, a function that raises the code does not know.
bool MayBeRaised(Reason reason) {
  switch (reason) {
    case Reason::kCommitOutcomeUnknown:
    case Reason::kTransactionAborted:
    case Reason::kTransactionIdleTimeout:
    case Reason::kQueryTimeout:
    case Reason::kUnknownDatabase:
    case Reason::kBackendResources:
    case Reason::kDiskFull:
    case Reason::kCorruption:
    case Reason::kIo: return false;
    default: return true;
  }
}

Reason ReasonOf(const ServerError& error, bool cockroach) {
  std::optional<Reason> known = cockroach ? ReasonOfCockroachCode(error.sqlstate) : std::nullopt;
  if (!known.has_value()) known = ReasonOfSqlstate(error.sqlstate);
  // The link has gone, whatever the server gives as its reason.
  if (EndsSession(error, cockroach)) {
    return known == Reason::kTransactionIdleTimeout ? *known : Reason::kConnectionLost;
  }
  if (error.sqlstate == "42601" && error.source_function == kParseOne) {
    return Reason::kMultipleStatements;
  }
  if (!known.has_value()) return Reason::kRaised;
  return IsRaised(error) && !MayBeRaised(*known) ? Reason::kRaised : *known;
}

// Of a missing table: the server has no field for it, but its message has one name in
// quotes, those of its language.
std::string MissingTable(std::string_view message) {
  for (const auto& [open, close] : driver::kQuotes) {
    const size_t begin = message.find(open);
    const size_t end = message.rfind(close);
    if (begin == message.npos || end == message.npos || end < begin + open.size()) continue;
    std::string_view name = message.substr(begin + open.size(), end - begin - open.size());
    // French has spaces that do not break inside its quotes.
    for (const std::string_view space : {" ", "\xC2\xA0", "\xE2\x80\xAF"}) {
      if (name.starts_with(space)) name.remove_prefix(space.size());
      if (name.ends_with(space)) name.remove_suffix(space.size());
    }
    // It came as a parameter, whose number stands there.
    return name.starts_with('$') ? "" : std::string(name);
  }
  return "";
}

// "parameter 2: ", where the server says in passing that it was reading one. That is the
// last line of the context, which ends with "$2", or with "$2 = " and the value, in any
// language.
std::string ParameterOf(std::string_view context) {
  const std::string_view line = context.substr(context.rfind('\n') + 1);
  for (size_t at = line.find(" $"); at != line.npos; at = line.find(" $", at + 1)) {
    const std::string_view rest = line.substr(at + 2);
    const size_t digits = std::min(rest.find_first_not_of("0123456789"), rest.size());
    const std::string_view behind = rest.substr(digits);
    if (digits == 0 || (!behind.empty() && !behind.starts_with(" = "))) continue;
    return "parameter " + std::string(rest.substr(0, digits)) + ": ";
  }
  return "";
}

// Reads a name as the server writes it, in double quotes where it needs them, from `at` on.
// Returns where it ends; `at` if there is none.
size_t ReadName(std::string_view text, size_t at, std::string* name) {
  constexpr std::string_view kPlain = "abcdefghijklmnopqrstuvwxyz_0123456789$";
  if (!text.substr(at).starts_with('"')) {
    const size_t end = std::min(text.find_first_not_of(kPlain, at), text.size());
    *name = text.substr(at, end - at);
    return end;
  }
  for (size_t i = at + 1; i < text.size(); ++i) {
    if (text[i] == '"' && (i + 1 == text.size() || text[++i] != '"')) return i;
    *name += text[i];
  }
  return at;
}

}  // namespace

absl::Status Classify(const ServerError& error, bool cockroach) {
  driver::ErrorInfo info;
  info.sqlstate = error.sqlstate;
  info.schema = error.schema;
  info.table = error.table;
  info.column = error.column;
  info.constraint = error.constraint;
  info.position = error.position;
  info.hint = error.hint;
  info.detail = error.detail;
  Reason reason = ReasonOf(error, cockroach);
  if (cockroach) ExplainCockroachError(error, &reason, &info.hint);
  if (reason == Reason::kMultipleStatements) {
    info.hint = "send one statement a request; scripts belong to migrations";
  }
  if (error.sqlstate == "42P01" && info.table.empty()) info.table = MissingTable(error.message);
  return driver::MakeError(reason, ParameterOf(error.context) + error.message, info);
}

void FindColumn(ServerError* error) {
  constexpr std::string_view kUnique = "23505";
  constexpr std::string_view kExclusion = "23P01";
  const std::string_view detail = error->detail;
  const size_t open = detail.find('(');
  if (!error->column.empty() || open == detail.npos) return;
  if (error->sqlstate != kUnique && error->sqlstate != kExclusion) return;
  std::string name;
  const size_t end = ReadName(detail, open + 1, &name);
  const std::string_view rest = detail.substr(end);
  if (rest.starts_with(", ") || rest.starts_with(")=(")) error->column = name;
}

void HideParameters(const driver::ParameterValues& values, std::string_view sql,
                    ServerError* error) {
  const std::string_view names[] = {error->schema, error->table, error->column, error->constraint};
  // A value that could not be read: the server may quote the part that is wrong.
  const bool parts = error->sqlstate.starts_with("22");
  for (std::string* text : {&error->message, &error->detail, &error->hint}) {
    *text = values.Hide(*text, sql, names, parts);
  }
}

bool EndsSession(const ServerError& error, bool cockroach) {
  if (error.sqlstate.empty()) return false;
  if (error.severity == "FATAL" || error.severity == "PANIC") return true;
  constexpr std::string_view kEnds[] = {"57P01", "57P02", "57P03", "57P04", "57P05"};
  return cockroach && error.severity == "ERROR" && !IsRaised(error) &&
         std::find(std::begin(kEnds), std::end(kEnds), error.sqlstate) != std::end(kEnds);
}

bool IsStalePlan(const ServerError& error) {
  return error.sqlstate == "26000" ||
         // CockroachDB has other functions, and never other words.
         (error.sqlstate == "0A000" &&
          (error.source_function == "RevalidateCachedQuery" ||
           error.message == "cached plan must not change result type"));
}

}  // namespace penstock::postgres
