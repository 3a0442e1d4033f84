#include "drivers/sqlengine/policy.h"

#include <sqlite3.h>
#include <strings.h>

#include <utility>

#include "drivers/api/error.h"
#include "fmt/format.h"

namespace penstock::sqlengine {

using driver::MakeErrorWithHint;
using driver::Reason;

namespace {

bool Defines(int action) {
  switch (action) {
    case SQLITE_ALTER_TABLE:
    case SQLITE_ANALYZE:
    case SQLITE_CREATE_INDEX:
    case SQLITE_CREATE_TABLE:
    case SQLITE_CREATE_TEMP_INDEX:
    case SQLITE_CREATE_TEMP_TABLE:
    case SQLITE_CREATE_TEMP_TRIGGER:
    case SQLITE_CREATE_TEMP_VIEW:
    case SQLITE_CREATE_TRIGGER:
    case SQLITE_CREATE_VIEW:
    case SQLITE_CREATE_VTABLE:
    case SQLITE_DROP_INDEX:
    case SQLITE_DROP_TABLE:
    case SQLITE_DROP_TEMP_INDEX:
    case SQLITE_DROP_TEMP_TABLE:
    case SQLITE_DROP_TEMP_TRIGGER:
    case SQLITE_DROP_TEMP_VIEW:
    case SQLITE_DROP_TRIGGER:
    case SQLITE_DROP_VIEW:
    case SQLITE_DROP_VTABLE:
    case SQLITE_REINDEX: return true;
    default: return false;
  }
}

}  // namespace

void Policy::Install(sqlite3* db) { sqlite3_set_authorizer(db, &Policy::Authorize, this); }

void Policy::Reset() {
  refusal_ = absl::OkStatus();
  changes_session_ = false;
  defines_ = false;
  note_ = 0;
}

int Policy::Authorize(void* self, int action, const char* first, const char* second,
                      const char* database, const char*) {
  auto* policy = static_cast<Policy*>(self);
  if (Defines(action)) policy->defines_ = true;
  return policy->trusted_ ? SQLITE_OK : policy->Decide(action, first, second, database);
}

int Policy::Refuse(absl::Status why) {
  refusal_ = std::move(why);
  return SQLITE_DENY;
}

int Policy::Decide(int action, const char* first, const char* second, const char*) {
  switch (action) {
    case SQLITE_TRANSACTION:
    case SQLITE_SAVEPOINT:
      return Refuse(MakeErrorWithHint(
          Reason::kTransactionControl,
          fmt::format("{} is not accepted as SQL text",
                      action == SQLITE_SAVEPOINT ? "SAVEPOINT" : (first ? first : "BEGIN")),
          "use the Transaction RPC, whose steps begin, commit, rollback, savepoint, rollback_to "
          "and release do this"));
    case SQLITE_FUNCTION:
      if (second == nullptr || strcasecmp(second, "load_extension") != 0) return SQLITE_OK;
      return Refuse(MakeErrorWithHint(Reason::kNotAllowed, "load_extension is not allowed",
                                      "extensions cannot be loaded through the gateway"));
    default: return SQLITE_OK;
  }
}

}  // namespace penstock::sqlengine
