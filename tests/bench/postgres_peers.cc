#include "tests/bench/postgres_peers.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <vector>

namespace penstock::bench {
namespace {

using penstock::testing::AsPostgres;
using penstock::testing::PostgresProgram;
using penstock::testing::Process;

absl::Status Failed(const char* program, const Process& process) {
  return absl::InternalError(fmt::format("{} failed; it said:\n{}", program, process.output()));
}

void WriteItems(const std::string& path, int64_t rows) {
  std::ofstream file(path);
  for (int64_t i = 0; i < rows; ++i) {
    file << fmt::format("{}\titem {}\t{}\n", i, i, static_cast<double>(i) * 0.25);
  }
}

}  // namespace

std::string PostgresAddress::conninfo() const {
  return fmt::format("host={} port={} user=postgres dbname={}", host, port, database);
}

absl::StatusOr<RoundResult> RunPgbench(const PostgresAddress& address, const std::string& mode,
                                       const Round& round, const std::string& folder) {
  const std::string script = folder + "/script.pgbench";
  std::ofstream(script) << fmt::format("\\set id random(1, {})\n{};\n", kSelectRows,
                                       round.call == Call::kPreparedInsert
                                           ? "INSERT INTO events(v) VALUES(:id)"
                                           : "SELECT id, name FROM points WHERE id = :id");
  const auto seconds = std::max<int64_t>(
      1, std::chrono::round<std::chrono::seconds>(round.warm_up + round.measured).count());
  const std::string callers = std::to_string(round.callers);
  Process pgbench(
      {PostgresProgram("pgbench"), "--host", address.host, "--port", std::to_string(address.port),
       "--username", "postgres", "--no-vacuum", "--client", callers, "--jobs",
       std::to_string(std::min(round.callers, 2)), "--time", std::to_string(seconds), "--protocol",
       mode, "--file", script, address.database},
      folder);
  RoundResult result;
  const int code = pgbench.Wait();
  const std::string output = pgbench.output();
  const std::string tps = "tps = ";
  const size_t at = output.find(tps);
  if (code != 0 || at == std::string::npos) return Failed("pgbench", pgbench);
  result.per_second = std::strtod(output.c_str() + at + tps.size(), nullptr);
  return result;
}

absl::StatusOr<std::unique_ptr<PgBouncer>> PgBouncer::Start(const PostgresAddress& server,
                                                            const std::string& pool_mode,
                                                            int pool_size) {
  auto bouncer = std::unique_ptr<PgBouncer>(new PgBouncer);
  const std::string& folder = bouncer->folder_.path();
  // PgBouncer runs as another user, who must be able to create its socket in this folder.
  chmod(folder.c_str(), 0777);
  const std::string config = folder + "/pgbouncer.ini";
  std::ofstream(config) << fmt::format(
      "[databases]\n{} = host={} port={} user=postgres\n"
      "[pgbouncer]\nlisten_addr =\nunix_socket_dir = {}\nlisten_port = 6432\nauth_type = any\n"
      "pool_mode = {}\ndefault_pool_size = {}\nmax_client_conn = 2000\nlog_connections = 0\n"
      "log_disconnections = 0\n",
      server.database, server.host, server.port, folder, pool_mode, pool_size);
  bouncer->address_ = {.host = folder, .port = 6432, .database = server.database};
  bouncer->process_ =
      std::make_unique<Process>(AsPostgres({"/usr/sbin/pgbouncer", config}), folder);
  if (!bouncer->process_->WaitForOutput("process up")) {
    return Failed("pgbouncer", *bouncer->process_);
  }
  return bouncer;
}

absl::StatusOr<RoundResult> RunCopy(const PostgresAddress& address, int64_t rows,
                                    const std::string& folder) {
  const std::string file = fmt::format("{}/items-{}.tsv", folder, rows);
  if (!std::filesystem::exists(file)) WriteItems(file, rows);
  const auto begin = std::chrono::steady_clock::now();
  Process psql({"psql", "--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", "--command",
                fmt::format("\\copy items from '{}'", file), address.conninfo()},
               folder);
  if (psql.Wait() != 0) return Failed("psql", psql);
  const std::chrono::duration<double> passed = std::chrono::steady_clock::now() - begin;
  return RoundResult{.per_second = static_cast<double>(rows) / passed.count()};
}

}  // namespace penstock::bench
