// Every sort of call that writes, while the daemon is killed, told to stop and cut off
// from its clients again and again: what was acknowledged is there once, and what was said
// to have had no effect is not there.
#include <signal.h>

#include <atomic>
#include <cstdlib>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <ostream>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "fmt/format.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "penstock/penstock.h"
#include "tests/support/daemon_folder.h"

namespace penstock::testing {
namespace {

using ::testing::IsEmpty;

// PENSTOCK_TEST_ENDS, for a long run; 4.
int Ends() {
  const char* said = std::getenv("PENSTOCK_TEST_ENDS");
  return said == nullptr ? 4 : std::max(1, std::atoi(said));
}

// What differs between drivers. The ids are texts, because keys are.
struct DriverCase {
  std::string name;
  std::string create;
  // Writes the row of $1; and the same, so that it takes some hundredth of a second.
  std::string insert;
  std::string slow_insert;
};
void PrintTo(const DriverCase& driver, std::ostream* out) { *out << driver.name; }

const DriverCase kPostgres{.name = "postgres",
                           .create = "CREATE TABLE ids (key text, value text)",
                           .insert = "INSERT INTO ids VALUES ($1, '')",
                           .slow_insert = "INSERT INTO ids SELECT $1, 'x' || pg_sleep(0.03)::text"};
const DriverCase kSqlite{.name = "sqlite",
                         .create = "CREATE TABLE ids (key TEXT, value TEXT)",
                         .insert = "INSERT INTO ids VALUES ($1, '')",
                         .slow_insert =
                             "INSERT INTO ids SELECT $1, (WITH RECURSIVE c(i) AS (SELECT 1 "
                             "UNION ALL SELECT i + 1 FROM c WHERE i < 100000) "
                             "SELECT count(*) FROM c)"};
const DriverCase kPebble{.name = "pebble",
                         .create = "CREATE TABLE ids (key TEXT PRIMARY KEY, value TEXT)",
                         .insert = "INSERT INTO ids VALUES ($1, '')",
                         .slow_insert = kSqlite.slow_insert};

// What the callers were told of each id.
class Account {
 public:
  void Enter(const std::string& id, const absl::Status& status) {
    const std::lock_guard lock(mutex_);
    if (status.ok()) {
      acknowledged_.push_back(id);
    } else if (IsCommitOutcomeUnknown(status)) {
      unknown_.push_back(id);
    } else if (IsRetryable(status) || IsTransactionRetryable(status)) {
      refused_.emplace(id, status.ToString());
    } else {
      complaints_.push_back(id + ": " + status.ToString());
    }
  }
  size_t acknowledged() const {
    const std::lock_guard lock(mutex_);
    return acknowledged_.size();
  }

  // What does not agree with the rows that are there, by how often each id is.
  std::vector<std::string> Check(const std::map<std::string, int>& there) const {
    std::vector<std::string> wrong = complaints_;
    const auto count = [&](const std::string& id) {
      const auto found = there.find(id);
      return found == there.end() ? 0 : found->second;
    };
    for (const std::string& id : acknowledged_) {
      if (count(id) != 1) wrong.push_back(fmt::format("{} is there {} times", id, count(id)));
    }
    for (const std::string& id : unknown_) {
      if (count(id) > 1) wrong.push_back(fmt::format("{} is there {} times", id, count(id)));
    }
    for (const auto& [id, why] : refused_) {
      if (count(id) != 0) wrong.push_back(fmt::format("{} is there, and was refused: {}", id, why));
    }
    return wrong;
  }
  std::string Summary() const {
    return fmt::format("{} acknowledged, {} refused, {} unknown", acknowledged_.size(),
                       refused_.size(), unknown_.size());
  }

 private:
  mutable std::mutex mutex_;
  std::vector<std::string> acknowledged_;
  std::vector<std::string> unknown_;
  std::map<std::string, std::string> refused_;
  std::vector<std::string> complaints_;
};

absl::Status ReadAll(absl::StatusOr<std::unique_ptr<Rows>> rows) {
  if (!rows.ok()) return rows.status();
  while ((*rows)->Next()) {
  }
  return (*rows)->Err();
}

class AtMostOnce : public ::testing::TestWithParam<DriverCase> {
 protected:
  using Call = std::function<void(const std::string& id)>;

  void SetUp() override {
    auto db = New(penstock::Config{.target = daemons_.target()});
    ASSERT_TRUE(db.ok()) << db.status();
    db_ = *std::move(db);
    AddCalls();
  }
  void TearDown() override { StopCallers(); }

  static Context Limited() { return Context().WithTimeout(absl::Seconds(60)); }

  // Each with the one id that it is given, or with several that begin with it.
  void AddCalls() {
    const std::string insert = GetParam().insert;
    for (const std::string& sql : {insert, GetParam().slow_insert}) {
      Add("exec", [this, sql](const std::string& id) {
        account_.Enter(id, db_->Exec(Limited(), sql, id).status());
      });
      Add("query", [this, sql](const std::string& id) {
        account_.Enter(id, ReadAll(db_->Query(Limited(), sql, id)));
      });
      Add("batch", [this, sql](const std::string& id) {
        std::vector<BatchStatement> batch;
        for (int i = 0; i < 5; ++i) batch.push_back({sql, {fmt::format("{}.{}", id, i)}});
        const auto outcomes = db_->ExecBatch(Limited(), batch);
        for (int i = 0; i < 5; ++i) {
          account_.Enter(fmt::format("{}.{}", id, i), outcomes[static_cast<size_t>(i)].status());
        }
      });
      Add("statement", [this, sql](const std::string& id) {
        auto statement = db_->Prepare(Limited(), sql);
        if (!statement.ok()) return account_.Enter(id, statement.status());
        for (int i = 0; i < 4; ++i) {
          const std::string each = fmt::format("{}.{}", id, i);
          account_.Enter(each, i % 2 == 0 ? (*statement)->Exec(Limited(), each).status()
                                          : ReadAll((*statement)->Query(Limited(), each)));
        }
      });
      Add("transaction", [this, sql](const std::string& id) {
        const Context ctx = Limited();
        account_.Enter(id, RunInTransaction(ctx, *db_, [&](Transaction& transaction) {
                         return transaction.Exec(ctx, sql, id).status();
                       }));
      });
    }
    Add("rows", [this, insert](const std::string& id) {
      std::vector<Args> rows;
      for (int i = 0; i < 20; ++i) rows.push_back({fmt::format("{}.{}", id, i)});
      const absl::Status status = db_->ExecRows(Limited(), insert, rows).status();
      for (int i = 0; i < 20; ++i) account_.Enter(fmt::format("{}.{}", id, i), status);
    });
    Add("put", [this](const std::string& id) {
      account_.Enter(id, db_->KeyValue("keys")->Put(Limited(), id, "x"));
    });
    Add("write", [this](const std::string& id) {
      account_.Enter(
          id, db_->KeyValue("keys")->Write(Limited(), {}, {Mutation::Put(id, "x")}).status());
    });
  }

  void Add(const std::string& name, Call call) {
    calls_.emplace_back(fmt::format("{}{}", name, calls_.size()), std::move(call));
  }

  void StartCallers() {
    for (const auto& [name, call] : calls_) {
      callers_.emplace_back([this, &name = name, &call = call] {
        for (int i = 0; !stopping_; ++i) call(fmt::format("{}-{}", name, i));
      });
    }
  }
  void StopCallers() {
    stopping_ = true;
    for (std::thread& caller : std::exchange(callers_, {})) caller.join();
  }

  // How often each id is there.
  std::map<std::string, int> There() const {
    std::map<std::string, int> there;
    auto rows = db_->Query(Limited(), "SELECT key FROM ids");
    EXPECT_TRUE(rows.ok()) << rows.status();
    if (!rows.ok()) return there;
    for (std::string id; (*rows)->Next();) {
      EXPECT_TRUE((*rows)->Scan(&id).ok());
      ++there[id];
    }
    EXPECT_TRUE((*rows)->Err().ok()) << (*rows)->Err();
    auto entries = db_->KeyValue("keys")->Scan(Limited(), {});
    EXPECT_TRUE(entries.ok()) << entries.status();
    if (!entries.ok()) return there;
    while ((*entries)->Next()) ++there[(*entries)->Key()];
    EXPECT_TRUE((*entries)->Err().ok()) << (*entries)->Err();
    return there;
  }

  const DaemonFolder daemons_{GetParam().name, "drain_grace: 10ms"};
  std::unique_ptr<Provider> db_;
  std::vector<std::pair<std::string, Call>> calls_;
  Account account_;
  std::atomic<bool> stopping_{false};
  std::vector<std::thread> callers_;
};
INSTANTIATE_TEST_SUITE_P(Drivers, AtMostOnce, ::testing::Values(kPostgres, kSqlite, kPebble),
                         [](const auto& tested) { return tested.param.name; });

TEST_P(AtMostOnce, HoldsHoweverTheDaemonEnds) {
  std::unique_ptr<Process> daemon = daemons_.Start();
  ASSERT_TRUE(db_->Exec(Limited(), GetParam().create).ok());
  StartCallers();
  for (int end = 0; end < Ends(); ++end) {
    // In the midst of things.
    const size_t before = account_.acknowledged();
    while (account_.acknowledged() < before + 200) std::this_thread::yield();
    daemon->Signal(end % 2 == 0 ? SIGTERM : SIGKILL);
    daemon->Wait();
    daemon = daemons_.Start();
    ASSERT_FALSE(HasFailure());
  }
  StopCallers();
  EXPECT_THAT(account_.Check(There()), IsEmpty());
  RecordProperty("account", account_.Summary());
  fmt::print("{}: {}\n", GetParam().name, account_.Summary());
}

}  // namespace
}  // namespace penstock::testing
