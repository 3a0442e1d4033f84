#include "tests/differential/postgres_oracle.h"

#include <chrono>
#include <optional>
#include <set>

#include "tests/differential/postgres_stored.h"
#include "tests/differential/postgres_text.h"
#include "tests/differential/postgres_value.h"
#include "tests/differential/text.h"

namespace penstock::differential {
namespace {

constexpr char kSucceeded[] = "00000";
constexpr char kCancelled[] = "57014";
// Whatever ends a statement after so long is psql's statement_timeout.
constexpr auto kLong = std::chrono::seconds(15);

Answer ToAnswer(const std::string& sql, const PsqlReply& reply) {
  static const std::set<std::string> writes = {"INSERT", "UPDATE", "DELETE", "MERGE"};
  Answer answer;
  answer.tells_types = answer.tells_last_insert_id = false;
  if (reply.sqlstate != kSucceeded) {
    answer.failure = Failure{.code = reply.sqlstate, .message = reply.message, .tells_text = false};
    return answer;
  }
  for (const std::string& name : reply.columns) answer.columns.emplace_back().set_name(name);
  for (const auto& texts : reply.rows) {
    v1::Row& row = answer.rows.emplace_back();
    for (const std::optional<std::string>& text : texts) {
      *row.add_values() = text.has_value() ? testing::Text(*text) : testing::Null();
    }
  }
  // psql counts the rows that it prints, too.
  const std::string verb = Verb(sql);
  if (writes.count(verb) != 0) answer.rows_affected = reply.row_count;
  answer.tells_rows_affected = verb != "WITH" && verb != "EXPLAIN" && verb != "EXECUTE";
  return answer;
}

}  // namespace

absl::StatusOr<std::unique_ptr<Oracle>> PostgresOracle::Open(std::string own, std::string gateways,
                                                             std::string folder) {
  std::unique_ptr<PostgresOracle> oracle(
      new PostgresOracle(std::move(own), std::move(gateways), std::move(folder)));
  absl::Status status = oracle->OpenSession();
  if (!status.ok()) return status;
  return oracle;
}

absl::Status PostgresOracle::OpenSession() {
  in_transaction_ = aborted_ = false;
  psql_ = nullptr;
  absl::StatusOr<std::unique_ptr<Psql>> psql = Psql::Start(own_, folder_);
  if (psql.ok()) psql_ = *std::move(psql);
  return psql.status();
}

Answer PostgresOracle::Run(const std::string& sql, const Values&) {
  const auto began = std::chrono::steady_clock::now();
  const std::optional<PsqlReply> reply = psql_ == nullptr ? std::nullopt : psql_->Run(sql);
  Answer answer;
  answer.too_slow = !reply.has_value() || (reply->sqlstate == kCancelled &&
                                           std::chrono::steady_clock::now() - began > kLong);
  if (!reply.has_value()) {
    OpenSession().IgnoreError();
    return answer;
  }
  Follow(sql, reply->sqlstate != kSucceeded);
  if (!in_transaction_) CleanSession();
  return answer.too_slow ? answer : ToAnswer(sql, *reply);
}

void PostgresOracle::Follow(const std::string& sql, bool failed) {
  using Kind = Control::Kind;
  const Control::Kind kind = ParsePostgresControl(sql).kind;
  if (kind == Kind::kCommit || kind == Kind::kRollback) {
    in_transaction_ = aborted_ = false;
  } else if (failed) {
    aborted_ = in_transaction_;
  } else if (kind == Kind::kBegin) {
    in_transaction_ = true;
  } else if (kind == Kind::kRollbackTo) {
    aborted_ = false;
  }
}

void PostgresOracle::CleanSession() {
  constexpr char kDiscard[] = "DISCARD ALL";
  std::optional<PsqlReply> reply = psql_->Run(kDiscard);
  // A transaction that nobody knows of is open.
  if (reply.has_value() && reply->sqlstate != kSucceeded) {
    psql_->Run("ROLLBACK");
    reply = psql_->Run(kDiscard);
  }
  if (!reply.has_value() || reply->sqlstate != kSucceeded) OpenSession().IgnoreError();
}

bool PostgresOracle::Same(const v1::Value& own, const v1::Value& gateways, v1::Kind) {
  return SamePostgresValue(own, gateways);
}

std::vector<std::string> PostgresOracle::CompareStored(const std::string&) {
  return ComparePostgresStored(own_, gateways_);
}

bool PostgresOracle::TakeOver(const std::string&) {
  if (unlike_) return false;
  // Most that is noticed is of statements that only read, and comparing takes a while.
  const std::string mark = PostgresWriteMark(own_) + "/" + PostgresWriteMark(gateways_);
  if (mark == alike_at_) return true;
  unlike_ = !ComparePostgresStored(own_, gateways_).empty();
  alike_at_ = mark;
  return !unlike_;
}

}  // namespace penstock::differential
