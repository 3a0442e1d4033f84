#include "drivers/pebble/table_cursor.h"

#include <algorithm>
#include <utility>

#include "drivers/pebble/error.h"

namespace penstock::pebble {

int TableCursor::Filter(KeyPlan plan, sqlite3_value** values) {
  plan_ = std::move(plan);
  at_end_ = true;
  position_ = 0;
  iterator_.reset();
  absl::StatusOr<Keyspace> family = table_->Find();
  if (!family.ok()) return table_->Fail(family.status());
  family_ = *std::move(family);
  if (family_ == nullptr) return SQLITE_OK;
  keys_ = SelectKeys(plan_, values, table_->key_storage == Storage::kText);
  if (keys_.keys.has_value()) {
    if (plan_.descending) std::reverse(keys_.keys->begin(), keys_.keys->end());
  } else if (keys_.range().empty()) {
    return SQLITE_OK;
  } else {
    iterator_.emplace(table_->context->view, family_.get(), keys_.range(), plan_.descending);
  }
  at_end_ = false;
  return Settle();
}

int TableCursor::Next() {
  if (iterator_.has_value()) {
    iterator_->Next();
  } else {
    ++position_;
  }
  return Settle();
}

int TableCursor::Settle() { return iterator_.has_value() ? SettleInRange() : SettleOnKey(); }

int TableCursor::SettleInRange() {
  for (; iterator_->Valid(); iterator_->Next()) {
    if (keys_.Includes(iterator_->key().ToStringView())) return SQLITE_OK;
  }
  at_end_ = true;
  absl::Status status = iterator_->status();
  return status.ok() ? SQLITE_OK : table_->Fail(std::move(status));
}

int TableCursor::SettleOnKey() {
  for (; position_ < keys_.keys->size(); ++position_) {
    const std::string& key = (*keys_.keys)[position_];
    if (!keys_.Includes(key)) continue;
    const absl::StatusOr<bool> found = Read(key);
    if (!found.ok()) return table_->Fail(found.status());
    if (*found) return SQLITE_OK;
  }
  at_end_ = true;
  return SQLITE_OK;
}

absl::StatusOr<bool> TableCursor::Read(std::string_view key) {
  const View& view = table_->context->view;
  const rocksdb::Slice slice = key;
  value_.Reset();
  const rocksdb::Status status =
      view.transaction != nullptr
          ? view.transaction->Get(view.read_options(), family_.get(), slice, &value_)
          : view.store->db()->Get(view.read_options(), family_.get(), slice, &value_);
  if (status.IsNotFound()) return false;
  if (!status.ok()) return view.store->ToStatus(status);
  return true;
}

void TableCursor::Column(int column, sqlite3_context* result) const {
  const bool ranges = iterator_.has_value();
  if (column == 0) {
    Decode(ranges ? iterator_->key() : rocksdb::Slice((*keys_.keys)[position_]),
           table_->key_storage, result);
  } else {
    Decode(ranges ? iterator_->value() : rocksdb::Slice(value_), table_->value_storage, result);
  }
}

}  // namespace penstock::pebble
