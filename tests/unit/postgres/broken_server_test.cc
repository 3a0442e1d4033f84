// A server that lies, or is broken: all that it sends is bounded and checked.
#include <chrono>
#include <memory>
#include <string>

#include "drivers/postgres/postgres_driver.h"
#include "fmt/format.h"
#include "gtest/gtest.h"
#include "tests/support/driver_calls.h"
#include "tests/support/fake_postgres.h"
#include "text/utf8.h"

namespace penstock::postgres {
namespace {

using driver::Reason;
using driver::Value;
using testing::Call;
using testing::FakeAnswer;
using testing::FakePostgres;

constexpr uint32_t kStrange = 70'000;  // a type of the user's
constexpr auto kLimit = std::chrono::seconds(20);

// Rows of the catalogue: oid, name, typtype, delimiter, element or base.
using Catalogue = std::function<FakeAnswer()>;

class BrokenServerTest : public ::testing::Test {
 protected:
  BrokenServerTest()
      : server_([this](std::string_view sql) {
          return sql.find("pg_catalog.pg_type") != std::string_view::npos ? catalogue_() : answer_;
        }) {}

  // Runs a statement whose answer is answer_, on a session of its own; its limit is never
  // reached unless the test is about it.
  std::unique_ptr<Call> Run(std::vector<Value> args = {},
                            std::chrono::milliseconds limit = kLimit) {
    driver::Config config;
    config.name = "main";
    config.driver = "postgres";
    config.connection_string = server_.connection_string();
    config.options["cancel_grace_ms"] = "200";
    if (driver_ == nullptr) driver_ = *Open(config);
    auto connection = driver_->Connect(driver::Lane::kWrite, driver::Deadline::None());
    EXPECT_TRUE(connection.ok()) << connection.status();
    auto call = std::make_unique<Call>("SELECT it", std::move(args));
    const auto began = std::chrono::steady_clock::now();
    call->run.deadline = {.at = began + limit, .reason = Reason::kQueryTimeout};
    if (!takes_rows_) call->run.writer = nullptr;
    driver::StatementRun* const run = &call->run;
    EXPECT_EQ((*connection)->RunBatch({&run, 1}), 1u);
    // As a client does that has seen enough.
    call->run.cursor.reset();
    EXPECT_LT(std::chrono::steady_clock::now() - began, kLimit);
    return call;
  }
  // One column of the type with one row.
  void AnswerWith(uint32_t type, const std::string& value) {
    answer_ = {.columns = {{"it", type}}, .rows = {{value}}};
  }
  static FakeAnswer CatalogueOf(std::vector<FakeAnswer::Row> rows) {
    return {.columns = {{"oid", 26}, {"name"}, {"typtype", 18}, {"typdelim", 18}, {"of", 26}},
            .rows = std::move(rows)};
  }
  static FakeAnswer::Row Type(uint32_t oid, const std::string& kind, uint32_t made_of) {
    return {fmt::to_string(oid), fmt::format("t{}", oid), kind, ",", fmt::to_string(made_of)};
  }

  FakeAnswer answer_;
  bool takes_rows_ = true;
  Catalogue catalogue_ = [] { return CatalogueOf({}); };
  // After what its threads look at: it ends first.
  FakePostgres server_;
  std::unique_ptr<driver::Driver> driver_;
};

TEST_F(BrokenServerTest, ATypeThatIsMadeOfItselfIsText) {
  AnswerWith(kStrange, "{1}");
  for (const char* kind : {"b", "d"}) {
    for (const uint32_t length : {1, 2, 3, 100}) {
      catalogue_ = [&] {
        std::vector<FakeAnswer::Row> circle;
        for (uint32_t i = 0; i < length; ++i) {
          circle.push_back(Type(kStrange + i, kind, kStrange + (i + 1) % length));
        }
        return CatalogueOf(circle);
      };
      const auto call = Run();
      EXPECT_TRUE(call->run.status.ok()) << call->run.status;
      EXPECT_EQ(call->row(), "text {1}");
      EXPECT_EQ(call->output.columns->at(0).native_type, "t70000");
    }
  }
}

TEST_F(BrokenServerTest, ATypeIsMadeOfSoManyOthersAtMost) {
  AnswerWith(kStrange, "{1}");
  catalogue_ = [] {
    std::vector<FakeAnswer::Row> chain;
    for (uint32_t i = 0; i < 10'000; ++i)
      chain.push_back(Type(kStrange + i, "d", kStrange + i + 1));
    chain.push_back(Type(kStrange + 10'000, "d", 23));
    return CatalogueOf(chain);
  };
  EXPECT_EQ(Run()->row(), "text {1}");
}

TEST_F(BrokenServerTest, TheCatalogueIsAskedOnceAStatement) {
  AnswerWith(kStrange, "{1}");
  uint32_t next = kStrange;
  catalogue_ = [&] {
    ++next;
    return CatalogueOf({Type(kStrange, "b", next), Type(next, "b", next + 1)});
  };
  EXPECT_EQ(Run()->row(), "text {1}");
  EXPECT_EQ(server_.executed("pg_catalog.pg_type").size(), 1u);
  // What it did not say is asked for again, by whoever needs it next.
  Run();
  EXPECT_EQ(server_.executed("pg_catalog.pg_type").size(), 2u);
}

TEST_F(BrokenServerTest, ACatalogueThatDoesNotEndIsGivenUp) {
  AnswerWith(kStrange, "1");
  catalogue_ = [] {
    FakeAnswer endless = CatalogueOf({});
    endless.more = [](int64_t i) {
      return std::optional(Type(kStrange + static_cast<uint32_t>(i), "b", 0));
    };
    return endless;
  };
  EXPECT_EQ(Run()->reason(), Reason::kIo);
}

TEST_F(BrokenServerTest, ACatalogueThatMakesNoSenseIsGivenUp) {
  AnswerWith(kStrange, "1");
  for (const FakeAnswer::Row& row :
       {FakeAnswer::Row{"x", "t", "b", ",", "0"}, FakeAnswer::Row{"", "t", "b", ",", "0"},
        FakeAnswer::Row{std::nullopt, "t", "b", ",", "0"},
        FakeAnswer::Row{"99999999999", "t", "b", ",", "0"},
        FakeAnswer::Row{"70000", "t", "b", ",", "-1"}}) {
    catalogue_ = [&row] { return CatalogueOf({row}); };
    EXPECT_EQ(Run()->reason(), Reason::kIo);
  }
  catalogue_ = [] { return CatalogueOf({Type(kStrange, "b", 0), Type(kStrange, "d", 23)}); };
  EXPECT_EQ(Run()->reason(), Reason::kIo);
  catalogue_ = [] { return FakeAnswer{.columns = {{"oid", 26}}, .rows = {{"70000"}}}; };
  EXPECT_EQ(Run()->reason(), Reason::kIo);
}

TEST_F(BrokenServerTest, RowsWithoutAnEndEndWithTheDeadline) {
  answer_ = {.columns = {{"it", 25}},
             .more = [](int64_t) { return std::optional(FakeAnswer::Row{"x"}); }};
  // Those that are read, and then are not; and those that nobody wants.
  EXPECT_TRUE(Run()->run.status.ok());
  takes_rows_ = false;
  const auto call = Run({}, std::chrono::milliseconds(300));
  EXPECT_EQ(call->reason(), Reason::kQueryTimeout) << call->run.status;
}

TEST_F(BrokenServerTest, BytesThatAreNotUtf8ReachNobody) {
  const std::string bad = "a\xff\xc3(b";
  answer_ = {.columns = {{bad, kStrange}}, .rows = {{"x"}}};
  catalogue_ = [&] { return CatalogueOf({{fmt::to_string(kStrange), bad, "b", ",", "0"}}); };
  const auto named = Run();
  EXPECT_TRUE(named->run.status.ok()) << named->run.status;
  EXPECT_EQ(named->output.columns->at(0).name, ToUtf8(bad));
  EXPECT_EQ(named->output.columns->at(0).native_type, ToUtf8(bad));
  // text, "char", name, varchar, json, jsonb, date, timestamp, interval, xml, text[], inet
  for (const uint32_t type :
       {25, 18, 19, 1043, 114, 3802, 1082, 1114, 1184, 1186, 142, 1009, 869, 3807}) {
    for (const std::string& value :
         {bad, "{" + bad + "}", "{\"" + bad + "\"}", "[1:1]={" + bad + "}"}) {
      AnswerWith(type, value);
      const auto call = Run();
      EXPECT_EQ(call->reason(), Reason::kDataException) << type << call->run.status;
      EXPECT_TRUE(IsUtf8(call->message()));
    }
  }
  answer_ = {.sqlstate = "P0001", .message = bad};
  EXPECT_EQ(Run()->message(), ToUtf8(bad));
}

TEST_F(BrokenServerTest, BytesInAFormThatIsNoneAreRefused) {
  for (const char* value :
       {"\\", "\\x1", "\\x0g", "\\X00", "\\1", "\\400", "\\08", "a\\", "\\x0 "}) {
    AnswerWith(17, value);
    EXPECT_EQ(Run()->reason(), Reason::kDataException) << value;
    std::string quoted;
    for (const char c : std::string_view(value)) quoted += c == '\\' ? "\\\\" : std::string(1, c);
    AnswerWith(1001, fmt::format("{{\"{}\"}}", quoted));
    EXPECT_EQ(Run()->reason(), Reason::kDataException) << value;
  }
  AnswerWith(17, "\\\\");
  EXPECT_EQ(Run()->row(), "blob \\");
}

TEST_F(BrokenServerTest, ValuesThatAreNoneOfTheirTypeAreRefused) {
  const std::pair<uint32_t, std::vector<std::string>> cases[] = {
      {16, {"", "x", "true"}},
      {20, {"", "abc", "99999999999999999999", "1 ", "+1", "0x1"}},
      {700, {"", "1e", "1e99", "nan ", "0x1"}},
      {701, {"", "1e999", "1,5", "--1"}},
      {1700, {"", "1e", "abc", "1.2.3", "Infinity ", "-"}},
      {2950, {"", "123", "123e4567-e89b-12d3-a456-42661417400g"}},
      {1083, {"", "noon", "1:2"}},
      {1007, {"", "1", "{", "{1", "{1,}", "{,1}", "{1}}", "{1 2}", "{x}", "{\"1}", "{\\", "{}x"}},
  };
  for (const auto& [type, values] : cases) {
    for (const std::string& value : values) {
      AnswerWith(type, value);
      const auto call = Run();
      EXPECT_EQ(call->reason(), Reason::kDataException) << type << " '" << value << "'";
      EXPECT_TRUE(value.size() < 3 || call->message().find(value) == std::string::npos)
          << call->message();
    }
  }
  AnswerWith(1007, std::string(1'000'000, '{'));
  EXPECT_EQ(Run()->reason(), Reason::kDataException);
}

TEST_F(BrokenServerTest, RowsOfOtherColumnsThanDescribedAreNotTaken) {
  answer_ = {.columns = {{"a", 23}, {"b", 23}}, .rows = {{"1"}}};
  EXPECT_FALSE(Run()->run.status.ok());
  answer_.rows = {{"1", "2", "3"}};
  EXPECT_FALSE(Run()->run.status.ok());
}

// What a pooler leaves out of the start is set afterwards.
TEST_F(BrokenServerTest, SettingsThatAreNotReportedAreSet) {
  AnswerWith(25, "x");
  Run();
  EXPECT_TRUE(server_.executed("set_config").empty());
  for (const auto& [name, value] : {std::pair{"IntervalStyle", ""},
                                    {"IntervalStyle", "postgres"},
                                    {"TimeZone", "Asia/Tokyo"},
                                    {"DateStyle", "German"}}) {
    const size_t before = server_.executed("set_config").size();
    server_.Report(name, value);
    Run();
    EXPECT_EQ(server_.executed("set_config").size(), before + 1) << name << value;
    EXPECT_NE(server_.executed("set_config").back().find("'TimeZone', 'UTC'"), std::string::npos);
  }
}

}  // namespace
}  // namespace penstock::postgres
