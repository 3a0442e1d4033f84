#include <chrono>

#include "fmt/format.h"
#include "tests/differential/backend.h"
#include "tests/differential/sqlite_oracle.h"
#include "tests/differential/sqlite_text.h"
#include "tests/differential/text.h"
#include "tests/support/gateway.h"

namespace penstock::differential {
namespace {

class Sqlite final : public Backend {
 public:
  std::string name() const override { return "sqlite"; }

  std::vector<Mode> modes() const override {
    return {Mode::kAutocommit, Mode::kTransaction, Mode::kPrepare, Mode::kParameters};
  }

  server::Config GatewayConfig(const std::string& folder) const override {
    server::Config config = testing::SqliteConfig(folder);
    config.log.slow_statement = std::chrono::milliseconds(0);
    server::DatabaseLimits& limits = config.databases.at("main").limits;
    limits.query_timeout = std::chrono::minutes(2);
    // The oracle may take its time between two statements.
    limits.transaction_idle_timeout = std::chrono::minutes(10);
    limits.transaction_timeout = std::chrono::minutes(30);
    return config;
  }

  absl::StatusOr<std::unique_ptr<Oracle>> OpenOracle(const std::string& folder) const override {
    return SqliteOracle::Open(folder);
  }

  std::vector<Piece> Split(std::string_view text, LeftOut* left_out) const override {
    return SplitSqlite(text, left_out);
  }

  Control Read(std::string_view sql) const override { return ParseControl(sql); }

  bool savepoint_begins() const override { return true; }

  bool RunsOutside(std::string_view sql) const override {
    const std::string verb = Verb(sql);
    return verb == "VACUUM" || verb == "PRAGMA" || verb == "ATTACH" || verb == "DETACH";
  }

  bool HasParameters(std::string_view sql) const override { return HasSqliteParameters(sql); }

  Parameterised Parameterise(std::string_view sql) const override {
    return ParameteriseSqlite(sql);
  }

  std::string CodeOf(const v1::ErrorDetail& detail) const override {
    return detail.driver_code() == 0 ? "" : fmt::format("{}", detail.driver_code());
  }
};

}  // namespace

const Backend& SqliteBackend() {
  static const Sqlite sqlite;
  return sqlite;
}

const Backend* FindBackend(std::string_view name) {
  for (const Backend* backend : {&SqliteBackend(), &PostgresBackend()}) {
    if (backend->name() == name) return backend;
  }
  return nullptr;
}

}  // namespace penstock::differential
