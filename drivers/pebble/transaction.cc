// The steps of a client's transaction, which is one of RocksDB's with locks on what it writes.
//
// With snapshot isolation reads see the snapshot that Begin takes, and a write to a key that
// somebody has changed since fails. RocksDB's savepoints are a stack without names: savepoints_
// has the name of each, and the last one of a name counts. A statement guards itself with one
// more, which is gone when the statement has ended. A commit passes the gate (commit_gate.h) that
// is closed while somebody deletes a range, so that no new key gets into that range meanwhile.
#include <algorithm>

#include "drivers/api/chain.h"
#include "drivers/api/error.h"
#include "drivers/pebble/connection.h"
#include "drivers/pebble/error.h"
#include "fmt/format.h"

namespace penstock::pebble {
namespace {

using driver::Isolation;
using driver::KeyValueRun;
using driver::MakeError;
using driver::MakeErrorWithHint;
using driver::Reason;
using driver::StatementRun;

absl::Status NoTransaction() {
  return MakeError(Reason::kTransactionControl, "no transaction is open");
}

}  // namespace

absl::Status Connection::Begin(const driver::TransactionOptions& options) {
  if (options.isolation == Isolation::kSerializable) {
    return MakeErrorWithHint(
        Reason::kUnsupported, "the pebble driver has no serializable transactions",
        "use the default, which is snapshot isolation, with conditions on the data that was read");
  }
  if (options.cancellation != nullptr && options.cancellation->cancelled()) {
    return options.cancellation->status();
  }
  rocksdb::TransactionOptions rocksdb_options;
  rocksdb_options.set_snapshot = options.isolation != Isolation::kReadCommitted;
  rocksdb_options.deadlock_detect = true;
  transaction_.reset(store_->db()->BeginTransaction(store_->write_options(), rocksdb_options));
  read_only_ = options.read_only;
  savepoints_.clear();
  return absl::OkStatus();
}

absl::Status Connection::ReadOnlyError() {
  return MakeErrorWithHint(Reason::kReadOnly, "the transaction is read-only",
                           "begin it without read_only to write");
}

void Connection::Run(StatementRun& run) {
  if (Start(&run)) {
    const View view{.store = store_, .transaction = transaction_.get()};
    if (transaction_ == nullptr) {
      run.status = NoTransaction();
    } else if (run.key_value == nullptr) {
      RunSqlInTransaction(&run);
    } else if (run.key_value->kind == KeyValueRun::Kind::kGet) {
      run.status = Get(view, &run);
    } else if (run.key_value->kind == KeyValueRun::Kind::kScan) {
      run.status = Scan(view, &run);
    } else if (read_only_) {
      run.status = ReadOnlyError();
    } else {
      WriteGuarded(view, &run, nullptr);
    }
  }
  if (!run.status.ok()) run.summary = {};
  NoteFailure(run);
}

absl::Status Connection::Commit() {
  if (transaction_ == nullptr) return NoTransaction();
  const CommitGate::Passage passage(store_->commit_gate());
  absl::Status status = store_->Commit(transaction_.get());
  if (!status.ok()) transaction_->Rollback();
  transaction_.reset();
  return status;
}

absl::Status Connection::Rollback() {
  if (transaction_ == nullptr) return absl::OkStatus();
  absl::Status status = Classify(transaction_->Rollback());
  transaction_.reset();
  return status;
}

absl::StatusOr<size_t> Connection::FindSavepoint(std::string_view name) const {
  if (transaction_ == nullptr) return NoTransaction();
  const auto found = std::find(savepoints_.rbegin(), savepoints_.rend(), name);
  if (found != savepoints_.rend()) {
    return static_cast<size_t>(savepoints_.rend() - found) - 1;
  }
  return MakeError(Reason::kInvalidParameter, fmt::format("no savepoint named '{}'", name));
}

absl::Status Connection::Savepoint(std::string_view name) {
  if (transaction_ == nullptr) return NoTransaction();
  transaction_->SetSavePoint();
  savepoints_.emplace_back(name);
  return absl::OkStatus();
}

absl::Status Connection::RollbackTo(std::string_view name) {
  const absl::StatusOr<size_t> place = FindSavepoint(name);
  if (!place.ok()) return place.status();
  for (size_t i = savepoints_.size(); i > *place; --i) {
    absl::Status status = Classify(transaction_->RollbackToSavePoint());
    if (!status.ok()) return status;
  }
  savepoints_.resize(*place + 1);
  // RocksDB has taken it away; it stays until it is released.
  transaction_->SetSavePoint();
  return absl::OkStatus();
}

absl::Status Connection::Release(std::string_view name) {
  const absl::StatusOr<size_t> place = FindSavepoint(name);
  if (!place.ok()) return place.status();
  for (size_t i = savepoints_.size(); i > *place; --i) {
    absl::Status status = Classify(transaction_->PopSavePoint());
    if (!status.ok()) return status;
  }
  savepoints_.resize(*place);
  return absl::OkStatus();
}

}  // namespace penstock::pebble
