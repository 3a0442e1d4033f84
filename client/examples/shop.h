// The order and inventory service of orders.cc: its tables and its operations.
#ifndef PENSTOCK_CLIENT_EXAMPLES_SHOP_H_
#define PENSTOCK_CLIENT_EXAMPLES_SHOP_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/str_format.h"
#include "penstock/penstock.h"
#include "penstock/sql.h"

namespace shop {

enum class State { kNew, kPaid, kShipped, kCancelled };

}  // namespace shop

template <>
struct penstock::EnumNames<shop::State> {
  static constexpr std::pair<shop::State, std::string_view> kNames[] = {
      {shop::State::kNew, "new"},
      {shop::State::kPaid, "paid"},
      {shop::State::kShipped, "shipped"},
      {shop::State::kCancelled, "cancelled"}};
};

namespace shop {

namespace sql = penstock::sql;
using penstock::Bytes;
using penstock::Context;
using penstock::Decimal;
using penstock::Json;
using penstock::Transaction;
using penstock::Uuid;

struct Items : sql::Table<Items, "items"> {
  sql::Col<Items, std::string, "sku"> sku;
  sql::Col<Items, std::string, "name"> name;
  sql::Col<Items, Decimal, "price"> price;
  sql::Col<Items, int64_t, "stock"> stock;
  sql::Col<Items, std::optional<Json>, "attributes"> attributes;
  sql::Col<Items, std::optional<Bytes>, "photo"> photo;
};
inline constexpr Items items;

struct Orders : sql::Table<Orders, "orders"> {
  sql::Col<Orders, Uuid, "id"> id;
  sql::Col<Orders, std::string, "customer"> customer;
  sql::Col<Orders, State, "status"> status;
  sql::Col<Orders, std::optional<std::string>, "note"> note;
  sql::Col<Orders, absl::Time, "created_at"> created_at;
};
inline constexpr Orders orders;

struct OrderLines : sql::Table<OrderLines, "order_lines"> {
  sql::Col<OrderLines, Uuid, "order_id"> order_id;
  sql::Col<OrderLines, std::string, "sku"> sku;
  sql::Col<OrderLines, int64_t, "quantity"> quantity;
};
inline constexpr OrderLines order_lines;

struct Item {
  std::string sku;
  std::string name;
  Decimal price;
  int64_t stock = 0;
  std::optional<Json> attributes;
  std::optional<Bytes> photo;
};
struct Line {
  std::string sku;
  int64_t quantity = 0;
};
struct Order {
  Uuid id;
  std::string customer;
  State status = State::kNew;
  std::optional<std::string> note;
  absl::Time created_at;
};

inline Uuid NewUuid() {
  thread_local std::mt19937_64 random{std::random_device{}()};
  const uint64_t a = random();
  const uint64_t b = random();
  return {absl::StrFormat("%08x-%04x-4%03x-%04x-%012x", a >> 32, (a >> 16) & 0xffff, a & 0xfff,
                          0x8000 | ((b >> 48) & 0x3fff), b & 0xffffffffffff)};
}

inline auto FoundOrders() {
  return sql::Select(orders.id, orders.customer, orders.status, orders.note, orders.created_at)
      .From(orders);
}

class Shop {
 public:
  explicit Shop(penstock::Provider& db) : db_(db), kv_(db.KeyValue("shop")) {}

  absl::Status Load(const Context& ctx, const std::vector<Item>& all) {
    return sql::InsertInto(items, items.sku, items.name, items.price, items.stock, items.attributes,
                           items.photo)
        .Rows(all, &Item::sku, &Item::name, &Item::price, &Item::stock, &Item::attributes,
              &Item::photo)
        .Exec(ctx, db_)
        .status();
  }

  absl::StatusOr<Item> FindItem(const Context& ctx, std::string_view sku) {
    return sql::Select(items.sku, items.name, items.price, items.stock, items.attributes,
                       items.photo)
        .From(items)
        .Where(items.sku == sku)
        .FetchOne<Item>(ctx, db_);
  }

  // Takes the stock and writes the order in one transaction, which is repeated if the database asks
  // for that.
  absl::StatusOr<Uuid> Place(const Context& ctx, std::string_view customer,
                             const std::vector<Line>& lines, const std::optional<std::string>& note,
                             const Uuid& id = NewUuid()) {
    const auto place = [&](const Context& in, Transaction& tx) -> absl::Status {
      auto placed = sql::InsertInto(orders)
                        .Set(orders.id, id)
                        .Set(orders.customer, customer)
                        .Set(orders.status, State::kNew)
                        .Set(orders.note, note)
                        .Set(orders.created_at, penstock::Timestamp::Now())
                        .Exec(in, tx);
      if (!placed.ok()) return placed.status();
      for (const Line& line : lines) {
        auto taken = sql::Update(items)
                         .Set(items.stock, items.stock - line.quantity)
                         .Where(items.sku == line.sku)
                         .Exec(in, tx);
        if (!taken.ok()) return taken.status();
        if (taken->RowsAffected() == 0) return absl::NotFoundError("no item " + line.sku);
      }
      return sql::InsertInto(order_lines, order_lines.order_id, order_lines.sku,
                             order_lines.quantity)
          .Rows(
              lines, [&](const Line&) { return id; }, &Line::sku, &Line::quantity)
          .Exec(in, tx)
          .status();
    };
    absl::Status done = penstock::RunInTransaction(
        ctx, db_, place,
        {.transaction = {.isolation = penstock::Isolation::kSerializable}, .max_attempts = 100});
    if (!done.ok()) return done;
    return id;
  }

  absl::Status Cancel(const Context& ctx, const Uuid& id) {
    return penstock::RunInTransaction(ctx, db_, [&](const Context& in, Transaction& tx) {
      auto cancelled = sql::Update(orders)
                           .Set(orders.status, State::kCancelled)
                           .Where(orders.id == id && orders.status != State::kCancelled)
                           .Exec(in, tx);
      if (!cancelled.ok()) return cancelled.status();
      if (cancelled->RowsAffected() == 0) return absl::NotFoundError("no such order, or cancelled");
      const auto lines = sql::Select(order_lines.quantity)
                             .From(order_lines)
                             .Where(order_lines.sku == items.sku && order_lines.order_id == id);
      return sql::Update(items)
          .Set(items.stock, items.stock + sql::Coalesce(sql::Scalar(lines), 0))
          .Where(sql::Exists(lines))
          .Exec(in, tx)
          .status();
    });
  }

  absl::StatusOr<Order> FindOrder(const Context& ctx, const Uuid& id) {
    return FoundOrders().Where(orders.id == id).FetchOne<Order>(ctx, db_);
  }
  absl::StatusOr<std::vector<Line>> FindLines(const Context& ctx, const Uuid& id) {
    return sql::Select(order_lines.sku, order_lines.quantity)
        .From(order_lines)
        .Where(order_lines.order_id == id)
        .OrderBy(sql::Asc(order_lines.sku))
        .FetchAll<Line>(ctx, db_);
  }
  // Returns one page of a customer's orders, the oldest first.
  absl::StatusOr<sql::Page<Order>> OrdersOf(const Context& ctx, std::string_view customer,
                                            const std::optional<sql::Cursor>& after) {
    return FoundOrders()
        .Where(orders.customer == customer)
        .OrderBy(sql::Asc(orders.created_at), sql::Asc(orders.id))
        .After(after)
        .Limit(7)
        .FetchPage<Order>(ctx, db_);
  }

  // Increments a counter by compare-and-set and returns the new value.
  absl::StatusOr<int64_t> NextInvoiceNumber(const Context& ctx) {
    for (;;) {
      auto now = kv_->Get(ctx, "invoice");
      if (!now.ok()) return now.status();
      const int64_t next = now->has_value() ? std::stoll(**now) + 1 : 1;
      auto written =
          kv_->Write(ctx,
                     {now->has_value() ? penstock::Condition::ValueEquals("invoice", **now)
                                       : penstock::Condition::Absent("invoice")},
                     {penstock::Mutation::Put("invoice", std::to_string(next))});
      if (written.ok() && written->applied) return next;
      if (!written.ok() && !penstock::IsTransactionRetryable(written.status())) {
        return written.status();
      }
    }
  }

 private:
  penstock::Provider& db_;
  std::unique_ptr<penstock::KeyValue> kv_;
};

}  // namespace shop

#endif  // PENSTOCK_CLIENT_EXAMPLES_SHOP_H_
