// The progress of a migration's step, for reports that the ticker makes meanwhile.
#ifndef PENSTOCK_SERVER_RPC_MIGRATION_STEP_PROGRESS_H_
#define PENSTOCK_SERVER_RPC_MIGRATION_STEP_PROGRESS_H_

#include <atomic>
#include <cstdint>

#include "penstock/v1/migration.pb.h"
#include "server/rpc/base/convert.h"
#include "server/runtime/clock.h"

namespace penstock::server {

// A client hears this often that something still goes on.
inline constexpr Duration kReportEvery = std::chrono::seconds(1);

// Written by the step, read by the ticker. Thread-safe.
class StepProgress {
 public:
  void Begin(int32_t index, int64_t statements, TimePoint now) {
    began_.store(now.time_since_epoch().count());
    report_at_.store((now + kReportEvery).time_since_epoch().count());
    statement_.store(0);
    statements_.store(statements);
    index_.store(index);
  }
  void SetStatement(int64_t number) { statement_.store(number, std::memory_order_relaxed); }
  // Stops the reports until the next step begins.
  void Pause() { index_.store(-1); }
  // The index of the step that runs; -1 if none does.
  int32_t index() const { return index_.load(); }

  TimePoint began() const { return TimePoint(Duration(began_.load())); }

  // Tells whether a report is due; if so the next one is due a second later.
  bool TakeDue(TimePoint now) {
    if (now < TimePoint(Duration(report_at_.load()))) return false;
    report_at_.store((now + kReportEvery).time_since_epoch().count());
    return true;
  }

  // Forms the report of step `index`.
  v1::MigrateResponse Report(int32_t index, TimePoint now, bool done) const {
    v1::MigrateResponse event;
    v1::MigrateResponse::Step* step = event.mutable_step();
    step->set_index(index);
    step->set_statement(done ? statements_.load() : statement_.load());
    step->set_statements(statements_.load());
    ToProto(now - began(), step->mutable_elapsed());
    step->set_done(done);
    return event;
  }

 private:
  std::atomic<Duration::rep> began_{0};
  std::atomic<Duration::rep> report_at_{TimePoint::min().time_since_epoch().count()};
  std::atomic<int32_t> index_{-1};
  std::atomic<int64_t> statement_{0};
  std::atomic<int64_t> statements_{0};
};

}  // namespace penstock::server

#endif  // PENSTOCK_SERVER_RPC_MIGRATION_STEP_PROGRESS_H_
