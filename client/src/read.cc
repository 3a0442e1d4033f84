#include "penstock/read.h"

#include "client/src/refusal.h"

namespace penstock::internal {

absl::Status NoRow() { return absl::NotFoundError("the query found no row"); }

absl::Status SeveralRows() {
  return Refusal(absl::StatusCode::kFailedPrecondition, "the query found more than one row",
                 "WRONG_STATE", "read all of them, or limit the query to one row");
}

}  // namespace penstock::internal
