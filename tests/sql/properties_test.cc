// Pages by key and upserts against a model, with chance data.
#include <algorithm>
#include <map>
#include <random>

#include "gtest/gtest.h"
#include "penstock/penstock.h"
#include "tests/conformance/backend.h"
#include "tests/sql/tables.h"

namespace penstock::testing {
namespace {

class SqlProperties : public Conformance {};

struct Sorted {
  int64_t id = 0;
  std::optional<int64_t> age;
  std::optional<double> height;
  bool active = false;
};

// -1, 0 or 1, with NULLs where the order has them.
template <typename T>
int Compare(const std::optional<T>& a, const std::optional<T>& b, const sql::Order& order) {
  const bool first = order.parts().nulls_first;
  if (!a.has_value() || !b.has_value()) {
    if (a.has_value() == b.has_value()) return 0;
    return a.has_value() == first ? 1 : -1;
  }
  const int ascending = *a < *b ? -1 : *a > *b ? 1 : 0;
  return order.parts().descending ? -ascending : ascending;
}

TEST_P(SqlProperties, PagesAreTheWholeResult) {
  const auto db = *New({.target = gateway().target()});
  const Context ctx;
  ASSERT_EQ(db->Exec(ctx, kCreateUsers).status(), absl::OkStatus());
  std::mt19937 random(7);
  std::vector<Sorted> rows;
  for (int64_t id = 1; id <= 60; ++id) {
    Sorted row{.id = id, .active = random() % 2 == 0};
    if (random() % 3 != 0) row.age = static_cast<int64_t>(random() % 3);
    if (random() % 3 != 0) row.height = static_cast<double>(random() % 3) / 2;
    rows.push_back(row);
  }
  const auto filled =
      sql::InsertInto(users, users.id, users.name, users.active, users.age, users.height,
                      users.role)
          .Rows(
              rows, &Sorted::id, [](const Sorted&) { return "n"; }, &Sorted::active, &Sorted::age,
              &Sorted::height, [](const Sorted&) { return Role::kMember; })
          .Exec(ctx, *db);
  ASSERT_TRUE(filled.ok()) << filled.status();

  const auto order_of = [&random](const auto& column) {
    sql::Order order = random() % 2 == 0 ? sql::Asc(column) : sql::Desc(column);
    const unsigned nulls = random() % 3;
    return nulls == 0 ? order.NullsFirst() : nulls == 1 ? order.NullsLast() : order;
  };
  for (int round = 0; round < 25; ++round) {
    const sql::Order age = order_of(users.age);
    const sql::Order height = order_of(users.height);
    const sql::Order active = order_of(users.active);
    const sql::Order id = order_of(users.id);
    std::vector<Sorted> model = rows;
    std::sort(model.begin(), model.end(), [&](const Sorted& a, const Sorted& b) {
      int sign = Compare(a.age, b.age, age);
      if (sign == 0) sign = Compare(a.height, b.height, height);
      if (sign == 0) sign = Compare(std::optional(a.active), std::optional(b.active), active);
      if (sign == 0) sign = Compare(std::optional(a.id), std::optional(b.id), id);
      return sign < 0;
    });
    const int64_t size = 1 + static_cast<int64_t>(random() % 20);
    const auto query =
        sql::Select(users.id).From(users).OrderBy(age, height, active, id).Limit(size);
    std::vector<int64_t> found;
    std::optional<sql::Cursor> next;
    do {
      const auto page = query.After(next).FetchPage(ctx, *db);
      ASSERT_TRUE(page.ok()) << page.status() << query.After(next).Build(*db->Dialect(ctx))->text;
      ASSERT_LE(page->rows.size(), static_cast<size_t>(size));
      found.insert(found.end(), page->rows.begin(), page->rows.end());
      // As a link that comes back would have it.
      next = page->next;
      if (next.has_value()) next = *sql::Cursor::Decode(next->Encode());
    } while (next.has_value() && found.size() <= model.size());
    ASSERT_EQ(found.size(), model.size());
    for (size_t i = 0; i < model.size(); ++i) ASSERT_EQ(found[i], model[i].id) << round << " " << i;
  }
}

PENSTOCK_CONFORMANCE(SqlProperties);

class SqlUpserts : public Conformance {};

TEST_P(SqlUpserts, TheLastOneHolds) {
  const auto db = *New({.target = gateway().target()});
  const Context ctx;
  ASSERT_EQ(
      db->Exec(ctx, "CREATE TABLE entries (key TEXT PRIMARY KEY, value TEXT NOT NULL)").status(),
      absl::OkStatus());
  using Entry = std::pair<std::string, std::string>;
  std::map<std::string, std::string> model;
  std::mt19937 random(11);
  for (int round = 0; round < 60; ++round) {
    std::vector<Entry> entries;
    for (unsigned i = 0; i <= random() % 5; ++i) {
      entries.emplace_back(std::string(1, static_cast<char>('a' + random() % 6)),
                           std::to_string(random() % 100));
    }
    const auto insert =
        sql::InsertInto(kv, kv.key, kv.value).Rows(entries, &Entry::first, &Entry::second);
    const bool keep = random() % 2 == 0;
    const auto done = keep ? insert.OnConflict(kv.key).DoNothing().Exec(ctx, *db)
                           : insert.OnConflict(kv.key).Update(kv.value).Exec(ctx, *db);
    ASSERT_TRUE(done.ok()) << done.status();
    for (const auto& [key, value] : entries) {
      if (keep) {
        model.emplace(key, value);
      } else {
        model[key] = value;
      }
    }
    const auto found =
        sql::Select(kv.key, kv.value).From(kv).OrderBy(sql::Asc(kv.key)).FetchAll<Entry>(ctx, *db);
    ASSERT_TRUE(found.ok()) << found.status();
    ASSERT_EQ(*found, std::vector<Entry>(model.begin(), model.end())) << round;
  }
}

PENSTOCK_CONFORMANCE_ON(SqlUpserts, KeyValueBackends());

}  // namespace
}  // namespace penstock::testing
