#include "drivers/pebble/connection.h"

#include "drivers/api/chain.h"
#include "drivers/api/only_read.h"
#include "drivers/pebble/error.h"

namespace penstock::pebble {

using driver::StatementRun;

bool Connection::Start(StatementRun* run) const {
  if (!driver::MayStart(run)) return false;
  run->status = Interruption(*run);
  // What a statement of SQL would do is known once it is prepared.
  const bool writes = run->key_value != nullptr && !run->key_value->reads();
  if (run->status.ok() && writes && MustOnlyRead(*run)) run->status = driver::MayOnlyRead();
  return run->status.ok();
}

void Connection::Read(StatementRun* run) const {
  const View view{.store = store_};
  run->status =
      run->key_value->kind == driver::KeyValueRun::Kind::kGet ? Get(view, run) : Scan(view, run);
  if (!run->status.ok()) run->summary = {};
}

absl::Status Connection::Ping(const driver::Deadline&) {
  std::string value;
  const rocksdb::Status status = store_->db()->Get({}, "ping", &value);
  return status.IsNotFound() ? absl::OkStatus() : store_->ToStatus(status);
}

}  // namespace penstock::pebble
