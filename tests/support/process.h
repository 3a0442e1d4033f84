// Runs a program in a process of its own, for tests and benchmarks. Failures are returned, and
// printed to standard error with the program's output.
#ifndef PENSTOCK_TESTS_SUPPORT_PROCESS_H_
#define PENSTOCK_TESTS_SUPPORT_PROCESS_H_

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

namespace penstock::testing {

// Returns the path of a program of this build. A missing program makes the start of its process
// fail.
std::string BuiltProgram(const std::string& name);

// A child process. Its standard output and error go to one file. The destructor kills it.
class Process {
 public:
  // Starts a program. The first word is the program, which is looked up in PATH unless it has a
  // slash. `folder` is the working directory, and has the file with the output.
  Process(const std::vector<std::string>& words, const std::string& folder);
  ~Process();
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  // Waits until the output contains `text`. Returns false if the process ends first, or after 30
  // seconds.
  [[nodiscard]] bool WaitForOutput(const std::string& text);
  // Waits for a line that begins with `prefix` and returns the rest of it; empty if WaitForOutput
  // fails.
  std::string LineAfter(const std::string& prefix);

  void Signal(int signal);
  // Waits up to 60 seconds for the end of the process. Returns its exit code, 128 plus the signal
  // that ended it, 127 if the program does not exist, or -1 if it has not ended.
  int Wait();

  std::string output() const;
  pid_t pid() const { return pid_; }
  int64_t resident_bytes() const;
  int64_t threads() const;

 private:
  bool HasEnded();

  pid_t pid_ = 0;
  bool ended_ = false;
  int status_ = 0;
  std::string output_path_;
};

}  // namespace penstock::testing

#endif  // PENSTOCK_TESTS_SUPPORT_PROCESS_H_
