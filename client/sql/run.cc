#include "penstock/sql/run.h"

#include <optional>
#include <utility>

#include "client/sql/kept.h"

namespace penstock::sql::internal {

absl::StatusOr<std::unique_ptr<Rows>> RunForRows(const Clauses& statement, const Context& ctx,
                                                 Executor& database) {
  const absl::StatusOr<Dialect> dialect = database.Dialect(ctx);
  if (!dialect.ok()) return dialect.status();
  absl::StatusOr<ReadyText> ready = ReadyToRun(statement, *dialect, /*page=*/false);
  if (!ready.ok()) return ready.status();
  return database.QueryArgs(ctx, ready->text(), std::move(ready->args()));
}

absl::StatusOr<std::unique_ptr<Rows>> RunForPage(const Clauses& statement, const Context& ctx,
                                                 Executor& database) {
  const absl::StatusOr<Dialect> dialect = database.Dialect(ctx);
  if (!dialect.ok()) return dialect.status();
  absl::StatusOr<ReadyText> ready = ReadyToRun(statement, *dialect, /*page=*/true);
  if (!ready.ok()) return ready.status();
  return database.QueryArgs(ctx, ready->text(), std::move(ready->args()));
}

absl::StatusOr<Result> RunForEffect(const Clauses& statement, const Context& ctx,
                                    Executor& database) {
  const absl::StatusOr<Dialect> dialect = database.Dialect(ctx);
  if (!dialect.ok()) return dialect.status();
  if (std::optional<ReadyText> kept = ReadyIfKept(statement, *dialect)) {
    return database.ExecArgs(ctx, kept->text(), std::move(kept->args()));
  }
  if (HasManyRows(statement)) {
    absl::StatusOr<ManyRows> many = RenderRows(statement, *dialect);
    if (!many.ok()) return many.status();
    if (many->rows.empty()) return Result();
    return database.ExecRows(ctx, many->text, std::move(many->rows));
  }
  absl::StatusOr<ReadyText> ready = ReadyToRun(statement, *dialect, /*page=*/false);
  if (!ready.ok()) return ready.status();
  return database.ExecArgs(ctx, ready->text(), std::move(ready->args()));
}

}  // namespace penstock::sql::internal
