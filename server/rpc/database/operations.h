// The operations of DatabaseService: statements.
#ifndef PENSTOCK_SERVER_RPC_DATABASE_OPERATIONS_H_
#define PENSTOCK_SERVER_RPC_DATABASE_OPERATIONS_H_

#include <optional>
#include <string>

#include "absl/status/status.h"
#include "penstock/v1/database.pb.h"
#include "server/rpc/base/call.h"
#include "server/rpc/base/call_run.h"
#include "server/rpc/base/convert.h"
#include "server/rpc/base/operation.h"
#include "server/rpc/database/result_builder.h"

namespace penstock::server {

// A statement with rows, which are sent as QueryResponse messages.
class RowsOperation : public Operation {
 public:
  void EndBatch(const driver::StatementRun& run) final;
  ResultSize Written() const final { return builder_.size(); }
  size_t Held() const final { return builder_.bytes(); }
  bool TakePart(std::string* part) final { return builder_.TakePart(part); }
  bool has_part() const final { return builder_.has_part(); }

 protected:
  // Tells the run, whose database is known, where its rows go and how many there may be at once.
  void StartRows(const Call& call, v1::Format format, const driver::Columns& known, CallRun* run);

  Arguments arguments_;

 private:
  ResultBuilder builder_;
};

// A statement that runs once.
class QueryOperation final : public RowsOperation {
 public:
  using Request = v1::QueryRequest;
  static constexpr Rpc kRpc = Rpc::kQuery;

  absl::Status Start(Call& call, const Request& request, CallRun* run);
};

// A statement that was prepared, to be run often.
struct PreparedStatement {
  Database* database = nullptr;
  std::string sql;
  v1::Format format = v1::FORMAT_ROWS;
  // What its reader knows already.
  driver::Columns columns;
  bool read_only = false;
};

// A run of such a statement. The statement, and the request with the arguments, live as long.
class RunOperation final : public RowsOperation {
 public:
  // `Request` has `args` and a `timeout`.
  template <typename Request>
  absl::Status Start(Call& call, const PreparedStatement& statement, const Request& request,
                     CallRun* run) {
    run->database = statement.database;
    absl::Status status = arguments_.Assign(request.args());
    if (status.ok()) status = call.AllowSql(run);
    if (status.ok()) status = call.PrepareStatement(request, run);
    if (status.ok()) StartRun(call, statement, run);
    return status;
  }

 private:
  void StartRun(const Call& call, const PreparedStatement& statement, CallRun* run);
};

// A statement whose rows are counted and dropped. Its answer is a Summary.
class ExecOperation final : public Operation {
 public:
  using Request = v1::ExecRequest;
  static constexpr Rpc kRpc = Rpc::kExec;

  absl::Status Start(Call& call, const Request& request, CallStatement* run);

  void EndBatch(const driver::StatementRun& run) final;
  bool TakePart(std::string* part) final;
  bool has_part() const final { return summary_.has_value(); }

 private:
  Arguments arguments_;
  std::optional<std::string> summary_;
};

}  // namespace penstock::server

#endif  // PENSTOCK_SERVER_RPC_DATABASE_OPERATIONS_H_
