#include "tests/integration/migrate_fixture.h"

#include <signal.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <regex>
#include <sstream>
#include <thread>

#include "fmt/format.h"
#include "tests/support/postgres_cluster.h"

namespace penstock::testing {

MigrateProcess::MigrateProcess() {
  if (is_sqlite() || is_pebble()) return;
  PostgresCluster& cluster = PostgresCluster::Shared();
  const std::string database = cluster.CreateDatabase();
  server_ = connection_ = cluster.connection_string(database);
  if (GetParam() != "cockroachdb") return;
  proxy_ = std::make_unique<PgwireProxy>(cluster.socket_folder());
  proxy_->ReportCockroach("CockroachDB CCL v24.1.2 (x86_64-pc-linux-gnu)");
  connection_ = proxy_->connection_string(database) +
                " options='-c default_transaction_isolation=serializable'";
}

std::string MigrateProcess::Connection() const {
  if (is_pebble()) {
    return "    database: " + path("main.pebble") + "\n    options: {lock_timeout_ms: 60000}";
  }
  if (!is_sqlite()) return "    connection_string: \"" + connection_ + "\"";
  return "    database: " + path("main.db") + "\n    options: {busy_timeout_ms: 60000}";
}

std::unique_ptr<Process> MigrateProcess::Daemon(const std::string& name, const std::string& more) {
  std::filesystem::create_directories(path(name));
  std::ofstream(path(name + ".yaml"))
      << "data_dir: " << path(name) << "\nserver:\n  listen: " << target(name)
      << "\n  http_listen: \"off\"\ndatabases:\n  main:\n    driver: " << GetParam() << "\n"
      << Connection() << "\n    migrations_lease: 2s\n"
      << more;
  return std::make_unique<Process>(
      std::vector<std::string>{BuiltProgram("penstockd"), "--config", path(name + ".yaml")},
      path(name));
}

std::unique_ptr<Process> MigrateProcess::ReadyDaemon(const std::string& name) {
  std::unique_ptr<Process> daemon = Daemon(name);
  EXPECT_TRUE(daemon->WaitForOutput("penstockd ready")) << daemon->output();
  return daemon;
}

void MigrateProcess::Kill(Process* process) {
  process->Signal(SIGKILL);
  process->Wait();
}

std::unique_ptr<Process> MigrateProcess::Client(const std::string& daemon, const std::string& name,
                                                const std::vector<std::string>& words) {
  std::filesystem::create_directories(path(name));
  std::vector<std::string> all = {BuiltProgram("penstock"), "--target", target(daemon)};
  all.insert(all.end(), words.begin(), words.end());
  return std::make_unique<Process>(all, path(name));
}

int MigrateProcess::Cli(const std::vector<std::string>& words) {
  std::vector<std::string> all = {"migrate"};
  all.insert(all.end(), words.begin(), words.end());
  const auto client = Client("a", fmt::format("cli{}", ++clients_), all);
  const int code = client->Wait();
  said_ = client->output();
  return code;
}

std::string MigrateProcess::Folder(const MigrationFiles& files, const std::string& name) {
  const std::string folder = path(name);
  std::filesystem::remove_all(folder);
  std::filesystem::create_directory(folder);
  for (const auto& [file, content] : files) std::ofstream(folder + "/" + file) << content;
  return folder;
}

std::string MigrateProcess::Insert(int n) {
  return fmt::format("INSERT INTO log VALUES ('{0}', {0})", n);
}

std::string MigrateProcess::Slow() const {
  return is_sqlite() || is_pebble()
             ? "INSERT INTO log WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 "
               "FROM c WHERE i < 3000000) SELECT '3000000', max(i) FROM c"
             : "INSERT INTO log SELECT '3000000', 3000000 FROM pg_sleep(1)";
}

std::string MigrateProcess::Numbers(Wire& wire) {
  return wire.Query("SELECT value FROM log ORDER BY value").text();
}

std::string MigrateProcess::History(Wire& wire, const std::string& query) const {
  const std::string history = is_pebble()
                                  ? "SELECT row->>'version' AS version, row->>'state' AS state, "
                                    "row->>'statement' AS statement FROM "
                                    "(SELECT CAST(value AS TEXT) AS row FROM penstock_migrations)"
                                  : "SELECT version, state, statement FROM penstock_migrations";
  return wire.Query("WITH history AS (" + history + ") " + query).text();
}

MigrationFiles MigrateProcess::TenSteps() const {
  MigrationFiles files = {{"01_log.up.sql", MakeLog()}};
  for (int i = 2; i <= 10; ++i) {
    files.push_back({fmt::format("{:02}_insert.up.sql", i),
                     Insert(i) + ";\n" + (i == 5 ? Slow() : "SELECT 1")});
  }
  return files;
}

void MigrateProcess::ExpectTenSteps(const std::string& daemon) {
  Wire wire(target(daemon));
  EXPECT_EQ(Numbers(wire), "2; 3; 4; 5; 6; 7; 8; 9; 10; 3000000");
  EXPECT_EQ(
      History(wire, "SELECT count(*), count(DISTINCT version) FROM history WHERE state = 'done'"),
      "10|10");
}

void MigrateProcess::FinishByRepair(const std::string& daemon, const MigrationFiles& files) {
  UpOneByRepair(daemon, files);
  const Migrated up = MigrationWire(Wire(target(daemon)).channel()).Up(files);
  EXPECT_TRUE(up.status.ok()) << up.status.error_message();
}

void MigrateProcess::BlockHistory(TransactionStream* transaction) {
  transaction->Begin();
  std::string block = "LOCK TABLE penstock_migrations IN EXCLUSIVE MODE";
  if (is_sqlite()) block = "UPDATE penstock_migrations SET note = note";
  // The row that comes next.
  if (is_pebble()) {
    block =
        "INSERT INTO penstock_migrations SELECT CAST(printf('%019d', count(*) + 1) AS BLOB), x'' "
        "FROM penstock_migrations";
  }
  const auto blocked = transaction->Exec(block);
  EXPECT_TRUE(blocked.has_executed()) << blocked.ShortDebugString();
}

void MigrateProcess::AwaitBlocked(Wire& other) {
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  for (bool blocked = false; !blocked;) {
    ASSERT_LT(std::chrono::steady_clock::now(), until) << "no migrator came to the history";
    if (is_sqlite()) {
      // It has the lock's file then.
      blocked = std::filesystem::exists(path("main.db") + "-migration-lock");
    } else if (is_pebble()) {
      blocked = MigrationIsUnderWay(other);
    } else {
      blocked = other
                    .Query(
                        "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' "
                        "AND datname = current_database() "
                        "AND query LIKE 'INSERT%penstock_migrations\"%'")
                    .text() == "1";
    }
  }
}

bool MigrateProcess::MigrationIsUnderWay(Wire& wire) {
  // Of a version that is not there, so that this changes nothing if it has its turn.
  MigrateStart repair;
  repair.mutable_repair()->set_version(999);
  repair.mutable_repair()->set_action(v1::MigrateRequest::Repair::ACTION_MARK_APPLIED);
  bool waits = false;
  MigrationWire(wire.channel()).Migrate(repair, {}, [&](const v1::MigrateResponse& event) {
    waits = waits || event.has_waiting();
    return !waits;
  });
  return waits;
}

void MigrateProcess::AwaitSlow(Wire& wire) {
  if (is_sqlite() || is_pebble()) return;
  const std::string running = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'";
  while (wire.Query(running).text() != "0") std::this_thread::yield();
}

void MigrateProcess::UpOneByRepair(const std::string& daemon, const MigrationFiles& files) {
  Wire wire(target(daemon));
  MigrationWire migrations(wire.channel());
  for (size_t repairs = 0; repairs <= files.size(); ++repairs) {
    MigrateStart one;
    one.mutable_up()->set_steps(1);
    const Migrated up = migrations.Migrate(one, files);
    if (up.status.ok()) return;
    const std::string message = up.status.error_message();
    ASSERT_EQ(up.detail.reason(), v1::REASON_MIGRATION_REFUSED) << message;
    // It names the file, and the statement concerned.
    static const std::regex kWhere(R"(([0-9]+)_[a-z]+\.up\.sql: [^(]*statement ([0-9]+))");
    std::smatch found;
    ASSERT_TRUE(std::regex_search(message, found, kWhere)) << message;
    const int64_t statement = std::stoll(found[2]);
    AwaitSlow(wire);
    const bool done = !wire.Query(ProbeOf(files, std::stoll(found[1]), statement)).rows.empty();
    MigrateStart repair;
    repair.mutable_repair()->set_version(std::stoll(found[1]));
    repair.mutable_repair()->set_action(v1::MigrateRequest::Repair::ACTION_RESUME);
    repair.mutable_repair()->set_statement(statement + (done ? 1 : 0));
    const Migrated repaired = migrations.Migrate(repair, files);
    ASSERT_TRUE(repaired.status.ok()) << repaired.status.error_message();
  }
  FAIL() << "more repairs than files";
}

std::string MigrateProcess::ProbeOf(const MigrationFiles& files, int64_t version,
                                    int64_t statement) const {
  std::string line;
  for (const auto& [name, content] : files) {
    if (std::stoll(name) != version) continue;
    std::istringstream lines(content);
    for (int64_t i = 0; i < statement && std::getline(lines, line); ++i) {
      if (line.starts_with("--")) --i;
    }
  }
  static const std::regex kValue("VALUES \\('([0-9]+)'");
  std::smatch value;
  if (std::regex_search(line, value, kValue)) {
    return fmt::format("SELECT value FROM log WHERE key = '{}'", value[1].str());
  }
  if (line.starts_with("INSERT")) return "SELECT value FROM log WHERE key = '3000000'";
  return is_sqlite() || is_pebble() ? "SELECT 1 FROM sqlite_schema WHERE name = 'log'"
                                    : "SELECT 1 WHERE to_regclass('log') IS NOT NULL";
}

std::string MigrateProcess::Dump(const std::string& daemon) {
  if (is_sqlite()) {
    return Wire(target(daemon))
        .Query(
            "SELECT type, name, sql FROM sqlite_schema WHERE tbl_name <> "
            "'penstock_migrations' ORDER BY type, name")
        .text();
  }
  Process dump({PostgresProgram("pg_dump"), "--schema-only", "--no-owner",
                "--exclude-table=penstock_migrations*", server_},
               folder_.path());
  EXPECT_EQ(dump.Wait(), 0) << dump.output();
  // Newer ones print a word of chance.
  static const std::regex kChance("\\\\(un)?restrict .*");
  return std::regex_replace(dump.output(), kChance, "");
}

}  // namespace penstock::testing
