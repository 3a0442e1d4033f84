#include "tests/bench/suite.h"

#include <fmt/format.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>
#include <grpcpp/support/channel_arguments.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <set>
#include <utility>

namespace penstock::bench {
namespace {

using penstock::testing::Process;

constexpr auto kConnectTimeout = std::chrono::seconds(20);

// The processor time that a running process has used, in microseconds.
double ProcessorTimeOf(pid_t process) {
  clockid_t clock{};
  timespec time{};
  clock_getcpuclockid(process, &clock);
  clock_gettime(clock, &time);
  return static_cast<double>(time.tv_sec) * 1e6 + static_cast<double>(time.tv_nsec) / 1e3;
}

std::vector<double> FiguresOf(const std::vector<RoundResult>& results,
                              double RoundResult::*figure) {
  std::vector<double> figures;
  for (const RoundResult& result : results) figures.push_back(result.*figure);
  return figures;
}

}  // namespace

const char kTwoIdentities[] =
    "identities:\n"
    "  few:\n"
    "    tokens: {id: few, expires: 2099-01-01T00:00:00Z, sha256: "
    "e6e1bf4a2b436d387b65adb91e8fb8383f0b95d6d8dd01c6a278609f769bf5dd}\n"
    "    grants: {database: main, rights: [read]}\n"
    "  many:\n"
    "    tokens: {id: many, expires: 2099-01-01T00:00:00Z, sha256: "
    "305be65aaf97377280f379294b65f5883c5c9372f720450d3670fa7057291a92}\n"
    "    grants: {database: main, rights: [read]}\n";

std::string TokenOf(std::string_view identity) {
  return fmt::format("pst_{}_{}", identity, std::string(43, 'x'));
}

Folder::Folder(const std::filesystem::path& parent)
    : path_((std::filesystem::absolute(parent) / "penstock-bench-XXXXXX").string()) {
  if (mkdtemp(path_.data()) == nullptr) path_.clear();
}

Folder::~Folder() {
  std::error_code ignored;
  if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
}

absl::Status Stop(const Server& server) {
  server.process->Signal(SIGTERM);
  if (server.process->Wait() == 0) return absl::OkStatus();
  return absl::InternalError(
      fmt::format("a server did not exit with 0; it said:\n{}", server.process->output()));
}

absl::StatusOr<std::shared_ptr<grpc::Channel>> ConnectTo(const std::string& address) {
  grpc::ChannelArguments args;
  args.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  args.SetMaxReceiveMessageSize(-1);
  auto channel = grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(), args);
  if (!channel->WaitForConnected(std::chrono::system_clock::now() + kConnectTimeout)) {
    return absl::UnavailableError(fmt::format("nothing listens on {}", address));
  }
  return channel;
}

Row Comparison::MakeRow(std::string what, std::string against, std::string unit,
                        double RoundResult::*figure, std::optional<Target> target) const {
  Row row = bench::MakeRow(std::move(what), FiguresOf(ours, figure), std::move(against),
                           FiguresOf(theirs, figure), std::move(unit), target);
  if (figure == &RoundResult::per_second) {
    row.our_processor = Median(FiguresOf(ours, &RoundResult::processor));
    row.their_processor = Median(FiguresOf(theirs, &RoundResult::processor));
  }
  return row;
}

Suite::Suite(const SuiteOptions& options)
    : options_(options),
      data_(options.data_dir),
      sockets_(std::filesystem::temp_directory_path()) {}

bool Suite::Wanted(const std::vector<Versus>& rows) const {
  return std::any_of(rows.begin(), rows.end(),
                     [this](const Versus& row) { return Wanted(row.what()); });
}

absl::Status Suite::CheckFolders() const {
  return data_.ok() && sockets_.ok() ? absl::OkStatus()
                                     : absl::InternalError("cannot make a folder");
}

absl::StatusOr<std::vector<Row>> Suite::Rows() {
  if (rows_.empty()) return absl::InvalidArgumentError("no row has this name");
  return std::move(rows_);
}

absl::StatusOr<Server> Suite::Start(const std::vector<std::string>& command,
                                    const std::string& address) {
  auto process = std::make_unique<Process>(command, data_.path());
  if (!process->WaitForOutput("ready")) {
    return absl::UnavailableError(fmt::format("{} did not start", command.front()));
  }
  auto channel = ConnectTo(address);
  if (!channel.ok()) return channel.status();
  return Server{std::move(process), *std::move(channel)};
}

absl::StatusOr<Server> Suite::StartEcho() {
  const std::string address = AddressOf("echo");
  return Start({"/proc/self/exe", "echo-server", address}, address);
}

absl::StatusOr<Server> Suite::StartDaemon(const std::string& name, const std::string& database,
                                          const std::string& more) {
  const std::string address = AddressOf(name);
  const std::string config = data_ / (name + ".yaml");
  std::ofstream(config) << fmt::format(
      "server:\n  listen: ['{}']\n  http_listen: ''\n  max_sessions: 5000\n  max_sessions_by_peer: "
      "5000\n"
      "databases:\n  main: {}\n{}",
      address, database, more);
  return Start({std::filesystem::absolute(options_.daemon), "--config", config}, address);
}

Measure Suite::Metered(const Server& server, Measure measure) {
  return [process = server.process->pid(), measure = std::move(measure)] {
    const double before = ProcessorTimeOf(getpid()) + ProcessorTimeOf(process);
    absl::StatusOr<RoundResult> result = measure();
    const double after = ProcessorTimeOf(getpid()) + ProcessorTimeOf(process);
    if (result.ok()) result->processor = (after - before) / static_cast<double>(result->answers);
    return result;
  };
}

Measure Suite::Load(const Server& server, Call call, int callers) const {
  const Round round{call, callers, options_.warm_up, options_.measured};
  return Metered(server, [channel = server.channel, round] { return RunRound({channel}, round); });
}

Measure Suite::ClientLoad(const Server& daemon, const std::string& name, Waiting waiting, Call call,
                          int callers) const {
  const Round round{call, callers, options_.warm_up, options_.measured};
  return Metered(daemon, [address = AddressOf(name), waiting, round] {
    return RunClientRound(address, waiting, round);
  });
}

absl::StatusOr<std::vector<std::vector<RoundResult>>> Suite::Alternate(
    const std::string& what, const std::vector<Measure>& measures) const {
  std::vector<std::vector<RoundResult>> results(measures.size());
  for (int i = 0; i < options_.rounds; ++i) {
    fmt::print(stderr, "{}: round {} of {}\n", what, i + 1, options_.rounds);
    for (size_t m = 0; m < measures.size(); ++m) {
      absl::StatusOr<RoundResult> result = measures[m]();
      if (!result.ok()) return result.status();
      results[m].push_back(*result);
    }
  }
  return results;
}

absl::StatusOr<Comparison> Suite::Compare(const std::string& what, const Measure& ours,
                                          const Measure& theirs) const {
  auto results = Alternate(what, {ours, theirs});
  if (!results.ok()) return results.status();
  return Comparison{.ours = std::move((*results)[0]), .theirs = std::move((*results)[1])};
}

absl::StatusOr<Results> Suite::CompareAll(const std::string& what, const Measures& measures,
                                          const std::vector<Versus>& rows) {
  std::vector<Versus> wanted;
  std::copy_if(rows.begin(), rows.end(), std::back_inserter(wanted),
               [this](const Versus& row) { return Wanted(row.what()); });
  if (wanted.empty()) return Results();
  std::set<std::string> names;
  for (const Versus& row : wanted) names.insert({row.ours, row.theirs});
  std::vector<Measure> in_turn;
  for (const std::string& name : names) in_turn.push_back(measures.at(name));
  auto rounds = Alternate(what, in_turn);
  if (!rounds.ok()) return rounds.status();
  Results results;
  for (const std::string& name : names) {
    const size_t place = results.size();
    results[name] = std::move((*rounds)[place]);
  }
  for (const Versus& row : wanted) {
    const Comparison compared{.ours = results[row.ours], .theirs = results[row.theirs]};
    rows_.push_back(
        compared.MakeRow(row.what(), row.theirs, row.figure.unit, row.figure.field, row.target));
  }
  return results;
}

}  // namespace penstock::bench
