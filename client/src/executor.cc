#include "client/src/refusal.h"
#include "penstock/provider.h"

namespace penstock {

absl::StatusOr<sql::Dialect> Executor::Dialect(const Context& ctx) {
  static_cast<void>(ctx);
  return internal::Refusal(absl::StatusCode::kUnimplemented,
                           "this Executor does not know the dialect of its database", "UNSUPPORTED",
                           "override Executor::Dialect");
}

std::vector<absl::StatusOr<Result>> Provider::ExecUntilFailure(
    const Context& ctx,
    // NOLINTNEXTLINE(performance-unnecessary-value-param): overriding functions move from it.
    std::vector<BatchStatement> batch) {
  static_cast<void>(ctx);
  const absl::Status refused =
      internal::Refusal(absl::StatusCode::kUnimplemented, "this Provider has no ExecUntilFailure",
                        "UNSUPPORTED", "override Provider::ExecUntilFailure");
  return std::vector<absl::StatusOr<Result>>(batch.size(), refused);
}

}  // namespace penstock
