#include "tests/sql/case.h"
#include "tests/sql/tables.h"

namespace penstock::testing {
namespace {

using sql::Asc;
using sql::Desc;
using sql::Select;

}  // namespace

// 1 Ada 36 (the boss, active), 2 Tim 17, 3 tIM_x 17, 4 Eve (no age), 5 Bob (no age, no boss).
absl::Status FillUsers(const Context& ctx, Executor& db) {
  struct Person {
    int64_t id;
    std::string name;
    std::optional<int64_t> age;
    std::optional<int64_t> boss;
    bool active;
    std::optional<double> height;
    std::optional<Decimal> balance;
    std::optional<absl::CivilDay> born;
    std::optional<absl::Time> seen;
    std::optional<Json> doc;
    Role role;
  };
  const absl::Time noon = absl::FromUnixSeconds(1'700'000'000);
  const std::vector<Person> people = {
      {1,
       "Ada",
       36,
       {},
       true,
       1.75,
       Decimal{"10.50"},
       absl::CivilDay(1988, 2, 29),
       noon,
       Json{R"({"color":"red","sizes":[1,2.5,"x"],"on":true,"none":null,"a b":{"c":7}})"},
       Role::kAdmin},
      {2, "Tim", 17, 1, true, 1.5, Decimal{"2.25"}, absl::CivilDay(2007, 1, 1),
       noon + absl::Milliseconds(500), Json{R"({"color":5,"on":false})"}, Role::kMember},
      {3, "tIM_x", 17, 1, false, {}, {}, {}, {}, {}, Role::kMember},
      {4, "Eve", {}, 2, true, 1.25, Decimal{"2.25"}, {}, noon, {}, Role::kMember},
      {5, "Bob", {}, {}, false, {}, {}, {}, {}, {}, Role::kMember},
  };
  return sql::InsertInto(users, users.id, users.name, users.age, users.boss_id, users.active,
                         users.height, users.balance, users.born, users.seen, users.doc, users.role)
      .Rows(people, &Person::id, &Person::name, &Person::age, &Person::boss, &Person::active,
            &Person::height, &Person::balance, &Person::born, &Person::seen, &Person::doc,
            &Person::role)
      .Exec(ctx, db)
      .status();
}

std::vector<Case> QueryCases() {
  const std::optional<int64_t> none;
  const std::optional<int64_t> some = 36;
  const absl::Time noon = absl::FromUnixSeconds(1'700'000'000);
  const auto ids = [](sql::Condition condition) {
    return Select(users.id).From(users).Where(condition).OrderBy(Asc(users.id));
  };
  std::vector<Case> cases = {
      Finds("select", Select(users.id, users.name).From(users).OrderBy(Asc(users.id)).Limit(2),
            {"1|Ada", "2|Tim"}),
      Finds("all_kinds",
            Select(users.active, users.height, users.balance, users.born, users.seen, users.role)
                .From(users)
                .Where(users.id == 2),
            {"true|1.5|2.25|2007-01-01|timestamp 1700000000.500000000|1"}),

      Finds("booleans", Select(users.active).From(users).OrderBy(Asc(users.id)).Limit(3),
            {"true", "true", "false"}),

      // Comparisons, and NULL in them.
      Finds("less", ids(users.age < 18), {"2", "3"}),
      Finds("value_on_the_left", ids(18 <= users.age), {"1"}),
      Finds("beyond_the_columns_width", ids(users.age < 5'000'000'000), {"1", "2", "3"}),
      Finds("integer_and_real", ids(users.age > 17.5), {"1"}),
      Finds("real_and_integer", ids(users.height < 2), {"1", "2", "4"}),
      Finds("real", ids(users.height == 1.75), {"1"}),
      Finds("decimal", ids(users.balance == Decimal{"2.25"}), {"2", "4"}),
      Finds("decimal_and_integer", ids(users.balance > 10), {"1"}),
      Finds("boolean", ids(users.active), {"1", "2", "4"}),
      Finds("boolean_value", ids(users.active == false), {"3", "5"}),
      Finds("not", ids(!users.active), {"3", "5"}),
      Finds("day", ids(users.born < absl::CivilDay(2000, 1, 1)), {"1"}),
      Finds("time", ids(users.seen == noon), {"1", "4"}),
      Finds("time_order", ids(users.seen > noon), {"2"}),
      Finds("enumeration", ids(users.role == Role::kAdmin), {"1"}),
      Finds("equals_none", ids(users.age == none), {"4", "5"}),
      Finds("equals_some", ids(users.age == some), {"1"}),
      Finds("differs_from_none", ids(users.age != none), {"1", "2", "3"}),
      Finds("differs_from_some", ids(users.age != some), {"2", "3", "4", "5"}),
      Finds("differs", ids(users.age != 36), {"2", "3"}),
      Finds("nullopt", ids(users.age == std::nullopt), {"4", "5"}),
      Finds("is_null", ids(sql::IsNull(users.boss_id)), {"1", "5"}),
      Finds("is_not_null", ids(sql::IsNotNull(users.boss_id)), {"2", "3", "4"}),
      Finds("nullable_columns", ids(users.age == users.boss_id), {"5"}),
      Finds("nullable_columns_differ", ids(users.age != users.boss_id), {"1", "2", "3", "4"}),
      Finds("nullable_columns_by_sql", ids(sql::Equal(users.age, users.boss_id)), {}),
      Finds("and_or", ids((users.age == 17 && users.active) || users.name == "Bob"), {"2", "5"}),
      Finds("all_of", ids(sql::AllOf({users.age == 17, users.active == true})), {"2"}),
      Finds("any_of", ids(sql::AnyOf({users.id == 1, users.id == 5})), {"1", "5"}),
      Finds("all_of_none", ids(sql::AllOf({})), {"1", "2", "3", "4", "5"}),
      Finds("any_of_none", ids(sql::AnyOf({})), {}),
      Finds("between", ids(sql::Between(users.id, 2, 3)), {"2", "3"}),
      Finds("where_if",
            ids(users.id > 1)
                .WhereIf(true, [] { return users.id < 4; })
                .WhereIf(std::optional<int>(), [] { return users.id == 99; }),
            {"2", "3"}),

      // Lists.
      Finds("in", ids(sql::In(users.id, std::vector<int64_t>{1, 3, 99})), {"1", "3"}),
      Finds("in_texts", ids(sql::In(users.name, {"Ada", "Bob", "o'Hara\" --"})), {"1", "5"}),
      Finds("in_reals", ids(sql::In(users.height, {1.5, 1.25})), {"2", "4"}),
      Finds("in_days", ids(sql::In(users.born, {absl::CivilDay(2007, 1, 1)})), {"2"}),
      Finds("in_none", ids(sql::In(users.id, std::vector<int64_t>{})), {}),
      Finds("not_in", ids(sql::NotIn(users.id, {1, 2, 3})), {"4", "5"}),
      Finds("not_in_none", ids(sql::NotIn(users.id, std::vector<int64_t>{})),
            {"1", "2", "3", "4", "5"}),
      Finds("in_of_null", ids(sql::In(users.age, {17})), {"2", "3"}),

      // Patterns.
      Finds("prefix", ids(users.name.HasPrefix("Ti")), {"2"}),
      Finds("prefix_small", ids(users.name.HasPrefix("ti")), {}),
      Finds("prefix_of_signs", ids(users.name.HasPrefix("T%")), {}),
      Finds("prefix_of_more_signs", ids(users.name.HasPrefix("T[a-z]*?\\")), {}),
      Finds("prefix_of_nothing", ids(users.name.HasPrefix("")), {"1", "2", "3", "4", "5"}),
      Finds("suffix", ids(users.name.HasSuffix("_x")), {"3"}),
      Finds("suffix_of_nothing", ids(users.name.HasSuffix("")), {"1", "2", "3", "4", "5"}),
      Finds("contains", ids(users.name.Contains("IM_")), {"3"}),
      Finds("contains_not", ids(!users.name.Contains("i")), {"1", "3", "4", "5"}),

      // Joins.
      Finds("join",
            Select(users.name, boss.name)
                .From(users)
                .Join(boss, boss.id == users.boss_id)
                .OrderBy(Asc(users.id)),
            {"Tim|Ada", "tIM_x|Ada", "Eve|Tim"}),
      Finds("left_join",
            Select(users.name, boss.name, sql::MaybeNull(sql::Length(boss.name)))
                .From(users)
                .LeftJoin(boss, boss.id == users.boss_id)
                .OrderBy(Asc(users.id)),
            {"Ada|NULL|NULL", "Tim|Ada|3", "tIM_x|Ada|3", "Eve|Tim|3", "Bob|NULL|NULL"}),
      Finds("right_join",
            Select(users.name, boss.name)
                .From(users)
                .RightJoin(boss, boss.id == users.boss_id)
                .OrderBy(Asc(boss.id), Asc(users.id)),
            {"Tim|Ada", "tIM_x|Ada", "Eve|Tim", "NULL|tIM_x", "NULL|Eve", "NULL|Bob"}),
      Finds("full_join",
            Select(users.id, boss.id)
                .From(users)
                .FullJoin(boss, sql::Equal(boss.id, users.boss_id))
                .OrderBy(Asc(users.id), Asc(boss.id)),
            {"1|NULL", "2|1", "3|1", "4|2", "5|NULL", "NULL|3", "NULL|4", "NULL|5"}),
      Finds("cross_join",
            Select(sql::Count()).From(users).CrossJoin(boss).Where(users.id < boss.id), {"10"}),

      // Computing.
      Finds("arithmetic",
            Select(users.age + 1, users.age - 1, users.age * 2, users.age / 5, users.age % 5)
                .From(users)
                .Where(users.id == 1),
            {"37|35|72|7|1"}),
      Finds("negative_division",
            Select(sql::Literal(int64_t{-7}) / 2, sql::Literal(int64_t{-7}) % 2)
                .From(users)
                .Where(users.id == 1),
            {"-3|-1"}),
      Finds("division_by_zero",
            Select(users.age / (users.id - 1), users.height / 0.0).From(users).Where(users.id == 1),
            {"NULL|NULL"}),
      Finds("mixed_arithmetic",
            Select(users.age + 0.5, users.height * 2).From(users).Where(users.id == 1),
            {"36.5|3.5"}),
      Finds("concatenation", Select(users.name + "!" + users.name).From(users).Where(users.id == 1),
            {"Ada!Ada"}),
      Finds("coalesce",
            Select(sql::Coalesce(users.age, -1), sql::Coalesce(users.age, users.boss_id))
                .From(users)
                .OrderBy(Asc(users.id)),
            {"36|36", "17|17", "17|17", "-1|2", "-1|NULL"}),
      Finds("functions",
            Select(sql::Length(users.name), sql::Abs(users.age - 40),
                   sql::Call<std::string>("replace", users.name, "d", "dd"))
                .From(users)
                .Where(users.id == 1),
            {"3|4|Adda"}),
      Finds(
          "case",
          Select(users.id,
                 sql::When(users.age >= 18, "grown").When(users.age >= 0, "young").Else("unknown"))
              .From(users)
              .OrderBy(Asc(users.id)),
          {"1|grown", "2|young", "3|young", "4|unknown", "5|unknown"}),
      Finds("case_numbers",
            Select(sql::When(users.active, 1).End(), sql::When(users.active, 1.5).Else(0.5))
                .From(users)
                .OrderBy(Asc(users.id)),
            {"1|1.5", "1|1.5", "NULL|0.5", "1|1.5", "NULL|0.5"}),
      Finds("literals",
            Select(sql::Literal(7), sql::Literal("x"), sql::Literal(true), sql::Literal(2.5),
                   sql::Literal(std::optional<int64_t>()))
                .From(users)
                .Where(users.id == 1),
            {"7|x|true|2.5|NULL"}),
      Finds("literals_of_time",
            Select(sql::Literal(noon), sql::Literal(absl::CivilDay(2024, 2, 29)))
                .From(users)
                .Where(users.id == 1),
            {"timestamp 1700000000.000000000|2024-02-29"}),
      Finds("casts",
            Select(sql::Cast<std::string>(users.id), sql::Cast<double>(users.age),
                   sql::Cast<int64_t>(users.active))
                .From(users)
                .Where(users.id == 1),
            {"1|36|1"}),
      Finds("raw",
            Select(sql::Raw<int64_t>("{} + {} * 2", users.id, 3))
                .From(users)
                .Where(sql::Raw<bool>("{} IN ({}, {})", users.name, "Ada", "Tim"))
                .OrderBy(Asc(users.id)),
            {"7", "8"}),
      Finds("conditions_as_columns",
            Select(users.id > 1, sql::MaybeNull(users.age > 18), users.name == "Ada")
                .From(users)
                .OrderBy(Asc(users.id))
                .Limit(1),
            {"false|true|true"}),

      // JSON.
      Finds("json",
            Select(sql::JsonAt<std::string>(users.doc, "color"),
                   sql::JsonAt<int64_t>(users.doc, "sizes", 0),
                   sql::JsonAt<double>(users.doc, "sizes", 1), sql::JsonAt<bool>(users.doc, "on"),
                   sql::JsonAt<int64_t>(users.doc, "a b", "c"))
                .From(users)
                .Where(users.id <= 3)
                .OrderBy(Asc(users.id)),
            {"red|1|2.5|true|7", "NULL|NULL|NULL|false|NULL", "NULL|NULL|NULL|NULL|NULL"}),
      Finds("json_of_another_type",
            Select(sql::JsonAt<int64_t>(users.doc, "color"),
                   sql::JsonAt<std::string>(users.doc, "on"),
                   sql::JsonAt<double>(users.doc, "sizes", 0),
                   sql::JsonAt<int64_t>(users.doc, "sizes", 1),
                   sql::JsonAt<std::string>(users.doc, "none"),
                   sql::JsonAt<std::string>(users.doc, "a'); DROP TABLE users; --"))
                .From(users)
                .Where(users.id == 1),
            {"NULL|NULL|1|NULL|NULL|NULL"}),
      Finds("json_condition", ids(sql::JsonAt<std::string>(users.doc, "color") == "red"), {"1"}),

      // Aggregates and windows.
      Finds("aggregates",
            Select(sql::Count(), sql::Count(users.age), sql::CountDistinct(users.age),
                   sql::Sum(users.age), sql::Avg(users.age), sql::Min(users.name),
                   sql::Max(users.age), sql::Sum(users.height), sql::Max(users.seen))
                .From(users),
            {"5|3|2|70|23.333333333333332|Ada|36|4.5|timestamp 1700000000.500000000"}),
      Finds("aggregates_of_nothing",
            Select(sql::Count(), sql::Sum(users.id), sql::Min(users.born))
                .From(users)
                .Where(users.id == 99),
            {"0|NULL|NULL"}),
      Finds("group_by",
            Select(users.age, sql::Count())
                .From(users)
                .GroupBy(users.age)
                .Having(sql::Count() > 1)
                .OrderBy(Asc(users.age)),
            {"17|2", "NULL|2"}),
      Finds("group_by_expression",
            [] {
              const auto grown = sql::Coalesce(users.age, 0);
              return Select(grown, sql::Count())
                  .From(users)
                  .GroupBy(grown)
                  .OrderBy(Desc(sql::Count()), Asc(grown));
            }(),
            {"0|2", "17|2", "36|1"}),
      Finds("filter",
            Select(sql::Count().Filter(users.active),
                   sql::Sum(users.age).Filter(users.id > 1).Filter(users.active))
                .From(users),
            {"3|17"}),
      Finds("windows",
            Select(users.id,
                   sql::RowNumber().Over(
                       sql::Window().PartitionBy(users.active).OrderBy(Asc(users.id))),
                   sql::Rank().Over(sql::Window().OrderBy(Asc(users.age))),
                   sql::DenseRank().Over(sql::Window().OrderBy(Desc(users.age))),
                   sql::Lag(users.name).Over(sql::Window().OrderBy(Asc(users.id))),
                   sql::Sum(users.age).Over(sql::Window().OrderBy(Asc(users.id))),
                   sql::Count().Over(sql::Window()))
                .From(users)
                .OrderBy(Asc(users.id)),
            {"1|1|3|2|NULL|36|5", "2|2|1|3|Ada|53|5", "3|1|1|3|Tim|70|5", "4|3|4|1|tIM_x|70|5",
             "5|2|4|1|Eve|70|5"}),
      Finds(
          "frames",
          Select(
              users.id,
              sql::Sum(users.id).Over(
                  sql::Window().OrderBy(Asc(users.id)).Rows(sql::Preceding(1), sql::CurrentRow())),
              sql::FirstValue(users.name)
                  .Over(sql::Window()
                            .OrderBy(Asc(users.id))
                            .Rows(sql::UnboundedPreceding(), sql::UnboundedFollowing())))
              .From(users)
              .OrderBy(Asc(users.id))
              .Limit(3),
          {"1|1|Ada", "2|3|Ada", "3|5|Ada"}),

      // Subqueries.
      Finds("in_query", ids(sql::In(users.id, Select(boss.boss_id).From(boss))), {"1", "2"}),
      Finds("not_in_query",
            ids(sql::NotIn(users.id, Select(boss.id).From(boss).Where(boss.active))), {"3", "5"}),
      Finds("exists", ids(sql::Exists(Select(boss.id).From(boss).Where(boss.boss_id == users.id))),
            {"1", "2"}),
      Finds("not_exists",
            ids(sql::NotExists(Select(boss.id).From(boss).Where(boss.boss_id == users.id))),
            {"3", "4", "5"}),
      Finds("scalar",
            Select(users.id,
                   sql::Scalar(Select(sql::Count()).From(boss).Where(boss.boss_id == users.id)))
                .From(users)
                .OrderBy(Asc(users.id))
                .Limit(2),
            {"1|2", "2|1"}),
      Finds("derived",
            Select(numbers.n, users.name)
                .From(sql::As(Select(boss.id, sql::Coalesce(boss.age, 0) + 1).From(boss), numbers,
                              numbers.id, numbers.n))
                .Join(users, users.id == numbers.id)
                .Where(numbers.n > 1)
                .OrderBy(Asc(users.id)),
            {"37|Ada", "18|Tim", "18|tIM_x"}),
      Finds("with",
            Select(numbers.id, numbers.n)
                .With(sql::As(Select(boss.id, sql::Coalesce(boss.age, 0)).From(boss), numbers,
                              numbers.id, numbers.n))
                .From(numbers)
                .Where(numbers.n > 17),
            {"1|36"}),
      Finds(
          "with_recursive",
          Select(numbers.id, numbers.n)
              .WithRecursive(sql::As(Select(users.id, sql::Literal(1))
                                         .From(users)
                                         .Where(users.id == 1)
                                         .UnionAll(Select(users.id, numbers.n + 1)
                                                       .From(users)
                                                       .Join(numbers, users.boss_id == numbers.id)),
                                     numbers, numbers.id, numbers.n))
              .From(numbers)
              .OrderBy(Asc(numbers.id)),
          {"1|1", "2|2", "3|2", "4|3"}),

      // Set operations.
      Finds("union",
            Select(users.id)
                .From(users)
                .Where(users.id < 3)
                .Union(Select(users.id).From(users).Where(users.id < 4))
                .OrderBy(Desc(users.id)),
            {"3", "2", "1"}),
      Finds("union_all",
            Select(users.age)
                .From(users)
                .UnionAll(Select(users.age).From(users))
                .OrderBy(Asc(users.age))
                .Limit(5)
                .Offset(1),
            {"17", "17", "17", "36", "36"}),
      Finds("except_of_union",
            Select(users.id)
                .From(users)
                .Where(users.id < 4)
                .Union(Select(users.id).From(users).Where(users.id == 5))
                .Except(Select(users.id)
                            .From(users)
                            .Where(users.id == 2)
                            .Union(Select(users.id).From(users).Where(users.id == 5)))
                .OrderBy(Asc(users.id)),
            {"1", "3"}),
      Finds("intersect_of_union",
            Select(users.id)
                .From(users)
                .Where(users.id == 1)
                .Union(Select(users.id).From(users).Where(users.id == 2))
                .Intersect(Select(users.id).From(users).Where(users.id == 2))
                .OrderBy(Asc(users.id)),
            {"2"}),
      Finds("union_of_limits",
            Select(users.id)
                .From(users)
                .OrderBy(Asc(users.id))
                .Limit(1)
                .UnionAll(Select(users.id).From(users).OrderBy(Desc(users.id)).Limit(1))
                .OrderBy(Asc(users.id)),
            {"1", "5"}),

      // Order, and pages.
      Finds("nulls_last_in_ascending",
            Select(users.id).From(users).OrderBy(Asc(users.age), Asc(users.id)),
            {"2", "3", "1", "4", "5"}),
      Finds("nulls_first_in_descending",
            Select(users.id).From(users).OrderBy(Desc(users.age), Asc(users.id)),
            {"4", "5", "1", "2", "3"}),
      Finds("nulls_first",
            Select(users.id).From(users).OrderBy(Asc(users.age).NullsFirst(), Desc(users.id)),
            {"5", "4", "3", "2", "1"}),
      Finds("distinct", Select(users.age).From(users).Distinct().OrderBy(Asc(users.age)),
            {"17", "36", "NULL"}),
      Finds("offset", Select(users.id).From(users).OrderBy(Asc(users.id)).Offset(3), {"4", "5"}),
      Finds("after",
            Select(users.id)
                .From(users)
                .OrderBy(Asc(users.age), Asc(users.id))
                .After(sql::Cursor({17, 3})),
            {"1", "4", "5"}),
      Finds("after_null",
            Select(users.id)
                .From(users)
                .OrderBy(Asc(users.age), Asc(users.id))
                .After(sql::Cursor({nullptr, 4})),
            {"5"}),
      Finds("after_null_first",
            Select(users.id)
                .From(users)
                .OrderBy(Desc(users.age), Asc(users.id))
                .After(sql::Cursor({nullptr, 4})),
            {"5", "1", "2", "3"}),
      Finds("after_by_row",
            Select(users.id)
                .From(users)
                .OrderBy(Asc(users.active), Asc(users.id))
                .After(sql::Cursor({false, 3})),
            {"5", "1", "2", "4"}),
      Finds("after_text", ids(users.id > 0).After(sql::Cursor({3})), {"4", "5"}),

      // Parameters, and names known at run time.
      Finds("parameter",
            Select(users.name)
                .From(users)
                .Where(users.id == sql::Param<"id", int64_t>())
                .Bind<"id">(1),
            {"Ada"}),
      Finds("parameter_null",
            ids(users.age == sql::Param<"age", std::optional<int64_t>>())
                .Bind<"age">(std::optional<int64_t>()),
            {"4", "5"}),
      Finds("dynamic",
            [] {
              const sql::DynTable table = sql::Dyn("users", "u");
              return Select(table.Column<int64_t>("id"), table.Column<std::string>("name"))
                  .From(table)
                  .Where(table.Column<bool>("active"))
                  .OrderBy(Asc(table.Column<int64_t>("id")))
                  .Limit(1);
            }(),
            {"1|Ada"}),
      Finds("named", Select(sql::Named<"how \"many\"">(sql::Count())).From(users), {"5"}),
  };
  return cases;
}

}  // namespace penstock::testing
