// RunBatch: what may wait for each other shares a round trip.
#include <algorithm>
#include <chrono>
#include <deque>
#include <utility>
#include <vector>

#include "drivers/api/error.h"
#include "drivers/postgres/connection.h"

namespace penstock::postgres {
namespace {

using driver::Reason;
using driver::StatementRun;

// A statement that turns out to be slow holds up those behind it, so they are
// not too many.
constexpr size_t kMaxTogether = 64;
// What one result may take while others wait behind it.
constexpr size_t kMaxBehind = size_t{32} << 20;

driver::TimePoint Now() { return std::chrono::steady_clock::now(); }

void NoteFailure(const StatementRun& run) {
  if (!run.status.ok() && run.chain != nullptr) run.chain->failed = true;
}

bool MayStart(StatementRun* run) {
  run->status = absl::OkStatus();
  run->summary = {};
  if (run->chain == nullptr || !run->chain->failed) return true;
  run->status =
      driver::MakeError(Reason::kCancelled, "not run: an earlier request on the stream failed");
  return false;
}

}  // namespace

size_t Connection::Together(Runs runs) {
  size_t count = 0;
  while (count < runs.size() && count < kMaxTogether && IsBrisk(*runs[count])) ++count;
  return std::max<size_t>(count, 1);
}

bool Connection::IsBrisk(const StatementRun& run) {
  if (!run.rows.empty() || run.staleness.count() != 0) return false;
  const Statement* statement = statements_.FindAgain(run.sql);
  if (statement == nullptr || !statement->brisk()) return false;
  if (run.args.size() != statement->parameters.size()) return false;
  for (size_t i = 0; i < run.args.size(); ++i) {
    if (NeedsDeclaredType(run.args[i], *statement->parameters[i])) return false;
  }
  return true;
}

size_t Connection::RunBatch(Runs runs) {
  const size_t count = Together(runs);
  if (count > 1) {
    RunTogether(runs.first(count));
  } else if (MayStart(runs.front())) {
    RunOne(runs.front(), /*may_leave_cursor=*/true);
  }
  for (size_t i = 0; i < count; ++i) NoteFailure(*runs[i]);
  const bool cursor_left =
      std::any_of(runs.begin(), runs.begin() + static_cast<ptrdiff_t>(count),
                  [](const StatementRun* run) { return run->cursor != nullptr; });
  if (!cursor_left) CleanUp();
  return count;
}

void Connection::RunTogether(Runs runs) {
  struct Flight {
    Flight(Link* link, StatementRun* of, Statement* its)
        : run(of), statement(its), watch(link, of->deadline, of->cancellation), command(&watch) {}
    StatementRun* run;
    Statement* statement;
    Watch watch;
    Command command;
  };
  std::deque<Flight> flights;
  for (StatementRun* run : runs) {
    if (!MayStart(run)) continue;
    Flight& flight = flights.emplace_back(link_.get(), run, statements_.FindAgain(run->sql));
    run->status = flight.watch.Interruption();
    if (run->writer != nullptr) run->writer->Begin(flight.statement->columns);
    if (!run->status.ok() || !Send(run, flight.statement, run->args) || !link_->SendSync()) {
      flights.pop_back();
    }
  }
  std::vector<StatementRun*> again;
  bool cancelled_one = false;
  driver::TimePoint began = Now();
  for (Flight& flight : flights) {
    StatementRun* run = flight.run;
    link_->RowByRow();
    Ending ending = Receive(run, *flight.statement, &flight.command, kMaxBehind);
    if (ending == Ending::kMore) {
      // It has always been small. What it does is undone, and it runs again with
      // nobody behind it; should it end before it is cancelled, it is all here.
      Interrupt(&flight.command, ResultTooLarge());
      Receive(run, *flight.statement, &flight.command, kMaxBehind);
      if (!run->status.ok()) again.push_back(run);
    } else if (ending == Ending::kStalePlan) {
      ForgetStale(flight.statement);
      again.push_back(run);
      continue;
    } else if (cancelled_one && flight.command.interruption.ok() &&
               driver::GetErrorInfo(run->status).sqlstate == kQueryCancelled) {
      // The cancel was meant for one before it.
      again.push_back(run);
    }
    cancelled_one = cancelled_one || !flight.command.interruption.ok();
    const driver::TimePoint ended = Now();
    flight.statement->Note(ended - std::exchange(began, ended),
                           run->writer != nullptr ? run->writer->bytes() : 0);
  }
  // The server tells the state of the session when nothing is on its way any more.
  if (!flights.empty()) CheckSession(flights.back().run, *flights.back().statement);
  flights.clear();
  for (StatementRun* run : again) {
    if (!healthy()) break;
    RunOne(run, /*may_leave_cursor=*/run == again.back());
  }
}

}  // namespace penstock::postgres
