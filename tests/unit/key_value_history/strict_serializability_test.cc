// The checker accepts what can be put into an order, and nothing else.
#include <random>
#include <utility>

#include "gtest/gtest.h"
#include "tests/support/key_value_history.h"

namespace penstock::testing {
namespace {

using std::string;
using Found = std::optional<string>;

constexpr auto kNever = KeyValueCall::kNever;
const Found kNothing;

// Calls whose times are given as they begin and end.
KeyValueCall At(int64_t invoked, int64_t returned, KeyValueCall::Kind kind) {
  KeyValueCall call;
  call.invoked = invoked;
  call.returned = returned;
  call.kind = kind;
  return call;
}

KeyValueCall Get(int64_t invoked, int64_t returned, std::vector<string> keys,
                 std::vector<Found> values) {
  KeyValueCall call = At(invoked, returned, KeyValueCall::Kind::kGet);
  call.keys = std::move(keys);
  call.values = std::move(values);
  return call;
}

KeyValueCall Scan(int64_t invoked, int64_t returned, std::vector<Entry> entries,
                  ScanOptions scan = {}) {
  KeyValueCall call = At(invoked, returned, KeyValueCall::Kind::kScan);
  call.scan = std::move(scan);
  call.entries = std::move(entries);
  return call;
}

KeyValueCall Write(int64_t invoked, int64_t returned, std::vector<Mutation> mutations,
                   std::vector<Condition> conditions = {}, std::optional<size_t> failed = {}) {
  KeyValueCall call = At(invoked, returned, KeyValueCall::Kind::kWrite);
  call.conditions = std::move(conditions);
  call.mutations = std::move(mutations);
  call.applied = !failed.has_value();
  call.failed_condition = failed.value_or(0);
  return call;
}

KeyValueCall Put(int64_t invoked, int64_t returned, const string& key, const string& value) {
  return Write(invoked, returned, {Mutation::Put(key, value)});
}

KeyValueCall Delete(int64_t invoked, int64_t returned, const string& key) {
  return Write(invoked, returned, {Mutation::Delete(key)});
}

KeyValueCall DeleteAll(int64_t invoked, int64_t returned, int64_t deleted) {
  KeyValueCall call = Write(invoked, returned, {Mutation::DeleteRange({})});
  call.deleted = deleted;
  return call;
}

void ExpectGood(const KeyValueHistory& history) {
  const KeyValueVerdict verdict = CheckStrictSerializability(history);
  EXPECT_TRUE(verdict.serializable) << ToText(verdict.culprits);
  EXPECT_FALSE(verdict.undecided);
}

// Also if there is what has nothing to do with it.
void ExpectBad(KeyValueHistory history) {
  for (const bool more : {false, true}) {
    if (more) {
      history.push_back(Put(100, 200, "unrelated", "1"));
      history.push_back(Get(100, 200, {"unrelated"}, {"1"}));
    }
    const KeyValueVerdict verdict = CheckStrictSerializability(history);
    EXPECT_FALSE(verdict.serializable) << ToText(history);
    EXPECT_FALSE(verdict.undecided);
    // What is shown is wrong by itself.
    EXPECT_FALSE(CheckStrictSerializability(verdict.culprits).serializable);
    EXPECT_LE(verdict.culprits.size(), history.size());
  }
}

TEST(StrictSerializability, OneAfterAnother) {
  ExpectGood({});
  ExpectGood({Get(1, 2, {"a"}, {kNothing}), Put(3, 4, "a", "1"), Get(5, 6, {"a"}, {"1"}),
              Put(7, 8, "b", "2"), Scan(9, 10, {{"a", "1"}, {"b", "2"}}), DeleteAll(11, 12, 2),
              DeleteAll(13, 14, 0), Get(15, 16, {"a", "b"}, {kNothing, kNothing})});
}

TEST(StrictSerializability, WhatIsAnsweredIsWhatWasThere) {
  ExpectBad({Put(1, 2, "a", "1"), Get(3, 4, {"a"}, {"2"})});
  ExpectBad({Put(1, 2, "a", "1"), Get(3, 4, {"a"}, {kNothing})});
  ExpectBad({Get(1, 2, {"a"}, {"1"})});
  ExpectBad({Put(1, 2, "a", "1"), DeleteAll(3, 4, 2)});
  ExpectBad({Put(1, 2, "a", "1"), Scan(3, 4, {{"a", "1"}, {"b", "1"}})});
  ExpectBad({Put(1, 2, "a", "1"), Write(3, 4, {}, {Condition::Absent("a")})});
  ExpectBad({Put(1, 2, "a", "1"), Write(3, 4, {}, {Condition::Present("a")}, 0)});
  ExpectBad({Write(1, 2, {}, {Condition::Present("a"), Condition::Present("b")}, 1)});
}

TEST(StrictSerializability, ScansHaveRangesDirectionsAndLimits) {
  const KeyValueCall put =
      Write(1, 2, {Mutation::Put("a", "1"), Mutation::Put("b", "2"), Mutation::Put("c", "3")});
  ScanOptions scan;
  scan.range = {.start = "a", .end = "c"};
  ExpectGood({put, Scan(3, 4, {{"a", "1"}, {"b", "2"}}, scan)});
  ExpectBad({put, Scan(3, 4, {{"a", "1"}}, scan)});
  scan.reverse = true;
  ExpectGood({put, Scan(3, 4, {{"b", "2"}, {"a", "1"}}, scan)});
  scan.limit = 1;
  ExpectGood({put, Scan(3, 4, {{"b", "2"}}, scan)});
  ExpectBad({put, Scan(3, 4, {{"a", "1"}}, scan)});
}

TEST(StrictSerializability, AtTheSameTimeInAnyOrder) {
  for (const Found& value : {kNothing, Found("1")}) {
    ExpectGood({Put(1, 10, "a", "1"), Get(2, 9, {"a"}, {value})});
  }
  ExpectGood({Put(1, 10, "a", "1"), Put(1, 10, "a", "2"), Get(11, 12, {"a"}, {"1"})});
  ExpectGood({Put(1, 10, "a", "1"), Put(1, 10, "a", "2"), Get(11, 12, {"a"}, {"2"})});
  // But in one.
  ExpectBad({Put(1, 10, "a", "1"), Put(1, 10, "a", "2"), Get(11, 12, {"a"}, {"1"}),
             Get(13, 14, {"a"}, {"2"})});
}

TEST(StrictSerializability, AStaleReadIsFound) {
  ExpectBad({Put(1, 2, "a", "1"), Put(3, 4, "a", "2"), Get(5, 6, {"a"}, {"1"})});
  // New and then old again, while it is being written.
  ExpectBad({Put(1, 20, "a", "1"), Get(2, 3, {"a"}, {"1"}), Get(4, 5, {"a"}, {kNothing})});
}

TEST(StrictSerializability, ALostUpdateIsFound) {
  const auto set = [](int64_t invoked, int64_t returned, const string& value) {
    return Write(invoked, returned, {Mutation::Put("a", value)},
                 {Condition::ValueEquals("a", "0")});
  };
  const KeyValueCall put = Put(1, 2, "a", "0");
  ExpectGood({put, set(3, 9, "1"), Get(10, 11, {"a"}, {"1"})});
  ExpectBad({put, set(3, 9, "1"), set(4, 8, "2")});
  KeyValueCall second = set(4, 8, "2");
  second.applied = false;
  ExpectGood({put, set(3, 9, "1"), second});
}

TEST(StrictSerializability, ATornReadIsFound) {
  const KeyValueCall both = Write(1, 10, {Mutation::Put("a", "1"), Mutation::Put("b", "1")});
  ExpectGood({both, Get(2, 9, {"a", "b"}, {"1", "1"})});
  ExpectGood({both, Get(2, 9, {"a", "b"}, {kNothing, kNothing})});
  ExpectBad({both, Get(2, 9, {"a", "b"}, {"1", kNothing})});
  ExpectBad({both, Scan(2, 9, {{"b", "1"}})});
}

TEST(StrictSerializability, AKeyThatIsBackIsFound) {
  const KeyValueCall put = Put(1, 2, "a", "old");
  const KeyValueCall write = Write(3, 10, {Mutation::Put("z", "1"), Mutation::Put("a", "new")},
                                   {Condition::ValueEquals("a", "old")});
  ExpectGood({put, write, Delete(4, 5, "a"), Get(11, 12, {"a"}, {kNothing})});
  ExpectBad({put, write, Delete(4, 5, "a"), Get(11, 12, {"a"}, {"new"})});
}

TEST(StrictSerializability, TwoWhoDeletedTheSameAreFound) {
  ExpectGood({Put(1, 2, "a", "1"), DeleteAll(3, 10, 1), DeleteAll(3, 10, 0)});
  ExpectBad({Put(1, 2, "a", "1"), DeleteAll(3, 10, 1), DeleteAll(3, 10, 1)});
  ExpectBad({Put(1, 2, "a", "1"), Delete(3, 4, "a"), DeleteAll(3, 10, 1),
             Get(5, 6, {"a"}, {kNothing}), Get(0, 5, {"a"}, {kNothing}), DeleteAll(11, 12, 1)});
}

TEST(StrictSerializability, APhantomIsFound) {
  // x is put while all is deleted. A reader sees x beside y, so that the deletion comes
  // after both of them, and x is there afterwards.
  ExpectBad({Put(1, 2, "y", "1"), DeleteAll(3, 20, 1), Put(4, 8, "x", "1"),
             Scan(9, 10, {{"x", "1"}, {"y", "1"}}), Get(21, 22, {"x"}, {"1"})});
}

TEST(StrictSerializability, TheReadOnlyAnomalyIsFound) {
  // A write that found b absent comes before the one that put b; the reader saw the one
  // that put b and not the other.
  const KeyValueCall slow = Write(1, 20, {Mutation::Put("a", "1")}, {Condition::Absent("b")});
  const KeyValueCall fast = Put(2, 5, "b", "1");
  ExpectGood({slow, fast, Get(21, 22, {"a", "b"}, {"1", "1"})});
  ExpectBad({slow, fast, Get(6, 7, {"a", "b"}, {kNothing, "1"})});
}

TEST(StrictSerializability, WriteSkewIsFound) {
  const KeyValueCall one = Write(1, 10, {Mutation::Put("a", "1")}, {Condition::Absent("b")});
  const KeyValueCall other = Write(1, 10, {Mutation::Put("b", "1")}, {Condition::Absent("a")});
  ExpectBad({one, other});
  KeyValueCall refused = other;
  refused.applied = false;
  ExpectGood({one, refused});
}

TEST(StrictSerializability, WhatIsNotKnownMayBeDoneAtAnyTimeOrNever) {
  const KeyValueCall put = Put(1, kNever, "a", "1");
  ExpectGood({put});
  ExpectGood({put, Get(5, 6, {"a"}, {kNothing}), Get(7, 8, {"a"}, {kNothing})});
  ExpectGood({put, Get(5, 6, {"a"}, {kNothing}), Get(7, 8, {"a"}, {"1"})});
  // Not twice, and not before it was asked for.
  ExpectBad({put, Get(2, 3, {"a"}, {"1"}), Delete(4, 5, "a"), Get(6, 7, {"a"}, {"1"})});
  ExpectBad({Put(5, kNever, "a", "1"), Get(2, 3, {"a"}, {"1"})});
  // All of it.
  ExpectBad({Write(1, kNever, {Mutation::Put("a", "1"), Mutation::Put("b", "1")}),
             Scan(5, 6, {{"a", "1"}})});
}

TEST(StrictSerializability, WhatIsShownIsShort) {
  KeyValueHistory history;
  for (int64_t i = 0; i < 20; ++i) {
    history.push_back(Put(10 * i + 1, 10 * i + 2, "a", std::to_string(i)));
    history.push_back(Get(10 * i + 3, 10 * i + 4, {"a"}, {std::to_string(i == 3 ? 1 : i)}));
    history.push_back(Put(10 * i + 1, 10 * i + 2, "b", std::to_string(i)));
  }
  const KeyValueVerdict verdict = CheckStrictSerializability(history);
  ASSERT_FALSE(verdict.serializable);
  EXPECT_EQ(verdict.culprits.size(), 5u) << ToText(verdict.culprits);
}

TEST(StrictSerializability, HistoriesOfARealOrderAreGood) {
  // Made from an order: each call is given a time around its place.
  std::mt19937_64 random(7);
  const auto choose = [&](int below) { return static_cast<int>(random() % below); };
  for (int round = 0; round < 200; ++round) {
    KeyValueState state;
    KeyValueHistory history;
    for (int64_t i = 0; i < 40; ++i) {
      const string key(1, static_cast<char>('a' + choose(3)));
      const int64_t from = 100 * i - choose(250);
      const int64_t to = 100 * i + 1 + choose(250);
      const bool present = state.contains(key);
      switch (choose(5)) {
        case 0: history.push_back(Put(from, to, key, std::to_string(choose(3)))); break;
        case 1: history.push_back(Delete(from, to, key)); break;
        case 2: history.push_back(DeleteAll(from, to, static_cast<int64_t>(state.size()))); break;
        case 3:
          history.push_back(Get(from, to, {key}, {present ? Found(state[key]) : kNothing}));
          break;
        default:
          history.push_back(Write(from, to, {Mutation::Put("c", "x")}, {Condition::Absent(key)},
                                  present ? std::optional<size_t>(0) : std::nullopt));
      }
      ASSERT_TRUE(Step(history.back(), &state));
    }
    std::shuffle(history.begin(), history.end(), random);
    ExpectGood(history);
  }
}

}  // namespace
}  // namespace penstock::testing
