#include "tests/bench/direct_sqlite.h"

#include <fmt/format.h>
#include <sqlite3.h>

#include <atomic>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "tests/bench/load.h"

namespace penstock::bench {
namespace {

// SQLite waits for the writer itself, for far longer than any caller here has to.
constexpr int kBusyTimeoutMs = 60'000;

struct CloseDatabase {
  void operator()(sqlite3* db) const { sqlite3_close_v2(db); }
};
struct FinalizeStatement {
  void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
};
using Database = std::unique_ptr<sqlite3, CloseDatabase>;
using Statement = std::unique_ptr<sqlite3_stmt, FinalizeStatement>;

absl::Status Error(sqlite3* db) {
  return absl::InternalError(fmt::format("sqlite: {}", sqlite3_errmsg(db)));
}

absl::Status Execute(sqlite3* db, const std::string& sql) {
  const int code = sqlite3_exec(db, sql.c_str(), nullptr, nullptr, nullptr);
  return code == SQLITE_OK ? absl::OkStatus() : Error(db);
}

absl::StatusOr<Database> Open(const std::string& path) {
  sqlite3* raw = nullptr;
  const int code =
      sqlite3_open_v2(path.c_str(), &raw,
                      SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, nullptr);
  Database db(raw);
  if (code != SQLITE_OK) return Error(raw);
  sqlite3_busy_timeout(raw, kBusyTimeoutMs);
  absl::Status set = Execute(raw, "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL");
  if (!set.ok()) return set;
  return db;
}

absl::StatusOr<Statement> Prepare(sqlite3* db, const char* sql) {
  sqlite3_stmt* raw = nullptr;
  if (sqlite3_prepare_v2(db, sql, -1, &raw, nullptr) != SQLITE_OK) return Error(db);
  return Statement(raw);
}

// Inserts rows until `stop`, and counts those that are durable.
absl::Status InsertUntil(const std::string& path, const std::atomic<bool>& stop,
                         std::atomic<int64_t>* inserted) {
  absl::StatusOr<Database> db = Open(path);
  if (!db.ok()) return db.status();
  absl::StatusOr<Statement> insert = Prepare(db->get(), kInsertSql);
  if (!insert.ok()) return insert.status();
  for (int64_t value = 1; !stop; ++value) {
    sqlite3_bind_int64(insert->get(), 1, value);
    sqlite3_step(insert->get());
    if (sqlite3_reset(insert->get()) != SQLITE_OK) return Error(db->get());
    inserted->fetch_add(1, std::memory_order_relaxed);
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status MakeDatabase(const std::string& path) {
  absl::StatusOr<Database> db = Open(path);
  if (!db.ok()) return db.status();
  return Execute(
      db->get(),
      fmt::format("CREATE TABLE points(id INTEGER PRIMARY KEY, name TEXT);"
                  "CREATE TABLE events(id INTEGER PRIMARY KEY, v INTEGER);"
                  "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {0})"
                  "INSERT INTO points SELECT i, printf('%0{1}d', i) FROM n",
                  kSelectRows, kNameLength));
}

absl::StatusOr<int64_t> CountInserts(const std::string& path) {
  absl::StatusOr<Database> db = Open(path);
  if (!db.ok()) return db.status();
  absl::StatusOr<Statement> count = Prepare(db->get(), "SELECT count(*) FROM events");
  if (!count.ok()) return count.status();
  if (sqlite3_step(count->get()) != SQLITE_ROW) return Error(db->get());
  return sqlite3_column_int64(count->get(), 0);
}

absl::StatusOr<double> DirectInserts(const std::string& path, int callers,
                                     std::chrono::milliseconds warm_up,
                                     std::chrono::milliseconds measured) {
  std::atomic<bool> stop{false};
  std::atomic<int64_t> inserted{0};
  std::mutex mutex;
  absl::Status status;
  std::vector<std::thread> threads;
  for (int i = 0; i < callers; ++i) {
    threads.emplace_back([&] {
      absl::Status ended = InsertUntil(path, stop, &inserted);
      std::lock_guard lock(mutex);
      status.Update(ended);
    });
  }
  std::this_thread::sleep_for(warm_up);
  const int64_t before = inserted;
  const auto start = std::chrono::steady_clock::now();
  std::this_thread::sleep_for(measured);
  const int64_t after = inserted;
  const std::chrono::duration<double> passed = std::chrono::steady_clock::now() - start;
  stop = true;
  for (std::thread& thread : threads) thread.join();
  if (!status.ok()) return status;
  return static_cast<double>(after - before) / passed.count();
}

}  // namespace penstock::bench
