#include "drivers/sqlite_engine/inserted_id.h"

#include <sqlite3.h>

#include "drivers/sqlite_engine/error.h"

namespace penstock::sqlite_engine {

absl::Status InsertedId::Register() {
  const auto current = [](sqlite3_context* result, int, sqlite3_value**) {
    const auto* self = static_cast<const InsertedId*>(sqlite3_user_data(result));
    sqlite3_result_int64(result, self->Current());
  };
  const int code = sqlite3_create_function(
      db_, "last_insert_rowid", 0, SQLITE_UTF8 | SQLITE_INNOCUOUS, this, current, nullptr, nullptr);
  return code == SQLITE_OK ? absl::OkStatus() : LastError(db_);
}

void InsertedId::Begin() {
  before_ = Current();
  sqlite3_set_last_insert_rowid(db_, kMark);
}

std::optional<int64_t> InsertedId::Inserted() const {
  const int64_t id = sqlite3_last_insert_rowid(db_);
  return id == kMark ? std::nullopt : std::optional<int64_t>(id);
}

void InsertedId::Forget() {
  before_ = 0;
  sqlite3_set_last_insert_rowid(db_, kMark);
}

}  // namespace penstock::sqlite_engine
