#include "tests/bench/sqlite_suite.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <utility>

#include "tests/bench/client_callers.h"
#include "tests/bench/direct_sqlite.h"
#include "tests/bench/load.h"
#include "tests/bench/streams.h"

namespace penstock::bench {
namespace {

using penstock::testing::Process;

constexpr int kIdleStreams = 1000;
constexpr int kFewStreams = 16;
// Streams have no threads of their own, but gRPC sometimes starts threads for itself.
constexpr double kExtraThreads = 4;

class SqliteSuite : private Suite {
 public:
  using Suite::Suite;

  absl::StatusOr<std::vector<Row>> Run() {
    if (absl::Status folders = CheckFolders(); !folders.ok()) return folders;
    for (const auto part : {&SqliteSuite::Reads, &SqliteSuite::Tokens, &SqliteSuite::Client,
                            &SqliteSuite::Inserts, &SqliteSuite::Idle, &SqliteSuite::Large}) {
      if (absl::Status done = (this->*part)(); !done.ok()) return done;
    }
    return Rows();
  }

 private:
  // Starts the daemon on the database file `name`, which is created if it does not exist. `more` is
  // as for StartDaemon.
  absl::StatusOr<Server> StartOn(const std::string& name, const std::string& more = "") {
    const std::string database = data_ / (name + ".db");
    if (!std::filesystem::exists(database)) {
      if (absl::Status made = MakeDatabase(database); !made.ok()) return made;
    }
    return StartDaemon(name, fmt::format("{{driver: sqlite, database: '{}'}}", database), more);
  }

  absl::Status Reads();
  absl::Status Tokens();
  absl::Status Client();
  absl::Status Inserts();
  absl::Status Idle();
  absl::Status Large();
};

absl::Status SqliteSuite::Reads() {
  const std::string prepared = "prepared point select, 64 in flight";
  const std::string query = "point select by Query, 64 in flight";
  const std::string alone = "prepared point select, one caller";
  if (!Wanted(prepared) && !Wanted(query) && !Wanted(alone)) return absl::OkStatus();
  absl::StatusOr<Server> daemon = StartOn("reads");
  if (!daemon.ok()) return daemon.status();
  absl::StatusOr<Server> echo = StartEcho();
  if (!echo.ok()) return echo.status();
  const auto compare = [&](const std::string& what, Call call, int callers) {
    return Compare(what, Load(*daemon, call, callers), Load(*echo, call, callers));
  };

  if (Wanted(prepared)) {
    absl::StatusOr<Comparison> done = compare(prepared, Call::kPreparedSelect, kCallers);
    if (!done.ok()) return done.status();
    rows_.push_back(
        done->MakeRow(prepared, "bidi echo", "/s", &RoundResult::per_second, AtLeast(0.80)));
  }
  if (Wanted(query)) {
    absl::StatusOr<Comparison> done = compare(query, Call::kQuerySelect, kCallers);
    if (!done.ok()) return done.status();
    rows_.push_back(
        done->MakeRow(query, "server-stream echo", "/s", &RoundResult::per_second, AtLeast(0.85)));
  }
  if (Wanted(alone)) {
    absl::StatusOr<Comparison> done = compare(alone, Call::kPreparedSelect, 1);
    if (!done.ok()) return done.status();
    rows_.push_back(
        done->MakeRow(alone + ", p50", "bidi echo", "us", &RoundResult::p50, AtMost(1.4)));
    rows_.push_back(
        done->MakeRow(alone + ", p99", "bidi echo", "us", &RoundResult::p99, std::nullopt));
  }
  absl::Status ended = Stop(*daemon);
  ended.Update(Stop(*echo));
  return ended;
}

// Each call brings its token, which the daemon has to look up and to compare, and on this database
// it may only read.
absl::Status SqliteSuite::Tokens() {
  const std::string what = "point select by Query with a token, 64 in flight";
  if (!Wanted(what)) return absl::OkStatus();
  absl::StatusOr<Server> with = StartOn("with", kTwoIdentities);
  if (!with.ok()) return with.status();
  absl::StatusOr<Server> without = StartOn("without");
  if (!without.ok()) return without.status();
  Round round{Call::kQuerySelect, kCallers, options_.warm_up, options_.measured};
  const Measure open = Load(*without, round.call, kCallers);
  round.token = TokenOf("many");
  const Measure known =
      Metered(*with, [channel = with->channel, round] { return RunRound({channel}, round); });
  absl::StatusOr<Comparison> done = Compare(what, known, open);
  if (!done.ok()) return done.status();
  rows_.push_back(done->MakeRow(what, "without", "/s", &RoundResult::per_second, AtLeast(0.95)));
  absl::Status ended = Stop(*with);
  ended.Update(Stop(*without));
  return ended;
}

absl::Status SqliteSuite::Client() {
  const std::string builder =
      fmt::format("C++ client, point select by the builder, {} threads", kCallers);
  const std::string select = "C++ client, prepared point select, ";
  // The rows of each part are measured in one alternation.
  const std::vector<std::vector<Versus>> parts = {
      {{builder, "text", AtLeast(0.97)}},
      {{select + "1 thread", "bidi echo, 1 stream"},
       {select + "1 thread", "Prepare stream", AtMost(0.85), kP50},
       {select + "1 thread", "Prepare stream", std::nullopt, kP99}},
      {{select + "16 threads", "bidi echo, 16 streams"}},
      {{select + "64 threads", "bidi echo, 64 streams"},
       {select + "64 asynchronous", "bidi echo, 64 streams", AtLeast(2)},
       {select + "512 asynchronous", "bidi echo, 64 streams", AtLeast(5)}}};
  if (std::none_of(parts.begin(), parts.end(), [this](auto& rows) { return Wanted(rows); })) {
    return absl::OkStatus();
  }
  absl::StatusOr<Server> daemon = StartOn("client");
  if (!daemon.ok()) return daemon.status();
  absl::StatusOr<Server> echo = StartEcho();
  if (!echo.ok()) return echo.status();

  const auto threads = [&](Call call, int callers) {
    return ClientLoad(*daemon, "client", Waiting::kBlocking, call, callers);
  };
  const auto asynchronous = [&](int callers) {
    return ClientLoad(*daemon, "client", Waiting::kAsync, Call::kPreparedSelect, callers);
  };
  const Measures measures = {{builder, threads(Call::kBuilderSelect, kCallers)},
                             {"text", threads(Call::kQuerySelect, kCallers)},
                             {select + "1 thread", threads(Call::kPreparedSelect, 1)},
                             {select + "16 threads", threads(Call::kPreparedSelect, 16)},
                             {select + "64 threads", threads(Call::kPreparedSelect, 64)},
                             {select + "64 asynchronous", asynchronous(64)},
                             {select + "512 asynchronous", asynchronous(512)},
                             {"Prepare stream", Load(*daemon, Call::kPreparedSelect, 1)},
                             {"bidi echo, 1 stream", Load(*echo, Call::kPreparedSelect, 1)},
                             {"bidi echo, 16 streams", Load(*echo, Call::kPreparedSelect, 16)},
                             {"bidi echo, 64 streams", Load(*echo, Call::kPreparedSelect, 64)}};
  for (const std::vector<Versus>& rows : parts) {
    absl::StatusOr<Results> done = CompareAll(rows.back().ours, measures, rows);
    if (!done.ok()) return done.status();
  }
  absl::Status ended = Stop(*daemon);
  ended.Update(Stop(*echo));
  return ended;
}

absl::Status SqliteSuite::Inserts() {
  const std::string what = "durable inserts, 64 in flight";
  const std::string client = "C++ client, durable inserts, ";
  const std::string peer = "64 threads on SQLite";
  const std::vector<Versus> rows = {{what, peer, AtLeast(8)},
                                    {client + "64 threads", peer, AtLeast(6)},
                                    {client + "64 asynchronous", peer, AtLeast(12)},
                                    {client + "1024 asynchronous", peer, AtLeast(30)}};
  if (!Wanted(rows)) return absl::OkStatus();
  absl::StatusOr<Server> daemon = StartOn("inserts");
  if (!daemon.ok()) return daemon.status();
  const std::string direct = data_ / "direct.db";
  if (absl::Status made = MakeDatabase(direct); !made.ok()) return made;

  const auto by_client = [&](Waiting waiting, int callers) {
    return ClientLoad(*daemon, "inserts", waiting, Call::kPreparedInsert, callers);
  };
  const Measure theirs = [&]() -> absl::StatusOr<RoundResult> {
    const auto rate = DirectInserts(direct, kCallers, options_.warm_up, options_.measured);
    if (!rate.ok()) return rate.status();
    return RoundResult{.per_second = *rate};
  };
  absl::StatusOr<Results> done =
      CompareAll(what,
                 {{what, Load(*daemon, Call::kPreparedInsert, kCallers)},
                  {client + "64 threads", by_client(Waiting::kBlocking, 64)},
                  {client + "64 asynchronous", by_client(Waiting::kAsync, 64)},
                  {client + "1024 asynchronous", by_client(Waiting::kAsync, 1024)},
                  {peer, theirs}},
                 rows);
  if (!done.ok()) return done.status();

  if (absl::Status ended = Stop(*daemon); !ended.ok()) return ended;
  int64_t acknowledged = 0;
  for (const auto& [name, results] : *done) {
    // The peer's are in another file, and not counted by it.
    for (const RoundResult& result : results) acknowledged += result.answers;
  }
  absl::StatusOr<int64_t> stored = CountInserts(data_ / "inserts.db");
  if (!stored.ok()) return stored.status();
  if (*stored != acknowledged) {
    return absl::DataLossError(
        fmt::format("{} inserts were acknowledged, {} are stored", acknowledged, *stored));
  }
  return absl::OkStatus();
}

absl::Status SqliteSuite::Idle() {
  const std::string what = fmt::format("{} idle Prepare streams", kIdleStreams);
  if (!Wanted(what)) return absl::OkStatus();
  fmt::print(stderr, "{}\n", what);
  absl::StatusOr<Server> daemon = StartOn("idle");
  if (!daemon.ok()) return daemon.status();
  const Process& process = *daemon->process;
  const int64_t idle_bytes = process.resident_bytes();
  double bytes = 0;
  double threads = 0;
  double threads_before = 0;
  // Opens a few streams first, so that the threads which gRPC starts for its first calls exist.
  absl::Status done = WithIdleStreams(daemon->channel, kFewStreams, [&] {
    threads_before = static_cast<double>(process.threads());
  });
  if (!done.ok()) return done;
  done = WithIdleStreams(daemon->channel, kIdleStreams, [&] {
    bytes = static_cast<double>(process.resident_bytes() - idle_bytes);
    threads = static_cast<double>(process.threads());
  });
  if (!done.ok()) return done;
  rows_.push_back(
      MakeRow(what + ", memory they add", {bytes / kMiB}, "allowed", {60}, "MiB", AtMost(1)));
  rows_.push_back(MakeRow(what + ", threads they add", {threads - threads_before}, "allowed",
                          {kExtraThreads}, "threads", AtMost(1)));
  return Stop(*daemon);
}

absl::Status SqliteSuite::Large() {
  const std::string what = fmt::format("Query of {} rows", options_.large_rows);
  if (!Wanted(what)) return absl::OkStatus();
  fmt::print(stderr, "{}\n", what);
  absl::StatusOr<Server> daemon = StartOn("large");
  if (!daemon.ok()) return daemon.status();
  const int64_t idle_bytes = daemon->process->resident_bytes();
  int64_t most = idle_bytes;
  absl::Status done = ReadLargeResult(daemon->channel, kLargeSqliteSql, options_.large_rows, [&] {
    most = std::max(most, daemon->process->resident_bytes());
  });
  if (!done.ok()) return done;
  rows_.push_back(MakeRow(what + ", memory it adds",
                          {static_cast<double>(most - idle_bytes) / kMiB}, "allowed", {64}, "MiB",
                          AtMost(1)));
  return Stop(*daemon);
}

}  // namespace

absl::StatusOr<std::vector<Row>> RunSqliteSuite(const SuiteOptions& options) {
  return SqliteSuite(options).Run();
}

}  // namespace penstock::bench
