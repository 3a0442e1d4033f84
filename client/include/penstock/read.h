// Reads whole results into structs, tuples and single variables. Executor::QueryRow and QueryAll
// run a statement and read its rows; the functions here read rows that the caller has.
#ifndef PENSTOCK_READ_H_
#define PENSTOCK_READ_H_

#include <cstddef>
#include <iterator>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "penstock/fields.h"
#include "penstock/rows.h"

namespace penstock {
namespace internal {

// The error of a query for one row that found none: NOT_FOUND.
absl::Status NoRow();
// The error of a query for one row that found several: FAILED_PRECONDITION.
absl::Status SeveralRows();

template <RowType T>
absl::Status ReadRow(Rows& rows, T* row) {
  return WithFields(*row, [&rows](auto&... field) { return rows.Scan(&field...); });
}

template <typename M>
concept MemberPointer = std::is_member_object_pointer_v<M>;

template <typename T, MemberPointer... Member>
absl::Status ReadInto(Rows& rows, T* row, Member... members) {
  if constexpr (sizeof...(Member) == 0) {
    return ReadRow(rows, row);
  } else {
    return rows.Scan(&(row->*members)...);
  }
}

}  // namespace internal

// Returns all rows. A field gets the column in its place. If `members` are given, these get the
// columns instead, and the struct may have other members. Fails with the error of Rows::Scan or
// Rows::Err.
//
//   auto users = penstock::ReadAll<User>(db->Query(ctx, "SELECT id, name FROM users"));
//   auto same = penstock::ReadAll<User>(db->Query(ctx, "SELECT name, id FROM users"),
//                                       &User::name, &User::id);
template <typename T, internal::MemberPointer... Member>
absl::StatusOr<std::vector<T>> ReadAll(absl::StatusOr<std::unique_ptr<Rows>> rows,
                                       Member... members) {
  if (!rows.ok()) return rows.status();
  std::vector<T> all;
  while ((*rows)->Next()) {
    T row{};
    if (absl::Status read = internal::ReadInto<T>(**rows, &row, members...); !read.ok())
      return read;
    all.push_back(std::move(row));
  }
  if (absl::Status end = (*rows)->Err(); !end.ok()) return end;
  return all;
}

// Returns the only row, or nullopt. FAILED_PRECONDITION if there are several.
template <typename T, internal::MemberPointer... Member>
absl::StatusOr<std::optional<T>> ReadOptional(absl::StatusOr<std::unique_ptr<Rows>> rows,
                                              Member... members) {
  if (!rows.ok()) return rows.status();
  std::optional<T> row;
  if ((*rows)->Next()) {
    absl::Status read = internal::ReadInto<T>(**rows, &row.emplace(), members...);
    if (!read.ok()) return read;
    if ((*rows)->Next()) return internal::SeveralRows();
  }
  if (absl::Status end = (*rows)->Err(); !end.ok()) return end;
  return row;
}

// Returns the only row. NOT_FOUND if there is none, FAILED_PRECONDITION if there are several.
template <typename T, internal::MemberPointer... Member>
absl::StatusOr<T> ReadOne(absl::StatusOr<std::unique_ptr<Rows>> rows, Member... members) {
  absl::StatusOr<std::optional<T>> row = ReadOptional<T>(std::move(rows), members...);
  if (!row.ok()) return row.status();
  if (!row->has_value()) return internal::NoRow();
  return **std::move(row);
}

// Iterates over the rows as T in a range-for. A row that cannot be read ends the loop; rows.Err()
// returns the error:
//
//   for (const User& user : penstock::Each<User>(*rows)) Use(user);
//   if (!rows->Err().ok()) return rows->Err();
template <RowType T>
class Each {
 public:
  explicit Each(Rows& rows) : rows_(&rows) {}

  class Iterator {
   public:
    using value_type = T;
    using difference_type = std::ptrdiff_t;
    explicit Iterator(Rows* rows) : rows_(rows) { ++*this; }
    T& operator*() const { return *row_; }
    Iterator& operator++() {
      row_ = std::make_shared<T>();
      more_ = rows_->Next() && internal::ReadRow(*rows_, row_.get()).ok();
      return *this;
    }
    void operator++(int) { ++*this; }
    bool operator==(std::default_sentinel_t) const { return !more_; }

   private:
    Rows* rows_;
    std::shared_ptr<T> row_;
    bool more_ = false;
  };

  Iterator begin() const { return Iterator(rows_); }
  std::default_sentinel_t end() const { return {}; }

 private:
  Rows* rows_;
};

}  // namespace penstock

#endif  // PENSTOCK_READ_H_
