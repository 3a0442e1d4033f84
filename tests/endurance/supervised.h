// A daemon on three databases that is started again whenever it has ended.
#ifndef PENSTOCK_TESTS_ENDURANCE_SUPERVISED_H_
#define PENSTOCK_TESTS_ENDURANCE_SUPERVISED_H_

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "tests/support/process.h"
#include "tests/support/temp_dir.h"

namespace penstock::testing {

// The databases `lite` (sqlite), `keys` (pebble) and `server` (postgres), their files in one
// folder. What starts and ends the daemon is called by one thread, the one that lives longest:
// a daemon does not outlive the thread that started it. `running` may be called by any.
class Supervised {
 public:
  // How long calls have to end once it is told to stop, and what may be added to that:
  // half a second for clients that do not read, five for calls that do not come back, and
  // what a machine that does other things takes.
  static constexpr std::chrono::milliseconds kGrace{1000};
  static constexpr std::chrono::milliseconds kStopsWithin{kGrace + std::chrono::seconds(9)};

  // The connection string of `server`.
  explicit Supervised(const std::string& server);

  // Where the present one is. Another one has other ports, but the same unix socket.
  struct Running {
    pid_t pid = 0;
    std::string tcp;
    std::string http;
    // How many were started, this one included.
    int number = 0;
    std::chrono::steady_clock::time_point since = {};
  };
  Running running() const;
  std::string target() const { return "unix:" + folder_.path() + "/penstock.sock"; }

  // Starts one unless it runs; false: it has ended again, as on a full disk. `log` tells why.
  bool EnsureRunning();
  // Sends the signal and waits for its end; what is wrong with that, else "".
  std::string End(int signal);
  void Signal(int signal) { process_->Signal(signal); }

  // While it is full, whatever the daemon writes to a file fails.
  void FillDisk(bool full);
  // "" or what is wrong with the number of lines that the present one has logged.
  std::string CheckLog() const;
  std::string log() const { return process_->output(); }
  // Of the present one; 0: it has ended.
  int64_t resident_bytes() const;

 private:
  std::string file(const std::string& name) const { return folder_.path() + "/" + name; }

  const TempDir folder_;
  std::unique_ptr<Process> process_;
  mutable std::mutex mutex_;
  Running running_;
};

}  // namespace penstock::testing

#endif  // PENSTOCK_TESTS_ENDURANCE_SUPERVISED_H_
