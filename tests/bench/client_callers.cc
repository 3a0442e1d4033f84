#include "tests/bench/client_callers.h"

#include <memory>
#include <thread>
#include <utility>

#include "fmt/format.h"
#include "penstock/penstock.h"
#include "penstock/sql.h"
#include "tests/bench/callers.h"

namespace penstock::bench {
namespace {

using Point = std::pair<int64_t, std::string>;

struct Points : sql::Table<Points, "points"> {
  sql::Col<Points, int64_t, "id"> id;
  sql::Col<Points, std::string, "name"> name;
};
constexpr Points points;

absl::StatusOr<Point> Ask(Provider& db, const Context& ctx, Saying saying, int64_t id) {
  if (saying == Saying::kText) return db.QueryRow<Point>(ctx, kSelectSql, id);
  static const auto by_id = sql::Select(points.id, points.name)
                                .From(points)
                                .Where(points.id == sql::Param<"id", int64_t>());
  return by_id.Bind<"id">(id).FetchOne<Point>(ctx, db);
}

class ThreadCaller final : public Caller {
 public:
  ThreadCaller(Provider* db, Saying saying, const Round& round, Progress* progress, int number)
      : Caller(round, progress, number), thread_([this, db, saying] { Run(*db, saying); }) {}
  ~ThreadCaller() override { thread_.join(); }

 private:
  void Run(Provider& db, Saying saying) {
    const Context ctx;
    for (bool go_on = true; go_on; ids_.Next()) {
      stopwatch_.Start();
      const absl::StatusOr<Point> point = Ask(db, ctx, saying, ids_.current());
      stopwatch_.Stop();
      if (!point.ok()) {
        progress_->Fail(point.status().ToString());
      } else if (point->first != ids_.current() || point->second.size() != kNameLength) {
        progress_->Fail(fmt::format("asked for row {}, got {}", ids_.current(), point->first));
      }
      go_on = progress_->Answered();
    }
    progress_->Ended();
  }

  // Declared last, because it uses the other members as soon as it starts.
  std::thread thread_;
};

}  // namespace

absl::StatusOr<RoundResult> RunClientRound(const std::string& address, Saying saying,
                                           const Round& round) {
  const auto db = New({.target = address});
  if (!db.ok()) return db.status();
  return RunCallers(round, [&](int number, Progress* progress) {
    return std::make_unique<ThreadCaller>(db->get(), saying, round, progress, number);
  });
}

}  // namespace penstock::bench
