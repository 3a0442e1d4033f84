// Changes one row of a keyspace for SQLite, as xUpdate has it.
//
// Each row is written into the RocksDB transaction of the statement and takes a lock there, which
// is why the number of rows of a statement is bounded. The caller's savepoint undoes them if the
// statement fails, so that nothing is undone here. A failing step leaves the reason in the
// context and returns SQLite's code for it.
#include "drivers/pebble/table_write.h"

#include <sqlite3.h>

#include <string>
#include <string_view>
#include <utility>

#include "drivers/api/error.h"
#include "drivers/pebble/error.h"
#include "fmt/format.h"

namespace penstock::pebble {
namespace {

using driver::MakeError;
using driver::MakeErrorWithHint;
using driver::Reason;

constexpr int64_t kMaxWritten = 1'000'000;

// The places of xUpdate's arguments.
constexpr size_t kOldKey = 0;
constexpr size_t kNewKey = 2;
constexpr size_t kNewValue = 3;

// One row's change. Each step answers with SQLite's code.
class RowChange {
 public:
  explicit RowChange(VirtualTable* table) : table_(table), context_(table->context) {}

  int Run(std::span<sqlite3_value* const> values) {
    int code = Prepare();
    if (code != SQLITE_OK) return code;
    const bool inserts = sqlite3_value_type(values[kOldKey]) == SQLITE_NULL;
    if (values.size() == 1) return Delete(BytesOf(values[kOldKey]));
    code = Take(values[kNewKey], values[kNewValue]);
    if (code != SQLITE_OK) return code;
    return inserts ? Insert() : Update(BytesOf(values[kOldKey]));
  }

 private:
  int Check(absl::Status status) {
    return status.ok() ? SQLITE_OK : table_->Fail(std::move(status));
  }

  int Prepare() {
    if (context_->view.transaction == nullptr) {
      return Check(absl::InternalError("a statement that writes has no transaction"));
    }
    if (++context_->written > kMaxWritten) {
      return Check(
          MakeErrorWithHint(Reason::kLimitExceeded,
                            fmt::format("the statement writes more than {} rows", kMaxWritten),
                            "write them in parts, by ranges of their keys"));
    }
    absl::StatusOr<Keyspace> family = table_->Find();
    if (family.ok() && *family == nullptr) {
      family = context_->store->FindOrCreate(table_->definition.name);
    }
    if (!family.ok()) return Check(family.status());
    family_ = *std::move(family);
    return SQLITE_OK;
  }

  // The new row.
  int Take(sqlite3_value* key, sqlite3_value* value) {
    if (sqlite3_value_type(key) == SQLITE_NULL) return Violated(Reason::kNotNullViolation, "key");
    if (sqlite3_value_type(value) == SQLITE_NULL) {
      return Violated(Reason::kNotNullViolation, "value");
    }
    absl::StatusOr<std::string> bytes =
        Encode(key, table_->key_storage, "key", context_->arguments());
    if (!bytes.ok()) return Check(bytes.status());
    key_ = *std::move(bytes);
    absl::Status status = driver::CheckKey(key_);
    if (!status.ok()) return Check(std::move(status));
    bytes = Encode(value, table_->value_storage, "value", context_->arguments());
    if (!bytes.ok()) return Check(bytes.status());
    value_ = *std::move(bytes);
    return Check(CheckValueSize(*context_->store, value_));
  }

  // OR IGNORE makes SQLite skip the row; otherwise the statement fails.
  int Violated(Reason reason, std::string_view column) {
    driver::ErrorInfo info;
    info.table = table_->definition.name;
    info.column = column;
    info.driver_code = reason == Reason::kUniqueViolation ? SQLITE_CONSTRAINT_PRIMARYKEY
                                                          : SQLITE_CONSTRAINT_NOTNULL;
    const std::string message =
        fmt::format("{} constraint failed: {}.{}",
                    reason == Reason::kUniqueViolation ? "UNIQUE" : "NOT NULL", info.table, column);
    return table_->Fail(MakeError(reason, message, info), SQLITE_CONSTRAINT);
  }

  // Locks the key, so that nobody else inserts it either. False: it is new.
  absl::StatusOr<bool> Exists(std::string_view key) {
    rocksdb::PinnableSlice value;
    const rocksdb::Status status = context_->view.transaction->GetForUpdate(
        context_->view.read_options(), family_.get(), key, &value);
    if (status.IsNotFound()) return false;
    if (!status.ok()) return context_->store->ToStatus(status);
    return true;
  }

  int Put() {
    return Check(Classify(context_->view.transaction->Put(family_.get(), key_, value_)));
  }

  int Delete(std::string_view key) {
    return Check(Classify(context_->view.transaction->Delete(family_.get(), key)));
  }

  int Insert() {
    if (sqlite3_vtab_on_conflict(table_->db) == SQLITE_REPLACE) return Put();
    const absl::StatusOr<bool> exists = Exists(key_);
    if (!exists.ok()) return Check(exists.status());
    return *exists ? Violated(Reason::kUniqueViolation, "key") : Put();
  }

  int Update(std::string_view old_key) {
    if (old_key == key_) return Put();
    const absl::StatusOr<bool> exists = Exists(key_);
    if (!exists.ok()) return Check(exists.status());
    if (*exists && sqlite3_vtab_on_conflict(table_->db) == SQLITE_REPLACE) {
      // The row that is replaced may be the next to be updated.
      return Check(MakeErrorWithHint(Reason::kUnsupported,
                                     "UPDATE OR REPLACE to a key that another row has is not "
                                     "supported on pebble",
                                     "delete that row first, in the same transaction"));
    }
    if (*exists) return Violated(Reason::kUniqueViolation, "key");
    const int code = Delete(old_key);
    return code == SQLITE_OK ? Put() : code;
  }

  VirtualTable* const table_;
  TableContext* const context_;
  Keyspace family_;
  std::string key_;
  std::string value_;
};

}  // namespace

int WriteRow(VirtualTable* table, std::span<sqlite3_value* const> values) {
  return RowChange(table).Run(values);
}

}  // namespace penstock::pebble
