// Pages of a result by the keys of its last row, which stay right while rows come and go.
#ifndef PENSTOCK_SQL_PAGE_H_
#define PENSTOCK_SQL_PAGE_H_

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "penstock/sql/expression.h"
#include "penstock/value.h"

namespace penstock::sql {

// A place in a sorted result: the values by which its row is sorted.
class Cursor {
 public:
  Cursor() = default;
  // One value for each column of ORDER BY.
  explicit Cursor(std::vector<Value> keys) : keys_(std::move(keys)) {}
  const std::vector<Value>& keys() const { return keys_; }

  // As text of letters, digits, - and _, for a link. It is neither secret nor signed: who has it
  // can read and change the values, which are bound and so can only lead to another place.
  std::string Encode() const;
  // INVALID_ARGUMENT for what Encode has not made.
  static absl::StatusOr<Cursor> Decode(std::string_view text);

  bool operator==(const Cursor&) const = default;

 private:
  std::vector<Value> keys_;
};

// Some rows, and where the next ones begin; nothing if these were the last.
template <typename T>
struct Page {
  std::vector<T> rows = {};
  std::optional<Cursor> next = {};
};

// One column of ORDER BY. NULLs come last in ascending and first in descending order, on every
// server, unless it says otherwise.
class Order {
 public:
  Order(internal::NodePtr node, bool descending)
      : parts_{std::move(node), descending, descending} {}
  [[nodiscard]] Order NullsFirst() const { return WithNulls(true); }
  [[nodiscard]] Order NullsLast() const { return WithNulls(false); }
  // The other way round, NULLs included.
  [[nodiscard]] Order Reversed() const {
    Order order = *this;
    order.parts_.descending = !parts_.descending;
    order.parts_.nulls_first = !parts_.nulls_first;
    return order;
  }
  const internal::Ordering& parts() const { return parts_; }

 private:
  Order WithNulls(bool first) const {
    Order order = *this;
    order.parts_.nulls_first = first;
    return order;
  }
  internal::Ordering parts_;
};

template <Expression E>
requires Orderable<ValueOf<E>> Order Asc(const E& e) { return Order(e.node(), false); }
template <Expression E>
requires Orderable<ValueOf<E>> Order Desc(const E& e) { return Order(e.node(), true); }

// The names that users may sort by, and what they stand for:
//
//   static const sql::SortKeys keys({{"name", sql::Asc(users.name)},
//                                    {"age", sql::Asc(users.age)}});
//   auto order = keys.Parse("-age,name");  // descending by age, then by name
//   if (!order.ok()) return order.status();
//   auto sorted = sql::Select(users.id).From(users).OrderBy(*order);
class SortKeys {
 public:
  explicit SortKeys(std::vector<std::pair<std::string, Order>> keys) : keys_(std::move(keys)) {}
  // INVALID_ARGUMENT for a name that is not among them, or is there twice. Empty text is no order.
  absl::StatusOr<std::vector<Order>> Parse(std::string_view text) const;

 private:
  std::vector<std::pair<std::string, Order>> keys_;
};

}  // namespace penstock::sql

#endif  // PENSTOCK_SQL_PAGE_H_
