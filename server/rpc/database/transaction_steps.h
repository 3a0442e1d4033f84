// The steps of a transaction as they come over a stream.
#ifndef PENSTOCK_SERVER_RPC_DATABASE_TRANSACTION_STEPS_H_
#define PENSTOCK_SERVER_RPC_DATABASE_TRANSACTION_STEPS_H_

#include <functional>
#include <optional>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "drivers/api/deadline.h"
#include "drivers/api/driver.h"
#include "penstock/v1/database.pb.h"
#include "server/auth/principal.h"
#include "server/auth/quota.h"
#include "server/database/database.h"
#include "server/database/transaction.h"
#include "server/rpc/base/answer_limits.h"
#include "server/rpc/base/context.h"
#include "server/rpc/base/convert.h"
#include "server/rpc/database/result_builder.h"
#include "server/rpc/key_value/arguments.h"

namespace penstock::server {

// Does everything within a transaction except its begin and its end: one request at a time,
// answered by one message or, for a result, by several.
//
//   Run on a worker thread, then
//   while (Next) the answer is sent;
//   if (more) Fetch on a worker thread, and again
//
// One thread at a time.
class TransactionSteps {
 public:
  // Computes the deadline of a request that came now and may have a timeout of its own.
  using DeadlineOf = std::function<absl::Status(
      bool has_timeout, const google::protobuf::Duration& timeout, driver::Deadline* deadline)>;

  // The arguments, and what `deadline_of` uses, outlive the object. `limits` may be filled in
  // later, before Run.
  TransactionSteps(const RpcContext& context, const AnswerLimits* limits,
                   driver::Cancellation* cancellation, DeadlineOf deadline_of)
      : context_(context),
        limits_(limits),
        cancellation_(cancellation),
        deadline_of_(std::move(deadline_of)) {}

  // `request`, whose step is none of begin, commit and rollback, came at `began` from `principal`.
  // It and `transaction` stay until no more answers are left.
  void Run(const Principal& principal, Database* database, Transaction* transaction,
           const v1::TransactionRequest& request, TimePoint began);

  // Moves the next part of the answer, a serialized TransactionResponse, into `response`. Returns
  // false if there is none.
  bool Next(std::string* response);
  // The failure of which that part is the `error`; OK if it is none.
  const absl::Status& failure() const { return failure_; }

  // After Next has returned false, tells whether rows are left to be fetched.
  bool more() const { return run_.has_value() && run_->cursor != nullptr; }
  void Fetch();

  // The last part did not fit into a message: drops the rest of the result, on a worker thread, and
  // answers `why`.
  void Drop(const absl::Status& why);

  // Destroys the cursor, on a worker thread.
  void Close() {
    if (run_.has_value()) run_->cursor.reset();
  }

 private:
  void RunQuery(const v1::TransactionRequest::Statement& statement);
  void RunExec(const v1::TransactionRequest::Statement& statement);
  void RunPrepare(const v1::TransactionRequest::Prepare& prepare);
  void RunExecute(const v1::TransactionRequest::Execute& execute);
  // Prepares a statement of SQL, which the caller must be allowed to use.
  absl::Status StartSql(std::string_view sql, bool has_timeout,
                        const google::protobuf::Duration& timeout);
  absl::Status Start(std::string_view sql, bool has_timeout,
                     const google::protobuf::Duration& timeout);
  void RunGet(const v1::BatchGetRequest& get);
  void RunScan(const v1::ScanRequest& scan);
  void RunWrite(const v1::WriteRequest& write);
  void RunDeleteRange(const v1::DeleteRangeRequest& range);
  template <typename KeyValueRequest>
  absl::Status StartKeyValue(const KeyValueRequest& request, std::string_view name);
  // Runs the operation. Returns false if it failed, and then the failure is the answer.
  bool RunKeyValue(absl::Status ready);
  void RunRows(const absl::Status& ready, v1::Format format, size_t first_batch_bytes);
  void AdvanceRows();
  void Acknowledge(const absl::Status& status);
  void Fail(const absl::Status& why);

  const RpcContext& context_;
  const AnswerLimits* const limits_;
  driver::Cancellation* const cancellation_;
  const DeadlineOf deadline_of_;

  const Principal* principal_ = nullptr;
  Database* database_ = nullptr;
  Transaction* transaction_ = nullptr;
  TimePoint began_;
  Arguments arguments_;
  KeyValueArguments key_values_;
  ResultBuilder builder_;
  ResultMeter meter_;
  std::optional<driver::StatementRun> run_;
  // An answer that is no part of a result.
  std::optional<v1::TransactionResponse> answer_;
  absl::Status failure_;
};

}  // namespace penstock::server

#endif  // PENSTOCK_SERVER_RPC_DATABASE_TRANSACTION_STEPS_H_
