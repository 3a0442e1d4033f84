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
//     same.
//   - What a segment has undone although it was not at fault is run again, with a sync of its
//     own, so that it is undone once at most. A write whose outcome is not known is never run
//     again.
//   - What has failed lately has a sync of its own, and undoes nobody.
//   - The state of the session is looked at when nothing is on its way any more.
#include <algorithm>
#include <chrono>
#include <cstdint>
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
  const bool shares = statement->reads() && statement->runs_apart == 0 && !flavor_.cockroach;
  if (run.must_only_read && !shares) return false;
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
  for (const StatementRun* run : runs.first(count)) NoteFailure(*run);
  NoteOutcomes(runs.first(count));
  const bool cursor_left =
      std::any_of(runs.begin(), runs.begin() + static_cast<ptrdiff_t>(count),
                  [](const StatementRun* run) { return run->cursor != nullptr; });
  if (!cursor_left) session_->CleanUp();
  return count;
}

void BatchRunner::NoteOutcomes(Runs runs) {
  // The failures come last: of many runs of one statement, one that has failed counts.
  for (const bool failed : {false, true}) {
    for (const StatementRun* run : runs) {
      // A read that has not begun has undone nothing; nor has a write, ever.
      if ((!run->status.ok() && run->read_only) != failed) continue;
      Statement* const statement = preparer_->statements().FindAgain(run->sql);
      if (statement != nullptr) statement->NoteOutcome(failed);
    }
  }
}

// Reads next to each other have one sync at their end, which makes them one
// transaction for the server: one message to it and one back. If one of them
// fails, nothing of the others has happened (a function of theirs may write), and
// they run again, each with a sync of its own. Whatever writes has one from the
// start, and so has what has failed lately.
struct BatchRunner::Flight {
  // What is to become of the run.
  enum class Next : uint8_t {
    kAnswer,    // its status is its outcome
    kTogether,  // it was not its own fault, or its own choice, that it failed: it runs again
    kAlone,     // it runs again with nobody behind it
    kDoubt,     // its status is its outcome, unless the statement is out of date
  };

  Flight(Link* link, StatementRun* of, Statement* its)
      : run(of), statement(its), watch(link, of->deadline, of->cancellation), command(&watch) {}

  StatementRun* run;
  Statement* statement;
  CommandWatch watch;
  PendingCommand command;
  // How many commands of the driver's own were sent in front of it.
  int leading = 0;
  Next next = Next::kAnswer;
};

void BatchRunner::SendTogether(Runs runs, bool share, std::deque<Flight>* flights,
                               std::deque<Flight>* doubts, Leftover* left) {
  using Staleness = StatementRunner::Staleness;
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
      left->alone.push_back(run);
      continue;
    }
    Flight& flight = flights->emplace_back(link_, run, statement);
    // Those who may only read are in the one segment that Together has let through.
    const bool may_share = run->must_only_read || (share && statement->runs_apart == 0);
    const bool shares = may_share && statement->reads() && !flavor_.cockroach;
    run->status = flight.watch.Interruption();
    if (run->writer != nullptr) run->writer->Begin(statement->columns);
    if (first != nullptr && (!shares || !SameSettings(*first, *run))) close();
    const bool leads = first == nullptr;
    if (leads) flight.leading = StatementSender::Leading(*run);
    if (!run->status.ok() || !sender_->Send(run, *statement, run->args, leads)) {
      const Staleness staleness = statement_runner_->StalenessAfter(*run, *statement);
      if (staleness == Staleness::kStale) {
        preparer_->statements().Remove(statement);
        left->alone.push_back(run);
      }
      flights->pop_back();
      if (staleness == Staleness::kDoubt) doubts->emplace_back(link_, run, statement);
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
  if (runs.front()->must_only_read && !flights->empty()) session_->SendEndOfOwn();
}

void BatchRunner::ReceiveSegment(std::span<Flight* const> segment, bool* cancelled_one) {
  const bool shared = segment.size() > 1;
  SegmentWatch watch;
  for (const Flight* flight : segment) {
    if (shared) watch.Add(&flight->watch);
  }
  bool failed = false;
  const PendingCommand* interrupted = nullptr;
  size_t results = 0;
  for (Flight* flight : segment) {
    StatementRun* run = flight->run;
    PendingCommand& command = flight->command;
    if (interrupted != nullptr) {
      // It ends with the one before, whose cancel may reach this one instead.
      command.interruption = interrupted->interruption;
      command.give_up = interrupted->give_up;
    } else if (shared) {
      command.Share(&watch);
      // The time is looked at as often as if all of them were one.
      command.results = results;
      // The wake-up may have come while a segment before was waited for. Another one wakes the
      // wait of whichever of them is at the head then, so that one look is enough for all.
      if (flight == segment.front()) runner_->Interrupt(&command, watch.Interruption());
    }
    if (flight->leading > 0) run->status = runner_->FinishCommands(&command, flight->leading);
    link_->RowByRow();
    const auto ending = receiver_->Receive(run, *flight->statement, &command, kMaxBehind);
    if (ending == ResultReceiver::Ending::kMore) {
      // It has always been small. What it does is undone, and it runs again with
      // nobody behind it; should it end before it is cancelled, it is all here.
      receiver_->RefuseRest(run, *flight->statement, &command, kMaxBehind);
      if (!run->status.ok() &&
          driver::GetErrorInfo(run->status).reason != Reason::kCommitOutcomeUnknown) {
        flight->next = Flight::Next::kAlone;
      }
    } else {
      Judge(flight, shared, *cancelled_one);
    }
    results = command.results;
    failed = failed || flight->next != Flight::Next::kAnswer || !run->status.ok();
    if (!command.interruption.ok()) {
      *cancelled_one = true;
      interrupted = &command;
    }
  }
  for (Flight* flight : segment) {
    // The failure has undone those that had succeeded.
    if (failed && flight->run->status.ok()) flight->next = Flight::Next::kTogether;
    if (flight->next == Flight::Next::kAnswer || runner_->linked()) continue;
    flight->next = Flight::Next::kAnswer;
    flight->run->status = flight->watch.Interruption();
    if (flight->run->status.ok()) flight->run->status = link_->BrokenError();
  }
}

void BatchRunner::Judge(Flight* flight, bool shared, bool cancelled_one) {
  using Next = Flight::Next;
  using Staleness = StatementRunner::Staleness;
  const StatementRun& run = *flight->run;
  const bool interrupted = !flight->command.interruption.ok();
  const Staleness staleness = statement_runner_->StalenessAfter(run, *flight->statement);
  if (run.status.ok()) {
    if (flight->command.skipped) flight->next = Next::kTogether;
  } else if (staleness == Staleness::kStale) {
    preparer_->statements().Remove(flight->statement);
    flight->next = Next::kAlone;
  } else if (staleness == Staleness::kDoubt) {
    flight->next = Next::kDoubt;
  } else if ((shared && interrupted) ||
             (cancelled_one && !interrupted &&
              driver::GetErrorInfo(run.status).sqlstate == kQueryCancelled)) {
    // The cancel was meant for another; whoever it was meant for is told when
    // it is about to run again.
    flight->next = Next::kTogether;
  } else if (runner_->HitByCancel(run.status)) {
    flight->next = Next::kAlone;
  }
}

void BatchRunner::ReceiveTogether(std::deque<Flight>* flights) {
  bool cancelled_one = false;
  driver::TimePoint began = Now();
  std::vector<Flight*> segment;
  for (Flight& flight : *flights) {
    segment.push_back(&flight);
    if (!flight.command.ends_with_sync) continue;
    ReceiveSegment(segment, &cancelled_one);
    const driver::TimePoint ended = Now();
    // If several came back at once, nobody can tell which one took the time.
    const auto took = ended - std::exchange(began, ended);
    for (const Flight* one : segment) {
      if (one->next == Flight::Next::kTogether || one->next == Flight::Next::kAlone) continue;
      one->statement->Note(took, one->run->writer != nullptr ? one->run->writer->bytes() : 0);
    }
    segment.clear();
  }
}

void BatchRunner::SettleDoubts(std::deque<Flight>* doubts, Leftover* left) {
  // One question for each statement, however many of its runs have failed.
  SegmentWatch watch;
  std::vector<Flight*> asked;
  for (Flight& doubt : *doubts) {
    const bool known = std::any_of(asked.begin(), asked.end(), [&](const Flight* one) {
      return one->statement == doubt.statement;
    });
    if (known || !preparer_->SendDescribeAgain(*doubt.statement)) continue;
    watch.Add(&doubt.watch);
    asked.push_back(&doubt);
  }
  std::vector<const Statement*> stale;
  for (Flight* one : asked) {
    PendingCommand command(&one->watch);
    command.Share(&watch);
    if (preparer_->TakeDescribedAgain(*one->statement, &command)) continue;
    preparer_->statements().Remove(one->statement);
    stale.push_back(one->statement);
  }
  for (const Flight& doubt : *doubts) {
    const bool is_stale = std::find(stale.begin(), stale.end(), doubt.statement) != stale.end();
    if (is_stale) left->alone.push_back(doubt.run);
  }
}

void BatchRunner::FlyTogether(Runs runs, bool share, Leftover* left) {
  std::deque<Flight> flights;
  std::deque<Flight> doubts;
  const bool renamed = session_->SendCaller(runs.front()->caller);
  SendTogether(runs, share, &flights, &doubts, left);
  if (renamed) {
    const CommandWatch watch(link_, runs.front()->deadline, nullptr);
    PendingCommand command(&watch);
    session_->TakeCaller(flights.empty() ? &command : &flights.front().command);
  }
  ReceiveTogether(&flights);
  // The server tells the state of the session when nothing is on its way any more.
  if (!flights.empty()) session_->CheckSession(flights.back().run, *flights.back().statement);
  session_->EndOwn();
  for (const Flight& flight : flights) {
    session_->NoteSequences(*flight.statement);
    switch (flight.next) {
      case Flight::Next::kAnswer: break;
      case Flight::Next::kTogether: left->undone.push_back(flight.run); break;
      case Flight::Next::kAlone: left->alone.push_back(flight.run); break;
      case Flight::Next::kDoubt: doubts.emplace_back(link_, flight.run, flight.statement); break;
    }
  }
  flights.clear();
  SettleDoubts(&doubts, left);
}

void BatchRunner::RunTogether(Runs runs) {
  Leftover left;
  FlyTogether(runs, /*share=*/true, &left);
  // They run again together, but none can undo another once more.
  if (left.undone.size() > 1 && runner_->linked() && !flavor_.cockroach) {
    const std::vector<StatementRun*> undone = std::exchange(left.undone, {});
    FlyTogether(undone, /*share=*/false, &left);
  }
  left.alone.insert(left.alone.end(), left.undone.begin(), left.undone.end());
  for (StatementRun* run : left.alone) {
    if (runner_->linked()) {
      statement_runner_->Run(run, /*may_leave_cursor=*/run == left.alone.back());
    } else {
      run->status = link_->BrokenError();
    }
  }
}

}  // namespace penstock::postgres
