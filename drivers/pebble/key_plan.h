// Which keys of a keyspace a statement of SQL asks for.
#ifndef PENSTOCK_DRIVERS_PEBBLE_KEY_PLAN_H_
#define PENSTOCK_DRIVERS_PEBBLE_KEY_PLAN_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "drivers/api/key_value.h"

struct sqlite3_index_info;
struct sqlite3_value;

namespace penstock::pebble {

// A term of a WHERE clause that says something about the key.
enum class KeyTerm : uint8_t {
  kEquals,
  kIn,
  kNotEquals,
  kGreater,
  kGreaterOrEquals,
  kLess,
  kLessOrEquals,
  // These narrow the range only; SQLite still looks at each key.
  kLike,
  kGlob,
};

// How a cursor is to read: SQLite is given it as a number when a statement is
// prepared, and gives it back, with the values of the terms, for each scan.
struct KeyPlan {
  std::vector<KeyTerm> terms;
  bool descending = false;
  // Nobody wants the value.
  bool keys_only = false;

  int ToNumber() const;
  static KeyPlan FromNumber(int number);
  // Returns the plan as EXPLAIN QUERY PLAN shows it: "key = ?", "key > ? AND key < ?", "scan".
  std::string ToText() const;
};

// xBestIndex of a keyspace with about so many keys.
int ChooseKeyPlan(sqlite3_index_info* info, int64_t keys);

// The keys that a plan's terms leave. Compares bytes, whatever the types of the
// values; a number is its text where `key_is_text`, and else less than any key.
struct KeySet {
  // If set, these at most, in their order, each once.
  std::optional<std::vector<std::string>> keys;
  std::string start;
  std::optional<std::string> end;
  std::vector<std::string> excluded;

  bool Includes(std::string_view key) const;
  driver::KeyRange range() const { return {.start = start, .end = end}; }
  // No key can be in it.
  void Clear() { keys.emplace(); }
};

// `values` has one for each of the terms.
KeySet SelectKeys(const KeyPlan& plan, sqlite3_value** values, bool key_is_text);

}  // namespace penstock::pebble

#endif  // PENSTOCK_DRIVERS_PEBBLE_KEY_PLAN_H_
