// Uses the order and inventory service of shop.h from eight threads. The service is written with
// the query builder and works on sqlite, postgres and cockroachdb.
//
//   example_orders TARGET MIGRATIONS
//
// Exits with 0 if no more was sold than was in stock.
#include <shop.h>
#include <atomic>
#include <iostream>
#include <optional>
#include <string_view>
#include <thread>
#include <vector>

#include "penstock/penstock.h"

using namespace shop;  // NOLINT(build/namespaces): it is this program's own.

namespace {

int failures = 0;
void Check(bool good, std::string_view what, const absl::Status& status = absl::OkStatus()) {
  if (good && status.ok()) return;
  std::cerr << what << ": " << status << "\n";
  ++failures;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  auto db = penstock::New({.target = argv[1], .application_name = "shop"});
  if (!db.ok()) return 1;
  const Context ctx = Context().WithTimeout(absl::Seconds(60));
  Check(true, "migrate", (*db)->Migrate(ctx, argv[2]));
  Shop shop(**db);
  const Json red{R"({"color":"red"})"};
  Check(true, "load",
        shop.Load(ctx, {{"A", "apple", {"1.50"}, 100, red, Bytes{"\xff\x80"}},
                        {"B", "bread", {"2.25"}, 100, {}, {}},
                        {"C", "cake", {"12.00"}, 40, {}, {}}}));
  const absl::Status twice =
      shop.Load(ctx, {{"D", "d", {"1"}, 1, {}, {}}, {"A", "a", {"1"}, 1, {}, {}}});
  Check(penstock::IsUniqueViolation(twice), "twice");
  Check(absl::IsNotFound(shop.FindItem(ctx, "D").status()), "all or nothing");

  std::atomic<int> placed{0};
  std::atomic<int> sold_out{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 30; ++i) {
        const auto id = shop.Place(ctx, t % 2 == 0 ? "ada" : "tim",
                                   {{i % 2 == 0 ? "A" : "B", 1}, {"C", 1}}, {});
        if (penstock::IsCheckViolation(id.status())) {
          ++sold_out;
        } else {
          ++placed;
          Check(id.ok(), "place", id.status());
          Check(true, "invoice", shop.NextInvoiceNumber(ctx).status());
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  Check(placed == 40 && sold_out == 200, "what was there is sold");
  Check(shop.NextInvoiceNumber(ctx).value_or(0) == 41, "invoices");
  const auto cake = shop.FindItem(ctx, "C");
  Check(cake.ok() && cake->stock == 0, "cakes", cake.status());

  std::vector<Order> found;
  for (const char* customer : {"ada", "tim"}) {
    std::optional<sql::Cursor> next;
    do {
      auto page = shop.OrdersOf(ctx, customer, next);
      Check(page.ok(), "page", page.status());
      if (!page.ok()) break;
      found.insert(found.end(), page->rows.begin(), page->rows.end());
      next = page->next;
    } while (next.has_value());
  }
  Check(found.size() == 40, "pages");
  if (failures == 0) {
    const Uuid id = found.back().id;
    Check(shop.FindLines(ctx, id)->size() == 2, "lines");
    Check(true, "cancel", shop.Cancel(ctx, id));
    Check(absl::IsNotFound(shop.Cancel(ctx, id)), "cancelled");
    Check(shop.FindOrder(ctx, id)->status == State::kCancelled, "state");
    Check(shop.FindItem(ctx, "C")->stock == 1, "a cake is back");
    const absl::Status unknown = shop.Place(ctx, "x", {{"NOPE", 1}}, {}).status();
    Check(absl::IsNotFound(unknown), "unknown item", absl::OkStatus());
    Check(penstock::IsUniqueViolation(shop.Place(ctx, "x", {{"A", 1}}, {}, id).status()), "again");
  }
  std::cout << (failures == 0 ? "all good\n" : "FAILED\n");
  return failures == 0 ? 0 : 1;
}
