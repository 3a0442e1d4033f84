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

  // Writes the folder of migrations, and the files for sqlite3 and psql.
  void WriteFiles() const {
    std::filesystem::create_directory(folder_);
    std::string script;
    for (int i = 1; i <= options_.migrations; ++i) {
      const std::string statement = Statement(i);
      std::ofstream(fmt::format("{}/{:05}_step.up.sql", folder_, i)) << statement << ";\n";
      script += fmt::format("BEGIN;\n{};\nCOMMIT;\n", statement);
    }
    std::ofstream(data_ / "script.sql") << script;
    std::ofstream(data_ / "sqlite.sql")
        << "PRAGMA journal_mode = WAL;\nPRAGMA synchronous = FULL;\n.read script.sql\n";
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

  absl::Status Finish(const std::string& what, const std::string& against, const Measure& ours,
                      const Measure& theirs) {
    absl::StatusOr<Comparison> done = Compare(what, ours, theirs);
    if (!done.ok()) return done.status();
    rows_.push_back(done->MakeRow(what, against, "/s", &RoundResult::per_second, AtLeast(0.8)));
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
    const Measure theirs = [&] {
      return Time({"sqlite3", "-bail", data_ / fmt::format("direct{}", round), ".read sqlite.sql"});
    };
    return Finish(what, "sqlite3", ours, theirs);
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
    const Measure theirs = [&] {
      return Time({PostgresProgram("psql"), "--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1",
                   "--file=script.sql", cluster.connection_string(cluster.CreateDatabase())});
    };
    return Finish(what, "psql", ours, theirs);
  }

  const std::string client_;
  const std::string folder_ = data_ / "migrations";
};

}  // namespace

absl::StatusOr<std::vector<Row>> RunMigrationsSuite(const SuiteOptions& options) {
  return MigrationsSuite(options).Run();
}

}  // namespace penstock::bench
