// Types that are the server's own or the user's: what they come back as.
#include "fmt/format.h"
#include "tests/unit/postgres/fixture.h"

namespace penstock::postgres {
namespace {

class KindsTest : public PostgresDriverTest {
 protected:
  KindsTest() {
    Ask("CREATE TYPE mood AS ENUM ('sad', 'it''s \"ok\"')");
    Ask("CREATE DOMAIN positive AS integer CHECK (VALUE > 0)");
    Ask("CREATE DOMAIN small AS positive CHECK (VALUE < 100)");
    Ask("CREATE TYPE point3 AS (x integer, y text, z numeric)");
  }
  // `value` through a table of `type` and back.
  std::string Through(const std::string& type, Value value) {
    const std::string table = fmt::format("t{}", ++tables_);
    Ask(fmt::format("CREATE TABLE {} (v {})", table, type));
    const auto inserted = Try(fmt::format("INSERT INTO {} VALUES ($1)", table), {value});
    if (!inserted->run.status.ok()) return inserted->message();
    return Ask(fmt::format("SELECT v FROM {}", table));
  }

  int tables_ = 0;
};

TEST_F(KindsTest, TypesOfTheUsers) {
  EXPECT_EQ(Through("mood", Value::Text("it's \"ok\"")), "text it's \"ok\"");
  EXPECT_EQ(Through("positive", Value::Integer(7)), "integer 7");
  EXPECT_EQ(Through("small", Value::Integer(7)), "integer 7");
  EXPECT_EQ(Through("point3", Value::Text("(1,\"a,b\",2.50)")), "text (1,\"a,b\",2.50)");
  const auto refused = Try("SELECT $1::small", {Value::Integer(100)});
  EXPECT_EQ(refused->reason(), Reason::kCheckViolation) << refused->message();
  EXPECT_EQ(Try("SELECT $1::mood", {Value::Text("glad")})->reason(), Reason::kDataException);
  EXPECT_EQ(Try("SELECT $1::mood", {Value::Integer(1)})->reason(), Reason::kInvalidParameter);
}

TEST_F(KindsTest, ArraysOfTheUsers) {
  Value moods;
  const std::vector<Value> elements = {Value::Text("sad"), Value::Null()};
  moods.kind = Kind::kArray;
  moods.elements = elements;
  EXPECT_EQ(Ask("SELECT ($1::mood[])[1]::text, ($1::mood[])[2] IS NULL", {moods}),
            "text sad|boolean true");
  EXPECT_EQ(Ask("SELECT ARRAY['sad', NULL]::mood[]"), "array ['sad', null]");
}

TEST_F(KindsTest, RangesIntervalsAndAddresses) {
  EXPECT_EQ(Through("int4range", Value::Text("[1,5)")), "text [1,5)");
  EXPECT_EQ(Through("tstzmultirange", Value::Text("{}")), "text {}");
  EXPECT_EQ(Through("interval", Value::Of(Kind::kInterval, "P1Y2M3DT4H5M6.5S")),
            "interval P1Y2M3DT4H5M6.5S");
  EXPECT_EQ(Through("inet", Value::Text("2001:db8::/32")), "text 2001:db8::/32");
  EXPECT_EQ(Through("macaddr", Value::Text("08:00:2b:01:02:03")), "text 08:00:2b:01:02:03");
  EXPECT_EQ(Through("bit(3)", Value::Text("101")), "text 101");
}

TEST_F(KindsTest, NumbersOfAnySize) {
  const std::string large = std::string(1000, '9') + "." + std::string(500, '7');
  EXPECT_EQ(Through("numeric", Value::Of(Kind::kDecimal, large)), "decimal " + large);
  EXPECT_EQ(Through("numeric", Value::Of(Kind::kDecimal, "-0.0000000000000000000000000001")),
            "decimal -0.0000000000000000000000000001");
  for (const char* special : {"NaN", "Infinity", "-Infinity"}) {
    EXPECT_EQ(Through("numeric", Value::Of(Kind::kDecimal, special)),
              fmt::format("decimal {}", special));
  }
  EXPECT_EQ(Through("numeric", Value::Of(Kind::kDecimal, "1e3")), "decimal 1000");
}

TEST_F(KindsTest, DatesBeyondTheCalendarAreText) {
  for (const char* type : {"date", "timestamp", "timestamptz"}) {
    for (const char* value : {"infinity", "-infinity"}) {
      EXPECT_EQ(Through(type, Value::Text(value)), fmt::format("text {}", value));
    }
  }
  EXPECT_EQ(Through("date", Value::Text("0044-03-15 BC")), "text 0044-03-15 BC");
  EXPECT_EQ(Through("date", Value::Text("12345-06-07")), "text 12345-06-07");
  EXPECT_EQ(Through("timestamp", Value::Text("12345-06-07 08:09:10.5")),
            "text 12345-06-07 08:09:10.5");
}

// The server would round them: the first becomes 24:00:00.
TEST_F(KindsTest, TimesAndIntervalsFinerThanAMicrosecondAreRefused) {
  const auto of = [](Kind kind, std::string_view text) {
    Value value = Value::Text(text);
    value.kind = kind;
    return value;
  };
  for (const auto& [type, kind, fine, whole] : {
           std::tuple{"time", Kind::kTime, "23:59:59.9999999", "23:59:59.9999990"},
           std::tuple{"timetz", Kind::kTime, "12:00:00.0000001+02", "12:00:00.1230000+02"},
           std::tuple{"interval", Kind::kInterval, "PT0.0000001S", "PT0.0000010S"},
           std::tuple{"interval", Kind::kInterval, "P1DT-1.1234567S", "P1DT-1.123456S"},
       }) {
    const auto refused = Try(fmt::format("SELECT $1::{}", type), {of(kind, fine)});
    EXPECT_EQ(refused->reason(), Reason::kDataException) << fine << refused->message();
    EXPECT_NE(refused->message().find("microsecond"), std::string::npos) << refused->message();
    const auto kept = Try(fmt::format("SELECT $1::{}", type), {of(kind, whole)});
    EXPECT_EQ(kept->reason(), Reason::kUnspecified) << whole << kept->message();
  }
}

TEST_F(KindsTest, AKindThatDoesNotFitTheInferredTypeIsRefusedByName) {
  for (const auto& [type, value] : {
           std::pair{"integer", Value::Boolean(true)},
           std::pair{"boolean", Value::Integer(1)},
           std::pair{"date", Value::Integer(1)},
           std::pair{"bytea", Value::Text("x")},
           std::pair{"uuid", Value::Blob("x")},
           std::pair{"integer[]", Value::Integer(1)},
       }) {
    const auto call = Try(fmt::format("SELECT $1::{}", type), {value});
    EXPECT_EQ(call->reason(), Reason::kInvalidParameter) << type << call->message();
    EXPECT_NE(call->message().find("parameter 1"), std::string::npos) << call->message();
  }
}

}  // namespace
}  // namespace penstock::postgres
