#include "tests/bench/migrations_suite.h"

#include <fmt/format.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <utility>

#include "tests/support/postgres_cluster.h"

namespace penstock::bench {
namespace {

using penstock::testing::PostgresCluster;
using penstock::testing::PostgresProgram;
using penstock::testing::Process;
using Measured = absl::StatusOr<RoundResult>;

class MigrationsSuite : private Suite {
 public:
  explicit MigrationsSuite(const SuiteOptions& options)
      : Suite(options),
        client_(std::filesystem::absolute(options.daemon).replace_filename("penstock")) {}

  absl::StatusOr<std::vector<Row>> Run() {
    absl::Status done = CheckFolders();
    if (done.ok()) WriteFiles();
    if (done.ok()) done = OnSqlite();
    if (done.ok()) done = OnPostgres();
    return done.ok() ? Rows() : done;
  }

 private:
  // Returns one of four kinds of statements: a table, a row, an index, a column.
  static std::string Statement(int number) {
    const int table = (number - 1) / 4;
    switch (number % 4) {
      case 1:
        return fmt::format(
            "CREATE TABLE table_{} (id INTEGER PRIMARY KEY, name TEXT NOT NULL, n INTEGER)", table);
      case 2: return fmt::format("INSERT INTO table_{} VALUES (1, 'one', 1)", table);
      case 3: return fmt::format("CREATE INDEX index_{0} ON table_{0} (name)", table);
      default: return fmt::format("ALTER TABLE table_{} ADD COLUMN extra TEXT", table);
    }
  }

  // Returns an INSERT of the row that every migration tool keeps of a step, as large as ours.
  static std::string HistoryRow(int number) {
    return fmt::format(
        "INSERT INTO history VALUES ({0}, {0}, 'step', '{0:064x}', 'up', 'done', 0, '', "
        "CURRENT_TIMESTAMP, 1);\n",
        number);
  }

  // Writes the folder of migrations, and the files for sqlite3 and psql: one with the statements
  // alone, and one that keeps a history beside them.
  void WriteFiles() const {
    std::filesystem::create_directory(folder_);
    std::string script;
    std::string kept =
        "CREATE TABLE history (id BIGINT NOT NULL PRIMARY KEY, version BIGINT NOT NULL, name TEXT "
        "NOT NULL, checksum TEXT NOT NULL, direction TEXT NOT NULL, state TEXT NOT NULL, statement "
        "BIGINT NOT NULL, note TEXT NOT NULL, applied_at TIMESTAMP NOT NULL, duration_ms BIGINT "
        "NOT NULL);\n";
    for (int i = 1; i <= options_.migrations; ++i) {
      const std::string statement = Statement(i);
      std::ofstream(fmt::format("{}/{:05}_step.up.sql", folder_, i)) << statement << ";\n";
      script += fmt::format("BEGIN;\n{};\nCOMMIT;\n", statement);
      kept += fmt::format("BEGIN;\n{};\n{}COMMIT;\n", statement, HistoryRow(i));
    }
    std::ofstream(data_ / kAlone) << script;
    std::ofstream(data_ / kWithHistory) << kept;
  }

  // Runs the program and waits for its end.
  Measured Time(const std::vector<std::string>& words) const {
    const auto began = std::chrono::steady_clock::now();
    Process process(words, data_.path());
    const int code = process.Wait();
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
    if (code != 0) {
      return absl::InternalError(
          fmt::format("{} failed; it said:\n{}", words.front(), process.output()));
    }
    return RoundResult{.per_second = options_.migrations / took.count()};
  }

  // Starts a new daemon each time, because each run needs a fresh database.
  Measured TimeOurs(const std::string& name, const std::string& database) {
    absl::StatusOr<Server> daemon = StartDaemon(name, database);
    if (!daemon.ok()) return daemon.status();
    Measured took = Time({client_, "--target", AddressOf(name), "migrate", "up", folder_});
    const absl::Status stopped = Stop(*daemon);
    if (!took.ok() || stopped.ok()) return took;
    return stopped;
  }

  absl::Status Finish(const std::string& what, const std::string& program, const Measure& ours,
                      const Measure& alone, const Measure& with_history) {
    absl::StatusOr<std::vector<std::vector<RoundResult>>> results =
        Alternate(what, {ours, alone, with_history});
    if (!results.ok()) return results.status();
    const Comparison against_both[] = {{(*results)[0], (*results)[1]},
                                       {(*results)[0], (*results)[2]}};
    rows_.push_back(
        against_both[0].MakeRow(what, program, "/s", &RoundResult::per_second, AtLeast(0.8)));
    rows_.push_back(against_both[1].MakeRow(what, program + " with a history", "/s",
                                            &RoundResult::per_second, AtLeast(0.9)));
    return absl::OkStatus();
  }

  absl::Status OnSqlite() {
    const std::string what = fmt::format("{} migrations on SQLite", options_.migrations);
    if (!Wanted(what)) return absl::OkStatus();
    int round = 0;
    const Measure ours = [&] {
      const std::string name = fmt::format("sqlite{}", ++round);
      return TimeOurs(name, fmt::format("{{driver: sqlite, database: '{}'}}", data_ / name));
    };
    const auto fed = [&](const char* script) {
      return [this, &round, script] {
        return Time({"sqlite3", "-bail", "-cmd", "PRAGMA journal_mode = WAL", "-cmd",
                     "PRAGMA synchronous = FULL", data_ / fmt::format("{}{}", script, round),
                     fmt::format(".read {}", script)});
      };
    };
    return Finish(what, "sqlite3", ours, fed(kAlone), fed(kWithHistory));
  }

  absl::Status OnPostgres() {
    const std::string what = fmt::format("{} migrations on PostgreSQL", options_.migrations);
    if (!Wanted(what)) return absl::OkStatus();
    PostgresCluster cluster({"fsync=on"});
    const Measure ours = [&] {
      const std::string database = cluster.CreateDatabase();
      return TimeOurs(database, fmt::format("{{driver: postgres, connection_string: \"{}\"}}",
                                            cluster.connection_string(database)));
    };
    const auto fed = [&](const char* script) {
      return [this, &cluster, script] {
        return Time({PostgresProgram("psql"), "--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1",
                     fmt::format("--file={}", script),
                     cluster.connection_string(cluster.CreateDatabase())});
      };
    };
    return Finish(what, "psql", ours, fed(kAlone), fed(kWithHistory));
  }

  static constexpr const char* kAlone = "alone.sql";
  static constexpr const char* kWithHistory = "with_history.sql";

  const std::string client_;
  const std::string folder_ = data_ / "migrations";
};

}  // namespace

absl::StatusOr<std::vector<Row>> RunMigrationsSuite(const SuiteOptions& options) {
  return MigrationsSuite(options).Run();
}

}  // namespace penstock::bench
