// Key-value operations in one page: accounts between which money is moved by compare-and-set. The
// program is the same for each driver: sqlite, postgres, cockroachdb and pebble.
//
//   accounts [TARGET [DATABASE]]
//
// TARGET defaults to 127.0.0.1:7420, DATABASE to the daemon's default. The keyspace `accounts` is
// emptied and filled again. If something fails, the program says why and exits with 1.
#include <cstdint>
#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "penstock/penstock.h"

namespace {

using penstock::Condition;
using penstock::Context;
using penstock::KeyValue;
using penstock::Mutation;

constexpr int kAccounts = 10;
constexpr int64_t kBalance = 100;
constexpr int kMovers = 4;
constexpr int kTransfers = 25;

// The prefix of all keys. Keys are ordered by their bytes.
std::string KeyOf(int number) { return "account/" + std::to_string(number); }

absl::Status OpenAccounts(KeyValue* accounts, const Context& ctx) {
  std::vector<Mutation> mutations = {Mutation::DeletePrefix("")};
  for (int i = 0; i < kAccounts; ++i) {
    mutations.push_back(Mutation::Put(KeyOf(i), std::to_string(kBalance)));
  }
  // Either both mutations take effect or neither does.
  return accounts->Write(ctx, {}, mutations).status();
}

// Moves money if there is enough, and if both balances are still the ones from which the new ones
// were computed. Otherwise somebody else was faster, and it tries again.
absl::Status Transfer(KeyValue* accounts, const Context& ctx, int from, int to, int64_t amount) {
  for (;;) {
    // Reads both from one snapshot.
    auto balances = accounts->BatchGet(ctx, {KeyOf(from), KeyOf(to)});
    if (!balances.ok()) return balances.status();
    const std::optional<std::string>& payer = (*balances)[0];
    const std::optional<std::string>& payee = (*balances)[1];
    if (!payer || !payee) return absl::NotFoundError("there is no such account");
    if (std::stoll(*payer) < amount) return absl::OkStatus();
    auto written = accounts->Write(
        ctx,
        {Condition::ValueEquals(KeyOf(from), *payer), Condition::ValueEquals(KeyOf(to), *payee)},
        {Mutation::Put(KeyOf(from), std::to_string(std::stoll(*payer) - amount)),
         Mutation::Put(KeyOf(to), std::to_string(std::stoll(*payee) + amount))});
    if (written.ok() && written->applied) return absl::OkStatus();
    // Two transfers conflicted: this one had no effect and can be repeated.
    if (!written.ok() && !absl::IsAborted(written.status())) return written.status();
  }
}

absl::Status MoveMoney(KeyValue* accounts, const Context& ctx, int mover) {
  for (int i = 0; i < kTransfers; ++i) {
    const int from = (mover + i * 3) % kAccounts;
    const int to = (from + 1 + i % (kAccounts - 1)) % kAccounts;
    absl::Status moved = Transfer(accounts, ctx, from, to, 1 + i % 7);
    if (!moved.ok()) return moved;
  }
  return absl::OkStatus();
}

absl::Status MoveMoneyAtOnce(KeyValue* accounts, const Context& ctx) {
  std::vector<absl::Status> results(kMovers);
  std::vector<std::thread> movers;
  for (int i = 0; i < kMovers; ++i) {
    movers.emplace_back([&, i] { results[i] = MoveMoney(accounts, ctx, i); });
  }
  for (std::thread& mover : movers) mover.join();
  for (const absl::Status& result : results) {
    if (!result.ok()) return result;
  }
  return absl::OkStatus();
}

absl::Status PrintAndAddUp(KeyValue* accounts, const Context& ctx) {
  auto entries = accounts->Scan(ctx, {.prefix = "account/"});
  if (!entries.ok()) return entries.status();
  int64_t sum = 0;
  while ((*entries)->Next()) {
    std::cout << (*entries)->Key() << " has " << (*entries)->Value() << "\n";
    sum += std::stoll((*entries)->Value());
  }
  if (!(*entries)->Err().ok()) return (*entries)->Err();
  std::cout << "together " << sum << "\n";
  if (sum == kAccounts * kBalance) return absl::OkStatus();
  return absl::DataLossError("money was made, or lost");
}

absl::Status Run(const penstock::Config& config) {
  auto db = penstock::New(config);
  if (!db.ok()) return db.status();
  const std::unique_ptr<KeyValue> accounts = (*db)->KeyValue("accounts");
  const Context ctx = Context().WithTimeout(absl::Minutes(1));
  absl::Status status = OpenAccounts(accounts.get(), ctx);
  if (status.ok()) status = MoveMoneyAtOnce(accounts.get(), ctx);
  if (status.ok()) status = PrintAndAddUp(accounts.get(), ctx);
  return status;
}

}  // namespace

int main(int argc, char** argv) {
  penstock::Config config;
  if (argc > 1) config.target = argv[1];
  if (argc > 2) config.database = argv[2];
  const absl::Status status = Run(config);
  if (!status.ok()) std::cerr << "accounts: " << status << "\n";
  return status.ok() ? 0 : 1;
}
