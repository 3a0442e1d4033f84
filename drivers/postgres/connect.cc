#include "drivers/postgres/connect.h"

#include <poll.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <utility>
#include <vector>

#include "drivers/api/error.h"
#include "drivers/postgres/sqlstate.h"
#include "fmt/format.h"
#include "text/utf8.h"
#include "text/wipe.h"

namespace penstock::postgres {
namespace {

using driver::Reason;
using driver::TimePoint;

TimePoint Now() { return std::chrono::steady_clock::now(); }

void IgnoreNotice(void* /*self*/, const PGresult* /*notice*/) {}

// Why there is no connection, in words for people: libpq's and the server's, without what
// nobody is to be told, and without the lines that the code below brought along.
std::string ConnectMessage(const Options& options, std::string_view text,
                           std::string_view sqlstate) {
  std::string message;
  for (std::string_view rest = text; !rest.empty();) {
    const size_t end = std::min(rest.find('\n'), rest.size());
    const std::string_view line = rest.substr(0, end);
    if (!line.starts_with("LOCATION:"))
      message += fmt::format("{}{}", message.empty() ? "" : "\n", line);
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  if (!sqlstate.empty()) {
    const std::string code = fmt::format("  {}: ", sqlstate);
    for (size_t at = message.find(code); at != std::string::npos; at = message.find(code, at)) {
      message.erase(at + 2, code.size() - 2);
    }
  }
  return options.Hide(message);
}

// The last code in a message that PQERRORS_VERBOSE has put there, "FATAL:  28P01: …", in
// whatever language; empty: it has none, and is libpq's own. There is a message for each
// address of the host. libpq gives the code of a failed attempt to connect in no other
// way: it has no PGresult.
std::string SqlStateIn(std::string_view message) {
  constexpr size_t kLength = 5;
  constexpr std::string_view kBefore = ":  ";
  std::string found;
  for (size_t at = message.find(kBefore); at != message.npos; at = message.find(kBefore, at + 1)) {
    const std::string_view code = message.substr(at + kBefore.size(), kLength + 1);
    const bool is_code = code.size() == kLength + 1 && code.back() == ':' &&
                         std::all_of(code.begin(), code.end() - 1, [](char c) {
                           return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z');
                         });
    if (is_code) found = code.substr(0, kLength);
  }
  return found;
}

// Tells errors from before the server had a say. These words are libpq's and OpenSSL's own,
// which are English here: this process never sets a locale.
std::string_view CertificateHint(std::string_view message) {
  if (message.find("certificate verify failed") != std::string_view::npos) {
    return "set ssl_ca to the certificate of the authority that signed the server's certificate";
  }
  if (message.find("does not match host name") != std::string_view::npos) {
    return "connect by a name that is in the server's certificate";
  }
  return "";
}

absl::StatusOr<OwnedConnection> ConnectOnce(const Options& options, const Parameters& parameters,
                                            const std::string& where, TimePoint until) {
  Parameters all = parameters;
  if (std::string now = options.password.Get(); !now.empty()) all["password"] = std::move(now);
  std::vector<const char*> keywords;
  std::vector<const char*> values;
  for (const auto& [keyword, value] : all) {
    keywords.push_back(keyword.c_str());
    values.push_back(value.c_str());
  }
  keywords.push_back(nullptr);
  values.push_back(nullptr);
  OwnedConnection connection(PQconnectStartParams(keywords.data(), values.data(), 0));
  // libpq has its own copy by now.
  Wipe(&all["password"]);
  if (connection == nullptr) return ConnectError(where, "out of memory");
  PQsetErrorVerbosity(connection.get(), PQERRORS_VERBOSE);
  PostgresPollingStatusType state = PGRES_POLLING_WRITING;
  if (PQstatus(connection.get()) == CONNECTION_BAD) state = PGRES_POLLING_FAILED;
  while (state == PGRES_POLLING_READING || state == PGRES_POLLING_WRITING) {
    pollfd wait{.fd = PQsocket(connection.get()),
                .events = static_cast<short>(state == PGRES_POLLING_READING ? POLLIN : POLLOUT),
                .revents = 0};
    if (poll(&wait, 1, PollTimeout(until)) == 0 && Now() >= until) {
      return driver::MakeError(Reason::kConnectionFailed,
                               fmt::format("{} did not answer in time", where));
    }
    state = PQconnectPoll(connection.get());
  }
  if (state != PGRES_POLLING_OK) {
    return ConnectError(options, where, connection.get());
  }
  PQsetErrorVerbosity(connection.get(), PQERRORS_DEFAULT);
  return connection;
}

// Until when one of `hosts` may take, so that each has a turn before the deadline.
TimePoint ShareOf(const driver::Deadline& deadline, size_t hosts) {
  if (deadline.at == TimePoint::max()) return deadline.at;
  const TimePoint now = Now();
  return now + (deadline.at - now) / static_cast<int64_t>(hosts);
}

}  // namespace

int PollTimeout(TimePoint until) {
  if (until == TimePoint::max()) return -1;
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - Now()).count();
  return static_cast<int>(std::clamp<int64_t>(left, 0, 1'000'000));
}

std::string Trimmed(const char* message) {
  std::string text = message == nullptr ? "" : message;
  while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.pop_back();
  return ToUtf8(text);
}

absl::Status ConnectError(const Options& options, const std::string& where, PGconn* connection) {
  const std::string text = Trimmed(PQerrorMessage(connection));
  driver::ErrorInfo info;
  info.sqlstate = SqlStateIn(text);
  info.hint = CertificateHint(text);
  Reason reason = ReasonOfConnecting(info.sqlstate);
  const bool certificate = text.find("certificate") != std::string::npos;
  if (info.sqlstate.empty() && (certificate || PQconnectionNeedsPassword(connection) == 1)) {
    reason = Reason::kBackendCredentials;
  }
  const std::string message = ConnectMessage(options, text, info.sqlstate);
  return driver::MakeError(reason, fmt::format("cannot connect to {}: {}", where, message), info);
}

absl::Status ConnectError(const std::string& where, std::string_view why) {
  return driver::MakeError(Reason::kConnectionFailed,
                           fmt::format("cannot connect to {}: {}", where, why));
}

absl::StatusOr<OwnedConnection> ConnectToAny(const Options& options,
                                             const driver::Deadline& deadline) {
  absl::Status failure;
  size_t left = options.attempts.size();
  for (const Parameters& parameters : options.attempts) {
    if (deadline.passed(Now())) break;
    const auto host = parameters.find("host");
    const bool named =
        options.names_hosts && options.attempts.size() > 1 && host != parameters.end();
    absl::StatusOr<OwnedConnection> connection = ConnectOnce(
        options, parameters, named ? host->second : options.where, ShareOf(deadline, left--));
    if (connection.ok()) {
      PQsetNoticeReceiver(connection->get(), IgnoreNotice, nullptr);
      return connection;
    }
    // Another host may be up; wrong credentials are wrong there as well, but the host
    // that has them may be the one that counts.
    failure = connection.status();
  }
  // The connect_timeout says which host was silent; a caller's limit is the caller's.
  const bool callers = deadline.reason != Reason::kConnectionFailed;
  return failure.ok() || (callers && deadline.passed(Now())) ? deadline.Error() : failure;
}

}  // namespace penstock::postgres
