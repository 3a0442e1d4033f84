#include <chrono>
#include <cmath>
#include <limits>
#include <thread>

#include "fmt/format.h"
#include "tests/conformance/backend.h"

namespace penstock::testing {
namespace {

class Sqlite : public Backend {
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
        {"NUMERIC", Decimal("0.000001"), ""},
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
        {"NUMERIC", Text("00123"), v1::REASON_DATA_EXCEPTION},
        {"INTEGER", Text("1e3"), v1::REASON_DATA_EXCEPTION},
        {"BOOLEAN", Text(" 12 "), v1::REASON_DATA_EXCEPTION},
        {"REAL", Text("1.50"), v1::REASON_DATA_EXCEPTION},
        {"REAL", Int(9007199254740993), v1::REASON_DATA_EXCEPTION},
        {"TEXT", Real(0.1 + 0.2), v1::REASON_DATA_EXCEPTION},
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

  std::vector<StoredForms> stored_forms() const override {
    const std::vector<std::string> times = {"'2024-01-01 00:00:00'",
                                            "'2024-01-01T00:00:00Z'",
                                            "'2024-01-01 00:00:00+00:00'",
                                            "'2024-01-01T02:00:00+02:00'",
                                            "'2024-01-01T00:00:00'",
                                            "'2024-01-01 00:00:00Z'",
                                            "'2024-01-01 00:00:00.5'",
                                            "'2024-01-01 00:00:00.500'",
                                            "'2024-01-01 00:00:00.500000'",
                                            "'2024-01-01 00:00:00.000000'",
                                            "'2024-01-01 00:00:00.123456'",
                                            "'2024-01-01 00:00:00.123456789'",
                                            "'2024-01-01 00:00:00.1234'",
                                            "'2024-01-01 00:00:00.123+00:00'",
                                            "'2024-01-01 00:00'",
                                            "'2024-01-01'",
                                            "'noon'",
                                            "'0001-01-01 00:00:00'",
                                            "'9999-12-31 23:59:59.999999999'",
                                            "'2024-13-01 00:00:00'",
                                            "1704067200",
                                            "2460310.5",
                                            "1704067200.25",
                                            "CURRENT_TIMESTAMP",
                                            "datetime('now')",
                                            "strftime('%Y-%m-%d %H:%M:%f', 'now')"};
    return {
        {"TIMESTAMP", times},
        {"DATETIME", times},
        {"DATE", {"'2024-02-29'", "'2024-02-30'", "'2024-02-29 00:00:00'", "20240229"}},
        {"TIME", {"'12:30:00'", "'12:30'", "'12:30:00.50'", "'12:30:00Z'", "'12:30:00+02:00'"}},
        {"UUID",
         {"'123e4567-e89b-12d3-a456-426614174000'", "'123E4567-E89B-12D3-A456-426614174000'",
          "'123e4567e89b12d3a456426614174000'", "'{123e4567-e89b-12d3-a456-426614174000}'"}},
        {"INTERVAL", {"'P1DT2H'", "'1 day'", "5"}},
        {"BOOLEAN", {"1", "0", "2", "'true'", "'false'", "'t'", "1.0", "'yes'"}},
        {"DECIMAL(10,2)",
         {"1.5", "'1.50'", "0.1", "0.1 + 0.2", "1.0 / 3", "860.100797", "'860.100797'", "1e22",
          "'1e22'", "1e-7", "2.825776e222", "9223372036854775807", "9223372036854775808", "12",
          "'007'", "'many'"}},
        {"JSON",
         {"'{\"a\": 1}'", "'[1,2]'", "'\"x\"'", "'12'", "'1.50'", "12", "1.5", "0.1 + 0.2",
          "860.100797", "'null'", "' true '", "'not json'"}},
        {"REAL", {"0.1", "0.1 + 0.2", "5", "'x'", "9e999", "-9e999", "1e-320", "860.100797"}},
        {"INTEGER", {"1", "'1'", "1.5", "'one'", "9223372036854775807", "0.1 + 0.2"}},
        {"TEXT", {"'a'", "1", "1.50", "'00123'", "''", "'12'", "0.1 + 0.2"}},
        {"BLOB", {"x'00ff'", "x''"}},
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

// SQLite's SQL and kinds, on tables of a key and a value.
class Pebble final : public Sqlite {
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
  std::string table_of(const std::string& keyspace) const override { return keyspace; }
  bool has_last_insert_id() const override { return false; }
  bool has_free_columns() const override { return false; }
  bool has_transactional_ddl() const override { return false; }
};

}  // namespace

const std::vector<const Backend*>& Backends() {
  static const Sqlite sqlite;
  static const std::vector<const Backend*> backends = {&sqlite, &PostgresBackend(),
                                                       &CockroachDbBackend()};
  return backends;
}

const std::vector<const Backend*>& KeyValueBackends() {
  static const Pebble pebble;
  static const std::vector<const Backend*> backends = [] {
    std::vector<const Backend*> all = Backends();
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
  if (wire_ == nullptr) {
    // See PENSTOCK_CONFORMANCE_OVER_PIPELINE.
    const std::string suite =
        ::testing::UnitTest::GetInstance()->current_test_info()->test_suite_name();
    wire_ = std::make_unique<Wire>(
        gateway().target(), "",
        suite.starts_with("Pipelines/") ? Wire::Transport::kPipeline : Wire::Transport::kCalls);
  }
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
