#include "drivers/postgres/sqlstate.h"

#include <algorithm>
#include <iterator>

namespace penstock::postgres {
namespace {

using driver::Reason;

// A whole SQLSTATE, or the two letters of its class.
struct Entry {
  std::string_view sqlstate;
  Reason reason;
};
// The first that fits counts, so that single codes stand before their class.
constexpr Entry kReasons[] = {
    // Success and warnings, which only a RAISE makes errors of.
    {"00", Reason::kRaised},
    {"01", Reason::kRaised},
    {"02", Reason::kRaised},
    {"03", Reason::kRaised},
    // Connections, but not ours, which has broken if it has: those of dblink or of a
    // foreign data wrapper.
    {"08", Reason::kRaised},
    {"09", Reason::kRaised},
    {"0A", Reason::kUnsupported},
    {"0B", Reason::kWrongState},
    {"0F", Reason::kDataException},
    {"0L", Reason::kNotAllowed},
    {"0P", Reason::kNotAllowed},
    {"0Z", Reason::kRaised},
    {"20", Reason::kDataException},
    {"21", Reason::kDataException},
    {"22", Reason::kDataException},
    {"23505", Reason::kUniqueViolation},
    {"23503", Reason::kForeignKeyViolation},
    {"23514", Reason::kCheckViolation},
    {"23502", Reason::kNotNullViolation},
    {"23", Reason::kConstraintViolation},
    {"24", Reason::kWrongState},
    {"25001", Reason::kUnsupported},
    {"25006", Reason::kReadOnly},
    {"25P02", Reason::kTransactionAborted},
    {"25P03", Reason::kTransactionIdleTimeout},
    {"25", Reason::kWrongState},
    {"26", Reason::kUndefinedObject},
    {"27", Reason::kConstraintViolation},
    // Within a session: of a role that the statement names.
    {"28", Reason::kNotAllowed},
    {"2B", Reason::kWrongState},
    {"2D", Reason::kWrongState},
    {"2F", Reason::kRaised},
    {"34", Reason::kUndefinedObject},
    {"38", Reason::kRaised},
    {"39", Reason::kRaised},
    {"3B", Reason::kInvalidParameter},
    {"3D", Reason::kUnknownDatabase},
    {"3F", Reason::kUndefinedObject},
    {"40002", Reason::kConstraintViolation},
    {"40003", Reason::kCommitOutcomeUnknown},
    {"40P01", Reason::kDeadlock},
    {"40", Reason::kSerializationFailure},
    {"42501", Reason::kNotAllowed},
    {"42P01", Reason::kUndefinedTable},
    {"42704", Reason::kUndefinedObject},
    {"42701", Reason::kDuplicateObject},
    {"42710", Reason::kDuplicateObject},
    {"42723", Reason::kDuplicateObject},
    {"42P03", Reason::kDuplicateObject},
    {"42P04", Reason::kDuplicateObject},
    {"42P05", Reason::kDuplicateObject},
    {"42P06", Reason::kDuplicateObject},
    {"42P07", Reason::kDuplicateObject},
    {"42804", Reason::kInvalidParameter},
    {"42P02", Reason::kInvalidParameter},
    {"42P08", Reason::kInvalidParameter},
    {"42P18", Reason::kInvalidParameter},
    {"42", Reason::kSyntax},
    {"44", Reason::kConstraintViolation},
    {"53100", Reason::kDiskFull},
    {"53400", Reason::kLimitExceeded},
    {"53", Reason::kBackendResources},
    {"54", Reason::kLimitExceeded},
    {"55P03", Reason::kBusy},
    // 55006 too: mostly the session itself uses the object, by a cursor or by events of
    // triggers that wait, and then trying again does not help.
    {"55", Reason::kWrongState},
    // If it was us who cancelled it, its error is ours.
    {"57014", Reason::kQueryTimeout},
    {"57", Reason::kRaised},
    {"58P01", Reason::kUndefinedObject},
    {"58P02", Reason::kDuplicateObject},
    {"58", Reason::kIo},
    {"72", Reason::kSerializationFailure},
    {"F0", Reason::kIo},
    {"HV", Reason::kRaised},
    {"P0002", Reason::kDataException},
    {"P0003", Reason::kDataException},
    {"P0", Reason::kRaised},
    {"XX001", Reason::kCorruption},
    {"XX002", Reason::kCorruption},
    {"XX", Reason::kIo},
};

constexpr Entry kCockroachReasons[] = {
    // It wants the whole context of a session, as a client's statement always has.
    {"22C01", Reason::kUnsupported},
    {"42C01", Reason::kDuplicateObject},
    // A changefeed has ended because the schema of its table has changed.
    {"55C01", Reason::kWrongState},
    {"55C02", Reason::kWrongState},
    // A range or a node cannot be reached; whether a write was done is not known then.
    {"58C00", Reason::kConnectionFailed},
    {"58C01", Reason::kConnectionFailed},
    // No replica is as fresh as was asked for.
    {"XCUBS", Reason::kWrongState},
    {"XCEXF", Reason::kUnsupported},
    {"XXA00", Reason::kSchemaChangeFailed},
    {"XXC01", Reason::kUnsupported},
    {"XXC02", Reason::kUnsupported},
    // The server has no code for it yet: it may be anything.
    {"XXUUU", Reason::kUnspecified},
};

template <size_t N>
std::optional<Reason> Find(const Entry (&entries)[N], std::string_view sqlstate) {
  const auto* const found =
      std::find_if(std::begin(entries), std::end(entries),
                   [sqlstate](const Entry& entry) { return sqlstate.starts_with(entry.sqlstate); });
  if (found == std::end(entries)) return std::nullopt;
  return found->reason;
}

}  // namespace

std::optional<Reason> ReasonOfSqlstate(std::string_view sqlstate) {
  return Find(kReasons, sqlstate);
}

std::optional<Reason> ReasonOfCockroachCode(std::string_view sqlstate) {
  return Find(kCockroachReasons, sqlstate);
}

Reason ReasonOfConnecting(std::string_view sqlstate) {
  const std::string_view its_class = sqlstate.substr(0, 2);
  if (its_class == "28" || sqlstate == "42501") return Reason::kBackendCredentials;
  if (its_class == "3D") return Reason::kUnknownDatabase;
  if (its_class == "53") return Reason::kBackendResources;
  return Reason::kConnectionFailed;
}

}  // namespace penstock::postgres
