#include "tests/bench/postgres_suite.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <future>
#include <optional>
#include <string_view>
#include <utility>

#include "tests/bench/direct_postgres.h"
#include "tests/bench/load.h"
#include "tests/bench/postgres_peers.h"
#include "tests/bench/streams.h"

namespace penstock::bench {
namespace {

using penstock::testing::PostgresCluster;

// The number of server connections of penstockd and of PgBouncer's transaction mode.
constexpr int kPool = 16;
constexpr int kManyClients = 1000;

// A point select that has a connection to itself for some milliseconds.
constexpr char kSlowSelectSql[] = "SELECT id, name FROM points, pg_sleep(0.005) WHERE id = $1";

class PostgresSuite : private Suite {
 public:
  explicit PostgresSuite(const SuiteOptions& options)
      : Suite(options), cluster_({"fsync=on", "max_connections=300"}) {}

  absl::StatusOr<std::vector<Row>> Run() {
    absl::Status done = CheckFolders();
    if (!done.ok()) return done;
    server_ = {.host = cluster_.socket_folder(), .database = cluster_.CreateDatabase()};
    done = MakePostgresTables(server_.conninfo());
    for (const auto part : {&PostgresSuite::Selects, &PostgresSuite::Inserts,
                            &PostgresSuite::Beside, &PostgresSuite::ClientBeside,
                            &PostgresSuite::Alone, &PostgresSuite::Lone, &PostgresSuite::Large,
                            &PostgresSuite::Bulk, &PostgresSuite::Many, &PostgresSuite::Fair}) {
      if (!done.ok()) return done;
      done = (this->*part)();
    }
    return done.ok() ? Rows() : done;
  }

 private:
  using Measured = absl::StatusOr<RoundResult>;

  absl::StatusOr<Server> StartOn(const std::string& name, int connections = kPool,
                                 const std::string& more = "") {
    return StartDaemon(name,
                       fmt::format("{{driver: postgres, host: '{}', username: postgres, "
                                   "database: '{}', max_open_connections: {}}}",
                                   server_.host, server_.database, connections),
                       more);
  }
  Round InFlight(int callers) const {
    return {Call::kPreparedSelect, callers, options_.warm_up, options_.measured};
  }

  absl::Status Selects();
  absl::Status Inserts();
  absl::Status Beside();
  absl::Status ClientBeside();
  absl::Status Alone();
  absl::Status Lone();
  absl::Status Large();
  absl::Status Bulk();
  absl::Status Many();
  absl::Status Fair();

  PostgresCluster cluster_;
  PostgresAddress server_;
};

absl::Status PostgresSuite::Selects() {
  const std::string streams = "prepared point select, 64 in flight";
  const std::string client = "C++ client, prepared point select, ";
  const std::string libpq = "libpq, 64 connections";
  const std::string pgbench = "pgbench, prepared";
  const auto rows = [&](const std::string& pgbouncer) -> std::vector<Versus> {
    return {{streams, pgbouncer, AtLeast(1.2)},
            {streams, pgbench},
            {client + "64 threads", libpq, AtLeast(1)},
            {client + "64 asynchronous", pgbench, AtLeast(1.3)},
            {client + "64 asynchronous", pgbouncer, AtLeast(2.2)},
            {client + "512 asynchronous", pgbench, AtLeast(2.5)},
            {client + "512 asynchronous", pgbouncer, AtLeast(2.2)}};
  };
  if (!Wanted(rows("PgBouncer"))) return absl::OkStatus();
  absl::StatusOr<Server> daemon = StartOn("selects");
  if (!daemon.ok()) return daemon.status();
  const Round round = InFlight(kCallers);

  // A prepared statement belongs to a session, so PgBouncer needs its session mode for these; its
  // other modes are for statements that are not prepared.
  struct Mode {
    const char* pool;
    int size;
    const char* protocol;
  };
  double fastest = 0;
  Mode best{};
  std::unique_ptr<PgBouncer> bouncer;
  for (const Mode mode :
       {Mode{"transaction", kPool, "extended"}, Mode{"session", kCallers, "prepared"}}) {
    auto started = PgBouncer::Start(server_, mode.pool, mode.size);
    if (!started.ok()) return started.status();
    const Measured tried = RunPgbench((*started)->address(), mode.protocol, round, data_.path());
    if (!tried.ok()) return tried.status();
    fmt::print(stderr, "pgbench -M {} through PgBouncer in {} mode: {:.0f}/s\n", mode.protocol,
               mode.pool, tried->per_second);
    if (tried->per_second < fastest) continue;
    fastest = tried->per_second;
    best = mode;
    bouncer = *std::move(started);
  }
  const std::string pgbouncer = fmt::format("PgBouncer, {}", best.protocol);
  const auto by_client = [&](Waiting waiting, int callers) {
    return ClientLoad(*daemon, "selects", waiting, Call::kPreparedSelect, callers);
  };
  absl::StatusOr<Results> done = CompareAll(
      streams,
      {{streams, Load(*daemon, Call::kPreparedSelect, kCallers)},
       {client + "64 threads", by_client(Waiting::kBlocking, 64)},
       {client + "64 asynchronous", by_client(Waiting::kAsync, 64)},
       {client + "512 asynchronous", by_client(Waiting::kAsync, 512)},
       {libpq, [&] { return DirectPointSelects(server_.conninfo(), round); }},
       {pgbench, [&] { return RunPgbench(server_, "prepared", round, data_.path()); }},
       {pgbouncer,
        [&] { return RunPgbench(bouncer->address(), best.protocol, round, data_.path()); }}},
      rows(pgbouncer));
  if (!done.ok()) return done.status();
  return Stop(*daemon);
}

absl::Status PostgresSuite::Inserts() {
  const std::string what = "C++ client, durable inserts, 512 asynchronous";
  const std::string pgbench = "pgbench, prepared, 64 clients";
  if (!Wanted(what)) return absl::OkStatus();
  absl::StatusOr<Server> daemon = StartOn("inserts");
  if (!daemon.ok()) return daemon.status();
  const auto emptied = [this] { return RunSql(server_.conninfo(), "TRUNCATE events"); };
  const Measure inserts =
      ClientLoad(*daemon, "inserts", Waiting::kAsync, Call::kPreparedInsert, 512);
  const auto ours = [&]() -> Measured {
    if (absl::Status done = emptied(); !done.ok()) return done;
    const Measured result = inserts();
    if (!result.ok()) return result;
    const auto stored = AskNumber(server_.conninfo(), "SELECT count(*) FROM events");
    if (!stored.ok()) return stored.status();
    if (*stored == result->answers) return result;
    return absl::DataLossError(
        fmt::format("{} inserts were acknowledged, {} are stored", result->answers, *stored));
  };
  Round round = InFlight(kCallers);
  round.call = Call::kPreparedInsert;
  const auto theirs = [&]() -> Measured {
    if (absl::Status done = emptied(); !done.ok()) return done;
    return RunPgbench(server_, "prepared", round, data_.path());
  };
  absl::StatusOr<Results> done =
      CompareAll(what, {{what, ours}, {pgbench, theirs}}, {{what, pgbench, AtLeast(1)}});
  if (!done.ok()) return done.status();
  return Stop(*daemon);
}

absl::Status PostgresSuite::ClientBeside() {
  const std::string what = "C++ client, 63 asynchronous selects beside one ";
  const std::string good = "like them";
  const std::vector<Versus> rows = {{what + "that fails", good, AtLeast(0.9)},
                                    {what + "that takes 50 ms", good, AtLeast(0.9)},
                                    {what + "that is cancelled", good, AtLeast(0.9)}};
  if (!Wanted(rows)) return absl::OkStatus();
  absl::StatusOr<Server> daemon = StartOn("client-beside");
  if (!daemon.ok()) return daemon.status();
  const auto beside = [&](Neighbour neighbour) -> Measure {
    Round round = InFlight(kCallers - 1);
    round.neighbour = neighbour;
    return Metered(*daemon, [address = AddressOf("client-beside"), round] {
      return RunClientRound(address, Waiting::kAsync, round);
    });
  };
  absl::StatusOr<Results> done =
      CompareAll(what + "other",
                 {{good, beside(Neighbour::kGood)},
                  {what + "that fails", beside(Neighbour::kFailing)},
                  {what + "that takes 50 ms", beside(Neighbour::kSlow)},
                  {what + "that is cancelled", beside(Neighbour::kCancelled)}},
                 rows);
  if (!done.ok()) return done.status();
  return Stop(*daemon);
}

absl::Status PostgresSuite::Lone() {
  const std::string what = "C++ client, a lone caller beside 512 asynchronous of another";
  const std::vector<Versus> rows = {{what, "alone", std::nullopt, kP50},
                                    {what, "alone", std::nullopt, kP99}};
  if (!Wanted(rows)) return absl::OkStatus();
  absl::StatusOr<Server> daemon = StartOn("lone", kPool, kTwoIdentities);
  if (!daemon.ok()) return daemon.status();
  Round lone = InFlight(1);
  lone.token = TokenOf("few");
  Round many = InFlight(512);
  many.token = TokenOf("many");
  // They are there before the lone one begins, and go on until it has ended.
  lone.warm_up *= 2;
  many.measured *= 2;
  const std::string address = AddressOf("lone");
  const auto alone = [&] { return RunClientRound(address, Waiting::kBlocking, lone); };
  const auto beside = [&]() -> Measured {
    std::future<Measured> others = std::async(
        std::launch::async, [&] { return RunClientRound(address, Waiting::kAsync, many); });
    Measured measured = alone();
    const Measured other = others.get();
    return other.ok() ? measured : other;
  };
  absl::StatusOr<Results> done = CompareAll(what, {{what, beside}, {"alone", alone}}, rows);
  if (!done.ok()) return done.status();
  return Stop(*daemon);
}

absl::Status PostgresSuite::Beside() {
  const std::string what = "63 prepared point selects beside one that fails";
  if (!Wanted(what)) return absl::OkStatus();
  absl::StatusOr<Server> daemon = StartOn("beside");
  if (!daemon.ok()) return daemon.status();
  const Round good = InFlight(kCallers - 1);
  // The last one, who is there before the others begin, and until they have ended.
  Round last = InFlight(1);
  last.warm_up *= 2;
  last.measured = good.warm_up + good.measured;
  const auto beside = [&](Failing failing) {
    return [&, failing]() -> Measured {
      Round other = last;
      other.failing = failing;
      std::future<Measured> others =
          std::async(std::launch::async, [&] { return RunRound({daemon->channel}, other); });
      Measured measured = RunRound({daemon->channel}, good);
      const Measured its = others.get();
      return its.ok() ? measured : its;
    };
  };
  auto results = Alternate(
      what, {beside(Failing::kNot), beside(Failing::kStatement), beside(Failing::kValue)});
  if (!results.ok()) return results.status();
  const Comparison statement{.ours = (*results)[1], .theirs = (*results)[0]};
  rows_.push_back(
      statement.MakeRow(what, "none fails", "/s", &RoundResult::per_second, AtLeast(0.9)));
  const Comparison value{.ours = (*results)[2], .theirs = (*results)[0]};
  rows_.push_back(value.MakeRow(what + ", with a bad value for the same statement", "none fails",
                                "/s", &RoundResult::per_second, std::nullopt));
  return Stop(*daemon);
}

absl::Status PostgresSuite::Alone() {
  const std::string stream = "prepared point select, one caller";
  const std::string client = "C++ client, prepared point select, 1 thread";
  const std::string both = "echo + direct";
  const std::string libpq = "libpq, 1 connection";
  const std::vector<Versus> rows = {{stream, both, AtMost(1.4), kP50},
                                    {client, libpq, std::nullopt, kP50},
                                    {client, libpq, std::nullopt, kP99}};
  if (!Wanted(rows)) return absl::OkStatus();
  absl::StatusOr<Server> daemon = StartOn("alone");
  if (!daemon.ok()) return daemon.status();
  absl::StatusOr<Server> echo = StartEcho();
  if (!echo.ok()) return echo.status();
  const Measure echoed = Load(*echo, Call::kPreparedSelect, 1);
  const auto direct = [this] { return DirectPointSelects(server_.conninfo(), InFlight(1)); };
  const auto echoed_and_direct = [&]() -> Measured {
    Measured result = echoed();
    if (!result.ok()) return result;
    const Measured more = direct();
    if (!more.ok()) return more;
    result->p50 += more->p50;
    return result;
  };
  absl::StatusOr<Results> done = CompareAll(
      stream,
      {{stream, Load(*daemon, Call::kPreparedSelect, 1)},
       {both, echoed_and_direct},
       {client, ClientLoad(*daemon, "alone", Waiting::kBlocking, Call::kPreparedSelect, 1)},
       {libpq, direct}},
      rows);
  if (!done.ok()) return done.status();
  absl::Status ended = Stop(*daemon);
  ended.Update(Stop(*echo));
  return ended;
}

absl::Status PostgresSuite::Large() {
  const std::string what = fmt::format("Query of {} rows", options_.large_rows);
  if (!Wanted(what)) return absl::OkStatus();
  absl::StatusOr<Server> daemon = StartOn("large");
  if (!daemon.ok()) return daemon.status();
  const int64_t idle = daemon->process->resident_bytes();
  int64_t most = idle;
  const auto look = [&] { most = std::max(most, daemon->process->resident_bytes()); };
  // This read has pauses in which the memory is measured; the timed rounds have none.
  absl::Status read =
      ReadLargeResult(daemon->channel, kLargePostgresSql, options_.large_rows, look);
  if (!read.ok()) return read;
  const auto ours = [&]() -> Measured {
    const auto begin = std::chrono::steady_clock::now();
    absl::Status done =
        ReadLargeResult(daemon->channel, kLargePostgresSql, options_.large_rows, nullptr);
    if (!done.ok()) return done;
    const std::chrono::duration<double> passed = std::chrono::steady_clock::now() - begin;
    look();
    return RoundResult{.per_second = static_cast<double>(options_.large_rows) / passed.count()};
  };
  absl::StatusOr<Comparison> done =
      Compare(what, ours, [&] { return DirectLargeRead(server_.conninfo(), options_.large_rows); });
  if (!done.ok()) return done.status();
  rows_.push_back(
      done->MakeRow(what, "libpq, row by row", "rows/s", &RoundResult::per_second, AtLeast(0.8)));
  rows_.push_back(MakeRow(what + ", memory it adds", {static_cast<double>(most - idle) / kMiB},
                          "allowed", {64}, "MiB", AtMost(1)));
  return Stop(*daemon);
}

absl::Status PostgresSuite::Bulk() {
  const std::string what = fmt::format("bulk insert of {} rows", options_.bulk_rows);
  if (!Wanted(what)) return absl::OkStatus();
  absl::StatusOr<Server> daemon = StartOn("bulk");
  if (!daemon.ok()) return daemon.status();
  const auto emptied = [this] { return RunSql(server_.conninfo(), "TRUNCATE items"); };
  const auto ours = [&]() -> Measured {
    if (absl::Status done = emptied(); !done.ok()) return done;
    const auto begin = std::chrono::steady_clock::now();
    absl::Status done = InsertManyRows(daemon->channel, kBulkSql, options_.bulk_rows);
    if (!done.ok()) return done;
    const std::chrono::duration<double> passed = std::chrono::steady_clock::now() - begin;
    const auto stored = AskNumber(server_.conninfo(), "SELECT count(*) FROM items");
    if (!stored.ok()) return stored.status();
    if (*stored != options_.bulk_rows) {
      return absl::DataLossError(fmt::format("{} rows are stored", *stored));
    }
    return RoundResult{.per_second = static_cast<double>(options_.bulk_rows) / passed.count()};
  };
  const auto theirs = [&]() -> Measured {
    if (absl::Status done = emptied(); !done.ok()) return done;
    return RunCopy(server_, options_.bulk_rows, data_.path());
  };
  absl::StatusOr<Comparison> done = Compare(what, ours, theirs);
  if (!done.ok()) return done.status();
  rows_.push_back(
      done->MakeRow(what, "COPY by psql", "rows/s", &RoundResult::per_second, AtLeast(0.5)));
  return Stop(*daemon);
}

absl::Status PostgresSuite::Many() {
  const std::string what = fmt::format("{} clients on {} connections", kManyClients, kPool);
  if (!Wanted(what)) return absl::OkStatus();
  fmt::print(stderr, "{}\n", what);
  absl::StatusOr<Server> daemon = StartOn("many");
  if (!daemon.ok()) return daemon.status();
  // Each client stands for a process of its own, so it has a connection of its own.
  std::vector<std::shared_ptr<grpc::Channel>> channels;
  for (int i = 0; i < kManyClients; ++i) {
    auto channel = ConnectTo(AddressOf("many"));
    if (!channel.ok()) return channel.status();
    channels.push_back(*std::move(channel));
  }
  Round round = InFlight(kManyClients);
  round.call = Call::kQuerySelect;
  round.measured *= 4;
  round.timed = true;
  const Measured done = RunRound(channels, round);
  if (!done.ok()) return done.status();
  rows_.push_back(MakeRow(what + ", slowest client's p99", {done->slowest_p99 / 1000},
                          "the median's", {done->median_p99 / 1000}, "ms", AtMost(3)));
  return Stop(*daemon);
}

absl::Status PostgresSuite::Fair() {
  constexpr int kFew = 4;
  const std::string what = "4 callers beside 400 of another identity on 4 connections, p99";
  if (!Wanted(what)) return absl::OkStatus();
  absl::StatusOr<Server> daemon = StartOn("fair", kFew, kTwoIdentities);
  if (!daemon.ok()) return daemon.status();
  auto channel = ConnectTo(AddressOf("fair"));
  if (!channel.ok()) return channel.status();
  Round few = InFlight(kFew);
  few.call = Call::kQuerySelect;
  few.timed = true;
  few.token = TokenOf("few");
  few.sql = kSlowSelectSql;
  Round many = few;
  many.callers = 400;
  many.timed = false;
  many.token = TokenOf("many");
  // They are there before the few begin, and go on until these have ended.
  few.warm_up *= 2;
  many.measured *= 2;
  const auto alone = [&]() -> Measured { return RunRound({daemon->channel}, few); };
  const auto beside = [&]() -> Measured {
    std::future<Measured> others =
        std::async(std::launch::async, [&] { return RunRound({*channel}, many); });
    Measured measured = alone();
    const Measured other = others.get();
    return other.ok() ? measured : other;
  };
  absl::StatusOr<Comparison> done = Compare(what, beside, alone);
  if (!done.ok()) return done.status();
  rows_.push_back(done->MakeRow(what, "alone", "us", &RoundResult::slowest_p99, AtMost(2)));
  return Stop(*daemon);
}

}  // namespace

absl::StatusOr<std::vector<Row>> RunPostgresSuite(const SuiteOptions& options) {
  return PostgresSuite(options).Run();
}

}  // namespace penstock::bench
