// Records histories of key-value calls and checks that they are strictly serializable.
#ifndef PENSTOCK_TESTS_SUPPORT_KEY_VALUE_HISTORY_H_
#define PENSTOCK_TESTS_SUPPORT_KEY_VALUE_HISTORY_H_

#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "penstock/key_value.h"

namespace penstock::testing {

// One call of a client and its answer.
struct KeyValueCall {
  enum class Kind { kGet, kScan, kWrite };
  // The value of `returned` for a write whose outcome is unknown.
  static constexpr int64_t kNever = std::numeric_limits<int64_t>::max();

  bool known() const { return returned != kNever; }
  // True if the call certainly changed nothing.
  bool only_reads() const { return kind != Kind::kWrite || (known() && !applied); }

  int client = 0;
  // Times of the call and of its answer, by the same clock for all calls.
  int64_t invoked = 0;
  int64_t returned = 0;
  Kind kind = Kind::kGet;

  // For kGet, which is Get and BatchGet: `values` are in the order of `keys`.
  std::vector<std::string> keys;
  std::vector<std::optional<std::string>> values;

  // For kScan: `scan` has neither a prefix nor continue_after.
  ScanOptions scan;
  std::vector<Entry> entries;

  // For kWrite, which is Write, Put, Delete and DeleteRange.
  std::vector<Condition> conditions;
  std::vector<Mutation> mutations;
  bool applied = true;
  size_t failed_condition = 0;
  // For a single DeleteRange: how many keys the answer says that there were.
  std::optional<int64_t> deleted;
};

using KeyValueHistory = std::vector<KeyValueCall>;
using KeyValueState = std::map<std::string, std::string>;

// Returns for example "client 2 [1.204 ms .. 1.950 ms]  Put a=7".
std::string ToText(const KeyValueCall& call);
// Returns one line for each call, in the order in which they were invoked.
std::string ToText(KeyValueHistory history);

// Applies the call to `state`. Returns false if the call would have been answered differently;
// `state` is then invalid. If the outcome of the call is unknown, any answer is accepted.
bool Step(const KeyValueCall& call, KeyValueState* state);

// The result of a check.
struct KeyValueVerdict {
  // True if the calls can be ordered such that each gets the answer that it got, and such that a
  // call that returned before another was invoked comes before it.
  bool serializable = true;
  // True if the search was given up because too many orders are possible. Use shorter histories.
  bool undecided = false;
  // If not serializable: a small set of calls that shows it.
  KeyValueHistory culprits;
};

// Checks a history that began without keys. A write with an unknown outcome may have taken effect
// at any time after its invocation, or never. Uses Wing and Gong's search and, like Porcupine,
// remembers which states were reached by which calls (Lowe). Sets of calls that share no key, even
// indirectly, are checked separately.
KeyValueVerdict CheckStrictSerializability(const KeyValueHistory& history);

}  // namespace penstock::testing

#endif  // PENSTOCK_TESTS_SUPPORT_KEY_VALUE_HISTORY_H_
