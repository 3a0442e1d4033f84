#include "tests/bench/client_callers.h"

#include <memory>
#include <optional>
#include <utility>

#include "fmt/format.h"
#include "penstock/penstock.h"
#include "penstock/sql.h"
#include "tests/bench/callers.h"

namespace penstock::bench {
namespace {

using Point = std::pair<int64_t, std::string>;
using Found = absl::StatusOr<std::unique_ptr<Rows>>;

constexpr char kFailingSql[] = "SELECT id, name FROM points WHERE id = $1 / 0";
constexpr char kDivisionByZero[] = "22012";
constexpr char kSlowSql[] = "SELECT id, name FROM points, pg_sleep(0.05) WHERE id = $1";
// Lasts longer than any round, so that it ends by being cancelled.
constexpr char kEndlessSql[] = "SELECT id, name FROM points, pg_sleep(600) WHERE id = $1";

std::string CheckPoint(int64_t id, const absl::StatusOr<Point>& point) {
  if (!point.ok()) return point.status().ToString();
  if (point->first == id && point->second.size() == kNameLength) return {};
  return fmt::format("asked for row {}, got {}", id, point->first);
}

struct Points : sql::Table<Points, "points"> {
  sql::Col<Points, int64_t, "id"> id;
  sql::Col<Points, std::string, "name"> name;
};
constexpr Points points;

std::string AskByText(Provider& db, int64_t id) {
  return CheckPoint(id, db.QueryRow<Point>(Context(), kSelectSql, id));
}

std::string AskByBuilder(Provider& db, int64_t id) {
  static const auto by_id = sql::Select(points.id, points.name)
                                .From(points)
                                .Where(points.id == sql::Param<"id", int64_t>());
  return CheckPoint(id, by_id.Bind<"id">(id).FetchOne<Point>(Context(), db));
}

// The kinds of calls that are made in both ways: Call blocks, Start makes an Async, and Check
// returns what is wrong with the result of either (empty if nothing is). Shared by all callers.

struct SelectMethod {
  Statement* statement;
  Context ctx = {};
  Found Call(int64_t id) const { return statement->Query(ctx, id); }
  Async<std::unique_ptr<Rows>> Start(int64_t id) const { return statement->QueryAsync(ctx, id); }
  static std::string Check(int64_t id, Found rows) {
    return CheckPoint(id, ReadOne<Point>(std::move(rows)));
  }
};

struct FailingMethod : SelectMethod {
  static std::string Check(int64_t /*id*/, const Found& rows) {
    if (GetErrorDetails(rows.status()).sqlstate == kDivisionByZero) return {};
    return "a run has not failed by its division: " + rows.status().ToString();
  }
};

struct InsertMethod {
  Statement* statement;
  Context ctx = {};
  absl::StatusOr<Result> Call(int64_t id) const { return statement->Exec(ctx, id); }
  Async<Result> Start(int64_t id) const { return statement->ExecAsync(ctx, id); }
  static std::string Check(int64_t /*id*/, const absl::StatusOr<Result>& result) {
    if (!result.ok()) return result.status().ToString();
    if (result->RowsAffected() == 1) return {};
    return fmt::format("{} rows were inserted by one run", result->RowsAffected());
  }
};

struct ClientGetMethod {
  KeyValue* keys;
  Context ctx = {};
  absl::StatusOr<std::optional<std::string>> Call(int64_t id) const {
    return keys->Get(ctx, KeyOf(id));
  }
  Async<std::optional<std::string>> Start(int64_t id) const {
    return keys->GetAsync(ctx, KeyOf(id));
  }
  static std::string Check(int64_t id, const absl::StatusOr<std::optional<std::string>>& value) {
    if (!value.ok()) return value.status().ToString();
    if (*value == ValueOf(id)) return {};
    return fmt::format("asked for {}, got: {}", KeyOf(id), value->value_or("nothing"));
  }
};

struct ClientPutMethod {
  KeyValue* keys;
  Context ctx = {};
  absl::Status Call(int64_t id) const { return keys->Put(ctx, KeyOf(id), ValueOf(id)); }
  Async<void> Start(int64_t id) const { return keys->PutAsync(ctx, KeyOf(id), ValueOf(id)); }
  static std::string Check(int64_t /*id*/, const absl::Status& put) {
    return put.ok() ? "" : put.ToString();
  }
};

template <typename Method>
class AsyncCaller final : public Caller {
 public:
  AsyncCaller(Method method, const Round& round, Progress* progress, int number)
      : Caller(round, progress, number), method_(std::move(method)) {
    Send();
  }

 private:
  void Send() {
    stopwatch_.Start();
    method_.Start(ids_.current()).Start([this](auto result) { OnAnswer(std::move(result)); });
  }

  template <typename R>
  void OnAnswer(R result) {
    std::string wrong = Method::Check(ids_.current(), std::move(result));
    stopwatch_.Stop();
    ids_.Next();
    if (!wrong.empty()) progress_->Fail(std::move(wrong));
    if (progress_->Answered(counts_)) return Send();
    progress_->Ended();
  }

  const Method method_;
};

// Cancels each of its calls when the answer to another one, sent behind it, says that the daemon
// has it. Both complete in the Provider's own thread.
class CancelledCaller final : public Caller {
 public:
  CancelledCaller(Statement* endless, Statement* select, const Round& round, Progress* progress,
                  int number)
      : Caller(round, progress, number), endless_(endless), select_(select) {
    Send();
  }

 private:
  void Send() {
    pending_ = 2;
    const Context ctx;
    endless_->QueryAsync(ctx, ids_.current()).Start([this](const Found& rows) {
      OnDone(IsCancelled(rows.status()) ? "" : "not cancelled: " + rows.status().ToString());
    });
    select_->QueryAsync(Context(), ids_.current()).Start([this, ctx](Found rows) {
      ctx.Cancel();
      OnDone(SelectMethod::Check(ids_.current(), std::move(rows)));
    });
  }

  void OnDone(std::string wrong) {
    if (!wrong.empty()) progress_->Fail(std::move(wrong));
    if (--pending_ > 0) return;
    ids_.Next();
    if (progress_->Answered(counts_)) return Send();
    progress_->Ended();
  }

  Statement* const endless_;
  Statement* const select_;
  int pending_ = 0;
};

template <typename Method>
std::unique_ptr<Caller> MakeClientCaller(Method method, Waiting waiting, const Round& round,
                                         Progress* progress, int number) {
  if (waiting == Waiting::kAsync) {
    return std::make_unique<AsyncCaller<Method>>(std::move(method), round, progress, number);
  }
  return std::make_unique<ThreadCaller>(
      round, progress, number, [method](int64_t id) { return Method::Check(id, method.Call(id)); });
}

}  // namespace

absl::StatusOr<RoundResult> RunClientRound(const std::string& address, Waiting waiting,
                                           const Round& round) {
  const auto made = New({.target = address, .token = round.token});
  if (!made.ok()) return made.status();
  Provider& db = **made;
  const std::unique_ptr<KeyValue> keys = db.KeyValue("");
  // What the callers run, and what the one beside them does.
  std::unique_ptr<Statement> statement;
  std::unique_ptr<Statement> other;
  const auto prepare = [&](const char* sql, std::unique_ptr<Statement>* into) -> absl::Status {
    auto prepared = db.Prepare(Context(), sql);
    if (prepared.ok()) *into = *std::move(prepared);
    return prepared.status();
  };
  absl::Status ready;
  if (round.call == Call::kPreparedSelect) ready = prepare(kSelectSql, &statement);
  if (round.call == Call::kPreparedInsert) ready = prepare(kInsertSql, &statement);
  if (round.neighbour == Neighbour::kFailing) ready.Update(prepare(kFailingSql, &other));
  if (round.neighbour == Neighbour::kSlow) ready.Update(prepare(kSlowSql, &other));
  if (round.neighbour == Neighbour::kCancelled) ready.Update(prepare(kEndlessSql, &other));
  if (!ready.ok()) return ready;

  const auto make_neighbour = [&](int number, Progress* progress) -> std::unique_ptr<Caller> {
    const SelectMethod method{other == nullptr ? statement.get() : other.get()};
    if (round.neighbour == Neighbour::kCancelled) {
      return std::make_unique<CancelledCaller>(other.get(), statement.get(), round, progress,
                                               number);
    }
    if (round.neighbour == Neighbour::kFailing) {
      return MakeClientCaller(FailingMethod{method}, waiting, round, progress, number);
    }
    return MakeClientCaller(method, waiting, round, progress, number);
  };
  return RunCallers(round, [&](int number, Progress* progress) -> std::unique_ptr<Caller> {
    if (number == round.callers) return make_neighbour(number, progress);
    const auto make = [&](auto method) {
      return MakeClientCaller(std::move(method), waiting, round, progress, number);
    };
    const auto make_thread = [&](std::string (*ask)(Provider&, int64_t)) {
      return std::make_unique<ThreadCaller>(round, progress, number,
                                            [&db, ask](int64_t id) { return ask(db, id); });
    };
    switch (round.call) {
      case Call::kPreparedInsert: return make(InsertMethod{statement.get()});
      case Call::kQuerySelect: return make_thread(AskByText);
      case Call::kBuilderSelect: return make_thread(AskByBuilder);
      case Call::kGet: return make(ClientGetMethod{keys.get()});
      case Call::kPut: return make(ClientPutMethod{keys.get()});
      default: return make(SelectMethod{statement.get()});
    }
  });
}

}  // namespace penstock::bench
