// Names, types and text of the header that `penstock gen` writes.
#include "client/cli/gen_diff.h"
#include "client/cli/gen_header.h"
#include "client/cli/gen_names.h"
#include "client/cli/gen_schema.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace penstock::cli {
namespace {

using sql::Dialect;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

TEST(GenNamesTest, WhatIsAnIdentifierStaysAsItIs) {
  for (const char* name : {"id", "first_name", "firstName", "_id", "ID", "a1"}) {
    EXPECT_EQ(ToIdentifier(name), name);
  }
}

TEST(GenNamesTest, WhatIsNoneBecomesOne) {
  const std::pair<const char*, const char*> cases[] = {{"class", "class_"},
                                                       {"first name", "first_name"},
                                                       {"a-b", "a_b"},
                                                       {"1st", "_1st"},
                                                       {"a__b", "a_b"},
                                                       {"_Id", "x_Id"},
                                                       {"", "x"},
                                                       {"gr\u00f6\u00dfe", "gr_uf6_udf_e"},
                                                       {"\u540d", "_u540d"},
                                                       {"NULL", "NULL_"},
                                                       {"errno", "errno_"},
                                                       {"a\nb", "a_b"},
                                                       {"\xff", "_"},
                                                       {"std", "std_"}};
  for (const auto& [name, identifier] : cases) EXPECT_EQ(ToIdentifier(name), identifier) << name;
}

TEST(GenNamesTest, TypesAreInCamelCase) {
  EXPECT_EQ(ToTypeName("order_lines"), "OrderLines");
  EXPECT_EQ(ToTypeName("users"), "Users");
  EXPECT_EQ(ToTypeName("class"), "Class");
  EXPECT_EQ(ToTypeName("1st"), "_1st");
  EXPECT_EQ(ToTypeName("__"), "x");
}

TEST(GenNamesTest, NamespacesAreChecked) {
  for (const char* good : {"a", "app::tables"}) EXPECT_TRUE(IsNamespace(good)) << good;
  for (const char* bad : {"", "::a", "a::", "a:b", "a b", "class", "1a", "a::::b"}) {
    EXPECT_FALSE(IsNamespace(bad)) << bad;
  }
}

TEST(GenNamesTest, LiteralsHaveOneLine) { EXPECT_EQ(ToLiteral("a\"b\\c\nd"), R"("a\"b\\c\012d")"); }

TEST(GenNamesTest, NamesOfAScopeDiffer) {
  Scope scope({"As"});
  EXPECT_EQ(scope.Take("As"), "As_");
  EXPECT_EQ(scope.Take("As"), "As_2");
  EXPECT_EQ(scope.Take("a"), "a");
}

TEST(GenSchemaTest, Patterns) {
  for (const char* fits : {"users", "u*", "*s", "*", "u*r*", "*users*"}) {
    EXPECT_TRUE(FitsPattern(fits, "users")) << fits;
  }
  for (const char* other : {"", "user", "Users", "*x", "u*x*s", "users?"}) {
    EXPECT_FALSE(FitsPattern(other, "users")) << other;
  }
}

GenSchema OneTable(GenTable table) { return {.tables = {std::move(table)}}; }

TEST(GenHeaderTest, ATableIsAStruct) {
  const GenHeader header = WriteGenHeader(
      OneTable({.schema = "audit",
                .name = "order_lines",
                .columns = {{.name = "id",
                             .kind = Kind::kInteger,
                             .native_type = "bigint",
                             .nullable = false,
                             .in_primary_key = true},
                            {.name = "tags", .kind = Kind::kArray, .native_type = "text[]"},
                            {.name = "total",
                             .kind = Kind::kDecimal,
                             .native_type = "numeric",
                             .generated = true}}}),
      Dialect::kPostgres, "app");
  EXPECT_THAT(header.text, HasSubstr(R"(namespace app {

// Table audit.order_lines. Primary key: id.
template <penstock::sql::Name As = "order_lines">
struct AuditOrderLines : penstock::sql::Table<AuditOrderLines<As>, "order_lines", As, "audit"> {
  penstock::sql::Col<AuditOrderLines, std::int64_t, "id"> id;  // bigint, primary key
  penstock::sql::Col<AuditOrderLines, std::optional<std::vector<std::string>>, "tags"> tags;  // text[]
  penstock::sql::Col<AuditOrderLines, std::optional<penstock::Decimal>, "total"> total;  // numeric, computed
};
inline constexpr AuditOrderLines<> audit_order_lines;

}  // namespace app
)"));
  EXPECT_THAT(header.notes, IsEmpty());
}

TEST(GenHeaderTest, TypesThatCppHasNotAreTextAndTold) {
  const GenHeader header = WriteGenHeader(
      OneTable({.name = "t",
                .columns = {{.name = "a", .kind = Kind::kText, .native_type = "inet"},
                            {.name = "b", .kind = Kind::kArray, .native_type = "point[]"},
                            {.name = "c", .kind = Kind::kUnspecified}}}),
      Dialect::kPostgres, "app");
  EXPECT_THAT(header.text, HasSubstr("std::optional<std::string>, \"a\"> a;  // inet, as text"));
  EXPECT_THAT(header.text, HasSubstr("\"b\"> b;  // point[], as text"));
  EXPECT_THAT(header.text, HasSubstr("\"c\"> c;  // an expression, as text"));
  EXPECT_THAT(header.notes,
              ElementsAre(HasSubstr("column a of t"), HasSubstr("point[]"), HasSubstr("column c")));
}

// Names are data of somebody else's: none becomes code, or goes on in the next line.
TEST(GenHeaderTest, NoNameLeavesItsPlace) {
  const std::string bad = "x\nint evil; //\\";
  const GenHeader header = WriteGenHeader(
      OneTable({.schema = bad,
                .name = bad,
                .columns = {{.name = bad, .kind = Kind::kText, .native_type = bad}}}),
      Dialect::kSqlite, "app");
  EXPECT_THAT(header.text, Not(HasSubstr("\nint evil")));
  EXPECT_THAT(header.text, Not(HasSubstr("\\\n")));
  EXPECT_THAT(header.notes, Not(IsEmpty()));
}

TEST(GenHeaderTest, NamesThatMeetAreToldApart) {
  const GenHeader header =
      WriteGenHeader({.tables = {{.name = "Users",
                                  .columns = {{.name = "Users", .kind = Kind::kText},
                                              {.name = "As", .kind = Kind::kText},
                                              {.name = "a b", .kind = Kind::kText},
                                              {.name = "a_b", .kind = Kind::kText}}},
                                 {.name = "users"}}},
                     Dialect::kSqlite, "app");
  for (const char* part : {"struct Users :", "constexpr Users<> Users_2;",
                           "struct Users_ :", "constexpr Users_<> users;", "\"Users\"> Users_;",
                           "\"As\"> As_;", "\"a b\"> a_b;", "\"a_b\"> a_b_;"}) {
    EXPECT_THAT(header.text, HasSubstr(part));
  }
  EXPECT_EQ(header.notes.size(), 5u);
}

TEST(GenDiffTest, LinesThatDiffer) {
  EXPECT_EQ(DifferingLines("a\nb\n", "a\nb\n"), "");
  EXPECT_EQ(DifferingLines("a\nb\nc\n", "a\nB\nc\n"), "@@ line 2\n-b\n+B\n");
  EXPECT_EQ(DifferingLines("", "a\n"), "@@ line 1\n+a\n");
  EXPECT_EQ(DifferingLines("a\nb\nc\nd\n", "b\nc\nx\nd\ny\n"),
            "@@ line 1\n-a\n@@ line 4\n+x\n@@ line 5\n+y\n");
  EXPECT_EQ(DifferingLines("a", "a\n"), "@@ line 1\n-a\n+a\n");
  std::string odd = "same\n";
  std::string even = "same\n";
  for (int i = 0; i < 10'000; ++i) (i % 2 == 1 ? odd : even) += std::to_string(i) + "\n";
  const std::string whole = DifferingLines(odd, even);
  EXPECT_THAT(whole, HasSubstr("@@ line 2\n-1\n-3\n"));
  EXPECT_THAT(whole, HasSubstr("-9999\n+0\n+2\n"));
}

}  // namespace
}  // namespace penstock::cli
