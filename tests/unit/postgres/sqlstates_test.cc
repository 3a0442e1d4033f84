// Every code that the installed server's list has is decided.
#include <fstream>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "drivers/postgres/sqlstate.h"
#include "gtest/gtest.h"
#include "tests/support/postgres_cluster.h"

namespace penstock::postgres {
namespace {

using driver::Reason;

// The list that PostgreSQL makes its own tables from. It comes with the server:
// …/lib/postgresql/15/bin/postgres and …/share/postgresql/15/errcodes.txt.
std::string ListPath() {
  std::string path = testing::PostgresProgram("postgres");
  path.replace(path.find("/lib/"), 5, "/share/");
  path.erase(path.rfind("/bin/"));
  return path + "/errcodes.txt";
}

std::vector<std::string> Codes() {
  std::ifstream file(ListPath());
  std::vector<std::string> codes;
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line);
    std::string code;
    std::string kind;
    words >> code >> kind;
    if (code.size() == 5 && (kind == "E" || kind == "W" || kind == "S")) codes.push_back(code);
  }
  return codes;
}

TEST(SqlstatesTest, EveryCodeOfTheServerIsDecided) {
  const std::vector<std::string> codes = Codes();
  ASSERT_GT(codes.size(), 230u) << ListPath();
  for (const std::string& code : codes) {
    EXPECT_TRUE(ReasonOfSqlstate(code).has_value())
        << code << ": its class has no reason in sqlstate.cc";
  }
}

// INTERNAL says that the server is at fault.
TEST(SqlstatesTest, OnlyTheServersOwnFaultsAreInternal) {
  const std::set<std::string> expected = {"58000", "58030", "F0000", "F0001", "XX000"};
  std::set<std::string> internal;
  for (const std::string& code : Codes()) {
    const Reason reason = ReasonOfSqlstate(code).value_or(Reason::kIo);
    if (driver::CodeOf(reason) == absl::StatusCode::kInternal) internal.insert(code);
  }
  EXPECT_EQ(internal, expected);
}

// Whether the link is lost, and whether it was us who cancelled, no code can tell.
TEST(SqlstatesTest, NoCodeTellsOfTheLink) {
  for (const std::string& code : Codes()) {
    const Reason reason = ReasonOfSqlstate(code).value_or(Reason::kConnectionLost);
    EXPECT_NE(driver::CodeOf(reason), absl::StatusCode::kUnavailable) << code;
    EXPECT_NE(reason, Reason::kCancelled) << code;
  }
}

// The decisions for whole classes, each by one of its codes that nothing is said of.
TEST(SqlstatesTest, AClassDecidesForWhatIsNotNamed) {
  EXPECT_EQ(ReasonOfSqlstate("22ZZZ"), Reason::kDataException);
  EXPECT_EQ(ReasonOfSqlstate("23ZZZ"), Reason::kConstraintViolation);
  EXPECT_EQ(ReasonOfSqlstate("42ZZZ"), Reason::kSyntax);
  EXPECT_EQ(ReasonOfSqlstate("SHOP1"), std::nullopt);
  EXPECT_EQ(ReasonOfSqlstate(""), std::nullopt);
}

TEST(SqlstatesTest, WhatTheServerRefusesWhenConnecting) {
  EXPECT_EQ(ReasonOfConnecting("28P01"), Reason::kBackendCredentials);
  EXPECT_EQ(ReasonOfConnecting("28000"), Reason::kBackendCredentials);
  EXPECT_EQ(ReasonOfConnecting("42501"), Reason::kBackendCredentials);
  EXPECT_EQ(ReasonOfConnecting("3D000"), Reason::kUnknownDatabase);
  EXPECT_EQ(ReasonOfConnecting("53300"), Reason::kBackendResources);
  EXPECT_EQ(ReasonOfConnecting("57P03"), Reason::kConnectionFailed);
  EXPECT_EQ(ReasonOfConnecting(""), Reason::kConnectionFailed);
}

}  // namespace
}  // namespace penstock::postgres
