// What the tests of a connection's parts have in common: the parts below, and a scripted server.
#ifndef PENSTOCK_TESTS_UNIT_POSTGRES_SESSION_PARTS_H_
#define PENSTOCK_TESTS_UNIT_POSTGRES_SESSION_PARTS_H_

#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "drivers/postgres/command_runner.h"
#include "drivers/postgres/preparer.h"
#include "drivers/postgres/transaction_state.h"
#include "gtest/gtest.h"
#include "tests/support/fake_postgres.h"

namespace penstock::postgres {

using driver::Reason;
using driver::Value;
using testing::FakeAnswer;
using testing::FakePostgres;

constexpr auto kLimit = std::chrono::seconds(20);

inline Reason ReasonOf(const absl::Status& status) { return driver::GetErrorInfo(status).reason; }

// A session of a server that gives every statement the same answer.
class SessionPartsTest : public ::testing::Test {
 protected:
  SessionPartsTest() : server_([this](std::string_view) { return answer_; }) {
    driver::Config config;
    config.name = "main";
    config.driver = "postgres";
    config.connection_string = server_.connection_string();
    config.options["cancel_grace_ms"] = "5000";
    options_ = *ParseOptions(config);
    auto link = Link::Connect(options_, Limit());
    EXPECT_TRUE(link.ok()) << link.status();
    runner_ = std::make_unique<CommandRunner>(options_, flavor_, *std::move(link));
  }

  static driver::Deadline Limit(std::chrono::milliseconds limit = kLimit) {
    return {.at = std::chrono::steady_clock::now() + limit, .reason = Reason::kQueryTimeout};
  }
  CommandWatch Watch(std::chrono::milliseconds limit = kLimit) {
    return CommandWatch(&runner_->link(), Limit(limit), nullptr);
  }
  size_t CountExecuted(std::string_view part) const { return server_.executed(part).size(); }

  FakeAnswer answer_;
  FakePostgres server_;
  Options options_;
  Flavor flavor_;
  std::unique_ptr<CommandRunner> runner_;
  TransactionState transaction_;
};

// And what prepares its statements, which have one column.
class PreparerTest : public SessionPartsTest {
 protected:
  PreparerTest()
      : preparer_(options_, flavor_, &types_, &definitions_, runner_.get(), &transaction_) {
    answer_.columns = {{"it", oid::kText}};
  }
  Statement* Prepare(const std::string& sql, std::vector<Value> args = {}) {
    auto statement = preparer_.Prepare(sql, args, /*prepared=*/true, Watch());
    EXPECT_TRUE(statement.ok()) << statement.status();
    return statement.ok() ? *statement : nullptr;
  }

  TypeRegistry types_;
  Definitions definitions_;
  Preparer preparer_;
};

}  // namespace penstock::postgres

#endif  // PENSTOCK_TESTS_UNIT_POSTGRES_SESSION_PARTS_H_
