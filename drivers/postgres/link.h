// One PostgreSQL session as a stream of commands and results. The only file
// that calls libpq: libpqxx, which owns the session, has neither pipelines nor
// rows one by one nor a wait with a deadline. No exception leaves it but one of the
// standard library's for memory.
#ifndef PENSTOCK_DRIVERS_POSTGRES_LINK_H_
#define PENSTOCK_DRIVERS_POSTGRES_LINK_H_

#include <atomic>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "drivers/api/deadline.h"
#include "drivers/api/driver.h"
#include "drivers/postgres/error.h"
#include "drivers/postgres/options.h"

struct pg_result;

namespace penstock::postgres {

// One thing that the server has sent: a row, the end of a statement, an error, …
class Result {
 public:
  enum class Kind : uint8_t {
    kEnd,      // nothing more of this command
    kRow,      // one row, and more may follow
    kDone,     // the command has succeeded
    kError,    // it has failed
    kSkipped,  // it was not run: one before it in its segment has failed
    kSync,     // the end of a segment
    kCopy,     // COPY to or from the client has begun
  };

  Result() = default;
  explicit Result(pg_result* result);

  Kind kind() const { return kind_; }
  // kRow; null: SQL NULL.
  bool null(int column) const;
  std::string_view value(int column) const { return value(0, column); }
  std::string_view value(int row, int column) const;
  // kRow, kDone of a description and of a statement with rows.
  int columns() const;
  std::string column_name(int column) const;
  uint32_t column_type(int column) const;
  // kDone, of a description and not of a statement that was run.
  bool is_description() const;
  int parameters() const;
  uint32_t parameter_type(int parameter) const;
  // kDone: "INSERT 0 1", and the rows that it counts.
  std::string_view tag() const;
  // Rows it holds itself: 0 if they came one by one.
  int rows() const;
  int64_t rows_affected() const;
  // kError.
  ServerError error() const;

 private:
  struct Clear {
    void operator()(pg_result* result) const;
  };
  std::unique_ptr<pg_result, Clear> result_;
  Kind kind_ = Kind::kEnd;
};

// One parameter in the form in which it is sent; null: SQL NULL.
struct WireValue {
  const char* data = nullptr;
  int length = 0;
  bool binary = false;
};

// Used by one thread at a time; Wake alone may be called from any.
//
// Commands are queued by Send… and go out together when the link waits. A
// segment is what lies between two syncs: it is one transaction, unless one was
// begun, and after an error the rest of it is skipped.
class Link {
 public:
  enum class Wait : uint8_t { kReady, kTimeUp, kWoken, kBroken };
  enum class Transaction : uint8_t { kNone, kOpen, kFailed, kActive };

  // Tries the hosts of `options`, which outlives the link, in turn, each for a fair share
  // of the time.
  static absl::StatusOr<std::unique_ptr<Link>> Connect(const Options& options,
                                                       const driver::Deadline& deadline);
  ~Link();
  Link(const Link&) = delete;
  Link& operator=(const Link&) = delete;

  // False: the link is broken. `types` may be shorter than the parameters, and
  // has 0 where the server is to find out.
  bool SendPrepare(const std::string& name, const std::string& sql,
                   std::span<const uint32_t> types);
  bool SendDescribe(const std::string& name);
  // A statement that was prepared. `values` are copied.
  bool SendExecute(const std::string& name, std::span<const WireValue> values);
  // A statement that is parsed now, `types` being those of all of its parameters.
  bool SendParsed(const std::string& sql, std::span<const uint32_t> types,
                  std::span<const WireValue> values);
  // A statement without parameters, unprepared.
  bool SendText(const std::string& sql);
  bool SendSync();

  // COPY from us, which libpq has outside of pipelines only. To be sent when nothing
  // else is on its way; a kCopy, or the error, is its first result.
  bool SendCopy(const std::string& sql);
  // After kCopy: queues `data`. WaitUntilSent keeps what is queued small.
  bool SendCopyData(std::string_view data);
  // The end of the data, or that there is none: then the server undoes it. Its
  // result and a kEnd follow.
  bool EndCopy(bool complete);
  // Back to pipelines, after the kEnd.
  bool ResumePipeline();

  // Sends what is queued and waits for the next result. kWoken: Wake was called
  // since the last wait.
  Wait WaitForResult(driver::TimePoint until);
  // The same until all that is queued has been sent.
  Wait WaitUntilSent(driver::TimePoint until);
  // Sends and receives as far as that goes without waiting; false: broken.
  bool Pump();
  // After kReady: takes the result. After a kEnd the next command's follow.
  Result Take();
  // The rows of the command that comes next are handed out one by one. To be
  // called before any of its results is waited for.
  void RowByRow();
  // A result can be taken without waiting.
  bool ready() const;

  void Wake();

  // Asks the server, from a thread of its own, to cancel what runs.
  void Cancel();
  // Does so once more, unless the last request is still on its way.
  void CancelAgain();
  // How many requests to cancel there have been.
  int cancels() const { return cancels_; }
  // Waits for that request to have reached the server, so that it can hit
  // nothing that is sent later. False: it has not.
  bool WaitForCancel(driver::TimePoint until);

  // The state of the transaction at the last sync.
  Transaction transaction() const;
  // A setting that the server reports ("server_version"); empty: it does not.
  std::string setting(const char* name) const;
  // The server says that it is a CockroachDB.
  bool is_cockroach() const;
  // Texts go both ways as UTF-8, as far as the server has said.
  bool speaks_utf8() const;
  bool broken() const { return broken_; }
  // Marks it: what is left in it cannot be told apart any more.
  void Break() { broken_ = true; }
  // Why it broke, in libpq's words.
  absl::Status BrokenError() const;
  // Notices are what the server has said since the last call, beside its results.
  bool has_notices() const { return !notices_.empty() || notices_dropped_ != 0; }
  // Moves them to `summary`, as many as may be in one.
  void TakeNotices(driver::Summary* summary);
  void DropNotices();
  // The server has said that it ends the session: what it has not answered is not run.
  bool session_ended() const { return session_ended_; }
  // Takes what has come while nobody waited, such as the news of the session's
  // end; false: it has ended. To be called when no command is on its way.
  bool Alive();

 private:
  class PqxxSession;
  struct CancelRequest;
  Link(const Options& options, std::unique_ptr<PqxxSession> session);
  static void OnNotice(void* self, const pg_result* result);
  bool Sent(int ok);
  // The values as libpq wants them.
  void Spread(std::span<const WireValue> values);
  // Waits once, for what the socket or Wake brings; kReady: something has come.
  Wait Poll(bool unsent, driver::TimePoint until);

  const Options& options_;
  std::unique_ptr<PqxxSession> session_;
  const int wake_fd_;
  bool broken_ = false;
  bool session_ended_ = false;
  std::vector<driver::Notice> notices_;
  size_t notice_bytes_ = 0;
  int64_t notices_dropped_ = 0;
  std::shared_ptr<CancelRequest> cancel_;
  int cancels_ = 0;
  // Scratch of Spread.
  std::vector<const char*> data_;
  std::vector<int> lengths_;
  std::vector<int> formats_;
};

}  // namespace penstock::postgres

#endif  // PENSTOCK_DRIVERS_POSTGRES_LINK_H_
