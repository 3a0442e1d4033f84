#include <algorithm>
#include <chrono>
#include <filesystem>

#include "tests/differential/backend.h"
#include "tests/differential/postgres_clusters.h"
#include "tests/differential/postgres_oracle.h"
#include "tests/differential/postgres_text.h"
#include "tests/differential/text.h"
#include "tests/support/gateway.h"

namespace penstock::differential {
namespace {

// The database that goes with a folder, the same on both sides.
std::string DatabaseOf(const std::string& folder) {
  std::string name = "db";
  for (const char c : std::filesystem::path(folder).filename().string()) {
    if (std::isalnum(static_cast<unsigned char>(c)) != 0) {
      name += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    }
  }
  return name;
}

class Postgres final : public Backend {
 public:
  std::string name() const override { return "postgres"; }

  // psql binds no values.
  std::vector<Mode> modes() const override {
    return {Mode::kAutocommit, Mode::kTransaction, Mode::kPrepare};
  }

  absl::Status Prepare(const std::vector<std::string>& files) const override {
    return PostgresClusters::OfThread().Prepare(files);
  }

  server::Config GatewayConfig(const std::string& folder) const override {
    server::Config config = testing::SqliteConfig(folder);
    config.log.slow_statement = std::chrono::milliseconds(0);
    server::DatabaseConfig& database = config.databases.at("main");
    database.driver = driver::Config();
    database.driver.name = "main";
    database.driver.driver = "postgres";
    database.driver.database = DatabaseOf(folder);
    database.driver.connection_string =
        PostgresClusters::OfThread().gateways(database.driver.database);
    database.limits.query_timeout = std::chrono::minutes(2);
    database.limits.transaction_idle_timeout = std::chrono::minutes(10);
    database.limits.transaction_timeout = std::chrono::minutes(30);
    return config;
  }

  absl::StatusOr<std::unique_ptr<Oracle>> OpenOracle(const std::string& folder) const override {
    PostgresClusters& clusters = PostgresClusters::OfThread();
    const std::string database = DatabaseOf(folder);
    absl::Status made = clusters.NewDatabase(database);
    if (!made.ok()) return made;
    return PostgresOracle::Open(clusters.own(database), clusters.gateways(database), folder);
  }

  void Discard(const std::string& folder) const override {
    PostgresClusters::OfThread().DropDatabase(DatabaseOf(folder));
  }

  std::vector<Piece> Split(std::string_view text, LeftOut* left_out) const override {
    return SplitPsql(text, left_out);
  }

  Control Read(std::string_view sql) const override { return ParsePostgresControl(sql); }

  bool RunsOutside(std::string_view sql) const override {
    const std::vector<std::string> words = FirstWords(sql, 8);
    const auto is = [&](size_t at, std::initializer_list<std::string_view> names) {
      return at < words.size() &&
             std::find(names.begin(), names.end(), Upper(words[at])) != names.end();
    };
    const auto is_concurrently = [](const std::string& word) {
      return Upper(word) == "CONCURRENTLY";
    };
    return is(0, {"VACUUM", "CLUSTER", "CALL", "DISCARD", "REINDEX"}) ||
           (is(0, {"CREATE", "DROP", "ALTER"}) &&
            is(1, {"DATABASE", "TABLESPACE", "SUBSCRIPTION", "SYSTEM"})) ||
           std::any_of(words.begin(), words.end(), is_concurrently);
  }

  bool HasParameters(std::string_view sql) const override { return HasPostgresParameters(sql); }
  Parameterised Parameterise(std::string_view sql) const override { return {std::string(sql), {}}; }

  // A failure spoils the transaction that it is in, unless there is a savepoint.
  bool failure_aborts() const override { return true; }

  std::string CodeOf(const v1::ErrorDetail& detail) const override {
    // The gateway knows by itself that a transaction is aborted, and does not ask the server.
    const bool aborted = detail.reason() == v1::REASON_TRANSACTION_ABORTED;
    return aborted && detail.sqlstate().empty() ? "25P02" : detail.sqlstate();
  }
};

}  // namespace

const Backend& PostgresBackend() {
  static const Postgres postgres;
  return postgres;
}

}  // namespace penstock::differential
