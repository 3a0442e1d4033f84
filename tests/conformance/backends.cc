#include <chrono>
#include <cmath>
#include <limits>
#include <thread>

#include "fmt/format.h"
#include "tests/conformance/backend.h"
#include "tests/support/postgres_cluster.h"

namespace penstock::testing {
namespace {

class Sqlite final : public Backend {
 public:
  std::string name() const override { return "sqlite"; }
  server::Config Config(const std::string& folder) const override { return SqliteConfig(folder); }

  std::vector<KindCase> kinds() const override {
    constexpr auto kMax = std::numeric_limits<int64_t>::max();
    constexpr auto kMin = std::numeric_limits<int64_t>::min();
    return {
        {"BOOLEAN", Bool(true), ""},
        {"BOOLEAN", Bool(false), ""},
        {"INTEGER", Int(kMax), ""},
        {"BIGINT", Int(kMin), ""},
        {"REAL", Real(0.1), ""},
        {"DOUBLE PRECISION", Real(-1.7976931348623157e308), ""},
        {"REAL", Real(std::numeric_limits<double>::infinity()), ""},
        {"REAL", Real(3), ""},
        {"TEXT", Text(""), ""},
        {"VARCHAR(20)", Text("Grüße, 世界 🌍"), ""},
        {"TEXT", Text(std::string("a\0b", 3)), ""},
        {"TEXT", Text("12"), ""},
        {"BLOB", Blob(""), ""},
        {"BLOB", Blob(std::string("\0\xff\x80", 3)), ""},
        {"DECIMAL(10,2)", Decimal("-12.5"), ""},
        {"NUMERIC", Decimal("9223372036854775807"), ""},
        {"NUMERIC", Decimal("0.000001"), "decimal:1e-06"},
        {"TIMESTAMP", Timestamp(0, 0), ""},
        {"TIMESTAMP", Timestamp(1'700'000'000, 123'456'789), ""},
        {"DATETIME", Timestamp(-62'135'596'800, 0), ""},
        {"TIMESTAMP", Timestamp(253'402'300'799, 999'999'999), ""},
        {"DATE", Date("2024-02-29"), ""},
        {"TIME", Time("23:59:59.5"), ""},
        {"INTERVAL", Interval("P1Y2M3DT4H5M6S"), ""},
        {"UUID", Uuid("123e4567-e89b-12d3-a456-426614174000"), ""},
        {"JSON", Json(R"({"a": [1, 2.50, "x"]})"), ""},
        {"JSON", Json("17"), ""},
    };
  }

  std::vector<RefusedValue> refused_values() const override {
    v1::Value array;
    array.mutable_array()->add_values()->set_integer(1);
    return {
        {"REAL", Real(std::nan("")), v1::REASON_DATA_EXCEPTION},
        {"DECIMAL", Decimal("1234567890.1234567890"), v1::REASON_DATA_EXCEPTION},
        {"DECIMAL", Decimal("12,5"), v1::REASON_DATA_EXCEPTION},
        {"DECIMAL", Decimal("1e400"), v1::REASON_DATA_EXCEPTION},
        {"TIMESTAMP", Timestamp(253'402'300'800, 0), v1::REASON_DATA_EXCEPTION},
        {"DATE", Date("2023-02-29"), v1::REASON_DATA_EXCEPTION},
        {"TIME", Time("25:00:00"), v1::REASON_DATA_EXCEPTION},
        {"UUID", Uuid("nonsense"), v1::REASON_DATA_EXCEPTION},
        {"JSON", array, v1::REASON_UNSUPPORTED},
        {"TEXT", v1::Value(), v1::REASON_INVALID_PARAMETER},
    };
  }

  std::string endless_query() const override {
    return "WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c) "
           "SELECT count(*) FROM c";
  }

  std::string series(int64_t rows) const override {
    return fmt::format(
        "WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < {}) "
        "SELECT i, 'row ' || i AS s FROM c",
        rows);
  }

  std::string fails_after(int64_t rows) const override {
    // The least integer has no absolute value.
    return fmt::format(
        "WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i <= {0}) "
        "SELECT CASE WHEN i <= {0} THEN i ELSE abs(-9223372036854775807 - 1) END AS i, "
        "'row ' || i AS s FROM c",
        rows);
  }

  std::string blob_of(int64_t bytes) const override { return fmt::format("zeroblob({})", bytes); }

  bool has_last_insert_id() const override { return true; }
  std::string blob_type() const override { return "BLOB"; }
  bool buffers_returning() const override { return true; }
  std::string serial_key() const override { return "INTEGER PRIMARY KEY"; }
};

// On a server of the test process's own, in a database for each test.
class Postgres final : public Backend {
 public:
  std::string name() const override { return "postgres"; }
  server::Config Config(const std::string& folder) const override {
    server::Config config = SqliteConfig(folder);
    driver::Config& driver = config.databases.at("main").driver;
    driver = driver::Config();
    driver.name = "main";
    driver.driver = "postgres";
    PostgresCluster& cluster = PostgresCluster::Shared();
    driver.connection_string = cluster.connection_string(cluster.CreateDatabase());
    return config;
  }

  std::vector<KindCase> kinds() const override {
    constexpr auto kMax = std::numeric_limits<int64_t>::max();
    constexpr auto kMin = std::numeric_limits<int64_t>::min();
    return {
        {"boolean", Bool(true), ""},
        {"boolean", Bool(false), ""},
        {"smallint", Int(-32768), ""},
        {"integer", Int(2147483647), ""},
        {"bigint", Int(kMax), ""},
        {"bigint", Int(kMin), ""},
        {"double precision", Real(0.1), ""},
        {"double precision", Real(-1.7976931348623157e308), ""},
        {"double precision", Real(std::numeric_limits<double>::infinity()), ""},
        {"double precision", Real(std::nan("")), ""},
        {"double precision", Real(3), ""},
        {"real", Real(0.5), ""},
        {"text", Text(""), ""},
        {"character varying", Text("Grüße, 世界 🌍"), ""},
        {"text", Text("12"), ""},
        {"text", Text("NULL"), ""},
        {"bytea", Blob(""), ""},
        {"bytea", Blob(std::string("\0\xff\x80", 3)), ""},
        {"numeric", Decimal("-12.50"), ""},
        {"numeric", Decimal("9223372036854775808.000000000000000000000001"), ""},
        {"numeric", Decimal("NaN"), ""},
        {"numeric", Decimal("-Infinity"), ""},
        {"numeric", Int(7), "decimal:7"},
        {"timestamp with time zone", Timestamp(0, 0), ""},
        {"timestamp with time zone", Timestamp(1'700'000'000, 123'456'000), ""},
        {"timestamp without time zone", Timestamp(1'700'000'000, 123'456'000), ""},
        {"timestamp without time zone", Timestamp(-62'135'596'800, 0), ""},
        {"timestamp with time zone", Timestamp(253'402'300'799, 999'999'000), ""},
        {"timestamp with time zone", Text("infinity"), "'infinity'"},
        {"date", Date("2024-02-29"), ""},
        {"date", Text("-infinity"), "'-infinity'"},
        {"time without time zone", Time("23:59:59.5"), ""},
        {"time with time zone", Time("23:59:59.5+02"), ""},
        {"interval", Interval("P1Y2M3DT4H5M6S"), ""},
        {"uuid", Uuid("123e4567-e89b-12d3-a456-426614174000"), ""},
        {"json", Json(R"({"a": [1, 2.50, "x"]})"), ""},
        {"jsonb", Json("17"), ""},
        {"inet", Text("10.0.0.1"), ""},
        {"int4range", Text("[1,5)"), ""},
    };
  }

  std::vector<RefusedValue> refused_values() const override {
    return {
        {"real", Real(0.1), v1::REASON_DATA_EXCEPTION},
        {"smallint", Int(32768), v1::REASON_DATA_EXCEPTION},
        {"numeric", Decimal("12,5"), v1::REASON_DATA_EXCEPTION},
        {"text", Text(std::string("a\0b", 3)), v1::REASON_DATA_EXCEPTION},
        {"text", Blob("x"), v1::REASON_INVALID_PARAMETER},
        {"timestamp with time zone", Timestamp(0, 1), v1::REASON_DATA_EXCEPTION},
        {"timestamp with time zone", Timestamp(253'402'300'800, 0), v1::REASON_DATA_EXCEPTION},
        {"date", Date("2023-02-29"), v1::REASON_DATA_EXCEPTION},
        {"time without time zone", Time("25:00:00"), v1::REASON_DATA_EXCEPTION},
        {"uuid", Uuid("nonsense"), v1::REASON_DATA_EXCEPTION},
        {"json", Json("{"), v1::REASON_DATA_EXCEPTION},
        {"text", v1::Value(), v1::REASON_INVALID_PARAMETER},
    };
  }

  std::string endless_query() const override {
    return "SELECT count(*) FROM generate_series(1, 1000000000000) AS s(i)";
  }

  std::string series(int64_t rows) const override {
    return fmt::format(
        "SELECT i::bigint AS i, 'row ' || i AS s FROM generate_series(1, {}) AS g(i)", rows);
  }

  std::string fails_after(int64_t rows) const override {
    return fmt::format(
        "SELECT CASE WHEN i <= {0} THEN i::bigint ELSE 1 / (i - i) END AS i, 'row ' || i AS s "
        "FROM generate_series(1, {0} + 1) AS g(i)",
        rows);
  }

  std::string blob_of(int64_t bytes) const override {
    return fmt::format("decode(repeat('00', {}), 'hex')", bytes);
  }

  bool has_last_insert_id() const override { return false; }
  std::string blob_type() const override { return "BYTEA"; }
  bool buffers_returning() const override { return false; }
  std::string serial_key() const override { return "BIGSERIAL PRIMARY KEY"; }
  size_t max_key_bytes() const override { return 2600; }
};

class Pebble final : public KeyValueBackend {
 public:
  std::string name() const override { return "pebble"; }
  server::Config Config(const std::string& folder) const override {
    server::Config config = SqliteConfig(folder);
    server::DatabaseConfig& database = config.databases.at("main");
    database.driver.driver = "pebble";
    database.driver.database = folder + "/main.pebble";
    database.pool.max_open = 32;
    return config;
  }
  bool has_sql() const override { return false; }
};

}  // namespace

const std::vector<const Backend*>& Backends() {
  static const Sqlite sqlite;
  static const Postgres postgres;
  static const std::vector<const Backend*> backends = {&sqlite, &postgres};
  return backends;
}

const std::vector<const KeyValueBackend*>& KeyValueBackends() {
  static const Pebble pebble;
  static const std::vector<const KeyValueBackend*> backends = [] {
    std::vector<const KeyValueBackend*> all(Backends().begin(), Backends().end());
    all.push_back(&pebble);
    return all;
  }();
  return backends;
}

server::Config& Conformance::config() {
  if (config_ == nullptr) {
    config_ = std::make_unique<server::Config>(backend().Config(folder_.path()));
  }
  return *config_;
}

Gateway& Conformance::gateway() {
  if (gateway_ == nullptr) gateway_ = std::make_unique<Gateway>(config());
  return *gateway_;
}

Wire& Conformance::wire() {
  if (wire_ == nullptr) wire_ = std::make_unique<Wire>(gateway().target());
  return *wire_;
}

void Conformance::Do(const std::string& sql, const Values& args) {
  const Outcome outcome = wire().Exec(sql, args);
  ASSERT_TRUE(outcome.status.ok()) << sql << ": " << outcome.status.error_message();
}

std::string Conformance::Ask(const std::string& sql, const Values& args) {
  const Outcome outcome = wire().Query(sql, args);
  EXPECT_TRUE(outcome.status.ok()) << sql << ": " << outcome.status.error_message();
  return outcome.text();
}

void Conformance::Eventually(const std::function<bool()>& condition) {
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (!condition()) {
    ASSERT_LT(std::chrono::steady_clock::now(), until) << "it did not come true within 10 s";
    std::this_thread::yield();
  }
}

}  // namespace penstock::testing
