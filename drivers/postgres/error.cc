#include "drivers/postgres/error.h"

#include "drivers/api/error.h"

namespace penstock::postgres {
namespace {

using driver::Reason;

bool Has(std::string_view text, std::string_view words) {
  return text.find(words) != std::string_view::npos;
}

// A whole SQLSTATE, or the two letters of its class.
struct Entry {
  std::string_view sqlstate;
  Reason reason;
};
// The first that fits counts, so that single codes stand before their class.
constexpr Entry kReasons[] = {
    {"23505", Reason::kUniqueViolation},
    {"23503", Reason::kForeignKeyViolation},
    {"23514", Reason::kCheckViolation},
    {"23502", Reason::kNotNullViolation},
    {"23", Reason::kConstraintViolation},
    {"40001", Reason::kSerializationFailure},
    {"40P01", Reason::kDeadlock},
    {"40003", Reason::kCommitOutcomeUnknown},
    {"40", Reason::kSerializationFailure},
    {"55P03", Reason::kBusy},
    {"55006", Reason::kBusy},
    {"25P02", Reason::kTransactionAborted},
    {"25P03", Reason::kTransactionIdleTimeout},
    {"25006", Reason::kReadOnly},
    {"25001", Reason::kUnsupported},
    {"53100", Reason::kDiskFull},
    {"53", Reason::kBackendResources},
    {"54", Reason::kLimitExceeded},
    {"57014", Reason::kCancelled},
    {"57P01", Reason::kConnectionLost},
    {"57P02", Reason::kConnectionLost},
    {"57P03", Reason::kConnectionFailed},
    {"57P05", Reason::kConnectionLost},
    {"08", Reason::kConnectionLost},
    {"28", Reason::kBackendCredentials},
    {"42501", Reason::kBackendCredentials},
    {"42P01", Reason::kUndefinedTable},
    {"3D000", Reason::kUnknownDatabase},
    {"3F000", Reason::kUndefinedTable},
    {"42804", Reason::kInvalidParameter},
    {"42P18", Reason::kInvalidParameter},
    {"42P02", Reason::kInvalidParameter},
    {"42", Reason::kSyntax},
    {"22", Reason::kDataException},
    {"0A", Reason::kUnsupported},
    {"26", Reason::kConnectionLost},
    {"3B001", Reason::kInvalidParameter},
    {"58030", Reason::kIo},
    {"58", Reason::kIo},
    {"XX001", Reason::kCorruption},
    {"XX002", Reason::kCorruption},
    // RAISE in a function of the user's.
    {"P0", Reason::kDataException},
};

Reason ReasonOf(const ServerError& error) {
  if (error.sqlstate == "42601" && Has(error.message, "multiple commands")) {
    return Reason::kMultipleStatements;
  }
  if (error.sqlstate == kQueryCancelled && Has(error.message, "timeout")) {
    return Reason::kQueryTimeout;
  }
  for (const Entry& entry : kReasons) {
    if (std::string_view(error.sqlstate).starts_with(entry.sqlstate)) return entry.reason;
  }
  return Reason::kIo;
}

// "invalid input syntax for type integer: "abc"": what stands in quotes after a
// colon is the value.
std::string WithoutValue(const ServerError& error) {
  const bool quotes = error.sqlstate.starts_with("22");
  const size_t value = error.message.find(": \"");
  return quotes && value != std::string::npos ? error.message.substr(0, value) : error.message;
}

// "relation "users" does not exist": the server has no field for it.
std::string MissingTable(std::string_view message) {
  const size_t open = message.find('"');
  const size_t close = message.rfind('"');
  return open < close ? std::string(message.substr(open + 1, close - open - 1)) : "";
}

// "parameter 2: ", where the server says so in passing.
std::string ParameterOf(std::string_view context) {
  const size_t at = context.find("parameter $");
  if (at == std::string_view::npos) return "";
  const std::string_view rest = context.substr(at + std::string_view("parameter $").size());
  const size_t end = rest.find_first_not_of("0123456789");
  return "parameter " + std::string(rest.substr(0, end)) + ": ";
}

}  // namespace

absl::Status Classify(const ServerError& error) {
  driver::ErrorInfo info;
  info.sqlstate = error.sqlstate;
  info.schema = error.schema;
  info.table = error.table;
  info.column = error.column;
  info.constraint = error.constraint;
  info.position = error.position;
  info.hint = error.hint;
  const Reason reason = ReasonOf(error);
  if (reason == Reason::kMultipleStatements) {
    info.hint = "send one statement a request; scripts belong to migrations";
  }
  if (error.sqlstate == "42P01") info.table = MissingTable(error.message);
  return driver::MakeError(reason, ParameterOf(error.context) + WithoutValue(error), info);
}

bool EndsSession(const ServerError& error) {
  return !error.sqlstate.empty() && (error.severity == "FATAL" || error.severity == "PANIC");
}

bool IsStalePlan(const ServerError& error) {
  return error.sqlstate == "26000" ||
         // CockroachDB has other functions, and never other words.
         (error.sqlstate == "0A000" && (error.routine == "RevalidateCachedQuery" ||
                                        error.message == "cached plan must not change result type"));
}

}  // namespace penstock::postgres
