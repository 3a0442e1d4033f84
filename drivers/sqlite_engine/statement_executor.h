// Statements stepped to their ends, or to the end of a batch.
#ifndef PENSTOCK_DRIVERS_SQLITE_ENGINE_STATEMENT_EXECUTOR_H_
#define PENSTOCK_DRIVERS_SQLITE_ENGINE_STATEMENT_EXECUTOR_H_

#include <cstdint>
#include <optional>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "drivers/api/driver.h"
#include "drivers/sqlite_engine/guarded.h"
#include "drivers/sqlite_engine/inserted_id.h"
#include "drivers/sqlite_engine/memory.h"
#include "drivers/sqlite_engine/patterns.h"
#include "drivers/sqlite_engine/policy.h"
#include "drivers/sqlite_engine/statement.h"

struct sqlite3;

namespace penstock::sqlite_engine {

// Steps the statements of one connection to SQLite, whose progress handler it
// is: what is stepped ends when its deadline passes or it is cancelled. It knows
// no transactions. Used by one thread at a time; the database outlives it and
// runs nothing once it is gone.
class StatementExecutor {
 public:
  StatementExecutor(sqlite3* db, Policy* policy);
  virtual ~StatementExecutor();
  StatementExecutor(const StatementExecutor&) = delete;
  StatementExecutor& operator=(const StatementExecutor&) = delete;

  // Makes the progress handler, the allocator and the functions of ours look at a
  // deadline and a cancellation (which may be null) for as long as it lives. One at a
  // time.
  class Watch {
   public:
    Watch(StatementExecutor* executor, const driver::Deadline& deadline,
          const driver::Cancellation* cancellation)
        : executor_(executor), memory_(executor, MemoryScope::kUnlimited) {
      executor_->deadline_ = &deadline;
      executor_->cancellation_ = cancellation;
    }
    ~Watch() {
      executor_->deadline_ = nullptr;
      executor_->cancellation_ = nullptr;
    }
    Watch(const Watch&) = delete;
    Watch& operator=(const Watch&) = delete;

   private:
    StatementExecutor* const executor_;
    const MemoryScope memory_;
  };

  // Puts the guarded functions in place; `patterns`: LIKE and GLOB as well, with what
  // they make of bytes.
  absl::Status RegisterFunctions(std::optional<BytesInPatterns> patterns);

  // last_insert_rowid() is 0 again, as on a new connection.
  void ForgetInserted() { inserted_.Forget(); }

  // Returns the deadline of the watch; null without one.
  const driver::Deadline* deadline() const { return deadline_; }
  // The watch says that what runs now is to end.
  bool interrupted() const;
  // Why it is; OK if it is not.
  absl::Status Interruption() const;
  // Returns the error of what has just failed while working on `sql`: the watch's deadline or
  // cancellation, or the policy's refusal, if one of them is the cause. A driver that knows more
  // overrides it.
  virtual absl::Status Failure(std::string_view sql = {}) const;

  // Runs a statement to its end, with a watch of its own, and resets it:
  // StatementRun as RunBatch has it for a statement that writes. No guard is
  // around it: what a failure leaves behind is for the caller to undo.
  void Execute(driver::StatementRun* run, Statement* statement);

  // The first step of a bound statement, and rows until `limits` is reached: true,
  // then more may follow.
  absl::StatusOr<bool> StepFirst(Statement* statement, const driver::BatchLimits& limits,
                                 driver::RowWriter* writer, driver::Summary* summary) const;
  // More rows of one that StepFirst has begun.
  absl::StatusOr<bool> StepOn(Statement* statement, const driver::BatchLimits& limits,
                              driver::RowWriter* writer, driver::Summary* summary) const;

  // To be called before a statement, and with its result after it.
  int64_t CountChanges();
  void CollectChanges(const Statement& statement, int64_t changes_before,
                      driver::Summary* summary) const;

 private:
  static int OnProgress(void* self);

  // Goes on from `code`, the outcome of the last step.
  absl::StatusOr<bool> GoOn(int code, Statement* statement, const driver::BatchLimits& limits,
                            driver::RowWriter* writer, driver::Summary* summary) const;
  absl::Status ExecuteOnce(driver::StatementRun* run, Statement* statement);
  absl::Status ExecuteRows(driver::StatementRun* run, Statement* statement);

  sqlite3* const db_;
  Policy* const policy_;
  InsertedId inserted_;
  GuardedFunctions guarded_;
  // The limits of the statement that runs now; null between statements.
  const driver::Deadline* deadline_ = nullptr;
  const driver::Cancellation* cancellation_ = nullptr;
};

// Returns what Connection::Describe tells of a statement.
driver::StatementInfo Describe(const Statement& statement);

}  // namespace penstock::sqlite_engine

#endif  // PENSTOCK_DRIVERS_SQLITE_ENGINE_STATEMENT_EXECUTOR_H_
