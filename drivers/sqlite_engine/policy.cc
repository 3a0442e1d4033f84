#include "drivers/sqlite_engine/policy.h"

#include <sqlite3.h>

#include <utility>

#include "drivers/api/error.h"
#include "drivers/sqlite_engine/functions.h"
#include "drivers/sqlite_engine/statement_executor.h"
#include "fmt/format.h"

namespace penstock::sqlite_engine {

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
  reads_counters_ = false;
  defines_ = false;
  note_ = 0;
}

int Policy::Authorize(void* self, int action, const char* first, const char* second,
                      const char* database, const char* trigger) {
  auto* policy = static_cast<Policy*>(self);
  if (Defines(action)) policy->defines_ = true;
  if (policy->trusted_) return SQLITE_OK;
  if (!policy->preparing_) return policy->DecideInside(action, first, second, database);
  if (policy->executor_ != nullptr && policy->executor_->interrupted()) {
    return policy->Refuse(policy->executor_->Interruption());
  }
  if (action == SQLITE_FUNCTION && trigger == nullptr) policy->NoteCounters(second);
  return policy->Decide(action, first, second, database);
}

void Policy::NoteCounters(const char* function) {
  if (function != nullptr && IsCounterOfConnection(function)) reads_counters_ = true;
}

int Policy::Refuse(absl::Status why) {
  refusal_ = std::move(why);
  return SQLITE_DENY;
}

int Policy::DecideFunction(const char* name) {
  absl::Status checked = CheckFunction(name != nullptr ? name : "");
  return checked.ok() ? SQLITE_OK : Refuse(std::move(checked));
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
    case SQLITE_FUNCTION: return DecideFunction(second);
    default: return SQLITE_OK;
  }
}

int Policy::DecideInside(int action, const char*, const char* second, const char*) {
  return action == SQLITE_FUNCTION ? DecideFunction(second) : SQLITE_OK;
}

}  // namespace penstock::sqlite_engine
