#include "tests/differential/psql.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <fstream>
#include <string_view>
#include <utility>

#include "fmt/format.h"
#include "tests/support/postgres_cluster.h"

namespace penstock::differential {
namespace {

constexpr int kPatienceMilliseconds = 60'000;
// No value and no message has these by chance.
constexpr std::string_view kField =
    "\x1f"
    "pen-field"
    "\x1f";
constexpr std::string_view kRecord =
    "\x1f"
    "pen-record"
    "\x1f";
constexpr std::string_view kNull =
    "\x1f"
    "pen-null"
    "\x1f";
constexpr std::string_view kStatus =
    "\x1f"
    "pen-status"
    "\x1f";
constexpr std::string_view kEnd =
    "\x1f"
    "pen-end"
    "\x1f\n";

// psql's variables say how the last statement went; its text is in a file, so that psql reads
// on behind it whatever the text is.
std::string StatementLines(const std::string& path) {
  return fmt::format(
      "\\set SQLSTATE none\n\\i '{}'\n"
      "\\echo '{}' :SQLSTATE :ROW_COUNT :LAST_ERROR_MESSAGE '{}'\n",
      path, kStatus, kEnd.substr(0, kEnd.size() - 1));
}

std::vector<std::string_view> Cut(std::string_view text, std::string_view separator) {
  std::vector<std::string_view> parts;
  for (size_t end = text.find(separator); end != std::string_view::npos;
       end = text.find(separator)) {
    parts.push_back(text.substr(0, end));
    text.remove_prefix(end + separator.size());
  }
  parts.push_back(text);
  return parts;
}

// The table that psql has printed: the names, then the rows.
void ReadTable(std::string_view printed, PsqlReply* reply) {
  if (printed.empty()) return;
  reply->has_result = true;
  // The last record ends with a line, as all that psql prints.
  if (printed.ends_with('\n')) printed.remove_suffix(1);
  bool names = true;
  for (const std::string_view record : Cut(printed, kRecord)) {
    const std::vector<std::string_view> fields = Cut(record, kField);
    if (std::exchange(names, false)) {
      if (!record.empty() || fields.size() > 1) reply->columns.assign(fields.begin(), fields.end());
      continue;
    }
    auto& row = reply->rows.emplace_back();
    for (const std::string_view field : fields) {
      row.push_back(field == kNull ? std::nullopt : std::optional<std::string>(field));
    }
  }
  // psql prints nothing of rows without columns, but counts them.
  if (reply->columns.empty()) reply->rows.resize(static_cast<size_t>(reply->row_count));
}

// "\x1f…\x1f 22012 0 division by zero \x1f…"
std::optional<PsqlReply> ReadReply(std::string_view text) {
  const size_t status = text.rfind(kStatus);
  if (status == std::string_view::npos) return std::nullopt;
  PsqlReply reply;
  std::string_view rest = text.substr(status + kStatus.size() + 1);
  const size_t count = rest.find(' ') + 1;
  reply.sqlstate = rest.substr(0, count - 1);
  rest.remove_prefix(count);
  const char* end = std::from_chars(rest.data(), rest.data() + rest.size(), reply.row_count).ptr;
  rest.remove_prefix(static_cast<size_t>(end - rest.data()));
  // The message is that of the last failure.
  if (reply.sqlstate != "00000") {
    reply.message = rest.substr(0, rest.size() - 1);
    reply.row_count = 0;
    return reply;
  }
  ReadTable(text.substr(0, status), &reply);
  return reply;
}

std::vector<std::string> Environment() {
  std::vector<std::string> all;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    if (!std::string_view(*entry).starts_with("PG")) all.emplace_back(*entry);
  }
  all.emplace_back(
      "PGOPTIONS=-c TimeZone=UTC -c DateStyle=ISO -c IntervalStyle=iso_8601 "
      "-c bytea_output=hex -c extra_float_digits=1 -c statement_timeout=20s");
  all.emplace_back("PGCLIENTENCODING=UTF8");
  return all;
}

std::vector<char*> Pointers(std::vector<std::string>& words) {
  std::vector<char*> pointers;
  for (std::string& word : words) pointers.push_back(word.data());
  pointers.push_back(nullptr);
  return pointers;
}

// psql with `end` as its standard input and output; 0 and errno: it could not be started.
pid_t Spawn(const std::string& connection, int end) {
  std::vector<std::string> words = {testing::PostgresProgram("psql"), "-X", "-q", "-A", connection};
  std::vector<std::string> environment = Environment();
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, end, STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions, end, STDOUT_FILENO);
  posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
  pid_t pid = 0;
  errno = posix_spawn(&pid, words[0].c_str(), &actions, nullptr, Pointers(words).data(),
                      Pointers(environment).data());
  posix_spawn_file_actions_destroy(&actions);
  return errno == 0 ? pid : 0;
}

}  // namespace

absl::StatusOr<std::unique_ptr<Psql>> Psql::Start(const std::string& connection,
                                                  const std::string& folder) {
  std::array<int, 2> ends{};
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) {
    return absl::ErrnoToStatus(errno, "socketpair");
  }
  const pid_t pid = Spawn(connection, ends[1]);
  const int error = errno;
  close(ends[1]);
  if (pid == 0) {
    close(ends[0]);
    return absl::ErrnoToStatus(error, "psql could not be started");
  }
  std::unique_ptr<Psql> psql(new Psql(pid, ends[0], folder));
  psql->Send(
      fmt::format("\\pset footer off\n\\pset null '{}'\n\\pset fieldsep '{}'\n"
                  "\\pset recordsep '{}'\n",
                  kNull, kField, kRecord));
  const std::optional<PsqlReply> reply = psql->Run("SELECT 1");
  if (!reply.has_value() || reply->sqlstate != "00000") {
    return absl::InternalError("psql could not connect");
  }
  return psql;
}

Psql::Psql(pid_t pid, int socket, std::string folder)
    : pid_(pid), socket_(socket), statement_path_(std::move(folder) + "/statement.sql") {}

Psql::~Psql() {
  kill(pid_, SIGKILL);
  waitpid(pid_, nullptr, 0);
  close(socket_);
}

std::optional<PsqlReply> Psql::Run(const std::string& sql) {
  // What has no semicolon at its end is run at the end of the file.
  std::ofstream(statement_path_, std::ios::binary) << sql;
  if (!Send(StatementLines(statement_path_))) return std::nullopt;
  const std::optional<std::string> answer = Receive();
  return answer.has_value() ? ReadReply(*answer) : std::nullopt;
}

bool Psql::Send(const std::string& lines) {
  const ssize_t sent = send(socket_, lines.data(), lines.size(), MSG_NOSIGNAL);
  return sent == static_cast<ssize_t>(lines.size());
}

std::optional<std::string> Psql::Receive() {
  size_t searched = 0;
  for (;;) {
    const size_t end = received_.find(kEnd, searched);
    if (end != std::string::npos) {
      std::string answer = received_.substr(0, end);
      received_.erase(0, end + kEnd.size());
      return answer;
    }
    searched = received_.size() < kEnd.size() ? 0 : received_.size() - kEnd.size();
    pollfd wait{.fd = socket_, .events = POLLIN, .revents = 0};
    if (poll(&wait, 1, kPatienceMilliseconds) <= 0) return std::nullopt;
    std::array<char, 65536> part{};
    const ssize_t size = recv(socket_, part.data(), part.size(), 0);
    if (size <= 0) return std::nullopt;
    received_.append(part.data(), static_cast<size_t>(size));
  }
}

}  // namespace penstock::differential
