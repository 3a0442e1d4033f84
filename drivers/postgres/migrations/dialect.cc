// PostgreSQL. Its lock is an advisory one of the session that migrates, tried
// and never waited for: a statement that waits has a snapshot, and CREATE INDEX
// CONCURRENTLY waits for all snapshots that are older than itself.
#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>

#include "absl/strings/ascii.h"
#include "drivers/api/error.h"
#include "drivers/postgres/migrations/tables.h"
#include "drivers/postgres/postgres_driver.h"
#include "fmt/format.h"
#include "migrations/script_text.h"

namespace penstock::migrations {
namespace {

using driver::Value;

bool IsFirst(const SqlStatement& statement, std::initializer_list<std::string_view> words) {
  return std::find(words.begin(), words.end(), statement.Word(0)) != words.end();
}

bool IsSecond(const SqlStatement& statement, std::initializer_list<std::string_view> words) {
  return std::find(words.begin(), words.end(), statement.Word(1)) != words.end();
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
        (statement.HasWord("DATABASE") || statement.HasWord("SYSTEM") ||
         statement.HasWord("SCHEMA"))) {
      return true;
    }
    if (statement.StartsWith({"ALTER", "DATABASE"}) && statement.HasWord("TABLESPACE")) return true;
    // CLUSTER of everything.
    if (statement.StartsWith({"CLUSTER"}) && statement.text.size() == statement.Word(0).size()) {
      return true;
    }
    // REFRESH MATERIALIZED VIEW CONCURRENTLY may be in a transaction.
    return statement.HasWord("CONCURRENTLY") &&
           (statement.StartsWith({"CREATE", "INDEX"}) ||
            statement.StartsWith({"CREATE", "UNIQUE", "INDEX"}) ||
            statement.StartsWith({"DROP", "INDEX"}) || statement.StartsWith({"REINDEX"}) ||
            (statement.StartsWith({"ALTER", "TABLE"}) && statement.HasWord("DETACH")));
  }

  absl::StatusOr<bool> TryLock(MigrationConnection* connection) override {
    absl::StatusOr<int64_t> key = LockKey(connection);
    if (!key.ok()) return key.status();
    // Else the driver would take the lock back after the statement.
    connection->driver_connection()->KeepSession(true);
    const std::array args = {Value::Integer(*key)};
    absl::StatusOr<Table> got =
        connection->Query("SELECT pg_try_advisory_lock($1::bigint), pg_backend_pid()", args);
    const bool locked = got.ok() && got->size() == 1 && got->front().front().integer != 0;
    absl::Status own =
        locked ? CheckOwnSession(connection, *key, got->front()[1].integer) : got.status();
    if (!locked || !own.ok()) connection->driver_connection()->KeepSession(false);
    if (!own.ok()) return own;
    // The driver's limit is that of requests; the role's or the database's own stays.
    absl::Status unlimited = locked ? connection->Run("RESET statement_timeout") : absl::OkStatus();
    if (!unlimited.ok()) return unlimited;
    return locked;
  }

  absl::Status Unlock(MigrationConnection* connection) override {
    absl::StatusOr<int64_t> key = LockKey(connection);
    absl::Status status = key.status();
    if (key.ok()) {
      const std::array args = {Value::Integer(*key)};
      status = connection->Query("SELECT pg_advisory_unlock($1::bigint)", args).status();
    }
    connection->driver_connection()->KeepSession(false);
    return status;
  }

  absl::Status InsertRowAndCommit(MigrationConnection* connection, const HistoryRow& row) override {
    return InsertAndCommit(connection, row);
  }

  absl::Status CleanUp(MigrationConnection* connection,
                       const std::vector<SqlStatement>& statements) override {
    const bool changed =
        ChangesSession(statements) ||
        std::any_of(statements.begin(), statements.end(), [](const SqlStatement& statement) {
          return statement.HasWord("TEMP") || statement.HasWord("TEMPORARY");
        });
    if (!changed) return absl::OkStatus();
    for (const char* sql :
         {"RESET SESSION AUTHORIZATION", "RESET ROLE", "RESET ALL", "DISCARD TEMP"}) {
      absl::Status status = connection->Run(sql);
      if (!status.ok()) return status;
    }
    return absl::OkStatus();
  }

  // A CREATE INDEX or REINDEX that fails while others go on working leaves an index behind
  // that is invalid, and that IF NOT EXISTS takes for the one it should make.
  absl::Status CheckDone(MigrationConnection* connection, const SqlStatement& statement) override {
    const bool makes = statement.StartsWith({"CREATE"}) && statement.HasWord("INDEX");
    if (!statement.HasWord("CONCURRENTLY") || !(makes || statement.StartsWith({"REINDEX"}))) {
      return absl::OkStatus();
    }
    // An index that somebody else builds at the moment is not there yet.
    absl::StatusOr<Table> invalid = connection->Query(
        "SELECT i.relname::text, t.relname::text, i.oid::regclass::text FROM pg_catalog.pg_index x "
        "JOIN pg_catalog.pg_class i ON i.oid = x.indexrelid JOIN pg_catalog.pg_class t ON t.oid = "
        "x.indrelid WHERE NOT x.indisvalid AND i.relkind = 'i' AND NOT EXISTS (SELECT 1 FROM "
        "pg_catalog.pg_stat_progress_create_index p WHERE p.index_relid = i.oid)");
    if (!invalid.ok()) return invalid.status();
    for (const std::vector<Cell>& row : *invalid) {
      if (!IsIndexOf(statement, row[0].text, row[1].text)) continue;
      return driver::MakeErrorWithHint(
          driver::Reason::kMigrationRefused,
          fmt::format(
              "the index {} of the table {} is invalid: a statement that built it failed halfway",
              row[2].text, row[1].text),
          fmt::format("run `penstock exec 'DROP INDEX CONCURRENTLY {}'`, then `penstock migrate "
                      "repair FOLDER --resume VERSION`, so that the statement runs again",
                      row[2].text));
    }
    return absl::OkStatus();
  }

 private:
  static absl::StatusOr<int64_t> BackendOf(MigrationConnection* connection) {
    absl::StatusOr<Table> pid = connection->Query("SELECT pg_backend_pid()");
    if (!pid.ok()) return pid.status();
    return pid->front().front().integer;
  }

  // Refuses a connection on which each transaction may have another session of the server's,
  // as PgBouncer gives it in transaction mode: the lock would stay with `holder`, the one that
  // took it. Such a pooler hands out first what was used last, so that a transaction of
  // another connection comes to the holder when this one lets it go; a session of its own it
  // never shares. The lock is free afterwards.
  static absl::Status CheckOwnSession(MigrationConnection* connection, int64_t key,
                                      int64_t holder) {
    if (!connection->connector()) return absl::OkStatus();
    const auto apart = connection->connector()(connection->StatementDeadline());
    // If no other connection can be had, nobody else is in between.
    if (!apart.ok()) return absl::OkStatus();
    MigrationConnection other(apart->get(), connection->cancellation());
    constexpr auto kLimit = std::chrono::seconds(10);
    other.SetLimits(kLimit, connection->StatementDeadline());
    constexpr int kAttempts = 3;
    for (int attempt = 0; attempt < kAttempts; ++attempt) {
      const absl::StatusOr<int64_t> mine = BackendOf(connection);
      if (!mine.ok()) return mine.status();
      absl::Status begun = other.Begin();
      if (!begun.ok()) return begun;
      const absl::StatusOr<int64_t> others = BackendOf(&other);
      const bool shared = others.ok() && *others == holder;
      if (shared || *mine != holder) {
        const std::array args = {Value::Integer(shared ? key : holder)};
        // A holder that cannot be reached is ended, and the lock with it.
        other
            .Query(shared ? "SELECT pg_advisory_unlock($1::bigint)"
                          : "SELECT pg_terminate_backend($1::bigint::int)",
                   args)
            .status()
            .IgnoreError();
      }
      other.Rollback();
      if (!others.ok()) return others.status();
      if (!shared && *mine == holder) continue;
      return driver::MakeErrorWithHint(
          driver::Reason::kMigrationRefused,
          "a pooler between Penstock and the server gives each transaction another session "
          "(PgBouncer in transaction mode), but the lock of a migration belongs to one session",
          "migrate over a connection to the server itself, or to a pool in session mode");
    }
    return absl::OkStatus();
  }

  static bool Mentions(const SqlStatement& statement, const std::string& name) {
    return statement.HasWord(absl::AsciiStrToUpper(name)) ||
           statement.text.find('"' + name + '"') != std::string::npos;
  }

  // Whether the statement may have left this index. One without a name is called after its
  // table, and the new one of a REINDEX after the old one.
  static bool IsIndexOf(const SqlStatement& statement, const std::string& index,
                        const std::string& table) {
    if (Mentions(statement, index)) return true;
    const std::string old = index.substr(0, index.rfind("_cc"));
    if (statement.StartsWith({"REINDEX"})) {
      return old != index && (Mentions(statement, old) || Mentions(statement, table));
    }
    const bool unnamed = (statement.words + ' ').find(" CONCURRENTLY ON ") != std::string::npos;
    return unnamed && index.starts_with(table + "_") && Mentions(statement, table);
  }

  // Advisory locks are a database's own, so the table tells histories apart.
  absl::StatusOr<int64_t> LockKey(MigrationConnection* connection) {
    absl::StatusOr<std::string> name = QualifiedTable(connection);
    if (!name.ok()) return name.status();
    const std::string digest = Checksum("penstock migrations " + *name);
    constexpr int kHexadecimal = 16;
    uint64_t key = 0;
    std::from_chars(digest.data(), digest.data() + sizeof(key) * 2, key, kHexadecimal);
    return static_cast<int64_t>(key);
  }
};

}  // namespace

}  // namespace penstock::migrations

namespace penstock::postgres {

std::unique_ptr<migrations::Dialect> MakeMigrations(const std::string& table,
                                                    const migrations::LockOptions& /*lock*/) {
  return std::make_unique<migrations::PostgresDialect>(table);
}

}  // namespace penstock::postgres
