#include "client/src/refusal.h"
#include "penstock/provider.h"

namespace penstock {

absl::StatusOr<sql::Dialect> Executor::Dialect(const Context& ctx) {
  static_cast<void>(ctx);
  return internal::Refusal(absl::StatusCode::kUnimplemented,
                           "this Executor does not know the dialect of its database", "UNSUPPORTED",
                           "override Executor::Dialect");
}

}  // namespace penstock
