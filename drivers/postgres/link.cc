#include "drivers/postgres/link.h"

#include <libpq-fe.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <mutex>
#include <pqxx/pqxx>
#include <system_error>
#include <thread>
#include <utility>

#include "drivers/api/error.h"
#include "fmt/format.h"

namespace penstock::postgres {
namespace {

using driver::Reason;
using driver::TimePoint;

// Cancels that may be on their way at once, in the whole process; a server that
// answers none of them is not to be given a thread for each.
constexpr int kMaxCancels = 32;
std::atomic<int> cancels_on_their_way = 0;

TimePoint Now() { return std::chrono::steady_clock::now(); }

// poll's timeout up to `until`; -1: none.
int PollTimeout(TimePoint until) {
  if (until == TimePoint::max()) return -1;
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - Now()).count();
  return static_cast<int>(std::clamp<int64_t>(left, 0, 1'000'000));
}

std::string Trimmed(const char* message) {
  std::string text = message == nullptr ? "" : message;
  while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.pop_back();
  return text;
}

void IgnoreNotice(void* /*self*/, const PGresult* /*notice*/) {}

struct Finish {
  void operator()(PGconn* connection) const { PQfinish(connection); }
};
using OwnedConnection = std::unique_ptr<PGconn, Finish>;

// Hands libpqxx a connection that is open already: its own way of opening one
// waits without a deadline.
class Adopted final : public pqxx::connectionpolicy {
 public:
  explicit Adopted(OwnedConnection connection)
      : pqxx::connectionpolicy(""), connection_(std::move(connection)) {}
  PGconn* raw() const { return connection_.get(); }
  handle do_startconnect(handle current) override {
    return current != nullptr ? current : connection_.release();
  }
  handle do_completeconnect(handle current) override { return current; }

 private:
  OwnedConnection connection_;
};

// What failed while connecting. libpq has no SQLSTATE for it, only the message,
// which the server may have translated; the words below are those of codes that
// decide what the caller may do.
Reason ConnectReason(std::string_view message) {
  const auto has = [message](std::string_view words) {
    return message.find(words) != std::string_view::npos;
  };
  // First: it may name the role that has too many.
  if (has("too many clients") || has("remaining connection slots") || has("too many connections")) {
    return Reason::kBackendResources;
  }
  if (has("authentication failed") || has("no password supplied") || has("no pg_hba.conf entry") ||
      has("role \"") || has("certificate") || has("permission denied for database")) {
    return Reason::kBackendCredentials;
  }
  if (has("database \"") && has("does not exist")) return Reason::kUnknownDatabase;
  return Reason::kConnectionFailed;
}

std::string_view ConnectHint(std::string_view message) {
  if (message.find("certificate verify failed") != std::string_view::npos) {
    return "ssl_ca has to name the certificate of the authority that signed the server's";
  }
  if (message.find("does not match host name") != std::string_view::npos) {
    return "connect by a name that is in the server's certificate";
  }
  return "";
}

absl::Status ConnectError(const std::string& where, std::string_view message) {
  return driver::MakeErrorWithHint(ConnectReason(message),
                                   fmt::format("cannot connect to {}: {}", where, message),
                                   ConnectHint(message));
}

absl::StatusOr<OwnedConnection> ConnectOnce(const Options::Parameters& parameters,
                                            const std::string& where, TimePoint until) {
  std::vector<const char*> keywords;
  std::vector<const char*> values;
  for (const auto& [keyword, value] : parameters) {
    keywords.push_back(keyword.c_str());
    values.push_back(value.c_str());
  }
  keywords.push_back(nullptr);
  values.push_back(nullptr);
  OwnedConnection connection(PQconnectStartParams(keywords.data(), values.data(), 0));
  if (connection == nullptr) return ConnectError(where, "out of memory");
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
    return ConnectError(where, Trimmed(PQerrorMessage(connection.get())));
  }
  return connection;
}

// Until when one of `hosts` may take, so that each has a turn before the deadline.
TimePoint ShareOf(const driver::Deadline& deadline, size_t hosts) {
  if (deadline.at == TimePoint::max()) return deadline.at;
  const TimePoint now = Now();
  return now + (deadline.at - now) / static_cast<int64_t>(hosts);
}

}  // namespace

Result::Result(pg_result* result) : result_(result) {
  switch (PQresultStatus(result)) {
    case PGRES_SINGLE_TUPLE: sort_ = Sort::kRow; break;
    case PGRES_COMMAND_OK:
    case PGRES_TUPLES_OK:
    case PGRES_EMPTY_QUERY: sort_ = Sort::kDone; break;
    case PGRES_PIPELINE_SYNC: sort_ = Sort::kSync; break;
    case PGRES_PIPELINE_ABORTED: sort_ = Sort::kSkipped; break;
    case PGRES_COPY_IN:
    case PGRES_COPY_OUT:
    case PGRES_COPY_BOTH: sort_ = Sort::kCopy; break;
    default: sort_ = result == nullptr ? Sort::kEnd : Sort::kError; break;
  }
}

void Result::Clear::operator()(pg_result* result) const { PQclear(result); }

bool Result::null(int column) const { return PQgetisnull(result_.get(), 0, column) != 0; }

std::string_view Result::value(int column) const {
  return {PQgetvalue(result_.get(), 0, column),
          static_cast<size_t>(PQgetlength(result_.get(), 0, column))};
}

int Result::columns() const { return PQnfields(result_.get()); }
std::string Result::column_name(int column) const { return PQfname(result_.get(), column); }
uint32_t Result::column_type(int column) const { return PQftype(result_.get(), column); }
bool Result::is_description() const { return *PQcmdStatus(result_.get()) == '\0'; }
int Result::parameters() const { return PQnparams(result_.get()); }
uint32_t Result::parameter_type(int parameter) const {
  return PQparamtype(result_.get(), parameter);
}

std::string_view Result::tag() const { return PQcmdStatus(result_.get()); }

int Result::rows() const { return PQntuples(result_.get()); }

int64_t Result::rows_affected() const {
  const char* count = PQcmdTuples(result_.get());
  return *count == '\0' ? 0 : std::strtoll(count, nullptr, 10);
}

ServerError Result::error() const {
  const auto field = [this](int code) {
    const char* text = PQresultErrorField(result_.get(), code);
    return std::string(text == nullptr ? "" : text);
  };
  ServerError error;
  error.severity = field(PG_DIAG_SEVERITY_NONLOCALIZED);
  error.sqlstate = field(PG_DIAG_SQLSTATE);
  error.message = field(PG_DIAG_MESSAGE_PRIMARY);
  error.detail = field(PG_DIAG_MESSAGE_DETAIL);
  error.hint = field(PG_DIAG_MESSAGE_HINT);
  error.context = field(PG_DIAG_CONTEXT);
  error.schema = field(PG_DIAG_SCHEMA_NAME);
  error.table = field(PG_DIAG_TABLE_NAME);
  error.column = field(PG_DIAG_COLUMN_NAME);
  error.constraint = field(PG_DIAG_CONSTRAINT_NAME);
  error.position =
      static_cast<int32_t>(std::strtol(field(PG_DIAG_STATEMENT_POSITION).c_str(), nullptr, 10));
  // Made by libpq itself when the link breaks.
  if (error.message.empty()) error.message = Trimmed(PQresultErrorMessage(result_.get()));
  return error;
}

// libpqxx's idea of the session: it owns the connection, and nothing more is asked of it,
// because libpqxx throws where a connection has gone. Its constructor throws, and is
// called in one place, which catches; its close() does not.
struct PolicyFirst {
  explicit PolicyFirst(OwnedConnection connection) : policy(std::move(connection)) {}
  Adopted policy;
};
class Link::Session : private PolicyFirst, public pqxx::connection_base {
 public:
  explicit Session(OwnedConnection connection)
      : PolicyFirst(std::move(connection)), pqxx::connection_base(policy), raw_(policy.raw()) {
    init();
  }
  ~Session() { close(); }
  PGconn* raw() const { return raw_; }

 private:
  PGconn* const raw_;
};

// Shared with the thread that sends it, which may outlive the link.
struct Link::CancelRequest {
  std::mutex mutex;
  std::condition_variable changed;
  bool done = false;
  bool sent = false;
};

absl::StatusOr<std::unique_ptr<Link>> Link::Connect(const Options& options,
                                                    const driver::Deadline& deadline) {
  absl::Status failure;
  size_t left = options.attempts.size();
  for (const Options::Parameters& parameters : options.attempts) {
    if (deadline.passed(Now())) break;
    const auto host = parameters.find("host");
    const std::string where =
        options.attempts.size() > 1 && host != parameters.end() ? host->second : options.where;
    absl::StatusOr<OwnedConnection> connection =
        ConnectOnce(parameters, where, ShareOf(deadline, left--));
    if (!connection.ok()) {
      // Another host may be up; wrong credentials are wrong there as well, but
      // the host that has them may be the one that counts.
      failure = connection.status();
      continue;
    }
    PGconn* raw = connection->get();
    PQsetNoticeReceiver(raw, IgnoreNotice, nullptr);
    try {
      auto session = std::make_unique<Session>(*std::move(connection));
      if (PQsetnonblocking(raw, 1) != 0 || PQenterPipelineMode(raw) != 1) {
        return ConnectError(where, Trimmed(PQerrorMessage(raw)));
      }
      std::unique_ptr<Link> link(new Link(std::move(session)));
      if (link->wake_fd_ < 0) return ConnectError(where, "no file descriptor is left");
      return link;
    } catch (const std::exception& error) {
      return ConnectError(where, Trimmed(error.what()));
    }
  }
  // The connect_timeout says which host was silent; a caller's limit is the caller's.
  const bool callers = deadline.reason != Reason::kConnectionFailed;
  return failure.ok() || (callers && deadline.passed(Now())) ? deadline.Error() : failure;
}

Link::Link(std::unique_ptr<Session> session)
    : session_(std::move(session)), wake_fd_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
  PQsetNoticeReceiver(session_->raw(), OnNotice, this);
}

void Link::OnNotice(void* self, const PGresult* notice) {
  const char* severity = PQresultErrorField(notice, PG_DIAG_SEVERITY_NONLOCALIZED);
  const std::string_view text = severity == nullptr ? "" : severity;
  if (text == "FATAL" || text == "PANIC") static_cast<Link*>(self)->session_ended_ = true;
}

Link::~Link() {
  if (wake_fd_ >= 0) close(wake_fd_);
}

bool Link::Sent(int ok) {
  if (ok != 1) broken_ = true;
  return ok == 1;
}

bool Link::SendPrepare(const std::string& name, const std::string& sql,
                       std::span<const uint32_t> types) {
  return Sent(PQsendPrepare(session_->raw(), name.c_str(), sql.c_str(),
                            static_cast<int>(types.size()), types.data()));
}

bool Link::SendDescribe(const std::string& name) {
  return Sent(PQsendDescribePrepared(session_->raw(), name.c_str()));
}

bool Link::SendExecute(const std::string& name, std::span<const WireValue> values) {
  data_.clear();
  lengths_.clear();
  formats_.clear();
  for (const WireValue& value : values) {
    data_.push_back(value.data);
    lengths_.push_back(value.length);
    formats_.push_back(value.binary ? 1 : 0);
  }
  return Sent(PQsendQueryPrepared(session_->raw(), name.c_str(), static_cast<int>(values.size()),
                                  data_.data(), lengths_.data(), formats_.data(), 0));
}

bool Link::SendText(const std::string& sql) {
  return Sent(
      PQsendQueryParams(session_->raw(), sql.c_str(), 0, nullptr, nullptr, nullptr, nullptr, 0));
}

bool Link::SendSync() { return Sent(PQpipelineSync(session_->raw())); }

bool Link::ready() const { return PQisBusy(session_->raw()) == 0; }

bool Link::Pump() {
  if (broken_) return false;
  if (PQflush(session_->raw()) < 0 || PQconsumeInput(session_->raw()) != 1) broken_ = true;
  return !broken_;
}

bool Link::SendCopy(const std::string& sql) {
  return Sent(PQexitPipelineMode(session_->raw())) &&
         Sent(PQsendQuery(session_->raw(), sql.c_str()));
}

bool Link::SendCopyData(std::string_view data) {
  return Sent(PQputCopyData(session_->raw(), data.data(), static_cast<int>(data.size())));
}

bool Link::EndCopy(bool complete) {
  return Sent(PQputCopyEnd(session_->raw(), complete ? nullptr : "given up by penstock"));
}

bool Link::ResumePipeline() { return Sent(PQenterPipelineMode(session_->raw())); }

Link::Wait Link::Poll(bool unsent, TimePoint until) {
  PGconn* raw = session_->raw();
  pollfd waits[2] = {{.fd = PQsocket(raw),
                      .events = static_cast<short>(unsent ? POLLIN | POLLOUT : POLLIN),
                      .revents = 0},
                     {.fd = wake_fd_, .events = POLLIN, .revents = 0}};
  const int count = poll(waits, 2, PollTimeout(until));
  if (count == 0 && Now() >= until) return Wait::kTimeUp;
  if (count <= 0) return Wait::kReady;
  if (waits[0].revents != 0 && PQconsumeInput(raw) != 1 && PQisBusy(raw) != 0) {
    broken_ = true;
    return Wait::kBroken;
  }
  if (waits[1].revents != 0) {
    eventfd_t times = 0;
    eventfd_read(wake_fd_, &times);
    return Wait::kWoken;
  }
  return Wait::kReady;
}

Link::Wait Link::WaitForResult(TimePoint until) {
  PGconn* raw = session_->raw();
  for (;;) {
    if (broken_) return Wait::kBroken;
    const int unsent = PQflush(raw);
    // What has arrived is handed out even when the link is broken by now: it
    // may be the reason.
    if (PQisBusy(raw) == 0) return Wait::kReady;
    if (unsent < 0) {
      broken_ = PQconsumeInput(raw) != 1 && PQisBusy(raw) != 0;
      if (!broken_ && PQisBusy(raw) == 0) return Wait::kReady;
      broken_ = true;
      return Wait::kBroken;
    }
    const Wait polled = Poll(unsent > 0, until);
    if (polled != Wait::kReady) return polled;
  }
}

Link::Wait Link::WaitUntilSent(TimePoint until) {
  for (;;) {
    const int unsent = PQflush(session_->raw());
    if (unsent < 0) broken_ = true;
    if (broken_) return Wait::kBroken;
    if (unsent == 0) return Wait::kReady;
    const Wait polled = Poll(/*unsent=*/true, until);
    if (polled != Wait::kReady) return polled;
  }
}

Result Link::Take() {
  PGconn* raw = session_->raw();
  Result result(PQgetResult(raw));
  if (PQstatus(raw) == CONNECTION_BAD) broken_ = true;
  if (result.sort() == Result::Sort::kError && EndsSession(result.error())) session_ended_ = true;
  return result;
}

void Link::RowByRow() { PQsetSingleRowMode(session_->raw()); }

void Link::Wake() { eventfd_write(wake_fd_, 1); }

void Link::Cancel() {
  cancel_ = std::make_shared<CancelRequest>();
  std::unique_ptr<PGcancel, void (*)(PGcancel*)> to(PQgetCancel(session_->raw()), PQfreeCancel);
  if (to == nullptr || ++cancels_on_their_way > kMaxCancels) {
    if (to != nullptr) --cancels_on_their_way;
    cancel_->done = true;
    return;
  }
  // PQcancel connects, and waits for as long as the network lets it.
  try {
    std::thread([request = cancel_, to = std::move(to)] {
      char error[256];
      const bool sent = PQcancel(to.get(), error, sizeof error) == 1;
      --cancels_on_their_way;
      std::lock_guard lock(request->mutex);
      request->done = true;
      request->sent = sent;
      request->changed.notify_all();
    }).detach();
  } catch (const std::system_error&) {
    // The process may have no more threads. It is tried again, as one that was lost.
    --cancels_on_their_way;
    cancel_->done = true;
  }
}

void Link::CancelAgain() {
  if (cancel_ != nullptr) {
    std::lock_guard lock(cancel_->mutex);
    if (!cancel_->done) return;
  }
  Cancel();
}

bool Link::WaitForCancel(TimePoint until) {
  if (cancel_ == nullptr) return true;
  const std::shared_ptr<CancelRequest> request = std::exchange(cancel_, nullptr);
  std::unique_lock lock(request->mutex);
  request->changed.wait_until(lock, until, [&] { return request->done; });
  return request->sent;
}

Link::Transaction Link::transaction() const {
  switch (PQtransactionStatus(session_->raw())) {
    case PQTRANS_IDLE: return Transaction::kNone;
    case PQTRANS_INTRANS: return Transaction::kOpen;
    case PQTRANS_INERROR: return Transaction::kFailed;
    default: return Transaction::kActive;
  }
}

std::string Link::setting(const char* name) const {
  const char* value = PQparameterStatus(session_->raw(), name);
  return value == nullptr ? "" : value;
}

absl::Status Link::BrokenError() const {
  const std::string why = Trimmed(PQerrorMessage(session_->raw()));
  return driver::MakeError(
      Reason::kConnectionLost,
      fmt::format("the connection to the server was lost{}{}", why.empty() ? "" : ": ", why));
}

bool Link::Alive() {
  pollfd wait{.fd = PQsocket(session_->raw()), .events = POLLIN, .revents = 0};
  if (session_ended_) broken_ = true;
  if (broken_ || poll(&wait, 1, 0) == 0) return !broken_;
  // Its end comes as an error that nobody has asked for, which libpq makes a
  // notice of, and after it the end of the stream, maybe later.
  while (Pump() && PQisBusy(session_->raw()) == 0 && !session_ended_ && poll(&wait, 1, 0) != 0) {
  }
  if (session_ended_) broken_ = true;
  return !broken_;
}

}  // namespace penstock::postgres
