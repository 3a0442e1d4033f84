#include "penstock/sql/run.h"

#include "client/src/refusal.h"

namespace penstock::sql::internal {

absl::StatusOr<std::unique_ptr<Rows>> RunForRows(const Clauses& statement, const Context& ctx,
                                                 Executor& database) {
  const absl::StatusOr<Dialect> dialect = database.Dialect(ctx);
  if (!dialect.ok()) return dialect.status();
  absl::StatusOr<Built> built = Render(statement, *dialect);
  if (!built.ok()) return built.status();
  return database.QueryArgs(ctx, built->text, std::move(built->args));
}

absl::StatusOr<std::unique_ptr<Rows>> RunForPage(const Clauses& statement, const Context& ctx,
                                                 Executor& database) {
  const absl::StatusOr<Dialect> dialect = database.Dialect(ctx);
  if (!dialect.ok()) return dialect.status();
  absl::StatusOr<Built> built = RenderPage(statement, *dialect);
  if (!built.ok()) return built.status();
  return database.QueryArgs(ctx, built->text, std::move(built->args));
}

absl::StatusOr<Result> RunForEffect(const Clauses& statement, const Context& ctx,
                                    Executor& database) {
  const absl::StatusOr<Dialect> dialect = database.Dialect(ctx);
  if (!dialect.ok()) return dialect.status();
  if (HasManyRows(statement)) {
    absl::StatusOr<ManyRows> many = RenderRows(statement, *dialect);
    if (!many.ok()) return many.status();
    if (many->rows.empty()) return Result();
    return database.ExecRows(ctx, many->text, std::move(many->rows));
  }
  absl::StatusOr<Built> built = Render(statement, *dialect);
  if (!built.ok()) return built.status();
  return database.ExecArgs(ctx, built->text, std::move(built->args));
}

}  // namespace penstock::sql::internal
