// The link is libpq in pipeline mode on a socket that does not block.
//
// Send… only fills libpq's buffers. They are written out while the link waits, which reads at the
// same time, so that neither side can block the other with full buffers. A wait ends with a
// result, at its time, or when Wake, from another thread, writes to an eventfd. Once broken_ is
// set it stays set, and nothing is sent any more; but results that have arrived are still handed
// out, because they may say why the link broke. A cancel goes to the server on a connection of
// its own, in a thread that may outlive the link: they share nothing but the CancelRequest.
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
#include "drivers/postgres/connect.h"
#include "fmt/format.h"
#include "text/utf8.h"

namespace penstock::postgres {
namespace {

using driver::Reason;
using driver::TimePoint;

// Cancels that may be on their way at once, in the whole process; a server that
// answers none of them is not to be given a thread for each.
constexpr int kMaxCancels = 32;
std::atomic<int> cancels_on_their_way = 0;

TimePoint Now() { return std::chrono::steady_clock::now(); }

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

}  // namespace

Result::Result(pg_result* result) : result_(result) {
  switch (PQresultStatus(result)) {
    case PGRES_SINGLE_TUPLE: kind_ = Kind::kRow; break;
    case PGRES_COMMAND_OK:
    case PGRES_TUPLES_OK:
    case PGRES_EMPTY_QUERY: kind_ = Kind::kDone; break;
    case PGRES_PIPELINE_SYNC: kind_ = Kind::kSync; break;
    case PGRES_PIPELINE_ABORTED: kind_ = Kind::kSkipped; break;
    case PGRES_COPY_IN:
    case PGRES_COPY_OUT:
    case PGRES_COPY_BOTH: kind_ = Kind::kCopy; break;
    default: kind_ = result == nullptr ? Kind::kEnd : Kind::kError; break;
  }
}

void Result::Clear::operator()(pg_result* result) const { PQclear(result); }

bool Result::null(int column) const { return PQgetisnull(result_.get(), 0, column) != 0; }

std::string_view Result::value(int row, int column) const {
  return {PQgetvalue(result_.get(), row, column),
          static_cast<size_t>(PQgetlength(result_.get(), row, column))};
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
    // Before it knows the client's encoding, a server writes in its own.
    return ToUtf8(text == nullptr ? "" : text);
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
  error.source_function = field(PG_DIAG_SOURCE_FUNCTION);
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
class Link::PqxxSession : private PolicyFirst, public pqxx::connection_base {
 public:
  explicit PqxxSession(OwnedConnection connection)
      : PolicyFirst(std::move(connection)), pqxx::connection_base(policy), raw_(policy.raw()) {
    init();
  }
  ~PqxxSession() { close(); }
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
  absl::StatusOr<OwnedConnection> connection = ConnectToAny(options, deadline);
  if (!connection.ok()) return connection.status();
  PGconn* raw = connection->get();
  try {
    auto session = std::make_unique<PqxxSession>(*std::move(connection));
    if (PQsetnonblocking(raw, 1) != 0 || PQenterPipelineMode(raw) != 1) {
      return ConnectError(options, options.where, raw);
    }
    std::unique_ptr<Link> link(new Link(options, std::move(session)));
    if (link->wake_fd_ < 0) return ConnectError(options.where, "no file descriptor is left");
    return link;
  } catch (const std::exception& error) {
    return ConnectError(options.where, options.Hide(Trimmed(error.what())));
  }
}

Link::Link(const Options& options, std::unique_ptr<PqxxSession> session)
    : options_(options),
      session_(std::move(session)),
      wake_fd_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
  PQsetNoticeReceiver(session_->raw(), OnNotice, this);
}

void Link::OnNotice(void* self, const PGresult* result) {
  const auto field = [result](int code) {
    const char* text = PQresultErrorField(result, code);
    return std::string(text == nullptr ? "" : text);
  };
  auto* const link = static_cast<Link*>(self);
  driver::Notice notice;
  notice.severity = field(PG_DIAG_SEVERITY_NONLOCALIZED);
  notice.sqlstate = field(PG_DIAG_SQLSTATE);
  if (EndsSession({.severity = notice.severity, .sqlstate = notice.sqlstate},
                  link->is_cockroach())) {
    link->session_ended_ = true;
  }
  // libpq's own have none.
  if (notice.sqlstate.empty()) return;
  notice.message = field(PG_DIAG_MESSAGE_PRIMARY);
  notice.detail = field(PG_DIAG_MESSAGE_DETAIL);
  notice.hint = field(PG_DIAG_MESSAGE_HINT);
  const size_t bytes = notice.message.size() + notice.detail.size() + notice.hint.size();
  const bool fits = link->notices_.size() < driver::Summary::kMaxNotices &&
                    link->notice_bytes_ + bytes <= driver::Summary::kMaxNoticeBytes;
  if (!fits) {
    ++link->notices_dropped_;
    return;
  }
  link->notice_bytes_ += bytes;
  link->notices_.push_back(std::move(notice));
}

void Link::TakeNotices(driver::Summary* summary) {
  for (driver::Notice& notice : notices_) {
    if (summary->notices.size() < driver::Summary::kMaxNotices) {
      summary->notices.push_back(std::move(notice));
    } else {
      ++summary->notices_dropped;
    }
  }
  summary->notices_dropped += notices_dropped_;
  DropNotices();
}

void Link::DropNotices() {
  notices_.clear();
  notice_bytes_ = 0;
  notices_dropped_ = 0;
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

void Link::Spread(std::span<const WireValue> values) {
  data_.clear();
  lengths_.clear();
  formats_.clear();
  for (const WireValue& value : values) {
    data_.push_back(value.data);
    lengths_.push_back(value.length);
    formats_.push_back(value.binary ? 1 : 0);
  }
}

bool Link::SendExecute(const std::string& name, std::span<const WireValue> values) {
  Spread(values);
  return Sent(PQsendQueryPrepared(session_->raw(), name.c_str(), static_cast<int>(values.size()),
                                  data_.data(), lengths_.data(), formats_.data(), 0));
}

bool Link::SendParsed(const std::string& sql, std::span<const uint32_t> types,
                      std::span<const WireValue> values) {
  Spread(values);
  return Sent(PQsendQueryParams(session_->raw(), sql.c_str(), static_cast<int>(values.size()),
                                types.data(), data_.data(), lengths_.data(), formats_.data(), 0));
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
  for (bool first = true;; first = false) {
    if (broken_) return Wait::kBroken;
    const int unsent = PQflush(raw);
    // A result that has arrived is handed out even when the link is broken by now: it may be the
    // reason.
    if (PQisBusy(raw) == 0) return Wait::kReady;
    if (unsent < 0) {
      broken_ = PQconsumeInput(raw) != 1 && PQisBusy(raw) != 0;
      if (!broken_ && PQisBusy(raw) == 0) return Wait::kReady;
      broken_ = true;
      return Wait::kBroken;
    }
    // A server that sends a little all the time must not be listened to for ever.
    if (!first && Now() >= until) return Wait::kTimeUp;
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
  if (result.kind() == Result::Kind::kError && EndsSession(result.error(), is_cockroach())) {
    session_ended_ = true;
  }
  return result;
}

void Link::RowByRow() { PQsetSingleRowMode(session_->raw()); }

void Link::Wake() { eventfd_write(wake_fd_, 1); }

void Link::Cancel() {
  ++cancels_;
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

bool Link::is_cockroach() const {
  return PQparameterStatus(session_->raw(), "crdb_version") != nullptr;
}

bool Link::speaks_utf8() const {
  // PostgreSQL's own number of it.
  constexpr int kUtf8 = 6;
  // A server that tells of no encoding has but one.
  return PQclientEncoding(session_->raw()) == kUtf8 || setting("client_encoding").empty();
}

absl::Status Link::BrokenError() const {
  const std::string why = options_.Hide(Trimmed(PQerrorMessage(session_->raw())));
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
