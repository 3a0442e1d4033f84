// What the interfaces do by default.
#include <string>
#include <utility>

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

Async<std::unique_ptr<Rows>> Statement::QueryArgsAsync(const Context& ctx, Args args) {
  return AsyncOf<std::unique_ptr<Rows>>(
      [this, ctx, args = std::move(args)]() mutable { return QueryArgs(ctx, std::move(args)); });
}

Async<Result> Statement::ExecArgsAsync(const Context& ctx, Args args) {
  return AsyncOf<Result>(
      [this, ctx, args = std::move(args)]() mutable { return ExecArgs(ctx, std::move(args)); });
}

Async<std::unique_ptr<Rows>> Provider::QueryArgsAsync(const Context& ctx, std::string_view sql,
                                                      Args args) {
  return AsyncOf<std::unique_ptr<Rows>>(
      [this, ctx, sql = std::string(sql), args = std::move(args)]() mutable {
        return QueryArgs(ctx, sql, std::move(args));
      });
}

Async<Result> Provider::ExecArgsAsync(const Context& ctx, std::string_view sql, Args args) {
  return AsyncOf<Result>([this, ctx, sql = std::string(sql), args = std::move(args)]() mutable {
    return ExecArgs(ctx, sql, std::move(args));
  });
}

Async<Result> Provider::ExecRowsAsync(const Context& ctx, std::string_view sql,
                                      std::vector<Args> rows) {
  return AsyncOf<Result>([this, ctx, sql = std::string(sql), rows = std::move(rows)]() mutable {
    return ExecRows(ctx, sql, std::move(rows));
  });
}

Async<std::unique_ptr<Statement>> Provider::PrepareAsync(const Context& ctx, std::string_view sql) {
  return AsyncOf<std::unique_ptr<Statement>>(
      [this, ctx, sql = std::string(sql)] { return Prepare(ctx, sql); });
}

}  // namespace penstock
