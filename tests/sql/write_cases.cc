#include "tests/sql/case.h"
#include "tests/sql/tables.h"

namespace penstock::testing {
namespace {

using sql::Asc;
using sql::Select;

struct Row {
  int64_t id = 0;
  std::string name;
};

}  // namespace

std::vector<Case> WriteCases() {
  const auto names = Select(users.id, users.name, users.age)
                         .From(users)
                         .Where(users.id >= 10)
                         .OrderBy(Asc(users.id));
  const auto insert = [](int64_t id, const char* name) {
    return sql::InsertInto(users)
        .Set(users.id, id)
        .Set(users.name, name)
        .Set(users.active, true)
        .Set(users.role, Role::kMember);
  };
  const std::vector<Row> rows = {{20, "a"}, {21, "b\"; DROP TABLE users; --"}, {20, "c"}};
  return {
      Changes("insert", insert(10, "ten").Set(users.age, std::nullopt), 1),
      Finds("insert_returning",
            insert(11, "eleven")
                .Set(users.age, std::optional<int64_t>(3))
                .Returning(users.id, users.name, users.age + 1),
            {"11|eleven|4"}),
      Finds("inserted", names, {"10|ten|NULL", "11|eleven|3"}),
      Changes("conflict_ignored", insert(10, "other").OnConflict(users.id).DoNothing(), 0),
      Changes("any_conflict_ignored", insert(10, "other").OnConflict().DoNothing(), 0),
      Changes("upsert", insert(10, "TEN").OnConflict(users.id).Update(users.name), 1),
      Finds("upsert_returning",
            insert(10, "ten!").OnConflict(users.id).Update(users.name).Returning(users.name),
            {"ten!"}),
      Changes("upsert_computes",
              insert(11, "x")
                  .OnConflict(users.id)
                  .UpdateTo(users.name, users.name + "+" + sql::Excluded(users.name))
                  .UpdateTo(users.age, sql::Coalesce(users.age, 0) + 10),
              1),
      Changes("upsert_where",
              insert(11, "y").OnConflict(users.id).Update(users.name).UpdateWhere(users.age > 99),
              0),
      Finds("upserted", names, {"10|ten!|NULL", "11|eleven+x|13"}),
      // The same key twice: each row by itself, in order.
      Changes("rows_upsert",
              sql::InsertInto(users, users.id, users.name, users.active, users.role)
                  .Rows(
                      rows, &Row::id, &Row::name, [](const Row&) { return true; },
                      [](const Row&) { return Role::kMember; })
                  .OnConflict(users.id)
                  .Update(users.name),
              3),
      Finds("rows_upserted", names,
            {"10|ten!|NULL", "11|eleven+x|13", "20|c|NULL", "21|b\"; DROP TABLE users; --|NULL"}),
      Finds("values_returning",
            sql::InsertInto(users, users.id, users.name, users.active, users.role, users.age)
                .Values(30, "p", true, Role::kMember, std::optional<int64_t>(1))
                .Values(31, "q", true, Role::kMember, std::nullopt)
                .Returning(users.id, users.age),
            {"30|1", "31|NULL"}),
      Changes("insert_select",
              sql::InsertInto(users, users.id, users.name, users.active, users.role)
                  .From(Select(boss.id + 30, boss.name + "2", boss.active, boss.role)
                            .From(boss)
                            .Where(boss.id >= 30)),
              2),
      Changes("insert_select_upsert",
              sql::InsertInto(users, users.id, users.name, users.active, users.role)
                  .From(Select(boss.id + 0, boss.name + "3", boss.active, boss.role).From(boss))
                  .OnConflict(users.id)
                  .DoNothing(),
              0),
      Changes("insert_select_literals",
              sql::InsertInto(users, users.id, users.name, users.active, users.role)
                  .From(Select(sql::Literal(70), sql::Literal("lit"), sql::Literal(true),
                               sql::Literal(Role::kMember))
                            .From(users)
                            .Where(users.id == 10)),
              1),
      Changes("update", sql::Update(users).Set(users.name, "new").Where(users.id == 10), 1),
      Changes("update_computes",
              sql::Update(users)
                  .Set(users.age, users.age + 5)
                  .Set(users.height, 2)
                  .Where(users.id == 11),
              1),
      Finds("update_returning",
            sql::Update(users)
                .Set(users.age, std::nullopt)
                .Where(users.id == 30)
                .Returning(users.id, users.age, users.height),
            {"30|NULL|NULL"}),
      Changes("update_from",
              sql::Update(users)
                  .Set(users.name, boss.name)
                  .Set(users.age, boss.id)
                  .From(boss)
                  .Where(boss.id + 30 == users.id && users.id > 50),
              2),
      Finds("updated", names,
            {"10|new|NULL", "11|eleven+x|18", "20|c|NULL", "21|b\"; DROP TABLE users; --|NULL",
             "30|p|NULL", "31|q|NULL", "60|p|30", "61|q|31", "70|lit|NULL"}),
      Finds("delete_returning", sql::DeleteFrom(users).Where(users.id == 70).Returning(users.name),
            {"lit"}),
      Changes("delete", sql::DeleteFrom(users).Where(users.id >= 10), 8),
      Finds("deleted", names, {}),
      Changes("update_all", sql::Update(users).Set(users.active, true).All(), 5),
      Finds("for_update",
            Select(users.id)
                .From(users)
                .Where(users.active)
                .OrderBy(Asc(users.id))
                .Limit(1)
                .ForUpdate(sql::SkipLocked),
            {"1"}),
      Finds("for_update_of",
            Select(users.id, boss.id)
                .From(users)
                .LeftJoin(boss, boss.id == users.boss_id)
                .OrderBy(Asc(users.id))
                .Limit(1)
                .ForUpdateOf(sql::NoWait, users),
            {"1|NULL"}),
  };
}

std::vector<Case> KeyValueCases() {
  const auto all = Select(kv.key, kv.value).From(kv).OrderBy(Asc(kv.key));
  struct Entry {
    std::string key;
    std::string value;
  };
  const std::vector<Entry> entries = {{"c", "3"}, {"d", "4"}};
  return {
      Changes("kv_insert", sql::InsertInto(kv).Set(kv.key, "a").Set(kv.value, "1"), 1),
      Changes("kv_upsert",
              sql::InsertInto(kv)
                  .Set(kv.key, "a")
                  .Set(kv.value, "2")
                  .OnConflict(kv.key)
                  .Update(kv.value),
              1),
      Changes(
          "kv_ignore",
          sql::InsertInto(kv).Set(kv.key, "a").Set(kv.value, "9").OnConflict(kv.key).DoNothing(),
          0),
      Changes("kv_rows",
              sql::InsertInto(kv, kv.key, kv.value).Rows(entries, &Entry::key, &Entry::value), 2),
      Finds("kv_all", all, {"a|2", "c|3", "d|4"}),
      Finds("kv_prefix", all.Where(kv.key.HasPrefix("c")), {"c|3"}),
      Finds("kv_in", all.Where(sql::In(kv.key, {"a", "d", "x"})), {"a|2", "d|4"}),
      Finds("kv_after", all.After(sql::Cursor({"a"})).Limit(1), {"c|3"}),
      Finds("kv_aggregates", Select(sql::Count(), sql::Max(kv.value)).From(kv), {"3|4"}),
      Changes("kv_update", sql::Update(kv).Set(kv.value, kv.value + "!").Where(kv.key == "c"), 1),
      Changes("kv_delete", sql::DeleteFrom(kv).Where(kv.key == "a"), 1),
      Finds("kv_left", all, {"c|3!", "d|4"}),
  };
}

}  // namespace penstock::testing
