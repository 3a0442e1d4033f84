// The results of statements: Rows, Result, and the description of columns.
#ifndef PENSTOCK_ROWS_H_
#define PENSTOCK_ROWS_H_

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "penstock/async.h"
#include "penstock/scan.h"
#include "penstock/value.h"

namespace penstock {

// One column of a result.
struct ColumnType {
  // The backend's name for the column; not necessarily unique.
  std::string name = {};
  // The declared kind. On a backend with dynamic types (SQLite) a single value may be of another
  // kind.
  Kind kind = Kind::kUnspecified;
  // The backend's own name for the type ("VARCHAR(20)"), or empty.
  std::string native_type = {};

  bool operator==(const ColumnType&) const = default;
};

// A message of the backend about a statement that did not fail: RAISE NOTICE in a function, or
// "relation exists already, skipping".
struct Notice {
  std::string severity = {};  // "NOTICE", "WARNING", "INFO"
  std::string sqlstate = {};
  std::string message = {};
  std::string detail = {};
  std::string hint = {};
};

// The first 32 notices of one statement, in order.
struct Notices {
  std::vector<Notice> list = {};
  // How many further notices were dropped.
  int64_t dropped = 0;
};

// Iterates over the rows of a result:
//
//   while (rows->Next()) {
//     int64_t id;
//     std::optional<std::string> name;
//     if (absl::Status scanned = rows->Scan(&id, &name); !scanned.ok()) return scanned;
//   }
//   if (!rows->Err().ok()) return rows->Err();
//
// The columns can also be read by name, in any order:
//
//   for (Rows& row : *rows) {
//     absl::StatusOr<int64_t> id = row.Get<int64_t>("id");
//     auto name = row.Get<std::optional<std::string>>("name");  // for a column that may be NULL
//   }
//   if (!rows->Err().ok()) return rows->Err();
//
// Rows arrive in batches while they are read. A slow reader slows the daemon down; neither side
// holds the whole result. Err always reports a result that is incomplete.
//
// Not thread-safe. May outlive the Statement and the Provider that made it; after the destruction
// of its Transaction it fails with FAILED_PRECONDITION. The Context of the query keeps applying:
// its deadline and its cancellation end the reading, too.
class Rows {
 public:
  Rows() = default;
  Rows(const Rows&) = delete;
  Rows& operator=(const Rows&) = delete;
  // Calls Close.
  virtual ~Rows() = default;

  // Steps to the next row, at first to the first one. May block until the daemon sends more.
  // Returns false if there is none; Err tells whether that is the end or a failure.
  virtual bool Next() = 0;

  // Does what Next does, but never blocks; see async.h. Gives what Next returns, or the failure
  // that Err returns as well. A row that has arrived is there without waiting, so a coroutine goes
  // on at once. It completes where the call completed that has made the rows. The rows must not be
  // used before that, except that they may be destroyed together with a coroutine that waits for
  // them.
  //
  //   inline Task UseAll(Rows& numbers) {
  //     int64_t number = 0;
  //     while ((co_await numbers.NextAsync()).value_or(false)) {
  //       if (numbers.Scan(&number).ok()) Use(number);
  //     }
  //     Use(numbers.Err());
  //   }
  //
  // Rows of a blocking Query have it, too. The default implementation calls Next. So do the rows of
  // a transaction, and of a result that has a stream to itself.
  virtual Async<bool> NextAsync();

  // Converts the current row into one variable for each column, by the rules of scan.h. Fails with
  // INVALID_ARGUMENT, naming the column, its kind and the target, if a value does not fit or the
  // number of variables is wrong; the variables before it are set then. After a failure Err returns
  // it and Next returns false, so that a loop which ignores the result of Scan still notices.
  // Fails with FAILED_PRECONDITION if there is no current row.
  template <Scannable... T>
  absl::Status Scan(T*... variables) {
    const Destination destinations[] = {Destination(variables)...};
    return ScanRow(destinations);
  }
  absl::Status Scan() { return ScanRow({}); }

  // The virtual function that Scan calls.
  virtual absl::Status ScanRow(std::span<const Destination> destinations) = 0;

  // Returns one column of the current row by its exact name in Columns; the other columns need not
  // be read. Fails as Scan does, and with INVALID_ARGUMENT, listing the columns, if none or several
  // have that name. A std::string_view is valid until the next row. Searches the names at each
  // call, which Scan does not.
  template <Scannable T>
  absl::StatusOr<T> Get(std::string_view column) {
    T value{};
    if (absl::Status read = ScanColumn(column, Destination(&value)); !read.ok()) return read;
    return value;
  }

  // The virtual function that Get calls. The default implementation returns UNIMPLEMENTED.
  virtual absl::Status ScanColumn(std::string_view column, const Destination& destination);

  // An iterator for range-for. It refers to this object, which is at the next row each time. A
  // failure ends the loop; Err returns it.
  class Iterator {
   public:
    using value_type = Rows;
    using difference_type = std::ptrdiff_t;
    explicit Iterator(Rows* rows) : rows_(rows), more_(rows->Next()) {}
    Rows& operator*() const { return *rows_; }
    Iterator& operator++() {
      more_ = rows_->Next();
      return *this;
    }
    void operator++(int) { ++*this; }
    bool operator==(std::default_sentinel_t) const { return !more_; }

   private:
    Rows* rows_;
    bool more_;
  };
  Iterator begin() { return Iterator(this); }
  static std::default_sentinel_t end() { return {}; }

  // Returns a copy of the current row; empty if there is none.
  virtual std::vector<Value> Values() const = 0;

  // Ends the reading; no row is left afterwards. If the rows are those of a Provider or a prepared
  // Statement, the rest of the query is cancelled. In a Transaction, which continues on the same
  // stream, the rest is received and dropped. Returns Err(). Closing before the end is not an
  // error.
  virtual absl::Status Close() = 0;

  // Returns the names of the columns.
  virtual std::vector<std::string> Columns() const = 0;

  // Returns the types of the columns. The reference is valid as long as this object.
  virtual const std::vector<ColumnType>& ColumnTypes() const = 0;

  // Returns the failure that ended the rows; OK before their end and after a successful end.
  virtual absl::Status Err() const = 0;

  // The number of rows that a statement with RETURNING inserted, updated or deleted. 0 until Next
  // has returned false.
  virtual int64_t RowsAffected() const = 0;

  // The backend's notices. Empty until Next has returned false.
  virtual Notices BackendNotices() const { return {}; }
};

// The result of a statement that returns no rows.
class Result {
 public:
  Result() = default;
  explicit Result(int64_t rows_affected, std::optional<int64_t> last_insert_id = {},
                  Notices notices = {})
      : rows_affected_(rows_affected),
        last_insert_id_(last_insert_id),
        notices_(std::move(notices)) {}

  // The number of rows inserted, updated or deleted; for ExecRows, the sum over all runs.
  int64_t RowsAffected() const { return rows_affected_; }

  // The key that the backend generated for the last row inserted. UNIMPLEMENTED if the backend
  // does not tell it; use RETURNING with Query there.
  absl::StatusOr<int64_t> LastInsertId() const;

  // The backend's notices while the statement ran.
  const Notices& BackendNotices() const { return notices_; }

 private:
  int64_t rows_affected_ = 0;
  std::optional<int64_t> last_insert_id_;
  Notices notices_;
};

}  // namespace penstock

#endif  // PENSTOCK_ROWS_H_
