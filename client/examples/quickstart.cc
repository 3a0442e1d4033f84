// Penstock's C++ client in one page: connect, write, read, a transaction, a prepared statement, and
// an error that is told apart from others.
//
//   quickstart [TARGET [DATABASE]]
//
// TARGET defaults to 127.0.0.1:7420, DATABASE to the daemon's default. The table `quickstart_users`
// is dropped and created again. If something fails, the program says why and exits with 1.
#include <cstdint>
#include <iostream>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "penstock/penstock.h"

namespace {

absl::Status CreateTable(penstock::Provider* db, const penstock::Context& ctx) {
  absl::Status dropped = db->Exec(ctx, "DROP TABLE IF EXISTS quickstart_users").status();
  if (!dropped.ok()) return dropped;
  return db
      ->Exec(ctx,
             "CREATE TABLE quickstart_users(id INTEGER PRIMARY KEY, name TEXT NOT NULL, "
             "email TEXT NOT NULL UNIQUE, age INTEGER NOT NULL, balance INTEGER NOT NULL)")
      .status();
}

// Prepares the statement, because it runs more than once.
absl::Status AddUsers(penstock::Provider* db, const penstock::Context& ctx) {
  auto insert = db->Prepare(ctx, "INSERT INTO quickstart_users VALUES ($1, $2, $3, $4, $5)");
  if (!insert.ok()) return insert.status();
  auto ada = (*insert)->Exec(ctx, 1, "Ada", "ada@example.org", 36, 500);
  if (!ada.ok()) return ada.status();
  auto tim = (*insert)->Exec(ctx, 2, "Tim", "tim@example.org", 17, 0);
  if (!tim.ok()) return tim.status();

  auto twin = (*insert)->Exec(ctx, 3, "Eve", "ada@example.org", 30, 0);
  if (!penstock::IsUniqueViolation(twin.status())) {
    return absl::InternalError("the same address was stored twice");
  }
  std::cout << "a second ada@example.org is refused: " << twin.status().message() << "\n";
  return absl::OkStatus();
}

// Either both updates take effect or neither does: a transaction that is destroyed without Commit
// is rolled back.
absl::Status Transfer(penstock::Provider* db, const penstock::Context& ctx, int64_t amount) {
  auto tx = db->Transaction(ctx);
  if (!tx.ok()) return tx.status();
  constexpr const char* kAdd = "UPDATE quickstart_users SET balance = balance + $1 WHERE id = $2";
  auto taken = (*tx)->Exec(ctx, kAdd, -amount, 1);
  if (!taken.ok()) return taken.status();
  auto given = (*tx)->Exec(ctx, kAdd, amount, 2);
  if (!given.ok()) return given.status();
  return (*tx)->Commit(ctx);
}

absl::Status PrintUsers(penstock::Provider* db, const penstock::Context& ctx, int64_t min_age) {
  auto rows = db->Query(ctx,
                        "SELECT id, name, balance FROM quickstart_users WHERE age > $1 "
                        "ORDER BY id",
                        min_age);
  if (!rows.ok()) return rows.status();
  while ((*rows)->Next()) {
    int64_t id = 0;
    std::string name;
    int64_t balance = 0;
    absl::Status scanned = (*rows)->Scan(&id, &name, &balance);
    if (!scanned.ok()) return scanned;
    std::cout << id << " " << name << " has " << balance << "\n";
  }
  return (*rows)->Err();
}

absl::Status Run(const penstock::Config& config) {
  auto db = penstock::New(config);
  if (!db.ok()) return db.status();
  const penstock::Context ctx = penstock::Context().WithTimeout(absl::Seconds(10));
  absl::Status status = (*db)->Connect(ctx);
  if (status.ok()) status = CreateTable(db->get(), ctx);
  if (status.ok()) status = AddUsers(db->get(), ctx);
  if (status.ok()) status = Transfer(db->get(), ctx, 100);
  if (status.ok()) status = PrintUsers(db->get(), ctx, 16);
  return status;
}

}  // namespace

int main(int argc, char** argv) {
  penstock::Config config;
  if (argc > 1) config.target = argv[1];
  if (argc > 2) config.database = argv[2];
  const absl::Status status = Run(config);
  if (!status.ok()) std::cerr << "quickstart: " << status << "\n";
  return status.ok() ? 0 : 1;
}
