// Keys and values, on every backend.
#ifndef PENSTOCK_KEY_VALUE_H_
#define PENSTOCK_KEY_VALUE_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "penstock/context.h"

namespace penstock {

// Both are any bytes.
struct Entry {
  std::string key = {};
  std::string value = {};
  bool operator==(const Entry&) const = default;
};

// The keys from `start` up to, but not including, `end`.
struct KeyRange {
  // Empty: from the first key.
  std::string start = {};
  // Empty: up to and including the last key.
  std::string end = {};
  bool operator==(const KeyRange&) const = default;
};

// Which entries KeyValue::Scan returns, and in which order.
struct ScanOptions {
  // Keys that begin so; empty: any. Not together with `range`.
  std::string prefix = {};
  KeyRange range = {};
  // From the last key to the first.
  bool reverse = false;
  // Entries at most; 0: all.
  int64_t limit = 0;
  // Leave the values empty.
  bool keys_only = false;
  // Only keys that come after this one in the order of the scan; empty: all. To
  // go on with a scan that has ended, give the last key it returned.
  std::string continue_after = {};
  bool operator==(const ScanOptions&) const = default;
};

// What has to hold for a KeyValue::Write to be applied.
struct Condition {
  enum class Sort { kAbsent, kPresent, kValueEquals };

  static Condition Absent(std::string_view key) { return {Sort::kAbsent, std::string(key), {}}; }
  static Condition Present(std::string_view key) { return {Sort::kPresent, std::string(key), {}}; }
  // The key is there and has this value.
  static Condition ValueEquals(std::string_view key, std::string_view value) {
    return {Sort::kValueEquals, std::string(key), std::string(value)};
  }

  Sort sort = {};
  std::string key = {};
  std::string value = {};
  bool operator==(const Condition&) const = default;
};

// One change of a KeyValue::Write.
struct Mutation {
  enum class Sort { kPut, kDelete, kDeleteRange, kDeletePrefix };

  static Mutation Put(std::string_view key, std::string_view value) {
    return {Sort::kPut, std::string(key), std::string(value)};
  }
  static Mutation Delete(std::string_view key) { return {Sort::kDelete, std::string(key), {}}; }
  static Mutation DeleteRange(KeyRange range) {
    return {Sort::kDeleteRange, std::move(range.start), std::move(range.end)};
  }
  static Mutation DeletePrefix(std::string_view prefix) {
    return {Sort::kDeletePrefix, std::string(prefix), {}};
  }

  Sort sort = {};
  // The key, the prefix, or the start of the range.
  std::string key = {};
  // The value, or the end of the range.
  std::string value = {};
  bool operator==(const Mutation&) const = default;
};

// What came of a KeyValue::Write.
struct WriteResult {
  // All conditions held, and the mutations are durable.
  bool applied = true;
  // If not: which condition, from 0, was the first that did not hold.
  size_t failed_condition = 0;
};

// The entries of a scan, as they arrive. One thread at a time.
//
//   for (auto entries = kv->Scan(ctx); (*entries)->Next();) Use((*entries)->Key());
class Entries {
 public:
  Entries() = default;
  Entries(const Entries&) = delete;
  Entries& operator=(const Entries&) = delete;
  // Ends the scan where it is.
  virtual ~Entries() = default;

  // Moves on to the next entry. False: there is none, or Err says why not. After a Close
  // before the end, that is FAILED_PRECONDITION.
  virtual bool Next() = 0;
  // Of the current entry, until the next call of Next or Close; empty without one.
  virtual const std::string& Key() const = 0;
  virtual const std::string& Value() const = 0;
  // OK until a failure; what was returned before it is right, but not all.
  virtual absl::Status Err() const = 0;
  // Ends the scan where it is.
  virtual void Close() = 0;
};

// One keyspace: an ordered map from key to value. Made by Provider::KeyValue.
// Thread-safe. May outlive its Provider.
//
// Keys have 1 to 65536 bytes (2600 where they are written to PostgreSQL), values
// up to the database's max_value_bytes. Each call is atomic, and durable when it
// returns OK; calls are serializable. A keyspace comes into being with the first
// write to it, and reads as empty before.
//
// Errors: INVALID_ARGUMENT for a key or name that cannot be; ABORTED (IsRetryable
// as a transaction) where it met others; UNAVAILABLE when the daemon cannot be reached;
// IsCommitOutcomeUnknown when a write was sent and not answered.
class KeyValue {
 public:
  KeyValue() = default;
  KeyValue(const KeyValue&) = delete;
  KeyValue& operator=(const KeyValue&) = delete;
  virtual ~KeyValue() = default;

  // Nothing if the key is not there.
  virtual absl::StatusOr<std::optional<std::string>> Get(const Context& ctx,
                                                         std::string_view key) = 0;

  // The values of up to 10000 keys in their order, of one snapshot.
  virtual absl::StatusOr<std::vector<std::optional<std::string>>> BatchGet(
      const Context& ctx, const std::vector<std::string>& keys) = 0;

  virtual absl::Status Put(const Context& ctx, std::string_view key, std::string_view value) = 0;

  // OK also if the key is not there.
  virtual absl::Status Delete(const Context& ctx, std::string_view key) = 0;

  // How many keys there were. A default KeyRange, and an empty prefix, are all keys.
  virtual absl::StatusOr<int64_t> DeleteRange(const Context& ctx, const KeyRange& range) = 0;
  virtual absl::StatusOr<int64_t> DeletePrefix(const Context& ctx, std::string_view prefix) = 0;

  // Entries in the order of their keys, all of one snapshot. They are read from
  // the backend as they are taken from Entries. `ctx` limits the whole scan.
  virtual absl::StatusOr<std::unique_ptr<Entries>> Scan(const Context& ctx,
                                                        const ScanOptions& options) = 0;
  absl::StatusOr<std::unique_ptr<Entries>> Scan(const Context& ctx) {
    return Scan(ctx, ScanOptions());
  }

  // If all conditions hold, applies all mutations in their order; else none.
  // Nothing comes between. That one does not hold is no error.
  virtual absl::StatusOr<WriteResult> Write(const Context& ctx,
                                            const std::vector<Condition>& conditions,
                                            const std::vector<Mutation>& mutations) = 0;
};

// Entries that are all there from the start, for tests. If `error` is not OK, it
// comes after the last one.
std::unique_ptr<Entries> MakeEntries(std::vector<Entry> entries,
                                     absl::Status error = absl::OkStatus());

}  // namespace penstock

#endif  // PENSTOCK_KEY_VALUE_H_
