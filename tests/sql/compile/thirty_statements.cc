// Thirty statements, as a file of a program may have them: how long they take to be compiled.
#include "penstock/sql.h"
#include "tests/sql/tables.h"

namespace penstock::testing {

using sql::Asc;
using sql::Desc;
using sql::Select;

struct UserRow {
  int64_t id = 0;
  std::string name;
  std::optional<int64_t> age;
};

absl::Status RunAll(const Context& ctx, Executor& db, const std::vector<UserRow>& rows) {
  const auto all = Select(users.id, users.name, users.age).From(users);
  absl::Status status;
  const auto look = [&status](const auto& outcome) {
    if (status.ok()) status = outcome.status();
  };
  look(all.FetchAll<UserRow>(ctx, db));
  look(all.Where(users.id == 1).FetchOne<UserRow>(ctx, db));
  look(all.Where(users.name == "Ada").FetchOptional<UserRow>(ctx, db));
  look(all.Where(users.age >= 18 && users.active).FetchAll<UserRow>(ctx, db));
  look(all.Where(users.name.HasPrefix("A")).FetchAll<UserRow>(ctx, db));
  look(all.Where(sql::In(users.id, {1, 2, 3})).FetchAll<UserRow>(ctx, db));
  look(all.Where(users.age == std::nullopt).FetchAll<UserRow>(ctx, db));
  look(all.OrderBy(Desc(users.age), Asc(users.id)).Limit(10).FetchPage<UserRow>(ctx, db));
  look(Select(users.name, boss.name)
           .From(users)
           .Join(boss, boss.id == users.boss_id)
           .FetchAll(ctx, db));
  look(Select(users.name, boss.name)
           .From(users)
           .LeftJoin(boss, boss.id == users.boss_id)
           .FetchAll(ctx, db));
  look(Select(sql::Count()).From(users).FetchOne(ctx, db));
  look(Select(users.age, sql::Count()).From(users).GroupBy(users.age).FetchAll(ctx, db));
  look(Select(sql::Sum(users.age), sql::Avg(users.height)).From(users).FetchOne(ctx, db));
  look(Select(sql::Min(users.name), sql::Max(users.seen)).From(users).FetchOne(ctx, db));
  look(
      Select(users.id, sql::When(users.age >= 18, "yes").Else("no")).From(users).FetchAll(ctx, db));
  look(Select(users.id, users.age + 1).From(users).FetchAll(ctx, db));
  look(Select(sql::Coalesce(users.age, 0)).From(users).FetchAll(ctx, db));
  look(Select(sql::JsonAt<std::string>(users.doc, "a", 0)).From(users).FetchAll(ctx, db));
  look(Select(users.id, sql::RowNumber().Over(sql::Window().OrderBy(Asc(users.id))))
           .From(users)
           .FetchAll(ctx, db));
  look(Select(users.id).From(users).Union(Select(boss.id).From(boss)).FetchAll(ctx, db));
  look(all.Where(sql::Exists(Select(boss.id).From(boss).Where(boss.boss_id == users.id)))
           .FetchAll<UserRow>(ctx, db));
  look(all.Where(sql::In(users.id, Select(boss.boss_id).From(boss))).FetchAll<UserRow>(ctx, db));
  look(sql::InsertInto(users).Set(users.id, 1).Set(users.name, "a").Exec(ctx, db));
  look(sql::InsertInto(users)
           .Set(users.id, 1)
           .Set(users.age, std::nullopt)
           .Returning(users.id)
           .FetchOne(ctx, db));
  look(sql::InsertInto(users)
           .Set(users.id, 1)
           .Set(users.name, "a")
           .OnConflict(users.id)
           .Update(users.name)
           .Exec(ctx, db));
  look(sql::InsertInto(users, users.id, users.name, users.age)
           .Rows(rows, &UserRow::id, &UserRow::name, &UserRow::age)
           .Exec(ctx, db));
  look(sql::Update(users).Set(users.name, "b").Where(users.id == 1).Exec(ctx, db));
  look(sql::Update(users)
           .Set(users.age, users.age + 1)
           .Where(users.active)
           .Returning(users.age)
           .FetchAll(ctx, db));
  look(sql::DeleteFrom(users).Where(users.id == 1).Exec(ctx, db));
  look(all.Where(users.active).Limit(1).ForUpdate(sql::SkipLocked).FetchOptional<UserRow>(ctx, db));
  return status;
}

}  // namespace penstock::testing
