// Keyset pagination: a page begins after the last row of the page before, so that pages stay right
// while rows are inserted and deleted.
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

// A position in a sorted result: the values of a row's sort columns.
class Cursor {
 public:
  Cursor() = default;
  // `keys` has one value for each column of ORDER BY.
  explicit Cursor(std::vector<Value> keys) : keys_(std::move(keys)) {}
  const std::vector<Value>& keys() const { return keys_; }

  // Returns the cursor as letters, digits, - and _, for use in a link. The text is neither
  // encrypted nor signed. A user can read and change the values, but since they are bound as
  // parameters, the only effect is another position.
  std::string Encode() const;
  // Fails with INVALID_ARGUMENT if Encode did not make `text`.
  static absl::StatusOr<Cursor> Decode(std::string_view text);

  bool operator==(const Cursor&) const = default;

 private:
  std::vector<Value> keys_;
};

// The rows of one page, and the position where the next page begins; nullopt after the last page.
template <typename T>
struct Page {
  std::vector<T> rows = {};
  std::optional<Cursor> next = {};
};

// One column of ORDER BY. Unless NullsFirst or NullsLast is called, NULLs come last in ascending
// and first in descending order on every server.
class Order {
 public:
  Order(internal::NodePtr node, bool descending)
      : parts_{std::move(node), descending, descending} {}
  [[nodiscard]] Order NullsFirst() const { return WithNulls(true); }
  [[nodiscard]] Order NullsLast() const { return WithNulls(false); }
  // Returns the reverse order, NULLs included.
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

// The names that users may sort by, and the columns that these stand for:
//
//   static const sql::SortKeys keys({{"name", sql::Asc(users.name)},
//                                    {"age", sql::Asc(users.age)}});
//   auto order = keys.Parse("-age,name");  // descending by age, then by name
//   if (!order.ok()) return order.status();
//   auto sorted = sql::Select(users.id).From(users).OrderBy(*order);
class SortKeys {
 public:
  explicit SortKeys(std::vector<std::pair<std::string, Order>> keys) : keys_(std::move(keys)) {}
  // Parses a list such as "-age,name". INVALID_ARGUMENT if a name is unknown or repeated. An empty
  // text means no order.
  absl::StatusOr<std::vector<Order>> Parse(std::string_view text) const;

 private:
  std::vector<std::pair<std::string, Order>> keys_;
};

}  // namespace penstock::sql

#endif  // PENSTOCK_SQL_PAGE_H_
