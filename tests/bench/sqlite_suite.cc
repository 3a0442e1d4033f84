#include "tests/bench/sqlite_suite.h"

#include <fmt/format.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>
#include <grpcpp/support/channel_arguments.h>
#include <signal.h>
#include <stdlib.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <optional>
#include <utility>

#include "tests/bench/direct_sqlite.h"
#include "tests/bench/load.h"
#include "tests/bench/streams.h"
#include "tests/support/process.h"

namespace penstock::bench {
namespace {

using penstock::testing::Process;

constexpr auto kConnectTimeout = std::chrono::seconds(20);
constexpr int kCallers = 64;
constexpr int kIdleStreams = 1000;
constexpr int kFewStreams = 16;
// None of a stream's own; gRPC starts one for itself now and then.
constexpr double kExtraThreads = 4;
constexpr double kMiB = 1024.0 * 1024.0;

constexpr Target AtLeast(double value) { return {value, false}; }
constexpr Target AtMost(double value) { return {value, true}; }

// A new folder below `parent`, removed with all it holds.
class Folder {
 public:
  explicit Folder(const std::filesystem::path& parent)
      : path_((std::filesystem::absolute(parent) / "penstock-bench-XXXXXX").string()) {
    if (mkdtemp(path_.data()) == nullptr) path_.clear();
  }
  ~Folder() {
    std::error_code ignored;
    if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

  bool ok() const { return !path_.empty(); }
  const std::string& path() const { return path_; }
  std::string operator/(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

// A server and one channel to it. The channel goes first.
struct Server {
  std::unique_ptr<Process> process;
  std::shared_ptr<grpc::Channel> channel;
};

// Ends it as an operator does; an error if it does not end well.
absl::Status Stop(const Server& server) {
  server.process->Signal(SIGTERM);
  if (server.process->Wait() == 0) return absl::OkStatus();
  return absl::InternalError(
      fmt::format("a server did not exit with 0; it said:\n{}", server.process->output()));
}

class Suite {
 public:
  explicit Suite(const SuiteOptions& options)
      : options_(options),
        data_(options.data_dir),
        sockets_(std::filesystem::temp_directory_path()) {}

  absl::StatusOr<std::vector<Row>> Run() {
    if (!data_.ok() || !sockets_.ok()) return absl::InternalError("cannot make a folder");
    for (const auto part : {&Suite::Reads, &Suite::Inserts, &Suite::Idle, &Suite::Large}) {
      if (absl::Status done = (this->*part)(); !done.ok()) return done;
    }
    if (rows_.empty()) return absl::InvalidArgumentError("no row has this name");
    return std::move(rows_);
  }

 private:
  using Measure = std::function<absl::StatusOr<RoundResult>()>;
  using Figure = double RoundResult::*;

  bool Wanted(const std::string& what) const {
    return what.find(options_.only) != std::string::npos;
  }

  absl::StatusOr<Server> Start(const std::vector<std::string>& command,
                               const std::string& address) {
    auto process = std::make_unique<Process>(command, data_.path());
    if (!process->WaitForOutput("ready")) {
      return absl::UnavailableError(fmt::format("{} did not start", command.front()));
    }
    grpc::ChannelArguments args;
    // A channel of its own for every server.
    args.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    args.SetMaxReceiveMessageSize(-1);
    auto channel = grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(), args);
    if (!channel->WaitForConnected(std::chrono::system_clock::now() + kConnectTimeout)) {
      return absl::UnavailableError(fmt::format("nothing listens on {}", address));
    }
    return Server{std::move(process), std::move(channel)};
  }

  absl::StatusOr<Server> StartEcho() {
    const std::string address = "unix:" + sockets_ / "echo";
    return Start({"/proc/self/exe", "echo-server", address}, address);
  }

  // The daemon on the database file `name`, which is made if it is not there.
  absl::StatusOr<Server> StartDaemon(const std::string& name) {
    const std::string database = data_ / (name + ".db");
    if (!std::filesystem::exists(database)) {
      if (absl::Status made = MakeDatabase(database); !made.ok()) return made;
    }
    const std::string address = "unix:" + sockets_ / name;
    const std::string config = data_ / (name + ".yaml");
    std::ofstream(config) << fmt::format(
        "server:\n  listen: ['{}']\n  http_listen: ''\n"
        "databases:\n  main:\n    driver: sqlite\n    database: '{}'\n",
        address, database);
    return Start({std::filesystem::absolute(options_.daemon), "--config", config}, address);
  }

  Measure Load(const Server& server, Call call, int callers) const {
    const Round round{call, callers, options_.warm_up, options_.measured};
    return [channel = server.channel, round] { return RunRound(channel, round); };
  }

  // One comparison in alternating rounds, from which several rows can be made.
  struct Comparison {
    std::vector<RoundResult> ours;
    std::vector<RoundResult> theirs;

    Row MakeRow(std::string what, std::string against, std::string unit, Figure figure,
                std::optional<Target> target) const {
      std::vector<double> our_figures;
      std::vector<double> their_figures;
      for (const RoundResult& result : ours) our_figures.push_back(result.*figure);
      for (const RoundResult& result : theirs) their_figures.push_back(result.*figure);
      return bench::MakeRow(std::move(what), our_figures, std::move(against), their_figures,
                            std::move(unit), target);
    }
  };

  absl::StatusOr<Comparison> Compare(const std::string& what, const Measure& ours,
                                     const Measure& theirs) const {
    Comparison comparison;
    for (int i = 0; i < options_.rounds; ++i) {
      fmt::print(stderr, "{}: round {} of {}\n", what, i + 1, options_.rounds);
      absl::StatusOr<RoundResult> our_result = ours();
      if (!our_result.ok()) return our_result.status();
      absl::StatusOr<RoundResult> their_result = theirs();
      if (!their_result.ok()) return their_result.status();
      comparison.ours.push_back(*our_result);
      comparison.theirs.push_back(*their_result);
    }
    return comparison;
  }

  absl::Status Reads();
  absl::Status Inserts();
  absl::Status Idle();
  absl::Status Large();

  const SuiteOptions options_;
  const Folder data_;
  // Apart: the path of a socket has to be short.
  const Folder sockets_;
  std::vector<Row> rows_;
};

absl::Status Suite::Reads() {
  const std::string prepared = "prepared point select, 64 in flight";
  const std::string query = "point select by Query, 64 in flight";
  const std::string alone = "prepared point select, one caller";
  if (!Wanted(prepared) && !Wanted(query) && !Wanted(alone)) return absl::OkStatus();
  absl::StatusOr<Server> daemon = StartDaemon("reads");
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

absl::Status Suite::Inserts() {
  const std::string what = "durable inserts, 64 in flight";
  if (!Wanted(what)) return absl::OkStatus();
  absl::StatusOr<Server> daemon = StartDaemon("inserts");
  if (!daemon.ok()) return daemon.status();
  const std::string direct = data_ / "direct.db";
  if (absl::Status made = MakeDatabase(direct); !made.ok()) return made;

  const Measure theirs = [&]() -> absl::StatusOr<RoundResult> {
    const auto rate = DirectInserts(direct, kCallers, options_.warm_up, options_.measured);
    if (!rate.ok()) return rate.status();
    return RoundResult{.per_second = *rate};
  };
  absl::StatusOr<Comparison> done =
      Compare(what, Load(*daemon, Call::kPreparedInsert, kCallers), theirs);
  if (!done.ok()) return done.status();
  rows_.push_back(
      done->MakeRow(what, "64 threads on SQLite", "/s", &RoundResult::per_second, AtLeast(8)));

  if (absl::Status ended = Stop(*daemon); !ended.ok()) return ended;
  int64_t acknowledged = 0;
  for (const RoundResult& result : done->ours) acknowledged += result.answers;
  absl::StatusOr<int64_t> stored = CountInserts(data_ / "inserts.db");
  if (!stored.ok()) return stored.status();
  if (*stored != acknowledged) {
    return absl::DataLossError(
        fmt::format("{} inserts were acknowledged, {} are stored", acknowledged, *stored));
  }
  return absl::OkStatus();
}

absl::Status Suite::Idle() {
  const std::string what = fmt::format("{} idle Prepare streams", kIdleStreams);
  if (!Wanted(what)) return absl::OkStatus();
  fmt::print(stderr, "{}\n", what);
  absl::StatusOr<Server> daemon = StartDaemon("idle");
  if (!daemon.ok()) return daemon.status();
  const Process& process = *daemon->process;
  const int64_t idle_bytes = process.resident_bytes();
  double bytes = 0;
  double threads = 0;
  double threads_before = 0;
  // A few first: the threads that gRPC starts for its first calls are there then.
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

absl::Status Suite::Large() {
  const std::string what = fmt::format("Query of {} rows", options_.large_rows);
  if (!Wanted(what)) return absl::OkStatus();
  fmt::print(stderr, "{}\n", what);
  absl::StatusOr<Server> daemon = StartDaemon("large");
  if (!daemon.ok()) return daemon.status();
  const int64_t idle_bytes = daemon->process->resident_bytes();
  int64_t most = idle_bytes;
  absl::Status done = ReadLargeResult(daemon->channel, options_.large_rows, [&] {
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
  return Suite(options).Run();
}

}  // namespace penstock::bench
