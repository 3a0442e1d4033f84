// Key-value operations, which every backend supports.
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
#include "penstock/async.h"
#include "penstock/context.h"

namespace penstock {

// One key and its value. Both are arbitrary bytes.
struct Entry {
  std::string key = {};
  std::string value = {};
  bool operator==(const Entry&) const = default;
};

// The keys from `start` (inclusive) to `end` (exclusive).
struct KeyRange {
  // An empty start means from the first key.
  std::string start = {};
  // An empty end means up to and including the last key.
  std::string end = {};
  bool operator==(const KeyRange&) const = default;
};

// Selects the entries that KeyValue::Scan returns, and their order.
struct ScanOptions {
  // Returns only keys with this prefix. Cannot be combined with `range`.
  std::string prefix = {};
  KeyRange range = {};
  // Returns the entries in descending order of their keys.
  bool reverse = false;
  // Returns at most this many entries; 0 means all.
  int64_t limit = 0;
  // Leaves the values empty.
  bool keys_only = false;
  // Returns only keys that come after this one in the order of the scan; empty means all. To
  // continue a scan that reached its limit, pass the last key that it returned.
  std::string continue_after = {};
  bool operator==(const ScanOptions&) const = default;
};

// A condition that must hold for a KeyValue::Write to be applied.
struct Condition {
  enum class Kind { kAbsent, kPresent, kValueEquals };

  static Condition Absent(std::string_view key) { return {Kind::kAbsent, std::string(key), {}}; }
  static Condition Present(std::string_view key) { return {Kind::kPresent, std::string(key), {}}; }
  // The key exists and has this value.
  static Condition ValueEquals(std::string_view key, std::string_view value) {
    return {Kind::kValueEquals, std::string(key), std::string(value)};
  }

  Kind kind = {};
  std::string key = {};
  std::string value = {};
  bool operator==(const Condition&) const = default;
};

// One change of a KeyValue::Write.
struct Mutation {
  enum class Kind { kPut, kDelete, kDeleteRange, kDeletePrefix };

  static Mutation Put(std::string_view key, std::string_view value) {
    return {Kind::kPut, std::string(key), std::string(value)};
  }
  static Mutation Delete(std::string_view key) { return {Kind::kDelete, std::string(key), {}}; }
  static Mutation DeleteRange(KeyRange range) {
    return {Kind::kDeleteRange, std::move(range.start), std::move(range.end)};
  }
  static Mutation DeletePrefix(std::string_view prefix) {
    return {Kind::kDeletePrefix, std::string(prefix), {}};
  }

  Kind kind = {};
  // The key, the prefix, or the start of the range.
  std::string key = {};
  // The value, or the end of the range.
  std::string value = {};
  bool operator==(const Mutation&) const = default;
};

// The outcome of a KeyValue::Write.
struct WriteResult {
  // True if all conditions held; the mutations are then durable.
  bool applied = true;
  // If `applied` is false, the index (from 0) of the first condition that did not hold.
  size_t failed_condition = 0;
};

// An iterator over the entries of a scan, which arrive while it is read. Not thread-safe.
//
//   for (auto entries = kv->Scan(ctx); (*entries)->Next();) Use((*entries)->Key());
class Entries {
 public:
  Entries() = default;
  Entries(const Entries&) = delete;
  Entries& operator=(const Entries&) = delete;
  // Ends the scan where it is.
  virtual ~Entries() = default;

  // Moves to the next entry. Returns false when there is none left or the scan has failed; Err
  // tells which. Fails with FAILED_PRECONDITION if Close was called before the end.
  virtual bool Next() = 0;
  // Does the same, but never blocks, as Rows::NextAsync does. The default implementation calls
  // Next.
  virtual Async<bool> NextAsync();
  // The current entry's key and value, valid until the next call of Next or Close. Both are empty
  // when there is no current entry.
  virtual const std::string& Key() const = 0;
  virtual const std::string& Value() const = 0;
  // Returns OK until a failure. The entries returned before a failure are right, but incomplete.
  virtual absl::Status Err() const = 0;
  // Ends the scan where it is.
  virtual void Close() = 0;
};

// One keyspace: an ordered map from keys to values. Made by Provider::KeyValue.
// Thread-safe. May outlive its Provider.
//
// Keys have 1 to 65536 bytes (2600 where they are written to PostgreSQL), values
// up to the database's max_value_bytes. Each call is atomic, and durable when it
// returns OK; calls are serializable. The first write to a keyspace creates it; before that it
// reads as empty.
//
// Errors: INVALID_ARGUMENT if a key or the keyspace's name is invalid; ABORTED
// (IsTransactionRetryable) if the call conflicted with others; UNAVAILABLE if the daemon cannot be
// reached; IsCommitOutcomeUnknown if a write was sent and not answered.
class KeyValue {
 public:
  KeyValue() = default;
  KeyValue(const KeyValue&) = delete;
  KeyValue& operator=(const KeyValue&) = delete;
  virtual ~KeyValue() = default;

  // Returns the key's value, or nullopt if the key does not exist.
  virtual absl::StatusOr<std::optional<std::string>> Get(const Context& ctx,
                                                         std::string_view key) = 0;

  // Returns the values of up to 10000 keys, in the order of `keys`, from one snapshot.
  virtual absl::StatusOr<std::vector<std::optional<std::string>>> BatchGet(
      const Context& ctx, const std::vector<std::string>& keys) = 0;

  // Sets the key's value, whether or not the key exists.
  virtual absl::Status Put(const Context& ctx, std::string_view key, std::string_view value) = 0;

  // Deletes the key. Returns OK also if it does not exist.
  virtual absl::Status Delete(const Context& ctx, std::string_view key) = 0;

  // Delete all keys in the range, or with the prefix, and return how many there were. A default
  // KeyRange and an empty prefix select all keys.
  virtual absl::StatusOr<int64_t> DeleteRange(const Context& ctx, const KeyRange& range) = 0;
  virtual absl::StatusOr<int64_t> DeletePrefix(const Context& ctx, std::string_view prefix) = 0;

  // Returns the entries that `options` selects, in the order of their keys, from one snapshot.
  // They are read from the backend as Entries::Next asks for them. `ctx` limits the whole scan.
  virtual absl::StatusOr<std::unique_ptr<Entries>> Scan(const Context& ctx,
                                                        const ScanOptions& options) = 0;
  absl::StatusOr<std::unique_ptr<Entries>> Scan(const Context& ctx) {
    return Scan(ctx, ScanOptions());
  }

  // Applies all mutations in their order if all conditions hold, and none otherwise, as one atomic
  // operation. A condition that does not hold is not an error: see WriteResult.
  virtual absl::StatusOr<WriteResult> Write(const Context& ctx,
                                            const std::vector<Condition>& conditions,
                                            const std::vector<Mutation>& mutations) = 0;

  // The same calls without blocking; see async.h. Of a Provider's keyspace. The default
  // implementations run the calls above in threads of their own, so that the object must outlive
  // them.
  virtual Async<std::optional<std::string>> GetAsync(const Context& ctx, std::string_view key);
  virtual Async<std::vector<std::optional<std::string>>> BatchGetAsync(
      const Context& ctx, std::vector<std::string> keys);
  virtual Async<void> PutAsync(const Context& ctx, std::string_view key, std::string_view value);
  virtual Async<void> DeleteAsync(const Context& ctx, std::string_view key);
  virtual Async<int64_t> DeleteRangeAsync(const Context& ctx, KeyRange range);
  virtual Async<int64_t> DeletePrefixAsync(const Context& ctx, std::string_view prefix);
  // The first entries are there at the completion; Entries::NextAsync gets the others.
  virtual Async<std::unique_ptr<Entries>> ScanAsync(const Context& ctx, ScanOptions options);
  virtual Async<WriteResult> WriteAsync(const Context& ctx, std::vector<Condition> conditions,
                                        std::vector<Mutation> mutations);
};

// Makes Entries from a list, for tests. Unless `error` is OK, reading fails with it after the last
// entry.
std::unique_ptr<Entries> MakeEntries(std::vector<Entry> entries,
                                     absl::Status error = absl::OkStatus());

}  // namespace penstock

#endif  // PENSTOCK_KEY_VALUE_H_
