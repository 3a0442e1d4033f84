#include "tests/support/key_value_history.h"

#include <algorithm>
#include <utility>

#include "fmt/format.h"
#include "fmt/ranges.h"

namespace penstock::testing {
namespace {

std::string OrNothing(const std::optional<std::string>& value) {
  return value.has_value() ? *value : "nothing";
}

std::string RangeText(const KeyRange& range) {
  return fmt::format("[{}, {})", range.start, range.end.empty() ? "end" : range.end);
}

std::string ToText(const Condition& condition) {
  switch (condition.kind) {
    case Condition::Kind::kAbsent: return fmt::format("{} absent", condition.key);
    case Condition::Kind::kPresent: return fmt::format("{} present", condition.key);
    case Condition::Kind::kValueEquals:
      return fmt::format("{}=={}", condition.key, condition.value);
  }
  return {};
}

std::string ToText(const Mutation& mutation) {
  switch (mutation.kind) {
    case Mutation::Kind::kPut: return fmt::format("put {}={}", mutation.key, mutation.value);
    case Mutation::Kind::kDelete: return fmt::format("delete {}", mutation.key);
    case Mutation::Kind::kDeleteRange:
      return fmt::format("delete {}", RangeText({mutation.key, mutation.value}));
    case Mutation::Kind::kDeletePrefix: return fmt::format("delete {}*", mutation.key);
  }
  return {};
}

template <typename Part>
std::string Join(const std::vector<Part>& parts) {
  std::string text;
  for (const Part& part : parts) text += (text.empty() ? "" : ", ") + ToText(part);
  return text;
}

std::string WriteText(const KeyValueCall& call) {
  std::string text = Join(call.mutations);
  if (!call.conditions.empty()) text = fmt::format("if {}: {}", Join(call.conditions), text);
  if (!call.known()) return text + " -> not known";
  if (!call.applied) text += fmt::format(" -> condition {} fails", call.failed_condition + 1);
  if (call.deleted.has_value()) text += fmt::format(" -> {} deleted", *call.deleted);
  return text;
}

std::string GetText(const KeyValueCall& call) {
  std::vector<std::string> found;
  for (size_t i = 0; i < call.keys.size(); ++i) {
    found.push_back(fmt::format("{}={}", call.keys[i], OrNothing(call.values[i])));
  }
  return fmt::format("get {}", fmt::join(found, ", "));
}

std::string ScanText(const KeyValueCall& call) {
  std::vector<std::string> found;
  for (const Entry& entry : call.entries) {
    found.push_back(fmt::format("{}={}", entry.key, entry.value));
  }
  return fmt::format("scan {}{}{} -> {}", RangeText(call.scan.range),
                     call.scan.reverse ? " reverse" : "",
                     call.scan.limit > 0 ? fmt::format(" limit {}", call.scan.limit) : "",
                     found.empty() ? "nothing" : fmt::format("{}", fmt::join(found, ", ")));
}

bool Holds(const Condition& condition, const KeyValueState& state) {
  const auto found = state.find(condition.key);
  switch (condition.kind) {
    case Condition::Kind::kAbsent: return found == state.end();
    case Condition::Kind::kPresent: return found != state.end();
    case Condition::Kind::kValueEquals:
      return found != state.end() && found->second == condition.value;
  }
  return false;
}

KeyValueState::iterator EndOf(const KeyRange& range, KeyValueState* state) {
  if (range.end.empty()) return state->end();
  return state->lower_bound(std::max(range.start, range.end));
}

int64_t Apply(const Mutation& mutation, KeyValueState* state) {
  switch (mutation.kind) {
    case Mutation::Kind::kPut: (*state)[mutation.key] = mutation.value; return 0;
    case Mutation::Kind::kDelete: return static_cast<int64_t>(state->erase(mutation.key));
    case Mutation::Kind::kDeleteRange: {
      const auto begin = state->lower_bound(mutation.key);
      const auto end = EndOf({mutation.key, mutation.value}, state);
      const int64_t count = std::distance(begin, end);
      state->erase(begin, end);
      return count;
    }
    case Mutation::Kind::kDeletePrefix: {
      const auto has_prefix = [&](const auto& entry) {
        return entry.first.starts_with(mutation.key);
      };
      return static_cast<int64_t>(std::erase_if(*state, has_prefix));
    }
  }
  return 0;
}

bool StepWrite(const KeyValueCall& call, KeyValueState* state) {
  const auto failed =
      std::find_if_not(call.conditions.begin(), call.conditions.end(),
                       [&](const Condition& condition) { return Holds(condition, *state); });
  const bool applied = failed == call.conditions.end();
  if (call.known()) {
    if (applied != call.applied) return false;
    const auto which = static_cast<size_t>(failed - call.conditions.begin());
    if (!applied && which != call.failed_condition) return false;
  }
  if (!applied) return true;
  int64_t deleted = 0;
  for (const Mutation& mutation : call.mutations) deleted += Apply(mutation, state);
  return !call.known() || !call.deleted.has_value() || *call.deleted == deleted;
}

bool StepScan(const KeyValueCall& call, KeyValueState* state) {
  const auto begin = state->lower_bound(call.scan.range.start);
  std::vector<Entry> entries;
  for (auto at = begin; at != EndOf(call.scan.range, state); ++at) {
    entries.push_back({at->first, at->second});
  }
  if (call.scan.reverse) std::reverse(entries.begin(), entries.end());
  const auto limit = static_cast<size_t>(call.scan.limit);
  if (limit > 0 && entries.size() > limit) entries.resize(limit);
  return entries == call.entries;
}

bool StepGet(const KeyValueCall& call, const KeyValueState& state) {
  for (size_t i = 0; i < call.keys.size(); ++i) {
    const auto found = state.find(call.keys[i]);
    const bool present = found != state.end();
    if (present != call.values[i].has_value()) return false;
    if (present && found->second != *call.values[i]) return false;
  }
  return true;
}

}  // namespace

std::string ToText(const KeyValueCall& call) {
  std::string text =
      fmt::format("client {} [{:.3f} ms .. ", call.client, static_cast<double>(call.invoked) / 1e6);
  text += call.known() ? fmt::format("{:.3f} ms]  ", static_cast<double>(call.returned) / 1e6)
                       : "never]  ";
  switch (call.kind) {
    case KeyValueCall::Kind::kGet: return text + GetText(call);
    case KeyValueCall::Kind::kScan: return text + ScanText(call);
    case KeyValueCall::Kind::kWrite: return text + WriteText(call);
  }
  return text;
}

std::string ToText(KeyValueHistory history) {
  std::stable_sort(history.begin(), history.end(),
                   [](const auto& a, const auto& b) { return a.invoked < b.invoked; });
  std::string text;
  for (const KeyValueCall& call : history) text += ToText(call) + "\n";
  return text;
}

bool Step(const KeyValueCall& call, KeyValueState* state) {
  switch (call.kind) {
    case KeyValueCall::Kind::kGet: return StepGet(call, *state);
    case KeyValueCall::Kind::kScan: return StepScan(call, state);
    case KeyValueCall::Kind::kWrite: return StepWrite(call, state);
  }
  return false;
}

}  // namespace penstock::testing
