#include "tests/bench/child.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>
#include <grpcpp/support/channel_arguments.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <iterator>

namespace penstock::bench {
namespace {

constexpr auto kStartTimeout = std::chrono::seconds(20);

std::string Contents(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

// Runs in the child: nothing here may allocate.
[[noreturn]] void Execute(char* const* words, int log, pid_t parent) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(126);
  dup2(log, STDOUT_FILENO);
  dup2(log, STDERR_FILENO);
  execv(words[0], words);
  constexpr char kWhy[] = "(nothing: it cannot be executed)";
  _exit(write(STDERR_FILENO, kWhy, sizeof(kWhy) - 1) < 0 ? 126 : 127);
}

// Whether a child has ended; it stays to be waited for.
bool Ended(pid_t pid) {
  siginfo_t info{};
  return waitid(P_PID, pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid == pid;
}

}  // namespace

absl::StatusOr<std::unique_ptr<Child>> Child::Start(const std::vector<std::string>& command,
                                                    const std::string& log) {
  std::vector<char*> words;
  for (const std::string& word : command) words.push_back(const_cast<char*>(word.c_str()));
  words.push_back(nullptr);
  const int log_file = open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (log_file < 0) return absl::InternalError(fmt::format("cannot write {}", log));

  const pid_t parent = getpid();
  const pid_t pid = fork();
  if (pid == 0) Execute(words.data(), log_file, parent);
  close(log_file);
  if (pid < 0) return absl::InternalError("cannot fork");
  return std::unique_ptr<Child>(new Child(pid, log));
}

Child::~Child() { Stop().IgnoreError(); }

absl::StatusOr<std::shared_ptr<grpc::Channel>> Child::Connect(const std::string& address) const {
  grpc::ChannelArguments args;
  // The first attempt usually comes too early; the next one is soon.
  args.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 20);
  args.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, 20);
  // A channel of its own for every call of this function.
  args.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  args.SetMaxReceiveMessageSize(-1);
  auto channel = grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(), args);
  const auto give_up = std::chrono::system_clock::now() + kStartTimeout;
  for (auto now = give_up - kStartTimeout; now < give_up && !Ended(pid_);
       now = std::chrono::system_clock::now()) {
    if (channel->WaitForConnected(now + std::chrono::milliseconds(100))) return channel;
  }
  return absl::UnavailableError(
      fmt::format("nothing listens on {}; the child said:\n{}", address, Contents(log_)));
}

int64_t Child::resident_bytes() const {
  std::ifstream statm(fmt::format("/proc/{}/statm", pid_));
  int64_t total = 0;
  int64_t resident = 0;
  statm >> total >> resident;
  return resident * sysconf(_SC_PAGESIZE);
}

int64_t Child::threads() const {
  std::error_code error;
  std::filesystem::directory_iterator tasks(fmt::format("/proc/{}/task", pid_), error);
  return std::distance(begin(tasks), end(tasks));
}

absl::Status Child::Stop() {
  if (pid_ == 0) return absl::OkStatus();
  int status = 0;
  kill(pid_, SIGTERM);
  waitpid(pid_, &status, 0);
  pid_ = 0;
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return absl::OkStatus();
  return absl::InternalError(
      fmt::format("the child did not exit with 0; it said:\n{}", Contents(log_)));
}

}  // namespace penstock::bench
