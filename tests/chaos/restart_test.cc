// A server that restarts again and again while it is used.
#include <signal.h>

#include <algorithm>
#include <cstdlib>
#include <pqxx/pqxx>
#include <set>
#include <string>

#include "fmt/format.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/chaos/fixture.h"
#include "tests/chaos/load.h"

namespace penstock::testing {
namespace {

using ::testing::IsEmpty;

// PENSTOCK_TEST_RESTARTS, for a long run; 10.
int Restarts() {
  const char* said = std::getenv("PENSTOCK_TEST_RESTARTS");
  return said == nullptr ? 10 : std::max(1, std::atoi(said));
}

class Restart : public ChaosTest {
 protected:
  Restart() {
    database().driver.connection_string = cluster_.connection_string("postgres");
    database().pool.max_open = database().pool.max_idle = 6;
  }

  std::string Server(const std::string& sql) {
    pqxx::connection connection(cluster_.connection_string("postgres"));
    const pqxx::result result = pqxx::nontransaction(connection).exec(sql);
    return result.empty() ? "" : result[0][0].c_str();
  }
  // The ids of `load` that have all rows they are to have, each once.
  std::set<int64_t> Written() {
    pqxx::connection connection(cluster_.connection_string("postgres"));
    std::set<int64_t> ids;
    for (const auto& row : pqxx::nontransaction(connection).exec("SELECT DISTINCT id FROM load")) {
      ids.insert(row[0].as<int64_t>());
    }
    return ids;
  }

  PostgresCluster cluster_;
};

TEST_F(Restart, NothingIsLostOrDoneTwice) {
  Server("CREATE TABLE load (id bigint, part integer)");
  Load load(gateway().target());
  for (int restart = 0; restart < Restarts(); ++restart) {
    // In the midst of things.
    const int64_t before = load.succeeded();
    Eventually([&] { return load.succeeded() >= before + 100; });
    ASSERT_FALSE(HasFatalFailure()) << "it has not recovered from restart " << restart;
    // In turn told to end, and killed.
    cluster_.Stop(restart % 2 == 0 ? SIGINT : SIGQUIT);
    cluster_.Start();
  }
  const int64_t before = load.succeeded();
  Eventually([&] { return load.succeeded() >= before + 100; });
  load.Stop();

  EXPECT_THAT(load.complaints(), IsEmpty());
  const std::set<int64_t> written = Written();
  for (const int64_t id : load.acknowledged()) {
    EXPECT_TRUE(written.contains(id)) << id << " was acknowledged and is not there";
  }
  for (const int64_t id : written) {
    EXPECT_TRUE(load.acknowledged().contains(id) || load.unknown().contains(id))
        << id << " is there and was said to have failed";
  }
  EXPECT_EQ(Server("SELECT count(*) FROM (SELECT 1 FROM load GROUP BY id, part "
                   "HAVING count(*) > 1) AS twice"),
            "0");
  EXPECT_EQ(Server("SELECT count(*) FROM (SELECT 1 FROM load WHERE part > 0 GROUP BY id "
                   "HAVING count(*) <> 2) AS halves"),
            "0");

  // All is at rest, and the server has no session that the pool does not know.
  Eventually([this] { return Pool().in_use() == 0 && Pool().waiting() == 0; });
  EXPECT_LE(Pool().open(), 6);
  Eventually([this] {
    return Server(
               "SELECT count(*) FROM pg_stat_activity WHERE application_name = "
               "'penstock/main'") == fmt::format("{}", Pool().open());
  });
  EXPECT_FALSE(Pool().backing_off());
  RecordProperty("acknowledged", static_cast<int>(load.acknowledged().size()));
  RecordProperty("unknown", static_cast<int>(load.unknown().size()));
}

}  // namespace
}  // namespace penstock::testing
