// Key-value operations, as a driver's connection runs them.
//
// An operation is a StatementRun whose `key_value` is set: it goes through the
// same lanes, batches, transactions, deadlines and row writers as a statement
// of SQL, and may share a commit or a snapshot with its neighbours.
//
// A keyspace is an ordered map from key to value, both bytes; keys are ordered
// bytewise, as unsigned. It comes into being with the first write to it; one
// that does not exist reads as empty.
#ifndef PENSTOCK_DRIVERS_API_KEY_VALUE_H_
#define PENSTOCK_DRIVERS_API_KEY_VALUE_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "drivers/api/value.h"

namespace penstock::driver {

// A key has at least one byte and at most this many.
inline constexpr size_t kMaxKeyBytes = size_t{64} << 10;
// Keys that one kGet may name.
inline constexpr size_t kMaxGetKeys = 10'000;
// The name of a keyspace: a letter from a to z, then letters, digits and `_`, so
// that with a prefix it is an identifier of every backend.
inline constexpr size_t kMaxKeyspaceBytes = 48;

// The keys from `start` up to, but not including, `end`.
struct KeyRange {
  // Empty: from the first key.
  std::string_view start;
  // Nothing: up to the last key. An end that is not after the start leaves
  // nothing in the range.
  std::optional<std::string_view> end;

  bool empty() const { return end.has_value() && *end <= start; }
};

// The smallest bytes that are greater than all that begin with `prefix`;
// nothing if there are none (it is empty, or all of it is 0xff).
std::optional<std::string> PrefixEnd(std::string_view prefix);

// A condition that has to hold for a kWrite to be applied.
struct KeyCondition {
  enum class Kind : uint8_t { kAbsent, kPresent, kValueEquals };
  Kind kind = Kind::kPresent;
  std::string_view key;
  // kValueEquals.
  std::string_view value;
};

struct KeyMutation {
  enum class Kind : uint8_t { kPut, kDelete, kDeleteRange };
  Kind kind = Kind::kPut;
  // kPut, kDelete.
  std::string_view key;
  // kPut.
  std::string_view value;
  // kDeleteRange.
  KeyRange range;
};

// One operation. It borrows its bytes, as StatementRun does.
struct KeyValueRun {
  enum class Kind : uint8_t {
    // The entries of `keys` that exist, each once, in any order. All in one batch:
    // more than StatementRun::limits is kLimitExceeded.
    kGet,
    // The entries in `range`, in order, all of one snapshot.
    kScan,
    // If every condition holds, all mutations in their order; else none. The
    // conditions see what was there before the mutations. Nobody sees a part of
    // it, and nothing happens between the conditions and the mutations.
    kWrite,
  };

  // In.
  Kind kind = Kind::kGet;
  std::string_view keyspace;
  // kGet. Several may be the same.
  std::span<const std::string_view> keys;
  // kScan.
  KeyRange range;
  bool reverse = false;
  bool keys_only = false;
  // Entries at most; 0: no limit.
  int64_t limit = 0;
  // kWrite.
  std::span<const KeyCondition> conditions;
  std::span<const KeyMutation> mutations;

  // Out, kWrite: the first condition that did not hold; nothing was changed then,
  // and the status is OK. The summary's rows_affected of a single kDeleteRange is
  // the number of keys that were deleted; of anything else it is not specified.
  std::optional<size_t> failed_condition;

  // Holds what the driver has to keep while the run lasts, and from one attempt to the next.
  // Nobody else touches it. It may be used again for another operation.
  struct Scratch {
    std::string sql;
    std::vector<Value> args;
    std::vector<Value> elements;
    std::vector<std::vector<Value>> rows;
  } scratch;

  bool reads() const { return kind != Kind::kWrite; }
};

// The columns of the rows that kGet and kScan write: `key` and `value`, both of
// kBlob; without `value` if keys_only. A kWrite has none.
const Columns& KeyValueColumns(const KeyValueRun& run);

// Whether a run keeps to the limits above: to be called before it is submitted;
// drivers rely on it. kInvalidParameter names what is wrong and the limit.
absl::Status CheckKeyValue(const KeyValueRun& run);
absl::Status CheckKeyspace(std::string_view name);
absl::Status CheckKey(std::string_view key);

// kLimitExceeded: the entries of a kGet are more than `max_bytes`.
absl::Status KeysTooLarge(size_t max_bytes);

}  // namespace penstock::driver

#endif  // PENSTOCK_DRIVERS_API_KEY_VALUE_H_
