#include "tests/bench/direct_postgres.h"

#include <fmt/format.h>
#include <libpq-fe.h>

#include <chrono>
#include <cstdlib>
#include <memory>
#include <vector>

#include "tests/bench/callers.h"

namespace penstock::bench {
namespace {

using Clock = std::chrono::steady_clock;

struct FinishConnection {
  void operator()(PGconn* connection) const { PQfinish(connection); }
};
struct ClearResult {
  void operator()(PGresult* result) const { PQclear(result); }
};
using Connection = std::unique_ptr<PGconn, FinishConnection>;
using Result = std::unique_ptr<PGresult, ClearResult>;

absl::Status Error(PGconn* connection) {
  return absl::InternalError(fmt::format("libpq: {}", PQerrorMessage(connection)));
}

absl::StatusOr<Connection> Connect(const std::string& conninfo) {
  Connection connection(PQconnectdb(conninfo.c_str()));
  if (PQstatus(connection.get()) != CONNECTION_OK) return Error(connection.get());
  return connection;
}

bool Succeeded(const Result& result) {
  const ExecStatusType status = PQresultStatus(result.get());
  return status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK;
}

double Seconds(Clock::duration time) { return std::chrono::duration<double>(time).count(); }

// Runs the prepared point select. Returns what is wrong with the answer.
std::string Select(PGconn* db, int64_t id) {
  const std::string text = std::to_string(id);
  const char* values[] = {text.c_str()};
  const Result result(PQexecPrepared(db, "s", 1, values, nullptr, nullptr, 0));
  if (!Succeeded(result)) return PQerrorMessage(db);
  if (PQntuples(result.get()) == 1 && text == PQgetvalue(result.get(), 0, 0) &&
      PQgetlength(result.get(), 0, 1) == kNameLength) {
    return {};
  }
  return fmt::format("asked for row {}, got {} rows", id, PQntuples(result.get()));
}

}  // namespace

absl::Status RunSql(const std::string& conninfo, const std::string& sql) {
  absl::StatusOr<Connection> connection = Connect(conninfo);
  if (!connection.ok()) return connection.status();
  const Result result(PQexec(connection->get(), sql.c_str()));
  return Succeeded(result) ? absl::OkStatus() : Error(connection->get());
}

absl::StatusOr<int64_t> AskNumber(const std::string& conninfo, const std::string& sql) {
  absl::StatusOr<Connection> connection = Connect(conninfo);
  if (!connection.ok()) return connection.status();
  const Result result(PQexec(connection->get(), sql.c_str()));
  if (!Succeeded(result) || PQntuples(result.get()) != 1) return Error(connection->get());
  return std::strtoll(PQgetvalue(result.get(), 0, 0), nullptr, 10);
}

absl::Status MakePostgresTables(const std::string& conninfo) {
  return RunSql(conninfo,
                fmt::format("CREATE TABLE points(id bigint PRIMARY KEY, name text NOT NULL);"
                            "INSERT INTO points SELECT i, lpad(i::text, {}, 'n') "
                            "FROM generate_series(1, {}) AS i;"
                            "CREATE TABLE events(id bigserial PRIMARY KEY, v bigint);"
                            "CREATE TABLE items(id bigint, name text, price float8);"
                            "ANALYZE points",
                            kNameLength, kSelectRows));
}

absl::StatusOr<RoundResult> DirectPointSelects(const std::string& conninfo, const Round& round) {
  std::vector<Connection> connections;
  for (int i = 0; i < round.callers; ++i) {
    absl::StatusOr<Connection> connection = Connect(conninfo);
    if (!connection.ok()) return connection.status();
    PGconn* const db = connections.emplace_back(*std::move(connection)).get();
    if (!Succeeded(Result(PQprepare(db, "s", kSelectSql, 0, nullptr)))) return Error(db);
  }
  return RunCallers(round, [&](int number, Progress* progress) {
    PGconn* const db = connections[static_cast<size_t>(number)].get();
    return std::make_unique<ThreadCaller>(round, progress, number,
                                          [db](int64_t id) { return Select(db, id); });
  });
}

absl::StatusOr<RoundResult> DirectLargeRead(const std::string& conninfo, int64_t rows) {
  absl::StatusOr<Connection> connection = Connect(conninfo);
  if (!connection.ok()) return connection.status();
  PGconn* const db = connection->get();
  const std::string count = std::to_string(rows);
  const char* values[] = {count.c_str()};
  const Clock::time_point begin = Clock::now();
  if (PQsendQueryParams(db, kLargePostgresSql, 1, nullptr, values, nullptr, nullptr, 0) != 1 ||
      PQsetSingleRowMode(db) != 1) {
    return Error(db);
  }
  int64_t counted = 0;
  while (const Result result{PQgetResult(db)}) {
    if (PQresultStatus(result.get()) == PGRES_TUPLES_OK) continue;
    if (PQresultStatus(result.get()) != PGRES_SINGLE_TUPLE) return Error(db);
    for (int i = 0; i < PQnfields(result.get()); ++i) {
      counted += PQgetisnull(result.get(), 0, i) == 0 ? 1 : 0;
    }
  }
  if (counted != rows * 4) {
    return absl::InternalError(fmt::format("{} values of {}", counted, rows * 4));
  }
  return RoundResult{.per_second = static_cast<double>(rows) / Seconds(Clock::now() - begin)};
}

}  // namespace penstock::bench
