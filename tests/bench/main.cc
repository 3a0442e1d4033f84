// penstock_bench: compares penstockd with its peers. scripts/bench runs it.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <filesystem>
#include <string>
#include <vector>

#include "tests/bench/echo_server.h"
#include "tests/bench/key_value_suite.h"
#include "tests/bench/migrations_suite.h"
#include "tests/bench/postgres_suite.h"
#include "tests/bench/report.h"
#include "tests/bench/sqlite_suite.h"

namespace penstock::bench {
namespace {

using RunSuite = absl::StatusOr<std::vector<Row>> (*)(const SuiteOptions&);

int Run(RunSuite suite, const SuiteOptions& options, const std::string& json) {
  const std::string machine = DescribeMachine();
  absl::StatusOr<std::vector<Row>> rows = suite(options);
  absl::Status status = rows.status();
  if (rows.ok()) {
    PrintTable(machine, *rows);
    if (!json.empty()) status = WriteJson(json, machine, *rows);
  }
  if (status.ok()) return 0;
  fmt::print(stderr, "penstock_bench: {}\n", std::string(status.message()));
  return 1;
}

int Main(int argc, char** argv) {
  CLI::App app("Compares penstockd with its peers.");
  app.require_subcommand(1);

  SuiteOptions options;
  options.data_dir = std::filesystem::temp_directory_path();
  options.daemon = std::filesystem::canonical("/proc/self/exe").replace_filename("penstockd");
  std::string json;
  bool quick = false;
  RunSuite chosen = nullptr;
  const auto add_suite = [&](const char* name, const char* description, RunSuite run) {
    CLI::App* suite = app.add_subcommand(name, description);
    suite->add_option("--penstockd", options.daemon, "the program to measure")
        ->capture_default_str();
    suite->add_option("--data-dir", options.data_dir, "the folder for the temporary databases")
        ->check(CLI::ExistingDirectory)
        ->capture_default_str();
    suite->add_option("--json", json, "also write the figures to this file");
    suite->add_option("--only", options.only, "only measure the rows whose name contains this");
    suite->add_option("--rounds", options.rounds, "the number of rounds of each row")
        ->check(CLI::PositiveNumber)
        ->capture_default_str();
    suite->add_flag("--quick", quick, "run one short round of each row, to check that it works");
    suite->callback([&chosen, run] { chosen = run; });
  };
  add_suite("sqlite", "penstockd on SQLite", RunSqliteSuite);
  add_suite("postgres", "penstockd on PostgreSQL", RunPostgresSuite);
  add_suite("kv", "penstockd's key-value calls on RocksDB", RunKeyValueSuite);
  add_suite("migrations", "penstock migrate beside sqlite3 and psql", RunMigrationsSuite);

  std::string address;
  CLI::App* echo = app.add_subcommand("echo-server", "the bare gRPC server to compare with");
  echo->add_option("address", address, "the address to listen on")->required();
  CLI11_PARSE(app, argc, argv);

  if (echo->parsed()) return RunEchoServer(address);
  if (quick) {
    options.rounds = 1;
    options.warm_up = options.measured = std::chrono::milliseconds(100);
    options.large_rows = 200'000;
    options.bulk_rows = 50'000;
    options.scan_entries = 50'000;
    options.migrations = 20;
  }
  return Run(chosen, options, json);
}

}  // namespace
}  // namespace penstock::bench

int main(int argc, char** argv) { return penstock::bench::Main(argc, argv); }
