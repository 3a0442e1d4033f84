// Implements CheckStrictSerializability: searches for an order, separates independent calls, and
// shortens what it shows of a failure.
#include <algorithm>
#include <numeric>
#include <set>
#include <unordered_set>
#include <utility>

#include "tests/support/key_value_history.h"

namespace penstock::testing {
namespace {

enum class Answer { kYes, kNo, kUndecided };

// The number of remembered states at which a search is given up.
constexpr size_t kMaxRemembered = 2'000'000;

// Searches for an order of the calls. An event is the invocation or the return of a call. The
// events form a list that is sorted by time; the events of a call that has been placed are removed
// from it.
class Search {
 public:
  explicit Search(const KeyValueHistory& calls) : calls_(calls), events_(2 * calls.size() + 1) {
    std::vector<size_t> order(2 * calls.size());
    std::iota(order.begin(), order.end(), size_t{0});
    // Events of the same time may have come in any order, so invocations go first.
    std::stable_sort(order.begin(), order.end(), [this](size_t a, size_t b) {
      return std::pair(TimeOf(a), IsReturn(a)) < std::pair(TimeOf(b), IsReturn(b));
    });
    size_t last = head();
    for (const size_t event : order) {
      Link(last, event);
      last = event;
    }
    Link(last, head());
    for (const KeyValueCall& call : calls) left_ += call.known() ? 1 : 0;
    placed_.assign(calls.size(), '0');
  }

  Answer Run() {
    size_t event = First();
    while (left_ > 0) {
      if (event != head() && !IsReturn(event)) {
        event = Place(event) ? First() : events_[event].next;
        if (remembered_.size() > kMaxRemembered) return Answer::kUndecided;
        continue;
      }
      // A call that returns here must have been placed; go back.
      if (stack_.empty()) return Answer::kNo;
      event = events_[TakeBack()].next;
    }
    return Answer::kYes;
  }

 private:
  struct Event {
    size_t before = 0;
    size_t next = 0;
  };
  struct Placed {
    size_t call = 0;
    KeyValueState state_before;
  };

  // Event i is the invocation of call i, event n + i its return, and 2n the head of the list.
  size_t head() const { return events_.size() - 1; }
  size_t First() const { return events_[head()].next; }
  bool IsReturn(size_t event) const { return event >= calls_.size(); }
  int64_t TimeOf(size_t event) const {
    return IsReturn(event) ? calls_[event - calls_.size()].returned : calls_[event].invoked;
  }

  void Link(size_t before, size_t next) {
    events_[before].next = next;
    events_[next].before = before;
  }
  void Unlink(size_t event) { Link(events_[event].before, events_[event].next); }
  // Must be called in the reverse order of Unlink.
  void Relink(size_t event) {
    events_[events_[event].before].next = event;
    events_[events_[event].next].before = event;
  }

  // Places the call after those that have been placed. Returns false if its answer does not fit
  // there, or if the rest has been tried from the same state.
  bool Place(size_t call) {
    KeyValueState state = state_;
    if (!Step(calls_[call], &state)) return false;
    placed_[call] = '1';
    if (!remembered_.insert(Key(state)).second) {
      placed_[call] = '0';
      return false;
    }
    stack_.push_back({.call = call, .state_before = std::exchange(state_, std::move(state))});
    Unlink(call);
    Unlink(call + calls_.size());
    left_ -= calls_[call].known() ? 1 : 0;
    return true;
  }

  // Undoes the last Place and returns which call that was.
  size_t TakeBack() {
    Placed& last = stack_.back();
    const size_t call = last.call;
    state_ = std::move(last.state_before);
    stack_.pop_back();
    Relink(call + calls_.size());
    Relink(call);
    placed_[call] = '0';
    left_ += calls_[call].known() ? 1 : 0;
    return call;
  }

  std::string Key(const KeyValueState& state) const {
    std::string key = placed_;
    for (const auto& [name, value] : state) {
      key.append(name).append(1, '\0').append(value).append(1, '\0');
    }
    return key;
  }

  const KeyValueHistory& calls_;
  std::vector<Event> events_;
  // The number of calls with a known outcome that have not been placed.
  size_t left_ = 0;
  // For each call '1' if it has been placed, otherwise '0'.
  std::string placed_;
  KeyValueState state_;
  std::vector<Placed> stack_;
  std::unordered_set<std::string> remembered_;
};

// Groups calls that concern the same keys.
class Parts {
 public:
  explicit Parts(const KeyValueHistory& history) : parents_(history.size()) {
    std::iota(parents_.begin(), parents_.end(), size_t{0});
    std::set<std::string> all;
    for (const KeyValueCall& call : history) AddNamed(call, &all);
    std::map<std::string, size_t> owner;
    for (size_t i = 0; i < history.size(); ++i) {
      for (const std::string& key : KeysOf(history[i], all)) {
        const auto [found, fresh] = owner.emplace(key, i);
        if (!fresh) parents_[Root(i)] = Root(found->second);
      }
    }
  }

  std::vector<KeyValueHistory> Split(const KeyValueHistory& history) {
    std::map<size_t, KeyValueHistory> parts;
    for (size_t i = 0; i < history.size(); ++i) parts[Root(i)].push_back(history[i]);
    std::vector<KeyValueHistory> list;
    for (auto& [root, part] : parts) list.push_back(std::move(part));
    return list;
  }

 private:
  static void AddNamed(const KeyValueCall& call, std::set<std::string>* keys) {
    keys->insert(call.keys.begin(), call.keys.end());
    for (const Entry& entry : call.entries) keys->insert(entry.key);
    for (const Condition& condition : call.conditions) keys->insert(condition.key);
    for (const Mutation& mutation : call.mutations) {
      const bool one =
          mutation.kind == Mutation::Kind::kPut || mutation.kind == Mutation::Kind::kDelete;
      if (one) keys->insert(mutation.key);
    }
  }

  static std::set<std::string> KeysOf(const KeyValueCall& call, const std::set<std::string>& all) {
    std::set<std::string> keys;
    AddNamed(call, &keys);
    const auto add_range = [&](const std::string& start, const std::string& end) {
      for (const std::string& key : all) {
        if (key >= start && (end.empty() || key < end)) keys.insert(key);
      }
    };
    if (call.kind == KeyValueCall::Kind::kScan)
      add_range(call.scan.range.start, call.scan.range.end);
    for (const Mutation& mutation : call.mutations) {
      if (mutation.kind == Mutation::Kind::kDeleteRange) add_range(mutation.key, mutation.value);
      if (mutation.kind != Mutation::Kind::kDeletePrefix) continue;
      for (const std::string& key : all) {
        if (key.starts_with(mutation.key)) keys.insert(key);
      }
    }
    return keys;
  }

  size_t Root(size_t i) const {
    while (parents_[i] != i) i = parents_[i];
    return i;
  }

  std::vector<size_t> parents_;
};

// Returns what was known of the history at a time: no call that was invoked later, and calls that
// had not returned only as writes with an unknown outcome.
KeyValueHistory Until(const KeyValueHistory& history, int64_t time) {
  KeyValueHistory known;
  for (const KeyValueCall& call : history) {
    const bool returned = call.returned <= time;
    if (call.invoked > time || (!returned && call.only_reads())) continue;
    known.push_back(call);
    if (!returned) known.back().returned = KeyValueCall::kNever;
  }
  return known;
}

// Returns a part of the history that shows the same failure: up to the first moment at which it was
// wrong, without the reads that are not needed for it.
KeyValueHistory Shorten(const KeyValueHistory& history) {
  std::vector<int64_t> times;
  for (const KeyValueCall& call : history) {
    if (call.known()) times.push_back(call.returned);
  }
  std::sort(times.begin(), times.end());
  // A longer part cannot be right if a shorter one is wrong, so the first wrong one is found by
  // bisection.
  const auto first = std::partition_point(times.begin(), times.end(), [&](int64_t time) {
    const KeyValueHistory part = Until(history, time);
    return Search(part).Run() != Answer::kNo;
  });
  KeyValueHistory shown = first == times.end() ? history : Until(history, *first);
  for (size_t i = shown.size(); i-- > 0;) {
    // A write with an unknown outcome need not have been done, so it stays. So does every known
    // write.
    if (!shown[i].only_reads() && shown[i].known()) continue;
    KeyValueHistory less = shown;
    less.erase(less.begin() + static_cast<ptrdiff_t>(i));
    if (shown[i].known() && Search(less).Run() == Answer::kNo) shown = less;
  }
  return shown;
}

}  // namespace

KeyValueVerdict CheckStrictSerializability(const KeyValueHistory& history) {
  KeyValueVerdict verdict;
  for (const KeyValueHistory& part : Parts(history).Split(history)) {
    const Answer answer = Search(part).Run();
    verdict.undecided = verdict.undecided || answer == Answer::kUndecided;
    if (answer != Answer::kNo) continue;
    verdict.serializable = false;
    verdict.culprits = Shorten(part);
    break;
  }
  if (verdict.undecided && verdict.serializable) verdict.serializable = false;
  return verdict;
}

}  // namespace penstock::testing
