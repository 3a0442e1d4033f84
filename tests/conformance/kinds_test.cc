// Kinds and NULL: nothing is rounded, truncated or guessed.
#include "fmt/format.h"
#include "penstock/value.h"
#include "tests/conformance/backend.h"

namespace penstock::testing {
namespace {

class Kinds : public Conformance {};
PENSTOCK_CONFORMANCE(Kinds);
PENSTOCK_CONFORMANCE_OVER_PIPELINE(Kinds, Backends());

TEST_P(Kinds, EachComesBackAsItWentIn) {
  int number = 0;
  for (const KindCase& kind : backend().kinds()) {
    const std::string table = fmt::format("k{}", ++number);
    Do(fmt::format("CREATE TABLE {} (v {})", table, kind.column_type));
    Do(fmt::format("INSERT INTO {} VALUES ($1)", table), {kind.value});
    const std::string expected =
        kind.comes_back_as.empty() ? ToText(kind.value) : kind.comes_back_as;
    for (const v1::Format format : {v1::FORMAT_ROWS, v1::FORMAT_COLUMNS}) {
      v1::QueryRequest request;
      request.set_sql(fmt::format("SELECT v FROM {}", table));
      request.set_format(format);
      const Outcome outcome = wire().Query(request);
      ASSERT_TRUE(outcome.status.ok()) << kind.column_type << outcome.status.error_message();
      EXPECT_EQ(outcome.text(), expected) << kind.column_type;
      EXPECT_EQ(outcome.columns.at(0).native_type(), backend().native_type(kind.column_type));
    }
  }
}

TEST_P(Kinds, ADecimalHasOneText) {
  Do("CREATE TABLE d (v NUMERIC)");
  for (const auto& [sent, text] : {std::pair{"1e4", "10000"},
                                   {"1E+20", "100000000000000000000"},
                                   {"-2.5e-7", "-0.00000025"},
                                   {"+7", "7"},
                                   {"007", "7"},
                                   {"-0", "0"}}) {
    Do("INSERT INTO d VALUES ($1)", {Decimal(sent)});
    EXPECT_EQ(Ask("SELECT v FROM d"), ToText(Decimal(text))) << sent;
    Do("DELETE FROM d");
  }
}

TEST_P(Kinds, NullIsNullInEveryColumn) {
  int number = 0;
  for (const KindCase& kind : backend().kinds()) {
    const std::string table = fmt::format("n{}", ++number);
    Do(fmt::format("CREATE TABLE {} (v {})", table, kind.column_type));
    Do(fmt::format("INSERT INTO {} VALUES ($1)", table), {Null()});
    EXPECT_EQ(Ask(fmt::format("SELECT v FROM {}", table)), "NULL") << kind.column_type;
  }
}

TEST_P(Kinds, WhatCannotBeKeptIsRefused) {
  int number = 0;
  for (const RefusedValue& refused : backend().refused_values()) {
    const std::string table = fmt::format("r{}", ++number);
    Do(fmt::format("CREATE TABLE {} (v {})", table, refused.column_type));
    const Outcome outcome =
        wire().Exec(fmt::format("INSERT INTO {} VALUES ($1)", table), {refused.value});
    EXPECT_EQ(outcome.detail.reason(), refused.reason) << ToText(refused.value);
    EXPECT_TRUE(!backend().tells_places() ||
                outcome.status.error_message().find("parameter 1") != std::string::npos)
        << outcome.status.error_message();
    EXPECT_EQ(Ask(fmt::format("SELECT count(*) FROM {}", table)), "0");
  }
}

// The two formats say the same, also where NULLs and kinds are mixed.
TEST_P(Kinds, ColumnsAndRowsAgree) {
  Do("CREATE TABLE mixed (i INTEGER, t TEXT, b BOOLEAN)");
  for (int i = 0; i < 20; ++i) {
    Do("INSERT INTO mixed VALUES ($1, $2, $3)",
       {i % 3 == 0 ? Null() : Int(i),
        i % 2 == 0 ? Text(std::string(static_cast<size_t>(i), 'x')) : Null(),
        i % 5 == 0 ? Null() : Bool(i % 2 == 0)});
  }
  v1::QueryRequest request;
  request.set_sql("SELECT i, t, b, NULL AS n FROM mixed");
  const Outcome rows = wire().Query(request);
  request.set_format(v1::FORMAT_COLUMNS);
  const Outcome columns = wire().Query(request);
  EXPECT_EQ(rows.rows.size(), 20u) << rows.status.error_message();
  EXPECT_EQ(rows.text(), columns.text());
}

// One program for all backends: what the client's clock says is kept by each.
TEST_P(Kinds, ATimestampOfTheClientsClockComesBack) {
  const penstock::Timestamp now = penstock::Timestamp::Now();
  Do(fmt::format("CREATE TABLE clock (v {})", backend().timestamp_type()));
  Do("INSERT INTO clock VALUES ($1)", {Timestamp(now.seconds, now.nanos)});
  EXPECT_EQ(Ask("SELECT v FROM clock"), ToText(Timestamp(now.seconds, now.nanos)));
}

TEST_P(Kinds, ALargeBlobOfEightMebibytesTravelsBothWays) {
  Do(fmt::format("CREATE TABLE large (v {})", backend().blob_type()));
  std::string bytes(size_t{8} << 20, '\0');
  for (size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<char>(i * 31);
  Do("INSERT INTO large VALUES ($1)", {Blob(bytes)});
  const Outcome outcome = wire().Query("SELECT v FROM large");
  ASSERT_TRUE(outcome.status.ok()) << outcome.status.error_message();
  EXPECT_TRUE(outcome.rows.at(0).values(0).blob() == bytes);
}

}  // namespace
}  // namespace penstock::testing
