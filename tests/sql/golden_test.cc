// What each statement becomes in each dialect, held against a file. After a change that is meant,
// PENSTOCK_TEST_WRITE_GOLDEN=1 writes it anew; read the difference before it is committed.
#include <cstdlib>
#include <fstream>
#include <sstream>

#include "gtest/gtest.h"
#include "tests/sql/case.h"

namespace penstock::testing {
namespace {

std::string Render(const Case& tested, sql::Dialect dialect) {
  const absl::StatusOr<sql::Built> built = tested.build(dialect);
  if (!built.ok()) {
    return "refused: " +
           std::string(built.status().message().data(), built.status().message().size());
  }
  std::string text = built->text;
  for (const Value& value : built->args) {
    text += (&value == built->args.data() ? "\n    " : ", ") + value.DebugString();
  }
  return text;
}

TEST(SqlGoldenTest, StatementsAreTheTextsOfTheFile) {
  std::string all;
  for (const auto& cases : {QueryCases(), WriteCases(), KeyValueCases()}) {
    for (const Case& tested : cases) {
      all += tested.name + "\n";
      std::string last;
      for (const sql::Dialect dialect : {sql::Dialect::kPostgres, sql::Dialect::kCockroachDb,
                                         sql::Dialect::kSqlite, sql::Dialect::kPebble}) {
        std::string text = Render(tested, dialect);
        // A dialect that is like the one before it is left out.
        if (text != last) all += "  " + std::string(DialectName(dialect)) + ": " + text + "\n";
        last = std::move(text);
      }
    }
  }
  if (std::getenv("PENSTOCK_TEST_WRITE_GOLDEN") != nullptr) {
    std::ofstream(PENSTOCK_TEST_GOLDEN) << all;
  }
  std::ifstream file(PENSTOCK_TEST_GOLDEN);
  std::stringstream golden;
  golden << file.rdbuf();
  ASSERT_FALSE(golden.str().empty()) << PENSTOCK_TEST_GOLDEN;
  EXPECT_EQ(golden.str(), all);
}

}  // namespace
}  // namespace penstock::testing
