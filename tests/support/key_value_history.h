// Histories of key-value calls, and whether they are strictly serializable.
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

// One call of a client, and what it was answered.
struct KeyValueCall {
  enum class Kind { kGet, kScan, kWrite };
  // `returned` of a write of which nobody knows whether it was done.
  static constexpr int64_t kNever = std::numeric_limits<int64_t>::max();

  bool known() const { return returned != kNever; }
  // It was answered, and its answer says that it changed nothing.
  bool only_reads() const { return kind != Kind::kWrite || (known() && !applied); }

  int client = 0;
  // Points in time, of any one clock.
  int64_t invoked = 0;
  int64_t returned = 0;
  Kind kind = Kind::kGet;

  // kGet: Get and BatchGet. `values` are in the order of `keys`.
  std::vector<std::string> keys;
  std::vector<std::optional<std::string>> values;

  // kScan. Without a prefix and without continue_after.
  ScanOptions scan;
  std::vector<Entry> entries;

  // kWrite: Write, Put, Delete, DeleteRange.
  std::vector<Condition> conditions;
  std::vector<Mutation> mutations;
  bool applied = true;
  size_t failed_condition = 0;
  // Where the answer tells how many keys there were. Of a single DeleteRange.
  std::optional<int64_t> deleted;
};

using KeyValueHistory = std::vector<KeyValueCall>;
using KeyValueState = std::map<std::string, std::string>;

// "client 2 [1.204 ms .. 1.950 ms]  Put a=7"
std::string ToText(const KeyValueCall& call);
// A line a call, in the order of their invocations.
std::string ToText(KeyValueHistory history);

// Does the call on `state`. False: it would not have been answered as it was, and
// `state` is of no use any more. Of a call that is not known any answer will do.
bool Step(const KeyValueCall& call, KeyValueState* state);

// What came of a check.
struct KeyValueVerdict {
  // The calls can be put into one order in which each is answered as it was, and
  // which puts a call that had returned before another was invoked in front of it.
  bool serializable = true;
  // The search was given up: too many orders are possible. Use shorter histories.
  bool undecided = false;
  // If not serializable: calls that show it, as few as were easily found.
  KeyValueHistory culprits;
};

// Checks a history that began with no keys. A call that is not known was done at any
// time after its invocation, or never. Wing and Gong's search, which remembers which
// states were reached by which calls (Lowe), as Porcupine does. Calls that share no
// key, over any number of others, are looked at apart.
KeyValueVerdict CheckStrictSerializability(const KeyValueHistory& history);

}  // namespace penstock::testing

#endif  // PENSTOCK_TESTS_SUPPORT_KEY_VALUE_HISTORY_H_
