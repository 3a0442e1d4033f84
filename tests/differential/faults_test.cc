// The runner reports what differs: an oracle that is wrong in one respect is found out.
#include <cmath>
#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/differential/run.h"
#include "tests/differential/sqlite_oracle.h"
#include "tests/support/gateway.h"
#include "tests/support/temp_dir.h"

namespace penstock::differential {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

using Spoil = std::function<void(Answer*)>;

// A backend, but for one statement, whose answer is spoilt: the one that begins with `start`.
class FaultyOracle final : public Oracle {
 public:
  FaultyOracle(std::unique_ptr<Oracle> real, std::string start, Spoil spoil)
      : real_(std::move(real)), start_(std::move(start)), spoil_(std::move(spoil)) {}

  Answer Run(const std::string& sql, const Values& args) override {
    Answer answer = real_->Run(sql, args);
    if (sql.starts_with(start_)) spoil_(&answer);
    return answer;
  }
  bool Prepares(const std::string& sql) override { return real_->Prepares(sql); }
  bool in_transaction() const override { return real_->in_transaction(); }
  bool transaction_aborted() const override { return real_->transaction_aborted(); }
  bool Same(const v1::Value& own, const v1::Value& gateways, v1::Kind declared) override {
    return real_->Same(own, gateways, declared);
  }
  std::vector<std::string> CompareStored(const std::string& folder) override {
    return real_->CompareStored(folder);
  }
  bool TakeOver(const std::string& folder) override { return real_->TakeOver(folder); }

 private:
  const std::unique_ptr<Oracle> real_;
  const std::string start_;
  const Spoil spoil_;
};

constexpr char kScript[] =
    "CREATE TABLE t (a INTEGER PRIMARY KEY, b TEXT, r REAL);"
    "INSERT INTO t VALUES (7, '1', 0.1);"
    "SELECT a, b, r FROM t;"
    "SELECT missing FROM t;"
    "SELECT count(*) FROM t;";
// How its statements begin, also with parameters.
constexpr char kInsert[] = "INSERT INTO t";
constexpr char kSelect[] = "SELECT a";
constexpr char kWrong[] = "SELECT missing";

class Faults : public ::testing::TestWithParam<Mode> {
 protected:
  virtual const Backend& backend() const { return SqliteBackend(); }

  Report Run(const std::string& sql, Spoil spoil, const KnownDifferences& known = {}) {
    const testing::TempDir folder;
    absl::StatusOr<std::unique_ptr<Oracle>> real = backend().OpenOracle(folder.path());
    EXPECT_TRUE(real.ok());
    FaultyOracle oracle(*std::move(real), sql, std::move(spoil));
    testing::Gateway gateway(backend().GatewayConfig(folder.path()));
    testing::Wire wire(gateway.target());
    Session session(wire, backend(), GetParam());
    const Script script = ReadSql(kScript, backend());
    Report report;
    RunScript(script, backend(), known, session, oracle, GetParam(), folder.path(), SIZE_MAX,
              &report);
    return report;
  }

  // One difference, and what it says.
  void Expect(const std::string& sql, const std::string& what, Spoil spoil) {
    const Report report = Run(sql, std::move(spoil));
    ASSERT_EQ(report.differences.size(), 1U) << sql;
    EXPECT_THAT(report.differences[0].sql, StartsWith(sql));
    EXPECT_THAT(report.differences[0].what, HasSubstr(what));
  }
};

TEST_P(Faults, WithoutOneThereIsNoDifference) {
  const Report report = Run("no statement begins so", [](Answer*) {});
  EXPECT_TRUE(report.differences.empty()) << report.differences[0].what;
  EXPECT_EQ(report.compared.at(GetParam()), 5U);
  EXPECT_EQ(report.failures, 1U);
  EXPECT_EQ(report.values, 4U);
}

TEST_P(Faults, OfValues) {
  const auto value = [](Answer* answer, int column) {
    return answer->rows.at(0).mutable_values(column);
  };
  Expect(kSelect, "column 'a'", [&](Answer* a) { value(a, 0)->set_integer(8); });
  Expect(kSelect, "column 'a'", [&](Answer* a) { value(a, 0)->set_real(7); });
  Expect(kSelect, "column 'a'", [&](Answer* a) { value(a, 0)->set_text("7"); });
  Expect(kSelect, "column 'b'", [&](Answer* a) { value(a, 1)->set_integer(1); });
  Expect(kSelect, "column 'b'", [&](Answer* a) { value(a, 1)->set_blob("1"); });
  Expect(kSelect, "column 'b'", [&](Answer* a) { *value(a, 1) = testing::Null(); });
  Expect(kSelect, "column 'r'", [&](Answer* a) { value(a, 2)->set_real(std::nextafter(0.1, 1)); });
}

TEST_P(Faults, OfRowsAndColumns) {
  Expect(kSelect, "0 rows, gateway 1", [](Answer* a) { a->rows.clear(); });
  Expect(kSelect, "2 rows, gateway 1", [](Answer* a) { a->rows.push_back(a->rows[0]); });
  Expect(kSelect, "'b'", [](Answer* a) { a->columns[1].set_name("c"); });
  Expect(kSelect, "TEXT", [](Answer* a) { a->columns[1].set_native_type("INT"); });
  Expect(kSelect, "columns", [](Answer* a) { a->columns.pop_back(); });
}

TEST_P(Faults, OfWhatAWriteTells) {
  Expect(kInsert, "rows_affected", [](Answer* a) { a->rows_affected = 2; });
  Expect(kInsert, "last_insert_id", [](Answer* a) { a->last_insert_id = 8; });
  Expect(kInsert, "last_insert_id", [](Answer* a) { a->last_insert_id = std::nullopt; });
}

TEST_P(Faults, OfFailures) {
  Expect(kWrong, "oracle succeeds", [](Answer* a) { a->failure = std::nullopt; });
  Expect(kWrong, "fails", [](Answer* a) { a->failure->code = "19"; });
  Expect(kWrong, "fails", [](Answer* a) { a->failure->message = "another text"; });
  Expect(kWrong, "fails", [](Answer* a) { a->failure->reason = v1::REASON_DATA_EXCEPTION; });
  Expect(kInsert, "gateway succeeds",
         [](Answer* a) { a->failure = Failure{.code = "1", .message = "no"}; });
}

INSTANTIATE_TEST_SUITE_P(Modes, Faults,
                         ::testing::Values(Mode::kAutocommit, Mode::kTransaction, Mode::kPrepare,
                                           Mode::kParameters),
                         [](const auto& tested) { return std::string(ModeName(tested.param)); });

// The same of psql, whose answers are texts.
class PsqlFaults : public Faults {
 protected:
  const Backend& backend() const override { return PostgresBackend(); }
};

TEST_P(PsqlFaults, AreFound) {
  const Report report = Run("no statement begins so", [](Answer*) {});
  EXPECT_TRUE(report.differences.empty()) << report.differences[0].what;
  EXPECT_EQ(report.compared.at(GetParam()), 5U);
  EXPECT_EQ(report.failures, 1U);
  EXPECT_EQ(report.values, 4U);
  const auto value = [](Answer* answer, int column) {
    return answer->rows.at(0).mutable_values(column);
  };
  Expect(kSelect, "column 'a'", [&](Answer* a) { value(a, 0)->set_text("8"); });
  Expect(kSelect, "column 'b'", [&](Answer* a) { *value(a, 1) = testing::Null(); });
  Expect(kSelect, "column 'r'", [&](Answer* a) { value(a, 2)->set_text("0.2"); });
  Expect(kSelect, "2 rows, gateway 1", [](Answer* a) { a->rows.push_back(a->rows[0]); });
  Expect(kSelect, "'b'", [](Answer* a) { a->columns[1].set_name("c"); });
  Expect(kSelect, "columns", [](Answer* a) { a->columns.pop_back(); });
  Expect(kInsert, "rows_affected", [](Answer* a) { a->rows_affected = 2; });
  Expect(kWrong, "oracle succeeds", [](Answer* a) { a->failure = std::nullopt; });
  Expect(kWrong, "fails", [](Answer* a) { a->failure->code = "42P01"; });
}

INSTANTIATE_TEST_SUITE_P(Modes, PsqlFaults,
                         ::testing::Values(Mode::kAutocommit, Mode::kTransaction, Mode::kPrepare),
                         [](const auto& tested) { return std::string(ModeName(tested.param)); });

}  // namespace
}  // namespace penstock::differential
