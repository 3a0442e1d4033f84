// A value that is bound as it was read finds its row, in whatever form another tool has
// written it.
#include "fmt/format.h"
#include "tests/conformance/backend.h"

namespace penstock::testing {
namespace {

class FoundAgain : public Conformance {
 protected:
  // A table whose column `value` is of this type.
  std::string Create(const std::string& type) {
    const std::string table = fmt::format("found{}", ++tables_);
    Do(fmt::format("CREATE TABLE {}(key {} PRIMARY KEY, value {})", table,
                   backend().has_free_columns() ? "INTEGER" : "TEXT", type));
    return table;
  }

 private:
  int tables_ = 0;
};
PENSTOCK_CONFORMANCE_ON(FoundAgain, KeyValueBackends());

TEST_P(FoundAgain, WhatWasWrittenAsSql) {
  for (const StoredForms& forms : backend().stored_forms()) {
    const std::string table = Create(forms.column_type);
    for (const std::string& literal : forms.literals) {
      Do(fmt::format("DELETE FROM {}", table));
      Do(fmt::format("INSERT INTO {}(key, value) VALUES (1, {})", table, literal));
      const Outcome read = wire().Query(fmt::format("SELECT value FROM {}", table));
      ASSERT_EQ(read.rows.size(), 1u) << literal << ": " << read.status.error_message();
      const v1::Value& value = read.rows[0].values(0);
      for (const char* condition : {"value = $1", "value IN ($1)", "value <= $1 AND value >= $1"}) {
        EXPECT_EQ(Ask(fmt::format("SELECT count(*) FROM {} WHERE {}", table, condition), {value}),
                  "1")
            << forms.column_type << " " << literal << " " << ToText(value) << " " << condition;
      }
    }
  }
}

// What was bound is read as the same kind, and is found.
TEST_P(FoundAgain, WhatWasBound) {
  for (const KindCase& kind : backend().kinds()) {
    if (kind.column_type == "json") continue;  // PostgreSQL has no equality of this type
    const std::string table = Create(kind.column_type);
    Do(fmt::format("INSERT INTO {}(key, value) VALUES (1, $1)", table), {kind.value});
    EXPECT_EQ(Ask(fmt::format("SELECT count(*) FROM {} WHERE value = $1", table), {kind.value}),
              "1")
        << kind.column_type << " " << ToText(kind.value);
  }
}

// Texts of the form in which timestamps are bound have the order of their times.
TEST_P(FoundAgain, TimestampsHaveTheirOrder) {
  const std::string table = Create(backend().timestamp_type());
  const std::vector<v1::Value> in_order = {
      Timestamp(-1, 999'999'000), Timestamp(0, 0),           Timestamp(0, 1'000),
      Timestamp(0, 1'000'000),    Timestamp(0, 100'000'000), Timestamp(0, 100'001'000),
      Timestamp(0, 120'000'000),  Timestamp(0, 999'999'000), Timestamp(1, 0)};
  for (size_t i = in_order.size(); i > 0; --i) {
    Do(fmt::format("INSERT INTO {}(key, value) VALUES ({}, $1)", table, i), {in_order[i - 1]});
  }
  for (size_t i = 0; i < in_order.size(); ++i) {
    EXPECT_EQ(Ask(fmt::format("SELECT count(*) FROM {} WHERE value < $1", table), {in_order[i]}),
              std::to_string(i))
        << ToText(in_order[i]);
  }
}

}  // namespace
}  // namespace penstock::testing
