// What a statement returns: Rows, Result, and the description of columns.
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
#include "penstock/scan.h"
#include "penstock/value.h"

namespace penstock {

// One column of a result.
struct ColumnType {
  // As the backend gives it; not necessarily unique.
  std::string name = {};
  // The declared kind. On a backend with dynamic types (SQLite) a single value
  // may have another.
  Kind kind = Kind::kUnspecified;
  // The backend's own name of the type ("VARCHAR(20)"), or empty.
  std::string native_type = {};

  bool operator==(const ColumnType&) const = default;
};

// What a backend said while a statement ran that did not fail: RAISE NOTICE of a
// function, "relation exists already, skipping".
struct Notice {
  std::string severity = {};  // "NOTICE", "WARNING", "INFO"
  std::string sqlstate = {};
  std::string message = {};
  std::string detail = {};
  std::string hint = {};
};

// Those of one statement, in their order: the first 32.
struct Notices {
  std::vector<Notice> list = {};
  // How many there were beyond those.
  int64_t dropped = 0;
};

// The rows of a result, one after another:
//
//   while (rows->Next()) {
//     int64_t id;
//     std::optional<std::string> name;
//     if (absl::Status scanned = rows->Scan(&id, &name); !scanned.ok()) return scanned;
//   }
//   if (!rows->Err().ok()) return rows->Err();
//
// Or by the names of the columns, in any order:
//
//   for (Rows& row : *rows) {
//     absl::StatusOr<int64_t> id = row.Get<int64_t>("id");
//     auto name = row.Get<std::optional<std::string>>("name");  // the same, of what may be NULL
//   }
//   if (!rows->Err().ok()) return rows->Err();
//
// Rows arrive batch by batch while they are read; a slow reader slows the daemon
// down and makes neither side hold the whole result. A result that breaks off
// always shows in Err: it is never taken for whole.
//
// One thread at a time. It may outlive the Statement and Provider it came from;
// once its Transaction has been destroyed it fails with FAILED_PRECONDITION. The
// Context of the query goes on to hold: its deadline and cancellation end the
// reading, too.
class Rows {
 public:
  Rows() = default;
  Rows(const Rows&) = delete;
  Rows& operator=(const Rows&) = delete;
  // Does what Close does.
  virtual ~Rows() = default;

  // Steps to the next row, at first to the first one. May wait for the daemon.
  // False: there is none; Err says whether that is the end or a failure.
  virtual bool Next() = 0;

  // Converts the current row, one variable a column, by the rules of scan.h.
  // INVALID_ARGUMENT, naming column, kind and target, for what does not fit, and
  // for a wrong number of variables; the variables before it are then set already.
  // Err reports it from then on and Next is false, so that a loop that does not look at what
  // Scan returns cannot take the result for good.
  // FAILED_PRECONDITION without a current row.
  template <Scannable... T>
  absl::Status Scan(T*... variables) {
    const Destination destinations[] = {Destination(variables)...};
    return ScanRow(destinations);
  }
  absl::Status Scan() { return ScanRow({}); }

  // What Scan does.
  virtual absl::Status ScanRow(std::span<const Destination> destinations) = 0;

  // One column of the current row, by its name as Columns has it, letter by letter; the others
  // need not be read. Fails as Scan does, and with INVALID_ARGUMENT, which lists the columns
  // there are, for a name that none or more than one of them has. A std::string_view is good until
  // the next row. A look at the names each time; Scan has none.
  template <Scannable T>
  absl::StatusOr<T> Get(std::string_view column) {
    T value{};
    if (absl::Status read = ScanColumn(column, Destination(&value)); !read.ok()) return read;
    return value;
  }

  // What Get does. UNIMPLEMENTED where a class of the program's does not have it.
  virtual absl::Status ScanColumn(std::string_view column, const Destination& destination);

  // For a range-for, whose variable is this object at each row from the next one on. A failure
  // ends the loop, and Err says why.
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

  // A copy of the current row; empty without one.
  virtual std::vector<Value> Values() const = 0;

  // Ends it; nothing is left to read. Of a Provider's or a Statement's query the
  // rest is cancelled; in a Transaction, which goes on over the same stream, the rest
  // is received and dropped. Returns Err(); doing so before the end is no error.
  virtual absl::Status Close() = 0;

  // The names of the columns.
  virtual std::vector<std::string> Columns() const = 0;

  // Their types. Valid as long as this object.
  virtual const std::vector<ColumnType>& ColumnTypes() const = 0;

  // The failure that ended it; OK before the end and after a good one.
  virtual absl::Status Err() const = 0;

  // Rows inserted, updated or deleted by a statement with RETURNING; known when
  // Next has returned false, 0 before.
  virtual int64_t RowsAffected() const = 0;

  // What the backend said; known when Next has returned false, empty before.
  virtual Notices BackendNotices() const { return {}; }
};

// What a statement without rows did.
class Result {
 public:
  Result() = default;
  explicit Result(int64_t rows_affected, std::optional<int64_t> last_insert_id = {},
                  Notices notices = {})
      : rows_affected_(rows_affected),
        last_insert_id_(last_insert_id),
        notices_(std::move(notices)) {}

  // Inserted, updated or deleted. Of ExecRows: the sum.
  int64_t RowsAffected() const { return rows_affected_; }

  // The key that the backend generated for the last row inserted. UNIMPLEMENTED
  // where the backend does not tell it: use RETURNING with Query there.
  absl::StatusOr<int64_t> LastInsertId() const;

  // What the backend said while the statement ran.
  const Notices& BackendNotices() const { return notices_; }

 private:
  int64_t rows_affected_ = 0;
  std::optional<int64_t> last_insert_id_;
  Notices notices_;
};

}  // namespace penstock

#endif  // PENSTOCK_ROWS_H_
