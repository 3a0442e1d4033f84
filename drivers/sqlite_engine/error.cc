#include "drivers/sqlite_engine/error.h"

#include <sqlite3.h>

#include <algorithm>
#include <iterator>
#include <string>
#include <utility>

#include "drivers/api/error.h"
#include "drivers/sqlite_engine/diagnosis.h"
#include "drivers/sqlite_engine/temp_space.h"
#include "fmt/format.h"
#include "text/utf8.h"

namespace penstock::sqlite_engine {
namespace {

using driver::ErrorInfo;
using driver::MakeError;
using driver::Reason;

// Returns the text behind `prefix` in a message; empty if the message does not contain it.
std::string_view After(std::string_view message, std::string_view prefix) {
  const size_t at = message.find(prefix);
  return at == std::string_view::npos ? std::string_view() : message.substr(at + prefix.size());
}

// "table.column", or a list of them, of which the first counts.
void SetTableAndColumn(std::string_view names, ErrorInfo* info) {
  const std::string_view name = names.substr(0, names.find(", "));
  const size_t dot = name.rfind('.');
  if (dot == std::string_view::npos) return;
  info->table = name.substr(0, dot);
  info->column = name.substr(dot + 1);
}

// "index 'name'", or the columns of the key.
void SetKey(std::string_view key, ErrorInfo* info) {
  std::string_view index = After(key, "index '");
  if (index.empty()) {
    SetTableAndColumn(key, info);
    return;
  }
  if (index.ends_with('\'')) index.remove_suffix(1);
  info->constraint = index;
}

Reason ConstraintReason(int extended_code, std::string_view message, ErrorInfo* info) {
  switch (extended_code) {
    case SQLITE_CONSTRAINT_UNIQUE:
    case SQLITE_CONSTRAINT_PRIMARYKEY:
    case SQLITE_CONSTRAINT_ROWID:
      SetKey(After(message, "UNIQUE constraint failed: "), info);
      return Reason::kUniqueViolation;
    case SQLITE_CONSTRAINT_FOREIGNKEY: return Reason::kForeignKeyViolation;
    case SQLITE_CONSTRAINT_CHECK:
      info->constraint = After(message, "CHECK constraint failed: ");
      return Reason::kCheckViolation;
    case SQLITE_CONSTRAINT_NOTNULL:
      SetTableAndColumn(After(message, "NOT NULL constraint failed: "), info);
      return Reason::kNotNullViolation;
    case SQLITE_CONSTRAINT_DATATYPE: return Reason::kDataException;
    default: return Reason::kConstraintViolation;
  }
}

// True if the connection's settings do not allow something in the schema.
bool IsUnsafeUse(std::string_view message) {
  return message.find("unsafe use of ") != std::string_view::npos;
}

// How SQLite says that a statement is larger than one may be: it has no code for it.
constexpr std::string_view kTooLarge[] = {
    "too many",  // SQL variables, columns, terms, arguments, attached databases, …
    "Expression tree is too large",
    "parser stack overflow",
    "statement too long",
    "variable number must be between",
    "tables in a join"};

bool IsTooLarge(std::string_view message) {
  return std::any_of(std::begin(kTooLarge), std::end(kTooLarge), [message](std::string_view part) {
    return message.find(part) != std::string_view::npos;
  });
}

// SQLITE_ERROR covers everything that is wrong with a statement.
Reason StatementReason(std::string_view message, ErrorInfo* info) {
  if (IsUnsafeUse(message)) return Reason::kNotAllowed;
  if (message == "unsupported file format") return Reason::kUnsupported;
  const std::string_view table = After(message, "no such table: ");
  if (!table.empty()) {
    const size_t dot = table.find('.');
    if (dot != std::string_view::npos) info->schema = table.substr(0, dot);
    info->table = dot == std::string_view::npos ? table : table.substr(dot + 1);
    return Reason::kUndefinedTable;
  }
  for (const std::string_view data : {"integer overflow", "malformed JSON", "JSON path error"}) {
    if (message.find(data) != std::string_view::npos) return Reason::kDataException;
  }
  return IsTooLarge(message) ? Reason::kLimitExceeded : Reason::kSyntax;
}

constexpr std::string_view kMalformed = "malformed database schema (";

// SQLITE_CORRUPT is also what SQLite says of a schema that it does not want to read, or
// that a newer one has written; the file is sound then.
Reason CorruptReason(std::string_view message) {
  if (IsUnsafeUse(message)) return Reason::kNotAllowed;
  const std::string_view why = After(After(message, kMalformed), ") - ");
  for (const std::string_view not_read : {"near \"", "unknown ", "unrecognized token", "too many ",
                                          "too large", "too big", "stack overflow"}) {
    if (why.find(not_read) != std::string_view::npos) return Reason::kUnsupported;
  }
  return Reason::kCorruption;
}

// Without SQLite's "malformed", where that is not so.
std::string MessageFor(Reason reason, int extended_code, std::string_view message) {
  if (extended_code == kTempSpaceFull) return "the statement takes too much temporary space";
  const std::string_view schema = After(message, kMalformed);
  const size_t end = schema.find(") - ");
  if (reason == Reason::kCorruption || end == std::string_view::npos) return std::string(message);
  return fmt::format("the schema has a definition of {} that cannot be used: {}",
                     schema.substr(0, end), schema.substr(end + std::string_view(") - ").size()));
}

Reason ReasonOf(int extended_code, std::string_view message, ErrorInfo* info) {
  switch (extended_code & 0xff) {
    case SQLITE_ERROR: return StatementReason(message, info);
    case SQLITE_CONSTRAINT: return ConstraintReason(extended_code, message, info);
    case SQLITE_BUSY:
      return extended_code == SQLITE_BUSY_SNAPSHOT ? Reason::kSerializationFailure : Reason::kBusy;
    // The last two pass by themselves: the schema kept changing, or so many
    // processes opened the log at once that SQLite gave up.
    case SQLITE_LOCKED:
    case SQLITE_SCHEMA:
    case SQLITE_PROTOCOL: return Reason::kBusy;
    case SQLITE_ABORT: return Reason::kTransactionAborted;
    case SQLITE_FULL:
      return extended_code == kTempSpaceFull ? Reason::kLimitExceeded : Reason::kDiskFull;
    case SQLITE_NOMEM: return Reason::kBackendResources;
    case SQLITE_READONLY: return Reason::kReadOnly;
    case SQLITE_INTERRUPT: return Reason::kCancelled;
    case SQLITE_TOOBIG: return Reason::kLimitExceeded;
    case SQLITE_MISMATCH: return Reason::kDataException;
    case SQLITE_RANGE: return Reason::kInvalidParameter;
    case SQLITE_AUTH: return Reason::kNotAllowed;
    case SQLITE_CORRUPT: return CorruptReason(message);
    case SQLITE_NOTADB: return Reason::kCorruption;
    case SQLITE_CANTOPEN: return Reason::kConnectionFailed;
    case SQLITE_IOERR: return Reason::kIo;
    default: return Reason::kUnspecified;
  }
}

std::string HintFor(Reason reason, int extended_code, std::string_view message) {
  if (extended_code == kTempSpaceFull) {
    return "sort or group fewer rows, or raise the option max_temp_mib";
  }
  if (reason == Reason::kLimitExceeded && IsTooLarge(message)) {
    return "split the statement, or send many values as one json parameter with json_each, or as "
           "`rows` of Exec";
  }
  switch (reason) {
    case Reason::kBusy: return "try again; another process or connection holds a lock";
    case Reason::kDiskFull: return "free disk space, or raise the option max_page_count";
    case Reason::kReadOnly: return "use a database that can be written to";
    case Reason::kLimitExceeded: return "raise max_value_bytes of the database";
    case Reason::kUnsupported:
      return "open the file with the SQLite that wrote this schema, which may be newer or have "
             "other limits";
    case Reason::kCorruption:
      // A full-text index whose content was changed behind its back has this code, too.
      return extended_code == SQLITE_CORRUPT_VTAB
                 ? "rebuild a full-text index with INSERT INTO name(name) VALUES('rebuild'); the "
                   "tables of a virtual table are inconsistent, while the file may be sound"
                 : "";
    default: return {};
  }
}

// Message and code to reason and particulars.
Reason Read(int extended_code, std::string_view message, int position, ErrorInfo* info) {
  info->driver_code = extended_code;
  info->position = position;
  const Reason reason = ReasonOf(extended_code, message, info);
  info->hint = HintFor(reason, extended_code, message);
  return reason;
}

}  // namespace

absl::Status Classify(int extended_code, std::string_view message, int position) {
  ErrorInfo info;
  const Reason reason = Read(extended_code, message, position, &info);
  return MakeError(reason, MessageFor(reason, extended_code, message), std::move(info));
}

absl::Status LastError(sqlite3* db, std::string_view sql) {
  const int code = sqlite3_extended_errcode(db);
  const std::string message = sqlite3_errmsg(db);
  const int offset = sqlite3_error_offset(db);
  int position = 0;
  if (offset >= 0 && static_cast<size_t>(offset) <= sql.size()) {
    // Bytes to characters: those that continue a character do not count.
    const std::string_view before = sql.substr(0, static_cast<size_t>(offset));
    position = 1 + static_cast<int>(std::count_if(before.begin(), before.end(),
                                                  [](char c) { return !IsContinuation(c); }));
  }
  ErrorInfo info;
  const Reason reason = Read(code, message, position, &info);
  Diagnose(db, sql, code, message, offset, &info);
  return MakeError(reason, MessageFor(reason, code, message), std::move(info));
}

}  // namespace penstock::sqlite_engine
