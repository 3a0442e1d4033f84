#include "tests/bench/key_value_suite.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <optional>
#include <utility>

#include "tests/bench/direct_rocksdb.h"
#include "tests/bench/key_value_peers.h"
#include "tests/bench/load.h"
#include "tests/bench/streams.h"

namespace penstock::bench {
namespace {

class KeyValueSuite : private Suite {
 public:
  using Suite::Suite;

  absl::StatusOr<std::vector<Row>> Run() {
    absl::Status done = CheckFolders();
    for (const auto part : {&KeyValueSuite::Gets, &KeyValueSuite::Alone, &KeyValueSuite::Puts,
                            &KeyValueSuite::Scan}) {
      if (!done.ok()) return done;
      done = (this->*part)();
    }
    return done.ok() ? Rows() : done;
  }

 private:
  // Starts the daemon on the folder of this name below the data folder.
  absl::StatusOr<Server> StartOn(const std::string& name) {
    return StartDaemon(name, fmt::format("{{driver: pebble, database: '{}'}}", data_ / name));
  }
  // Does the same and puts every key that the load uses.
  absl::StatusOr<Server> StartFilled(const std::string& name);
  absl::StatusOr<std::unique_ptr<Redis>> StartRedis(const std::string& name,
                                                    const std::string& appendfsync);
  Measure RedisLoad(const Redis& redis, Call call) const {
    return [&redis, round = Round{call, kCallers, options_.warm_up, options_.measured}] {
      return redis.Run(round);
    };
  }

  absl::Status Gets();
  absl::Status Alone();
  absl::Status Puts();
  absl::Status Scan();
};

absl::StatusOr<Server> KeyValueSuite::StartFilled(const std::string& name) {
  absl::StatusOr<Server> daemon = StartOn(name);
  if (!daemon.ok()) return daemon;
  absl::Status filled = PutEntries(daemon->channel, kSelectRows);
  if (!filled.ok()) return filled;
  return daemon;
}

absl::StatusOr<std::unique_ptr<Redis>> KeyValueSuite::StartRedis(const std::string& name,
                                                                 const std::string& appendfsync) {
  const std::string folder = data_ / name;
  std::filesystem::create_directory(folder);
  absl::StatusOr<std::unique_ptr<Redis>> redis = Redis::Start(folder, sockets_ / name, appendfsync);
  if (!redis.ok()) return redis;
  absl::Status filled = (*redis)->Fill();
  if (!filled.ok()) return filled;
  return redis;
}

absl::Status KeyValueSuite::Gets() {
  const std::string unary = "Get, 64 in flight";
  const std::string client = "C++ client, Get, ";
  const std::string pipelined = "redis-benchmark, 32 clients, -P 16";
  const std::vector<Versus> rows = {{unary, "unary echo", AtLeast(0.85)},
                                    {unary, "Redis GET"},
                                    {client + "64 asynchronous", "Redis GET", AtLeast(1)},
                                    {client + "512 asynchronous", pipelined, AtLeast(0.5)}};
  if (!Wanted(rows)) return absl::OkStatus();
  absl::StatusOr<Server> daemon = StartFilled("gets");
  if (!daemon.ok()) return daemon.status();
  absl::StatusOr<Server> echo = StartEcho();
  if (!echo.ok()) return echo.status();
  auto redis = StartRedis("redis-get", "everysec");
  if (!redis.ok()) return redis.status();
  const auto asynchronous = [&](int callers) {
    return ClientLoad(*daemon, "gets", Waiting::kAsync, Call::kGet, callers);
  };
  absl::StatusOr<Results> done = CompareAll(
      unary,
      {{unary, Load(*daemon, Call::kGet, kCallers)},
       {client + "64 asynchronous", asynchronous(64)},
       {client + "512 asynchronous", asynchronous(512)},
       {"unary echo", Load(*echo, Call::kGet, kCallers)},
       {"Redis GET", RedisLoad(**redis, Call::kGet)},
       {pipelined, [&] { return (*redis)->RunPipelinedGets(32, 16, options_.measured); }}},
      rows);
  if (!done.ok()) return done.status();
  absl::Status ended = Stop(*daemon);
  ended.Update(Stop(*echo));
  return ended;
}

absl::Status KeyValueSuite::Alone() {
  const std::string unary = "Get, one caller";
  const std::string client = "C++ client, Get, 1 thread";
  const std::vector<Versus> rows = {{unary, "unary echo", AtMost(1.4), kP50},
                                    {unary, "unary echo", std::nullopt, kP99},
                                    {client, "unary echo", std::nullopt, kP50},
                                    {client, "unary echo", std::nullopt, kP99}};
  if (!Wanted(rows)) return absl::OkStatus();
  absl::StatusOr<Server> daemon = StartFilled("alone");
  if (!daemon.ok()) return daemon.status();
  absl::StatusOr<Server> echo = StartEcho();
  if (!echo.ok()) return echo.status();
  absl::StatusOr<Results> done =
      CompareAll(unary,
                 {{unary, Load(*daemon, Call::kGet, 1)},
                  {client, ClientLoad(*daemon, "alone", Waiting::kBlocking, Call::kGet, 1)},
                  {"unary echo", Load(*echo, Call::kGet, 1)}},
                 rows);
  if (!done.ok()) return done.status();
  absl::Status ended = Stop(*daemon);
  ended.Update(Stop(*echo));
  return ended;
}

absl::Status KeyValueSuite::Puts() {
  const std::string unary = "durable Put, 64 in flight";
  const std::string client = "C++ client, durable Put, 64 asynchronous";
  const std::vector<Versus> rows = {
      {unary, "etcd put", AtLeast(2)},
      {unary, "Redis SET, always", AtLeast(0.6)},
      {unary, "Redis SET, everysec"},
      // The limit of gRPC itself: no server of unary calls can be faster.
      {unary, "unary echo"},
      {client, "etcd put", AtLeast(3)},
      {client, "Redis SET, always", AtLeast(1)}};
  if (!Wanted(rows)) return absl::OkStatus();
  absl::StatusOr<Server> daemon = StartFilled("puts");
  if (!daemon.ok()) return daemon.status();
  absl::StatusOr<Server> echo = StartEcho();
  if (!echo.ok()) return echo.status();
  auto etcd = Etcd::Start(data_.path(), sockets_.path());
  if (!etcd.ok()) return etcd.status();
  auto channel = ConnectTo((*etcd)->address());
  if (!channel.ok()) return channel.status();
  auto always = StartRedis("redis-always", "always");
  if (!always.ok()) return always.status();
  auto everysec = StartRedis("redis-everysec", "everysec");
  if (!everysec.ok()) return everysec.status();
  const Round put{Call::kEtcdPut, kCallers, options_.warm_up, options_.measured};
  absl::StatusOr<Results> done =
      CompareAll(unary,
                 {{unary, Load(*daemon, Call::kPut, kCallers)},
                  {client, ClientLoad(*daemon, "puts", Waiting::kAsync, Call::kPut, kCallers)},
                  {"etcd put", [&] { return RunRound({*channel}, put); }},
                  {"Redis SET, always", RedisLoad(**always, Call::kPut)},
                  {"Redis SET, everysec", RedisLoad(**everysec, Call::kPut)},
                  {"unary echo", Load(*echo, Call::kPut, kCallers)}},
                 rows);
  if (!done.ok()) return done.status();
  absl::Status ended = Stop(*daemon);
  ended.Update(Stop(*echo));
  return ended;
}

absl::Status KeyValueSuite::Scan() {
  const std::string what = fmt::format("Scan of {} keys", options_.scan_entries);
  if (!Wanted(what)) return absl::OkStatus();
  fmt::print(stderr, "{}: filling\n", what);
  // Uses two folders with the same files, because only one process can open a RocksDB database.
  const std::string direct_path = data_ / "direct";
  absl::StatusOr<std::unique_ptr<DirectRocksdb>> direct = DirectRocksdb::Open(direct_path);
  if (!direct.ok()) return direct.status();
  if (absl::Status filled = (*direct)->Fill(options_.scan_entries); !filled.ok()) return filled;
  direct->reset();
  std::filesystem::copy(direct_path, data_ / "scan");
  direct = DirectRocksdb::Open(direct_path);
  if (!direct.ok()) return direct.status();
  absl::StatusOr<Server> daemon = StartOn("scan");
  if (!daemon.ok()) return daemon.status();

  const int64_t idle = daemon->process->resident_bytes();
  int64_t most = idle;
  const auto look = [&] { most = std::max(most, daemon->process->resident_bytes()); };
  // This scan has pauses in which the memory is measured; the timed rounds have none.
  absl::Status read = ReadScan(daemon->channel, options_.scan_entries, look);
  if (!read.ok()) return read;
  const auto ours = [&]() -> absl::StatusOr<RoundResult> {
    const auto begin = std::chrono::steady_clock::now();
    absl::Status done = ReadScan(daemon->channel, options_.scan_entries, nullptr);
    if (!done.ok()) return done;
    const std::chrono::duration<double> passed = std::chrono::steady_clock::now() - begin;
    look();
    return RoundResult{.per_second = static_cast<double>(options_.scan_entries) / passed.count()};
  };
  absl::StatusOr<Comparison> done =
      Compare(what, ours, [&] { return (*direct)->Scan(options_.scan_entries); });
  if (!done.ok()) return done.status();
  rows_.push_back(
      done->MakeRow(what, "RocksDB in-process", "keys/s", &RoundResult::per_second, AtLeast(0.5)));
  // The memory of the whole process, which includes RocksDB's block cache and gRPC's buffers.
  rows_.push_back(MakeRow(what + ", memory it adds", {static_cast<double>(most - idle) / kMiB},
                          "allowed", {64}, "MiB", AtMost(1)));
  return Stop(*daemon);
}

}  // namespace

absl::StatusOr<std::vector<Row>> RunKeyValueSuite(const SuiteOptions& options) {
  return KeyValueSuite(options).Run();
}

}  // namespace penstock::bench
