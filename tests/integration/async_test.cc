// Asynchronous calls of the C++ client against the built daemon.
#include <grpcpp/alarm.h>
#include <grpcpp/completion_queue.h>

#include <algorithm>
#include <asio/io_context.hpp>
#include <asio/post.hpp>
#include <atomic>
#include <condition_variable>
#include <deque>
#include <filesystem>
#include <future>
#include <latch>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/time/clock.h"
#include "fmt/format.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "penstock/penstock.h"
#include "tests/support/account.h"
#include "tests/support/coroutine.h"
#include "tests/support/daemon_folder.h"
#include "tests/support/eventually.h"
#include "tests/support/link_proxy.h"
#include "tests/support/process.h"

namespace penstock::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

// Runs tasks when the test says so.
class Hand {
 public:
  AsyncExecutor executor() {
    return [this](absl::AnyInvocable<void()> task) {
      const std::lock_guard lock(mutex_);
      tasks_.push_back(std::move(task));
      changed_.notify_all();
    };
  }
  // Waits for a task and returns it.
  absl::AnyInvocable<void()> Take() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return !tasks_.empty(); });
    absl::AnyInvocable<void()> task = std::move(tasks_.front());
    tasks_.pop_front();
    return task;
  }
  size_t size() const {
    const std::lock_guard lock(mutex_);
    return tasks_.size();
  }

 private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<absl::AnyInvocable<void()>> tasks_;
};

// Starts a call and returns its result, which it waits for.
template <typename T>
AsyncResult<T> Get(Async<T> call) {
  std::promise<AsyncResult<T>> result;
  std::move(call).Start([&](AsyncResult<T> got) { result.set_value(std::move(got)); });
  return result.get_future().get();
}

// Runs for as long as it may.
constexpr char kEndless[] =
    "WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c) SELECT count(*) FROM c";

class AsyncTest : public ::testing::Test {
 protected:
  void SetUp() override {
    daemon_ = daemons_.Start();
    db_ = *New({.target = daemons_.target()});
    ASSERT_EQ(db_->Exec(ctx_, "CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT)").status(),
              absl::OkStatus());
  }

  // Waits until the daemon runs the statement.
  void AwaitEndless() {
    Eventually([&] {
      const absl::StatusOr<int64_t> one = db_->QueryRow<int64_t>(ctx_, "SELECT 1");
      return one.ok() && *one == 1;
    });
  }

  const DaemonFolder daemons_{"sqlite"};
  std::unique_ptr<Process> daemon_;
  std::unique_ptr<Provider> db_;
  const Context ctx_;
};

TEST_F(AsyncTest, EveryCallGivesWhatItsBlockingFormGives) {
  EXPECT_EQ(Get(db_->ExecAsync(ctx_, "INSERT INTO t VALUES ($1, $2)", 1, "one"))->RowsAffected(),
            1);
  EXPECT_EQ(Get(db_->ExecRowsAsync(ctx_, "INSERT INTO t VALUES ($1, $2)", {{2, "two"}, {3, "x"}}))
                ->RowsAffected(),
            2);
  EXPECT_EQ(Get(db_->ExecRowsAsync(ctx_, "INSERT INTO t VALUES ($1, $2)", {}))->RowsAffected(), 0);
  EXPECT_TRUE(
      IsUniqueViolation(Get(db_->ExecAsync(ctx_, "INSERT INTO t VALUES (1, 'again')")).status()));
  auto names =
      ReadAll<std::string>(Get(db_->QueryAsync(ctx_, "SELECT name FROM t WHERE id < $1", 3)));
  EXPECT_THAT(*names, ::testing::ElementsAre("one", "two"));

  auto statement = Get(db_->PrepareAsync(ctx_, "SELECT name FROM t WHERE id = $1"));
  ASSERT_TRUE(statement.ok()) << statement.status();
  EXPECT_EQ((*statement)->ParameterCount(), 1);
  EXPECT_EQ(*ReadOne<std::string>(Get((*statement)->QueryAsync(ctx_, 3))), "x");
  EXPECT_EQ(Get((*statement)->ExecAsync(ctx_, 3)).status(), absl::OkStatus());
  EXPECT_TRUE(absl::IsInvalidArgument(Get(db_->PrepareAsync(ctx_, "SELEKT")).status()));

  const auto kv = db_->KeyValue("");
  EXPECT_EQ(Get(kv->PutAsync(ctx_, "a", "1")), absl::OkStatus());
  EXPECT_EQ(**Get(kv->GetAsync(ctx_, "a")), "1");
  EXPECT_EQ(*Get(kv->GetAsync(ctx_, "b")), std::nullopt);
  EXPECT_THAT(*Get(kv->BatchGetAsync(ctx_, {"a", "b"})), ::testing::ElementsAre("1", std::nullopt));
  EXPECT_TRUE(
      Get(kv->WriteAsync(ctx_, {Condition::Absent("b")}, {Mutation::Put("b", "2")}))->applied);
  EXPECT_FALSE(
      Get(kv->WriteAsync(ctx_, {Condition::Absent("b")}, {Mutation::Put("b", "3")}))->applied);
  auto entries = Get(kv->ScanAsync(ctx_, {}));
  ASSERT_TRUE(entries.ok()) << entries.status();
  std::string all;
  while (*Get((*entries)->NextAsync())) all += (*entries)->Key() + (*entries)->Value();
  EXPECT_EQ(all, "a1b2");
  EXPECT_EQ(Get(kv->DeleteAsync(ctx_, "a")), absl::OkStatus());
  EXPECT_EQ(*Get(kv->DeleteRangeAsync(ctx_, {.start = "c"})), 0);
  EXPECT_EQ(*Get(kv->DeletePrefixAsync(ctx_, "b")), 1);
}

TEST_F(AsyncTest, ItDoesNothingBeforeItIsStarted) {
  { auto dropped = db_->ExecAsync(ctx_, "INSERT INTO t VALUES (1, 'one')"); }
  EXPECT_EQ(*db_->QueryRow<int64_t>(ctx_, "SELECT count(*) FROM t"), 0);
}

// Neither when it succeeds, nor when it fails before anything is sent, nor with an executor that
// runs tasks at once.
TEST_F(AsyncTest, ItNeverCompletesInsideTheCallThatStartsIt) {
  const Context cancelled;
  cancelled.Cancel();
  const AsyncExecutor at_once = [](absl::AnyInvocable<void()> task) { task(); };
  for (const Context& ctx : {ctx_, cancelled}) {
    for (const char* sql : {"SELECT 1", ""}) {
      for (const AsyncExecutor& executor : {AsyncExecutor(), at_once}) {
        std::promise<std::thread::id> completed;
        db_->QueryAsync(ctx, sql).On(executor).Start(
            [&](auto&&) { completed.set_value(std::this_thread::get_id()); });
        EXPECT_NE(completed.get_future().get(), std::this_thread::get_id()) << sql;
      }
    }
  }
}

TEST_F(AsyncTest, ItCompletesWhereItsExecutorSays) {
  Hand hand;
  std::thread::id completed;
  db_->QueryAsync(ctx_, "SELECT 1").Start(hand.executor(), [&](auto rows) {
    EXPECT_EQ(*ReadOne<int64_t>(std::move(rows)), 1);
    completed = std::this_thread::get_id();
  });
  auto task = hand.Take();
  EXPECT_EQ(completed, std::thread::id());
  task();
  EXPECT_EQ(completed, std::this_thread::get_id());
}

// Reads all rows, of several parts, from the executor.
Task ReadNumbers(Provider& db, int64_t most, AsyncExecutor executor,
                 std::promise<absl::StatusOr<int64_t>>* sum) {
  auto rows = co_await db
                  .QueryAsync(Context(),
                              "WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c "
                              "WHERE i < $1) SELECT i FROM c",
                              most)
                  .On(executor);
  if (!rows.ok()) {
    sum->set_value(rows.status());
    co_return;
  }
  int64_t total = 0;
  for (;;) {
    const absl::StatusOr<bool> more = co_await (*rows)->NextAsync();
    if (!more.ok()) sum->set_value(more.status());
    if (!more.ok()) co_return;
    if (!*more) break;
    int64_t number = 0;
    EXPECT_TRUE((*rows)->Scan(&number).ok());
    total += number;
  }
  sum->set_value(total);
}

TEST_F(AsyncTest, RowsOfManyPartsAreReadWithoutBlocking) {
  constexpr int64_t kMost = 200'000;
  std::promise<absl::StatusOr<int64_t>> sum;
  // In the Provider's own thread.
  const Task task = ReadNumbers(*db_, kMost, nullptr, &sum);
  const absl::StatusOr<int64_t> got = sum.get_future().get();
  ASSERT_TRUE(got.ok()) << got.status();
  EXPECT_EQ(*got, kMost * (kMost + 1) / 2);
}

TEST_F(AsyncTest, ABlockingCallInTheProvidersOwnThreadIsRefused) {
  std::promise<absl::Status> refused;
  db_->QueryAsync(ctx_, "SELECT 1").Start([&](auto&&) {
    refused.set_value(db_->Exec(ctx_, "INSERT INTO t VALUES (1, 'one')").status());
  });
  const absl::Status status = refused.get_future().get();
  EXPECT_TRUE(absl::IsFailedPrecondition(status)) << status;
  EXPECT_THAT(GetErrorDetails(status).hint, HasSubstr("executor")) << status;
}

Task Count(Provider& db, const AsyncExecutor& executor, std::promise<int64_t>* result) {
  auto rows = co_await db.QueryAsync(Context(), "SELECT count(*) FROM t").On(executor);
  result->set_value(ReadOne<int64_t>(std::move(rows)).value_or(-1));
}

TEST_F(AsyncTest, ItRunsUnderAsio) {
  asio::io_context io;
  std::promise<int64_t> result;
  std::thread::id completed;
  const AsyncExecutor executor = [&](absl::AnyInvocable<void()> task) {
    asio::post(io, [&, task = std::move(task)]() mutable {
      completed = std::this_thread::get_id();
      task();
    });
  };
  const Task task = Count(*db_, executor, &result);
  auto future = result.get_future();
  auto work = asio::make_work_guard(io);
  while (future.wait_for(std::chrono::seconds(0)) != std::future_status::ready) io.run_one();
  EXPECT_EQ(future.get(), 0);
  EXPECT_EQ(completed, std::this_thread::get_id());
}

// A thread that serves gRPC's own events, as that of an asynchronous gRPC server does.
TEST_F(AsyncTest, ItRunsInAThreadOfGrpcs) {
  struct Posted {
    absl::AnyInvocable<void()> task;
    grpc::Alarm alarm;
  };
  grpc::CompletionQueue queue;
  std::thread server([&] {
    void* tag = nullptr;
    for (bool ok = false; queue.Next(&tag, &ok);) {
      const std::unique_ptr<Posted> posted(static_cast<Posted*>(tag));
      posted->task();
    }
  });
  const AsyncExecutor executor = [&](absl::AnyInvocable<void()> task) {
    auto* const posted = new Posted{.task = std::move(task)};
    posted->alarm.Set(&queue, std::chrono::system_clock::now(), posted);
  };
  std::promise<int64_t> result;
  const Task task = Count(*db_, executor, &result);
  EXPECT_EQ(result.get_future().get(), 0);
  queue.Shutdown();
  server.join();
}

Task Insert(Provider& db, const Context& ctx, const AsyncExecutor& executor, const char* sql,
            std::shared_ptr<int> kept, bool* went_on) {
  auto result = co_await db.ExecAsync(ctx, sql).On(executor);
  *went_on = true;
  *kept = result.ok() ? 1 : 2;
}

// In the daemon, and in its executor.
TEST_F(AsyncTest, ACoroutineMayBeDestroyedWhileItWaits) {
  Hand hand;
  bool went_on = false;
  auto kept = std::make_shared<int>(0);
  {
    const Task task = Insert(*db_, ctx_, hand.executor(), kEndless, kept, &went_on);
    AwaitEndless();
  }
  EXPECT_EQ(kept.use_count(), 1);
  {
    const Task task =
        Insert(*db_, ctx_, hand.executor(), "INSERT INTO t VALUES (1, 'one')", kept, &went_on);
    Eventually([&] { return hand.size() == 1; });
  }
  EXPECT_EQ(kept.use_count(), 1);
  hand.Take()();
  EXPECT_FALSE(went_on);
  // The daemon has cancelled the endless one, or the only writer of the next would wait for it.
  EXPECT_EQ(db_->Exec(ctx_, "INSERT INTO t VALUES (2, 'two')").status(), absl::OkStatus());
}

TEST_F(AsyncTest, CancelledBeforeDuringAndAfter) {
  const Context before;
  before.Cancel();
  const absl::Status refused = Get(db_->ExecAsync(before, "DELETE FROM t")).status();
  EXPECT_TRUE(IsCancelled(refused) && !IsCommitOutcomeUnknown(refused)) << refused;

  const Context during;
  std::promise<absl::Status> ended;
  db_->QueryAsync(during, kEndless).Start([&](auto rows) { ended.set_value(rows.status()); });
  AwaitEndless();
  const absl::Time began = absl::Now();
  during.Cancel();
  const absl::Status cancelled = ended.get_future().get();
  EXPECT_TRUE(IsCancelled(cancelled)) << cancelled;
  EXPECT_LT(absl::Now() - began, absl::Seconds(2));

  const Context after;
  EXPECT_EQ(Get(db_->ExecAsync(after, "DELETE FROM t")).status(), absl::OkStatus());
  after.Cancel();
}

TEST_F(AsyncTest, ADeadlineEndsIt) {
  const absl::Time began = absl::Now();
  const absl::Status status =
      Get(db_->QueryAsync(ctx_.WithTimeout(absl::Milliseconds(100)), kEndless)).status();
  EXPECT_TRUE(IsTimeout(status)) << status;
  EXPECT_LT(absl::Now() - began, absl::Seconds(2));
}

TEST_F(AsyncTest, ADeadlineEndsItAlsoWhenTheDaemonIsStopped) {
  ASSERT_EQ(Get(db_->ExecAsync(ctx_, "DELETE FROM t")).status(), absl::OkStatus());
  daemon_->Signal(SIGSTOP);
  const absl::Time began = absl::Now();
  std::latch done(100);
  std::atomic<int> timeouts = 0;
  for (int i = 0; i < 100; ++i) {
    const std::string value(size_t{10} << (i % 12), 'x');
    db_->ExecAsync(ctx_.WithTimeout(absl::Milliseconds(300)), "INSERT INTO t VALUES ($1, $2)", i,
                   value)
        .Start([&](const absl::StatusOr<Result>& result) {
          if (IsTimeout(result.status())) ++timeouts;
          done.count_down();
        });
  }
  done.wait();
  EXPECT_EQ(timeouts, 100);
  EXPECT_LT(absl::Now() - began, absl::Seconds(3));
  daemon_->Signal(SIGCONT);
}

TEST_F(AsyncTest, ClosingTheProviderEndsCalls) {
  std::promise<absl::Status> ended;
  db_->QueryAsync(ctx_, kEndless).Start([&](auto rows) { ended.set_value(rows.status()); });
  AwaitEndless();
  EXPECT_EQ(db_->Close(), absl::OkStatus());
  const absl::Status status = ended.get_future().get();
  EXPECT_TRUE(IsCommitOutcomeUnknown(status)) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr("closed"));
  EXPECT_TRUE(absl::IsFailedPrecondition(Get(db_->QueryAsync(ctx_, "SELECT 1")).status()));
}

TEST_F(AsyncTest, DestroyingTheProviderEndsCallsAndDoesNotWaitForTheirCompletions) {
  Hand hand;
  std::promise<absl::Status> ended;
  db_->QueryAsync(ctx_, kEndless).Start(hand.executor(), [&](auto rows) {
    ended.set_value(rows.status());
  });
  AwaitEndless();
  auto late = db_->QueryAsync(ctx_, "SELECT 1");
  db_ = nullptr;
  hand.Take()();
  const absl::Status status = ended.get_future().get();
  EXPECT_TRUE(IsCommitOutcomeUnknown(status)) << status;
  EXPECT_TRUE(absl::IsFailedPrecondition(Get(std::move(late)).status()));
}

TEST_F(AsyncTest, ACallbackMayDestroyTheProvider) {
  std::promise<void> destroyed;
  db_->QueryAsync(ctx_, "SELECT 1").Start([&](auto rows) {
    EXPECT_TRUE(rows.ok()) << rows.status();
    rows->reset();
    db_ = nullptr;
    destroyed.set_value();
  });
  destroyed.get_future().get();
}

TEST_F(AsyncTest, AStatementMayBeDestroyedWhileItRuns) {
  auto statement = *db_->Prepare(ctx_, "SELECT $1");
  auto call = statement->QueryAsync(ctx_, 7);
  statement = nullptr;
  EXPECT_EQ(*ReadOne<int64_t>(Get(std::move(call))), 7);
}

size_t Threads() {
  const std::filesystem::directory_iterator threads("/proc/self/task");
  return static_cast<size_t>(std::distance(begin(threads), end(threads)));
}

// A chain of calls, each of which is made when the one before has completed.
struct Chain {
  Provider* db;
  Statement* select;
  int64_t left;
  std::latch* done;

  void Go() {
    if (left-- == 0) return done->count_down();
    select->QueryAsync(Context(), left).Start([this](auto rows) {
      EXPECT_EQ(ReadOne<int64_t>(std::move(rows)).value_or(-1), left);
      Go();
    });
  }
};

TEST_F(AsyncTest, TenThousandInFlightNeedNoThreads) {
  constexpr int kChains = 10'000;
  const auto select = *db_->Prepare(ctx_, "SELECT $1");
  // All of gRPC's threads and the client's own have been started.
  ASSERT_EQ(*ReadOne<int64_t>(Get(select->QueryAsync(ctx_, 1))), 1);
  const size_t before = Threads();
  std::latch done(kChains);
  std::vector<Chain> chains(
      kChains, Chain{.db = db_.get(), .select = select.get(), .left = 5, .done = &done});
  for (Chain& chain : chains) chain.Go();
  EXPECT_LE(Threads(), before + 1);
  done.wait();
  EXPECT_LE(Threads(), before + 1);
}

// Blocking callers, alone and together, while asynchronous calls run and do not.
TEST_F(AsyncTest, BlockingCallersShareTheStream) {
  const auto select = *db_->Prepare(ctx_, "SELECT $1");
  const auto call = [&](int64_t number) {
    auto rows = select->Query(ctx_, number);
    EXPECT_EQ(ReadOne<int64_t>(std::move(rows)).value_or(-1), number);
  };
  for (int round = 0; round < 3; ++round) {
    for (int64_t i = 0; i < 200; ++i) call(i);
    std::latch done(round);
    Chain chain{.db = db_.get(), .select = select.get(), .left = 2000, .done = &done};
    if (round > 0) chain.Go();
    if (round > 1) done.count_down();
    std::vector<std::thread> callers;
    for (int caller = 0; caller < 64; ++caller) {
      callers.emplace_back([&, caller] {
        for (int64_t i = 0; i < 50; ++i) call(100 * caller + i);
      });
    }
    for (std::thread& caller : callers) caller.join();
    done.wait();
  }
}

// Each of the calls has one outcome, and the database agrees with it.
TEST_F(AsyncTest, OutcomesAreTrueWhenLinksAreCut) {
  constexpr int kInFlight = 256;
  LinkProxy link(daemons_.target());
  const auto db = *New({.target = link.target()});
  const auto insert = *db->Prepare(ctx_, "INSERT INTO t VALUES ($1, 'x')");
  Account account;
  std::atomic<int64_t> next = 0;
  std::atomic<bool> stop = false;
  std::atomic<int> twice = 0;
  std::latch done(kInFlight);
  std::function<void()> go = [&] {
    if (stop) return done.count_down();
    const int64_t id = ++next;
    const auto over = [&, id, told = false](const absl::StatusOr<Result>& result) mutable {
      if (std::exchange(told, true)) ++twice;
      account.Enter(std::to_string(id), result.status());
      go();
    };
    if (id % 2 == 0) {
      insert->ExecAsync(Context(), id).Start(over);
    } else {
      db->ExecAsync(Context(), "INSERT INTO t VALUES ($1, 'y')", id).Start(over);
    }
  };
  for (int i = 0; i < kInFlight; ++i) go();
  for (int cut = 0; cut < 6; ++cut) {
    const size_t before = account.acknowledged();
    Eventually([&] { return account.acknowledged() >= before + 1000; });
    if (cut % 3 == 1) link.SwallowAnswers();
    if (cut % 3 == 2) link.Swallow();
    if (cut % 3 != 0) std::this_thread::sleep_for(std::chrono::milliseconds(20));
    link.Cut(cut % 2 == 0 ? LinkProxy::End::kClose : LinkProxy::End::kReset);
    link.SwallowAnswers(false);
    link.Swallow(false);
  }
  stop = true;
  done.wait();
  std::map<std::string, int> there;
  const auto ids = db_->QueryAll<int64_t>(ctx_, "SELECT id FROM t");
  ASSERT_TRUE(ids.ok()) << ids.status();
  for (const int64_t id : *ids) ++there[std::to_string(id)];
  EXPECT_THAT(account.Check(there), IsEmpty());
  EXPECT_THAT(account.NotRetryable(), IsEmpty());
  EXPECT_EQ(twice, 0);
  fmt::print("{}\n", account.Summary());
}

}  // namespace
}  // namespace penstock::testing
