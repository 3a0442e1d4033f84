// Statements that wait together are sent together, so that many share one round trip.
//
// A statement that is slow or large holds up those behind it. So only those are sent together
// that have proved brisk before; any other is run by itself, by StatementRunner. The statements
// on their way are called flights. Reads next to each other share a sync, whatever writes has a
// sync of its own. What holds throughout:
//
//   - Results come in the order in which the statements were sent. Each segment is received to
//     its sync before the next one is looked at.
//   - A cancel is sent only while its statement is at the head, and nothing is sent after it
//     before it has reached the server. A neighbour that it hits by chance has done nothing.
//   - Settings last for a segment, so that statements share one only if their settings are the
//   same.
//   - What a segment has undone although it was not at fault is run again by itself. A write
//     whose outcome is not known is never run again.
//   - The state of the session is looked at when nothing is on its way any more.
#include <algorithm>
#include <chrono>
#include <deque>
#include <utility>
#include <vector>

#include "drivers/api/chain.h"
#include "drivers/api/error.h"
#include "drivers/postgres/batch.h"
#include "drivers/postgres/parameter_types.h"

namespace penstock::postgres {
namespace {

using driver::Reason;
using driver::StatementRun;

// A statement that turns out to be slow holds up those behind it, so they are
// not too many.
constexpr size_t kMaxTogether = 64;
// One result may take so many bytes while others wait behind it.
constexpr size_t kMaxBehind = size_t{32} << 20;

driver::TimePoint Now() { return std::chrono::steady_clock::now(); }

bool SameSettings(const StatementRun& one, const StatementRun& other) {
  return std::ranges::equal(one.settings, other.settings);
}

// Whether both may be sent at once. They share the name that the session has meanwhile, and those
// whose callers may only read one transaction.
bool MayShare(const StatementRun& one, const StatementRun& other) {
  return one.caller == other.caller && one.must_only_read == other.must_only_read &&
         (!one.must_only_read || SameSettings(one, other));
}

}  // namespace

size_t BatchRunner::Together(Runs runs) {
  size_t count = 0;
  while (!options_.always_reset && count < runs.size() && count < kMaxTogether &&
         MayShare(*runs[count], *runs.front()) && IsBrisk(*runs[count])) {
    ++count;
  }
  return count;
}

bool BatchRunner::IsBrisk(const StatementRun& run) {
  if (!run.rows.empty() || run.staleness.count() != 0) return false;
  const Statement* statement = preparer_->statements().FindAgain(run.sql);
  if (statement == nullptr || !statement->brisk()) return false;
  // They share one transaction.
  if (run.must_only_read && (!statement->reads() || flavor_.cockroach)) return false;
  if (run.args.size() != statement->parameters.size()) return false;
  for (size_t i = 0; i < run.args.size(); ++i) {
    if (NeedsDeclaredType(run.args[i], *statement->parameters[i])) return false;
  }
  return true;
}

size_t BatchRunner::RunBatch(Runs runs) {
  preparer_->Refresh();
  const size_t count = std::max<size_t>(Together(runs), 1);
  if (count > 1) {
    RunTogether(runs.first(count));
  } else if (MayStart(runs.front())) {
    statement_runner_->Run(runs.front(), /*may_leave_cursor=*/true);
  }
  for (size_t i = 0; i < count; ++i) NoteFailure(*runs[i]);
  const bool cursor_left =
      std::any_of(runs.begin(), runs.begin() + static_cast<ptrdiff_t>(count),
                  [](const StatementRun* run) { return run->cursor != nullptr; });
  if (!cursor_left) session_->CleanUp();
  return count;
}

// Reads next to each other have one sync at their end, which makes them one
// transaction for the server: one message to it and one back. If one of them
// fails, nothing of the others has happened (a function of theirs may write), and
// they run again by themselves. Whatever writes has a sync of its own.
struct BatchRunner::Flight {
  Flight(Link* link, StatementRun* of, Statement* its)
      : run(of), statement(its), watch(link, of->deadline, of->cancellation), command(&watch) {}

  StatementRun* run;
  Statement* statement;
  CommandWatch watch;
  PendingCommand command;
  // How many commands of the driver's own were sent in front of it.
  int leading = 0;
  // It was not its own fault, or its own choice, that it failed.
  bool again = false;
};

void BatchRunner::SendTogether(Runs runs, std::deque<Flight>* flights,
                               std::vector<StatementRun*>* again) {
  // The first one of the segment whose sync is still to come.
  const StatementRun* first = nullptr;
  const auto close = [&] {
    if (std::exchange(first, nullptr) != nullptr) link_->SendSync();
  };
  for (StatementRun* run : runs) {
    if (!MayStart(run)) continue;
    Statement* const statement = preparer_->statements().FindAgain(run->sql);
    // One before it has found that it is out of date.
    if (statement == nullptr) {
      again->push_back(run);
      continue;
    }
    Flight& flight = flights->emplace_back(link_, run, statement);
    const bool shares = flight.statement->reads() && !flavor_.cockroach;
    run->status = flight.watch.Interruption();
    if (run->writer != nullptr) run->writer->Begin(flight.statement->columns);
    if (first != nullptr && (!shares || !SameSettings(*first, *run))) close();
    const bool leads = first == nullptr;
    if (leads) flight.leading = StatementSender::Leading(*run);
    if (!run->status.ok() || !sender_->Send(run, *flight.statement, run->args, leads)) {
      if (StatementRunner::MayBeStale(run->status, *flight.statement)) {
        preparer_->statements().Remove(flight.statement);
        again->push_back(run);
      }
      flights->pop_back();
      continue;
    }
    if (leads) {
      first = run;
    } else {
      flights->rbegin()[1].command.ends_with_sync = false;
    }
    if (!shares) close();
  }
  close();
  // All of them are in the one segment that Together has let through.
  if (runs.front()->must_only_read && !flights->empty()) session_->SendEndOfOwn();
}

void BatchRunner::ReceiveSegment(std::span<Flight* const> segment, bool* cancelled_one) {
  const bool shared = segment.size() > 1;
  std::vector<const CommandWatch*> watches;
  driver::TimePoint until = driver::TimePoint::max();
  for (const Flight* flight : segment) {
    watches.push_back(&flight->watch);
    until = std::min(until, flight->watch.until());
  }
  bool failed = false;
  const PendingCommand* interrupted = nullptr;
  for (Flight* flight : segment) {
    StatementRun* run = flight->run;
    PendingCommand& command = flight->command;
    if (interrupted != nullptr) {
      // It ends with the one before, whose cancel may reach this one instead.
      command.interruption = interrupted->interruption;
      command.give_up = interrupted->give_up;
    } else if (shared) {
      command.others = &watches;
      command.until = until;
      // The wake-up may have come while a segment before was waited for.
      if (!failed) runner_->Interrupt(&command, command.Interruption());
    }
    if (flight->leading > 0) run->status = runner_->FinishCommands(&command, flight->leading);
    link_->RowByRow();
    const auto ending = receiver_->Receive(run, *flight->statement, &command, kMaxBehind);
    if (ending == ResultReceiver::Ending::kMore) {
      // It has always been small. What it does is undone, and it runs again with
      // nobody behind it; should it end before it is cancelled, it is all here.
      receiver_->RefuseRest(run, *flight->statement, &command, kMaxBehind);
      flight->again = !run->status.ok() &&
                      driver::GetErrorInfo(run->status).reason != Reason::kCommitOutcomeUnknown;
    } else if (StatementRunner::MayBeStale(run->status, *flight->statement)) {
      preparer_->statements().Remove(flight->statement);
      flight->again = true;
    } else if (run->status.ok()) {
      flight->again = command.skipped;
    } else {
      // The cancel was meant for another; whoever it was meant for is told when
      // it is about to run again.
      flight->again = (shared && !command.interruption.ok()) ||
                      (*cancelled_one && command.interruption.ok() &&
                       driver::GetErrorInfo(run->status).sqlstate == kQueryCancelled) ||
                      runner_->HitByCancel(run->status);
    }
    failed = failed || flight->again || !run->status.ok();
    if (!command.interruption.ok()) {
      *cancelled_one = true;
      interrupted = &command;
    }
  }
  for (Flight* flight : segment) {
    // The failure has undone those that had succeeded.
    if (failed && flight->run->status.ok()) flight->again = true;
    if (!flight->again || runner_->linked()) continue;
    flight->again = false;
    flight->run->status = flight->watch.Interruption();
    if (flight->run->status.ok()) flight->run->status = link_->BrokenError();
  }
}

void BatchRunner::RunTogether(Runs runs) {
  std::deque<Flight> flights;
  const bool renamed = session_->SendCaller(runs.front()->caller);
  std::vector<StatementRun*> again;
  SendTogether(runs, &flights, &again);
  if (renamed) {
    const CommandWatch watch(link_, runs.front()->deadline, nullptr);
    PendingCommand command(&watch);
    session_->TakeCaller(flights.empty() ? &command : &flights.front().command);
  }
  bool cancelled_one = false;
  driver::TimePoint began = Now();
  std::vector<Flight*> segment;
  for (Flight& flight : flights) {
    segment.push_back(&flight);
    if (!flight.command.ends_with_sync) continue;
    ReceiveSegment(segment, &cancelled_one);
    const driver::TimePoint ended = Now();
    // If several came back at once, nobody can tell which one took the time.
    const auto took = ended - std::exchange(began, ended);
    for (const Flight* one : segment) {
      if (one->again) continue;
      one->statement->Note(took, one->run->writer != nullptr ? one->run->writer->bytes() : 0);
    }
    segment.clear();
  }
  // The server tells the state of the session when nothing is on its way any more.
  if (!flights.empty()) session_->CheckSession(flights.back().run, *flights.back().statement);
  session_->EndOwn();
  for (const Flight& flight : flights) session_->NoteSequences(*flight.statement);
  for (const Flight& flight : flights) {
    if (flight.again) again.push_back(flight.run);
  }
  flights.clear();
  for (StatementRun* run : again) {
    if (runner_->linked()) {
      statement_runner_->Run(run, /*may_leave_cursor=*/run == again.back());
    } else {
      run->status = link_->BrokenError();
    }
  }
}

}  // namespace penstock::postgres
