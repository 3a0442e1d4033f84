// A client that makes given or random key-value calls and records the answers for
// CheckStrictSerializability.
#ifndef PENSTOCK_TESTS_SUPPORT_KEY_VALUE_CLIENT_H_
#define PENSTOCK_TESTS_SUPPORT_KEY_VALUE_CLIENT_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "penstock/penstock.h"
#include "tests/support/key_value_history.h"

namespace penstock::testing {

// One client of a history. Not thread-safe; each thread uses its own.
class KeyValueClient {
 public:
  // The keys of its calls begin with `prefix`, which the history omits. The keyspace must outlive
  // the client. The same seed makes the same random choices.
  KeyValueClient(KeyValue* keyspace, int client, std::string prefix, uint64_t seed);

  // Make one call each. Return false if it failed. A failed read is not recorded, nor is a write
  // whose error says that it may be repeated, because it had no effect. Any other failed write is
  // recorded with an unknown outcome.
  bool Get(std::vector<std::string> keys);
  bool Scan(ScanOptions scan);
  bool Put(const std::string& key, const std::string& value);
  bool Delete(const std::string& key);
  bool DeleteRange(const KeyRange& range);
  bool Write(std::vector<Condition> conditions, std::vector<Mutation> mutations);

  // Makes a random one of these calls on a small set of keys.
  bool Random();

  const KeyValueHistory& history() const { return history_; }
  // Returns the last failure, or OK if there was none.
  const absl::Status& error() const { return error_; }

 private:
  KeyValueCall Begin(KeyValueCall::Kind kind) const;
  bool End(KeyValueCall call, const absl::Status& status);
  std::string Full(const std::string& key) const { return prefix_ + key; }
  // Adds the prefix to both ends; an open end becomes the corresponding end of the prefix.
  KeyRange Full(const KeyRange& range) const;
  std::string Bare(const std::string& key) const { return key.substr(prefix_.size()); }

  int Choose(int low, int high) { return std::uniform_int_distribution(low, high)(random_); }
  std::string RandomKey() { return std::string(1, static_cast<char>('a' + Choose(0, 3))); }
  std::string NewValue();
  KeyRange RandomRange();
  Condition RandomCondition();
  Mutation RandomMutation();
  bool RandomWrite();

  KeyValue* const keyspace_;
  const int client_;
  const std::string prefix_;
  std::mt19937_64 random_;
  int values_ = 0;
  // The last value of each key that the client has read or written.
  std::map<std::string, std::string> seen_;
  KeyValueHistory history_;
  absl::Status error_;
};

struct RandomClients {
  int clients = 5;
  // The number of calls of each client, unless one fails for good before.
  int calls = 6;
  uint64_t seed = 0;
  // Called by each client after each of its calls. May be empty.
  std::function<void()> after_each = {};
};

// Runs random clients concurrently and returns their joint history. If `failures` is not null,
// appends the last failure of each client that had any, one on a line.
KeyValueHistory RunRandomClients(KeyValue* keyspace, const std::string& prefix,
                                 const RandomClients& how, std::string* failures = nullptr);

// Returns an empty text if the history is strictly serializable. Otherwise describes the calls that
// show that it is not, and which history of `seed` it was.
std::string WhyNotSerializable(const KeyValueHistory& history, uint64_t seed, uint64_t round);

// Returns how many seconds a randomised check takes: PENSTOCK_TEST_KEY_VALUE_SECONDS, or
// `otherwise`.
double RandomCheckSeconds(double otherwise);
// Returns the seed of a randomised check: PENSTOCK_TEST_KEY_VALUE_SEED, or a random one.
uint64_t RandomCheckSeed();

}  // namespace penstock::testing

#endif  // PENSTOCK_TESTS_SUPPORT_KEY_VALUE_CLIENT_H_
