// A program in a process of its own, for tests and benchmarks. What goes wrong is
// returned, and said on standard error with the program's output.
#ifndef PENSTOCK_TESTS_SUPPORT_PROCESS_H_
#define PENSTOCK_TESTS_SUPPORT_PROCESS_H_

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

namespace penstock::testing {

// The path of a program that this build made; one that is missing cannot be started.
std::string BuiltProgram(const std::string& name);

// A running child. Its standard output and error go to one file. Destroying it
// kills it.
class Process {
 public:
  // The first word is the program, looked up in PATH if it has no slash.
  // `folder` is the working directory and holds the file of its output.
  Process(const std::vector<std::string>& words, const std::string& folder);
  ~Process();
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  // Waits until the output contains `text`; false if the process ends before, or
  // after 30 seconds.
  [[nodiscard]] bool WaitForOutput(const std::string& text);
  // The rest of the line that begins with `prefix`, once it is there; empty if
  // WaitForOutput fails.
  std::string LineAfter(const std::string& prefix);

  void Signal(int signal);
  // The exit code, or 128 + the signal that ended it; 127 if there is no such
  // program. Waits for at most 60 seconds; -1 if it has not ended then.
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
