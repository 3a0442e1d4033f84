// The common part of the suites: starts servers, and measures them in alternating rounds.
#ifndef PENSTOCK_TESTS_BENCH_SUITE_H_
#define PENSTOCK_TESTS_BENCH_SUITE_H_

#include <chrono>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "tests/bench/client_callers.h"
#include "tests/bench/load.h"
#include "tests/bench/report.h"
#include "tests/support/process.h"

namespace penstock::bench {

struct SuiteOptions {
  // The program under test.
  std::string daemon;
  // An existing folder on the disk that is to take the durable writes.
  std::string data_dir;
  // Selects rows whose name contains this text; empty means all.
  std::string only;
  int rounds = 5;
  std::chrono::milliseconds warm_up{300};
  std::chrono::milliseconds measured{1500};
  // The rows of the large result and of the bulk insert.
  int64_t large_rows = 5'000'000;
  int64_t bulk_rows = 1'000'000;
  // The entries of the scan of a keyspace.
  int64_t scan_entries = 1'000'000;
  // The files of the migrations suite.
  int migrations = 1000;
};

inline constexpr int kCallers = 64;
inline constexpr double kMiB = 1024.0 * 1024.0;

constexpr Target AtLeast(double value) { return {value, false}; }
constexpr Target AtMost(double value) { return {value, true}; }

// The identities few and many, as a section of the daemon's configuration. Their tokens open
// nothing but the daemons of the suites.
extern const char kTwoIdentities[];
// Returns the token of one of them.
std::string TokenOf(std::string_view identity);

// A new folder below `parent`, which is removed with its content by the destructor.
class Folder {
 public:
  explicit Folder(const std::filesystem::path& parent);
  ~Folder();
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

  bool ok() const { return !path_.empty(); }
  const std::string& path() const { return path_; }
  std::string operator/(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

// A server and a channel to it. The channel is destroyed first.
struct Server {
  std::unique_ptr<testing::Process> process;
  std::shared_ptr<grpc::Channel> channel;
};

// Ends the server as an operator does. Returns an error if it does not exit with success.
absl::Status Stop(const Server& server);

// Makes another channel to a server, with a connection of its own.
absl::StatusOr<std::shared_ptr<grpc::Channel>> ConnectTo(const std::string& address);

// A measurement that can be repeated.
using Measure = std::function<absl::StatusOr<RoundResult>()>;

// What a row shows of the rounds.
struct Figure {
  // Follows the name of the measurement in the name of the row.
  const char* suffix;
  const char* unit;
  double RoundResult::*field;
};
inline constexpr Figure kRate{"", "/s", &RoundResult::per_second};
inline constexpr Figure kP50{", p50", "us", &RoundResult::p50};
inline constexpr Figure kP99{", p99", "us", &RoundResult::p99};

// A row that compares two measurements by their names.
struct Versus {
  std::string ours;
  std::string theirs;
  std::optional<Target> target = std::nullopt;
  Figure figure = kRate;

  std::string what() const { return ours + figure.suffix; }
};

// Measurements, and the results of their rounds, by name.
using Measures = std::map<std::string, Measure>;
using Results = std::map<std::string, std::vector<RoundResult>>;

// The results of one comparison in alternating rounds; several rows can be made of them.
struct Comparison {
  std::vector<RoundResult> ours;
  std::vector<RoundResult> theirs;

  Row MakeRow(std::string what, std::string against, std::string unit, double RoundResult::*figure,
              std::optional<Target> target) const;
};

// The base of the suites, which fill rows_. A call or a process that fails is an error; a missed
// target is not.
class Suite {
 public:
  explicit Suite(const SuiteOptions& options);

 protected:
  // Returns true if a row of this name was asked for.
  bool Wanted(const std::string& what) const {
    return what.find(options_.only) != std::string::npos;
  }
  bool Wanted(const std::vector<Versus>& rows) const;
  absl::Status CheckFolders() const;
  // Returns the rows; an error if there are none.
  absl::StatusOr<std::vector<Row>> Rows();

  std::string AddressOf(const std::string& name) const { return "unix:" + sockets_ / name; }
  // Runs the command, waits until it says that it is ready, and connects.
  absl::StatusOr<Server> Start(const std::vector<std::string>& command, const std::string& address);
  absl::StatusOr<Server> StartEcho();
  // Starts the daemon with one database. `database` is its section of the configuration in YAML's
  // flow style, `more` further sections.
  absl::StatusOr<Server> StartDaemon(const std::string& name, const std::string& database,
                                     const std::string& more = "");

  // Makes `measure` tell the processor time of this process and of the server's, too. They have to
  // do nothing else in the meantime.
  static Measure Metered(const Server& server, Measure measure);
  Measure Load(const Server& server, Call call, int callers) const;
  // The same calls by the C++ client. `name` is the daemon's.
  Measure ClientLoad(const Server& daemon, const std::string& name, Waiting waiting, Call call,
                     int callers) const;
  // Takes each measurement once in each round, in turn. Returns their results in the same order.
  absl::StatusOr<std::vector<std::vector<RoundResult>>> Alternate(
      const std::string& what, const std::vector<Measure>& measures) const;
  // Alternates between ours and theirs.
  absl::StatusOr<Comparison> Compare(const std::string& what, const Measure& ours,
                                     const Measure& theirs) const;
  // Alternates between all the measurements that the wanted ones of `rows` name, and adds these
  // rows. Does nothing if none is wanted. Returns the results of the measurements that were taken.
  absl::StatusOr<Results> CompareAll(const std::string& what, const Measures& measures,
                                     const std::vector<Versus>& rows);

  const SuiteOptions options_;
  const Folder data_;
  // A separate folder, because the path of a socket must be short.
  const Folder sockets_;
  std::vector<Row> rows_;
};

}  // namespace penstock::bench

#endif  // PENSTOCK_TESTS_BENCH_SUITE_H_
