// PostgreSQL. Its lock is an advisory one of the session that migrates, tried
// and never waited for: a statement that waits has a snapshot, and CREATE INDEX
// CONCURRENTLY waits for all snapshots that are older than itself.
#include <algorithm>
#include <array>
#include <charconv>

#include "migrations/postgres_tables.h"
#include "migrations/text.h"

namespace penstock::migrations {
namespace {

using driver::Value;

bool IsFirst(const SqlStatement& statement, std::initializer_list<std::string_view> words) {
  return !statement.words.empty() &&
         std::find(words.begin(), words.end(), statement.words.front()) != words.end();
}

bool IsSecond(const SqlStatement& statement, std::initializer_list<std::string_view> words) {
  return statement.words.size() > 1 &&
         std::find(words.begin(), words.end(), statement.words[1]) != words.end();
}

class PostgresDialect final : public PostgresTables {
 public:
  using PostgresTables::PostgresTables;

  bool NeedsNoTransaction(const SqlStatement& statement) const override {
    if (statement.StartsWith({"VACUUM"}) || statement.StartsWith({"ALTER", "SYSTEM"})) return true;
    if (IsFirst(statement, {"CREATE", "DROP"}) &&
        IsSecond(statement, {"DATABASE", "TABLESPACE", "SUBSCRIPTION"})) {
      return true;
    }
    if (statement.StartsWith({"REINDEX"}) &&
        (statement.HasWord("DATABASE") || statement.HasWord("SYSTEM"))) {
      return true;
    }
    // CLUSTER of everything.
    if (statement.StartsWith({"CLUSTER"}) && statement.text.size() == statement.words[0].size()) {
      return true;
    }
    // REFRESH MATERIALIZED VIEW CONCURRENTLY may be in a transaction.
    return statement.HasWord("CONCURRENTLY") &&
           (statement.StartsWith({"CREATE", "INDEX"}) ||
            statement.StartsWith({"CREATE", "UNIQUE", "INDEX"}) ||
            statement.StartsWith({"DROP", "INDEX"}) || statement.StartsWith({"REINDEX"}) ||
            (statement.StartsWith({"ALTER", "TABLE"}) && statement.HasWord("DETACH")));
  }

  absl::StatusOr<bool> TryLock(Session* session) override {
    absl::StatusOr<int64_t> key = LockKey(session);
    if (!key.ok()) return key.status();
    // Else the driver would take the lock back after the statement.
    session->connection()->KeepSession(true);
    const std::array args = {Value::Integer(*key)};
    absl::StatusOr<Table> got = session->Query("SELECT pg_try_advisory_lock($1::bigint)", args);
    const bool locked = got.ok() && got->size() == 1 && got->front().front().integer != 0;
    if (!locked) session->connection()->KeepSession(false);
    if (!got.ok()) return got.status();
    // The driver's limit is that of requests; the role's or the database's own stays.
    absl::Status unlimited = locked ? session->Run("RESET statement_timeout") : absl::OkStatus();
    if (!unlimited.ok()) return unlimited;
    return locked;
  }

  absl::Status Unlock(Session* session) override {
    absl::StatusOr<int64_t> key = LockKey(session);
    absl::Status status = key.status();
    if (key.ok()) {
      const std::array args = {Value::Integer(*key)};
      status = session->Query("SELECT pg_advisory_unlock($1::bigint)", args).status();
    }
    session->connection()->KeepSession(false);
    return status;
  }

  absl::Status CleanUp(Session* session, const std::vector<SqlStatement>& statements) override {
    const bool changed =
        std::any_of(statements.begin(), statements.end(), [](const SqlStatement& statement) {
          return IsFirst(statement, {"SET", "RESET", "DO", "CALL"}) ||
                 statement.HasWord("SET_CONFIG") || statement.HasWord("TEMP") ||
                 statement.HasWord("TEMPORARY");
        });
    if (!changed) return absl::OkStatus();
    for (const char* sql : {"SET SESSION AUTHORIZATION DEFAULT", "RESET ALL", "DISCARD TEMP"}) {
      absl::Status status = session->Run(sql);
      if (!status.ok()) return status;
    }
    return absl::OkStatus();
  }

 private:
  // Advisory locks are a database's own, so the table tells histories apart.
  absl::StatusOr<int64_t> LockKey(Session* session) {
    absl::StatusOr<std::string> name = QualifiedTable(session);
    if (!name.ok()) return name.status();
    const std::string digest = Checksum("penstock migrations " + *name);
    constexpr int kHexadecimal = 16;
    uint64_t key = 0;
    std::from_chars(digest.data(), digest.data() + sizeof(key) * 2, key, kHexadecimal);
    return static_cast<int64_t>(key);
  }
};

}  // namespace

std::unique_ptr<Dialect> MakePostgresDialect(const std::string& table) {
  return std::make_unique<PostgresDialect>(table);
}

}  // namespace penstock::migrations
