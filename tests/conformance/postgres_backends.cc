// PostgreSQL, and CockroachDB, which speaks its protocol.
#include <cstdlib>
#include <pqxx/pqxx>
#include <regex>
#include <string>

#include "fmt/format.h"
#include "tests/conformance/backend.h"
#include "tests/support/pgwire_proxy.h"
#include "tests/support/postgres_cluster.h"

namespace penstock::testing {
namespace {

// On a server of the test process's own, in a database for each test.
class Postgres : public Backend {
 public:
  std::string name() const override { return "postgres"; }
  server::Config Config(const std::string& folder) const override {
    server::Config config = SqliteConfig(folder);
    driver::Config& driver = config.databases.at("main").driver;
    driver = driver::Config();
    driver.name = "main";
    driver.driver = "postgres";
    Place(&driver);
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

  std::vector<StoredForms> stored_forms() const override {
    return {
        {"timestamp with time zone", {"'2024-01-01 00:00:00.5+02'", "now()", "'infinity'"}},
        {"date", {"'2024-02-29'", "'-infinity'"}},
        {"interval", {"'1 day 2 hours'", "'-1.5 seconds'"}},
        {"uuid", {"'{123E4567-E89B-12D3-A456-426614174000}'"}},
        {"numeric", {"1.50", "'NaN'", "1e-20"}},
        {"double precision", {"0.1::float8 + 0.2::float8", "'-infinity'"}},
        {"text", {"' x '", "'00123'"}},
        {"jsonb", {"'{\"a\": 1.50}'", "'12'"}},
    };
  }

  std::string endless_query() const override {
    return "SELECT count(*) FROM generate_series(1, 1000000000000) AS s(i)";
  }

  std::string series(int64_t rows) const override {
    return fmt::format(
        "SELECT i::bigint AS i, 'row ' || i::text AS s FROM generate_series(1, {}) AS g(i)", rows);
  }

  std::string fails_after(int64_t rows) const override {
    return fmt::format(
        "SELECT CASE WHEN i <= {0} THEN i::bigint ELSE (1 / (i - i))::bigint END AS i, 'row ' || "
        "i::text "
        "AS s "
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

 protected:
  // Says where an empty database is, which it makes.
  virtual void Place(driver::Config* driver) const {
    PostgresCluster& cluster = PostgresCluster::Shared();
    driver->database = cluster.CreateDatabase();
    driver->connection_string = cluster.connection_string(driver->database);
  }
};

// A real cluster, where PENSTOCK_TEST_COCKROACHDB_URL says one: each test makes a
// database in it. Otherwise a PostgreSQL at SERIALIZABLE behind a proxy that
// reports it as a CockroachDB: that is the driver without what only the server
// does.
class CockroachDb final : public Postgres {
 public:
  std::string name() const override { return "cockroachdb"; }

  server::Config Config(const std::string& folder) const override {
    server::Config config = Postgres::Config(folder);
    driver::Config& driver = config.databases.at("main").driver;
    driver.driver = "cockroachdb";
    if (url() == nullptr) {
      driver.connection_string = Proxy().connection_string(driver.database) +
                                 " options='-c default_transaction_isolation=serializable'";
    }
    return config;
  }

  bool has_transactional_ddl() const override { return false; }
  bool tells_places() const override { return false; }

  std::string native_type(const std::string& column_type) const override {
    if (url() == nullptr) return column_type;
    // Its INTEGER has 8 bytes, unless the cluster is set otherwise, and it has one type of JSON.
    if (column_type == "integer") return "bigint";
    return column_type == "json" ? "jsonb" : column_type;
  }

  std::vector<KindCase> kinds() const override {
    std::vector<KindCase> kinds = Postgres::kinds();
    if (url() != nullptr) {
      std::erase_if(kinds, [](const KindCase& kind) { return kind.column_type == "int4range"; });
    }
    return kinds;
  }

 private:
  static const char* url() { return std::getenv("PENSTOCK_TEST_COCKROACHDB_URL"); }

  static PgwireProxy& Proxy() {
    static PgwireProxy proxy(PostgresCluster::Shared().socket_folder());
    proxy.ReportCockroach("CockroachDB CCL v24.1.2 (x86_64-pc-linux-gnu)");
    // PostgreSQL does not know it: what is read is what is there now.
    proxy.Rewrite([](std::string_view sql) {
      static const std::regex clause(" AS OF SYSTEM TIME '[^']*',");
      return std::regex_replace(std::string(sql), clause, "");
    });
    return proxy;
  }

  void Place(driver::Config* driver) const override {
    if (url() == nullptr) {
      Postgres::Place(driver);
      return;
    }
    driver->connection_string = url();
    pqxx::connection connection(url());
    pqxx::nontransaction work(connection);
    const std::string suffix = work.exec("SELECT gen_random_uuid()")[0][0].c_str();
    driver->database = "penstock_test_" + suffix;
    work.exec("CREATE DATABASE " + work.quote_name(driver->database));
  }
};

}  // namespace

const Backend& PostgresBackend() {
  static const Postgres postgres;
  return postgres;
}

const Backend& CockroachDbBackend() {
  static const CockroachDb cockroachdb;
  return cockroachdb;
}

}  // namespace penstock::testing
