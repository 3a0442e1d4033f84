// What the conformance suite has to know about a driver. The suite itself is
// the same for all of them and runs through the wire; a new driver adds a
// subclass to backends.cc.
#ifndef PENSTOCK_TESTS_CONFORMANCE_BACKEND_H_
#define PENSTOCK_TESTS_CONFORMANCE_BACKEND_H_

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "server/config/config.h"
#include "tests/support/gateway.h"
#include "tests/support/wire.h"

namespace penstock::testing {

// A value of a kind, a column that keeps it, and how it comes back.
struct KindCase {
  std::string column_type;
  v1::Value value;
  // Empty: as it went in.
  std::string comes_back_as;
};

// A column, and what other tools store in it, as SQL.
struct StoredForms {
  std::string column_type;
  std::vector<std::string> literals;
};

struct RefusedValue {
  std::string column_type;
  v1::Value value;
  v1::Reason reason;
};

class Backend {
 public:
  virtual ~Backend() = default;
  virtual std::string name() const = 0;
  // The database `main`, with its files in `folder`.
  virtual server::Config Config(const std::string& folder) const = 0;
  // The longest key that may be written.
  virtual size_t max_key_bytes() const { return size_t{64} << 10; }
  // The table that SQL sees a keyspace as.
  virtual std::string table_of(const std::string& keyspace) const {
    return "penstock_kv_" + keyspace;
  }
  // Tables have whatever columns are asked for; otherwise a key and a value.
  virtual bool has_free_columns() const { return true; }
  // A step that changes the schema is all or nothing.
  virtual bool has_transactional_ddl() const { return true; }
  // An error tells where in the text, at which parameter, in which table and column it is.
  virtual bool tells_places() const { return true; }
  // What a result calls the type of a column that was declared as `column_type`.
  virtual std::string native_type(const std::string& column_type) const { return column_type; }
  virtual std::vector<KindCase> kinds() const = 0;
  virtual std::vector<RefusedValue> refused_values() const = 0;
  virtual std::vector<StoredForms> stored_forms() const = 0;
  // The type of a column of points in time.
  virtual std::string timestamp_type() const { return "TIMESTAMP"; }
  // A query that would never end by itself.
  virtual std::string endless_query() const = 0;
  // `rows` rows of (integer, text) in column order i, s.
  virtual std::string series(int64_t rows) const = 0;
  // As series, but the run fails after so many rows.
  virtual std::string fails_after(int64_t rows) const = 0;
  // An expression whose value is a blob of so many bytes.
  virtual std::string blob_of(int64_t bytes) const = 0;
  virtual bool has_last_insert_id() const = 0;
  // The type of a column of bytes.
  virtual std::string blob_type() const = 0;
  // Rows of a statement that writes are held back until it has committed, within
  // a budget; otherwise they are streamed.
  virtual bool buffers_returning() const = 0;
  // The type of an integer column that numbers itself as the primary key.
  virtual std::string serial_key() const = 0;
};

// In postgres_backends.cc.
const Backend& PostgresBackend();
const Backend& CockroachDbBackend();

// The drivers whose tables have any columns.
const std::vector<const Backend*>& Backends();
// Every driver of this build: also pebble, whose tables are keyspaces. For topics that
// need no table, or one of a key and a value.
const std::vector<const Backend*>& KeyValueBackends();

// A daemon with an empty database of the backend, for each test.
class Conformance : public ::testing::TestWithParam<const Backend*> {
 protected:
  Conformance() = default;

  const Backend& backend() const { return *GetParam(); }
  // Starts the daemon at first use; change config() before.
  Wire& wire();
  server::Config& config();
  server::DatabaseConfig& database() { return config().databases.at("main"); }
  Gateway& gateway();

  // Fails the test if the statement fails.
  void Do(const std::string& sql, const Values& args = {});
  // The rows as text.
  std::string Ask(const std::string& sql, const Values& args = {});
  // Waits until the condition holds; fails the test after ten seconds.
  static void Eventually(const std::function<bool()>& condition);

 private:
  TempDir folder_;
  std::unique_ptr<server::Config> config_;
  std::unique_ptr<Gateway> gateway_;
  std::unique_ptr<Wire> wire_;
};

#define PENSTOCK_CONFORMANCE(Suite) PENSTOCK_CONFORMANCE_ON(Suite, Backends())
// A suite whose wire() runs its statements over Pipeline as well.
#define PENSTOCK_CONFORMANCE_OVER_PIPELINE(Suite, backends) \
  PENSTOCK_CONFORMANCE_AS(Pipelines, Suite, backends)
#define PENSTOCK_CONFORMANCE_ON(Suite, backends) PENSTOCK_CONFORMANCE_AS(Drivers, Suite, backends)
#define PENSTOCK_CONFORMANCE_AS(Prefix, Suite, backends) \
  INSTANTIATE_TEST_SUITE_P(                              \
      Prefix, Suite, ::testing::ValuesIn(backends),      \
      [](const ::testing::TestParamInfo<const Backend*>& tested) { return tested.param->name(); })

}  // namespace penstock::testing

#endif  // PENSTOCK_TESTS_CONFORMANCE_BACKEND_H_
