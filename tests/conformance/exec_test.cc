// Exec: order, independence, rows, and what a failure stops.
#include "fmt/format.h"
#include "tests/conformance/backend.h"

namespace penstock::testing {
namespace {

class Exec : public Conformance {
 protected:
  static v1::ExecRequest Insert(int64_t id, v1::OnError on_error) {
    v1::ExecRequest request;
    request.set_sql("INSERT INTO t VALUES ($1)");
    *request.add_args() = Int(id);
    request.set_on_error(on_error);
    return request;
  }
  void SetUp() override { Do("CREATE TABLE t (id INTEGER PRIMARY KEY)"); }
};
PENSTOCK_CONFORMANCE(Exec);

constexpr int kMany = 10'000;
constexpr int kBad = 7'000;

// The one in the middle repeats the key of the one before it.
std::vector<v1::ExecRequest> ManyWithOneThatFails(
    const std::function<v1::ExecRequest(int64_t)>& insert) {
  std::vector<v1::ExecRequest> requests;
  for (int i = 0; i < kMany; ++i) requests.push_back(insert(i == kBad ? i - 1 : i));
  return requests;
}

TEST_P(Exec, ContinueAnswersEachOfManyInOrder) {
  grpc::Status status;
  const auto answers = wire().ExecAll(
      ManyWithOneThatFails([](int64_t id) { return Insert(id, v1::ON_ERROR_CONTINUE); }), &status);
  EXPECT_TRUE(status.ok()) << status.error_message();
  ASSERT_EQ(answers.size(), static_cast<size_t>(kMany));
  for (int i = 0; i < kMany; ++i) {
    EXPECT_EQ(answers[static_cast<size_t>(i)].has_error(), i == kBad) << i;
  }
  EXPECT_EQ(answers[kBad].error().detail().reason(), v1::REASON_UNIQUE_VIOLATION);
  EXPECT_EQ(Ask("SELECT count(*), max(id) FROM t"), fmt::format("{}|{}", kMany - 1, kMany - 1));
}

TEST_P(Exec, StopRunsNothingAfterTheFailure) {
  grpc::Status status;
  const auto answers = wire().ExecAll(
      ManyWithOneThatFails([](int64_t id) { return Insert(id, v1::ON_ERROR_STOP); }), &status);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::ALREADY_EXISTS);
  EXPECT_EQ(DetailOf(status).reason(), v1::REASON_UNIQUE_VIOLATION);
  EXPECT_EQ(answers.size(), static_cast<size_t>(kBad));
  EXPECT_EQ(Ask("SELECT count(*), max(id) FROM t"), fmt::format("{}|{}", kBad, kBad - 1));
}

TEST_P(Exec, ARequestThatCannotStartStopsTheRestToo) {
  grpc::Status status;
  v1::ExecRequest bad = Insert(2, v1::ON_ERROR_STOP);
  bad.add_rows();
  const auto answers =
      wire().ExecAll({Insert(1, v1::ON_ERROR_STOP), bad, Insert(3, v1::ON_ERROR_STOP)}, &status);
  EXPECT_EQ(DetailOf(status).reason(), v1::REASON_INVALID_PARAMETER);
  EXPECT_EQ(answers.size(), 1u);
  EXPECT_EQ(Ask("SELECT count(*) FROM t"), "1");
}

TEST_P(Exec, AnEmptyStatementRepeatsTheOneBefore) {
  grpc::Status status;
  v1::ExecRequest again = Insert(2, v1::ON_ERROR_CONTINUE);
  again.clear_sql();
  EXPECT_EQ(wire().ExecAll({Insert(1, v1::ON_ERROR_CONTINUE), again}, &status).size(), 2u);
  EXPECT_EQ(Ask("SELECT count(*) FROM t"), "2");
}

TEST_P(Exec, RowsAreAppliedTogetherOrNotAtAll) {
  v1::ExecRequest request;
  request.set_sql("INSERT INTO t VALUES ($1)");
  for (int i = 0; i < 1000; ++i) *request.add_rows()->add_values() = Int(i);
  grpc::Status status;
  auto answers = wire().ExecAll({request}, &status);
  ASSERT_EQ(answers.size(), 1u) << status.error_message();
  EXPECT_EQ(answers[0].summary().rows_affected(), 1000);
  // The last of the next thousand is there already.
  request.clear_rows();
  for (int i = 1999; i >= 999; --i) *request.add_rows()->add_values() = Int(i);
  answers = wire().ExecAll({request}, &status);
  EXPECT_TRUE(answers.empty());
  EXPECT_NE(status.error_message().find("row 1001"), std::string::npos) << status.error_message();
  EXPECT_EQ(Ask("SELECT count(*) FROM t"), "1000");
}

TEST_P(Exec, RowsOfDifferentLengthsAreRefused) {
  v1::ExecRequest request;
  request.set_sql("INSERT INTO t VALUES ($1)");
  *request.add_rows()->add_values() = Int(1);
  request.add_rows();
  grpc::Status status;
  EXPECT_TRUE(wire().ExecAll({request}, &status).empty());
  EXPECT_EQ(DetailOf(status).reason(), v1::REASON_INVALID_PARAMETER);
  EXPECT_EQ(Ask("SELECT count(*) FROM t"), "0");
}

TEST_P(Exec, AStreamWithoutRequestsIsFine) {
  grpc::Status status;
  EXPECT_TRUE(wire().ExecAll({}, &status).empty());
  EXPECT_TRUE(status.ok());
}

// Two databases run side by side; what stops on an error does so on both.
class TwoDatabases : public Conformance {
 protected:
  void SetUp() override {
    server::DatabaseConfig other = SqliteConfig(folder_.path()).databases.at("main");
    other.driver.name = "other";
    config().databases.emplace("other", other);
    Do("CREATE TABLE t (id INTEGER PRIMARY KEY)");
    EXPECT_TRUE(On("other", "CREATE TABLE t (id INTEGER PRIMARY KEY)").status.ok());
  }
  Outcome On(const std::string& database, const std::string& sql) {
    v1::QueryRequest request;
    request.set_database(database);
    request.set_sql(sql);
    return wire().Query(request);
  }
  static v1::ExecRequest Request(const std::string& database, const std::string& sql) {
    v1::ExecRequest request;
    request.set_database(database);
    request.set_sql(sql);
    request.set_on_error(v1::ON_ERROR_STOP);
    return request;
  }

 private:
  TempDir folder_;
};
PENSTOCK_CONFORMANCE(TwoDatabases);

TEST_P(TwoDatabases, AFailureOnOneStopsTheOther) {
  grpc::Status status;
  // It takes a while to fail.
  const auto answers = wire().ExecAll(
      {Request("main", "INSERT INTO t VALUES (1)"), Request("main", backend().fails_after(300'000)),
       Request("other", "INSERT INTO t VALUES (1)"), Request("main", "INSERT INTO t VALUES (2)"),
       Request("other", "INSERT INTO t VALUES (2)")},
      &status);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT) << status.error_message();
  EXPECT_EQ(answers.size(), 1u);
  EXPECT_EQ(On("other", "SELECT count(*) FROM t").text(), "0");
  EXPECT_EQ(Ask("SELECT count(*) FROM t"), "1");
}

TEST_P(TwoDatabases, WhatSucceedsRunsInOrder) {
  grpc::Status status;
  std::vector<v1::ExecRequest> requests;
  for (int i = 0; i < 200; ++i) {
    requests.push_back(
        Request(i % 3 == 0 ? "other" : "main", fmt::format("INSERT INTO t VALUES ({})", i)));
  }
  const auto answers = wire().ExecAll(requests, &status);
  EXPECT_TRUE(status.ok()) << status.error_message();
  EXPECT_EQ(answers.size(), requests.size());
  EXPECT_EQ(On("other", "SELECT count(*) FROM t").text(), "67");
  EXPECT_EQ(Ask("SELECT count(*) FROM t"), "133");
}

}  // namespace
}  // namespace penstock::testing
