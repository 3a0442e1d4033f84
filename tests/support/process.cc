#include "tests/support/process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <thread>

#include "fmt/format.h"

namespace penstock::testing {
namespace {

using std::chrono::seconds;
using std::chrono::steady_clock;

// Runs in the child after fork, so it must not allocate.
[[noreturn]] void Execute(char* const* words, const char* folder, int output, pid_t parent) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent || chdir(folder) != 0) _exit(126);
  dup2(output, STDOUT_FILENO);
  dup2(output, STDERR_FILENO);
  execvp(words[0], words);
  _exit(127);
}

}  // namespace

std::string BuiltProgram(const std::string& name) {
  const char* folder = std::getenv("PENSTOCK_BINARY_DIR");
  const std::string path = fmt::format("{}/{}", folder != nullptr ? folder : ".", name);
  if (access(path.c_str(), X_OK) != 0) {
    fmt::print(stderr,
               "{} is missing; set PENSTOCK_BINARY_DIR to the folder of the built programs\n",
               path);
  }
  return path;
}

Process::Process(const std::vector<std::string>& words, const std::string& folder) {
  static std::atomic<int> number = 0;
  output_path_ = fmt::format("{}/output-{}-{}.txt", folder, getpid(), ++number);
  std::vector<char*> pointers;
  for (const std::string& word : words) pointers.push_back(const_cast<char*>(word.c_str()));
  pointers.push_back(nullptr);
  const int output = open(output_path_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  const pid_t parent = getpid();
  pid_ = fork();
  if (pid_ == 0) Execute(pointers.data(), folder.c_str(), output, parent);
  close(output);
  if (pid_ > 0) return;
  // Aborts, because a signal to process -1 would reach every process.
  std::perror("fork");
  std::abort();
}

Process::~Process() {
  if (HasEnded()) return;
  kill(pid_, SIGKILL);
  waitpid(pid_, &status_, 0);
}

bool Process::HasEnded() {
  if (!ended_ && waitpid(pid_, &status_, WNOHANG) == pid_) ended_ = true;
  return ended_;
}

std::string Process::output() const {
  std::ifstream file(output_path_);
  return {std::istreambuf_iterator<char>(file), {}};
}

bool Process::WaitForOutput(const std::string& text) {
  const auto until = steady_clock::now() + seconds(30);
  for (;;) {
    const bool ended = HasEnded();
    if (output().find(text) != std::string::npos) return true;
    if (ended || steady_clock::now() > until) {
      fmt::print(stderr, "{} without printing '{}'; it printed:\n{}\n",
                 ended ? "it ended" : "30 s passed", text, output());
      return false;
    }
    // There is no way to wait for a file, so this polls it.
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
}

std::string Process::LineAfter(const std::string& prefix) {
  if (!WaitForOutput(prefix)) return {};
  for (;;) {
    const std::string all = output();
    const size_t begin = all.find(prefix) + prefix.size();
    const size_t end = all.find('\n', begin);
    if (end != std::string::npos) return all.substr(begin, end - begin);
  }
}

void Process::Signal(int signal) { kill(pid_, signal); }

int Process::Wait() {
  if (!HasEnded()) {
    const int handle = static_cast<int>(syscall(SYS_pidfd_open, pid_, 0));
    pollfd waiting{.fd = handle, .events = POLLIN, .revents = 0};
    poll(&waiting, 1, 60'000);
    close(handle);
    if (!HasEnded()) {
      fmt::print(stderr, "it did not end within 60 s; it printed:\n{}\n", output());
      return -1;
    }
  }
  return WIFEXITED(status_) ? WEXITSTATUS(status_) : 128 + WTERMSIG(status_);
}

int64_t Process::resident_bytes() const {
  std::ifstream statm(fmt::format("/proc/{}/statm", pid_));
  int64_t total = 0;
  int64_t resident = 0;
  statm >> total >> resident;
  return resident * sysconf(_SC_PAGESIZE);
}

int64_t Process::threads() const {
  std::error_code error;
  std::filesystem::directory_iterator tasks(fmt::format("/proc/{}/task", pid_), error);
  return std::distance(begin(tasks), end(tasks));
}

}  // namespace penstock::testing
