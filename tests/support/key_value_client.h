// A client that makes key-value calls, random ones if it is to, and writes down what it
// was answered, for CheckStrictSerializability.
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

// One client of a history. One thread at a time; each thread has its own.
class KeyValueClient {
 public:
  // Its calls are about keys that begin with `prefix`, which the history has without.
  // The keyspace outlives the client. The same seed makes the same random choices.
  KeyValueClient(KeyValue* keyspace, int client, std::string prefix, uint64_t seed);

  // One call each. False: it failed. A read that failed is left out of the history, and
  // so is a write whose error says that it may be retried, since that one was not done;
  // of another write nobody knows.
  bool Get(std::vector<std::string> keys);
  bool Scan(ScanOptions scan);
  bool Put(const std::string& key, const std::string& value);
  bool Delete(const std::string& key);
  bool DeleteRange(const KeyRange& range);
  bool Write(std::vector<Condition> conditions, std::vector<Mutation> mutations);

  // A random one of them, on few keys.
  bool Random();

  const KeyValueHistory& history() const { return history_; }
  // The last failure; OK if there was none.
  const absl::Status& error() const { return error_; }

 private:
  KeyValueCall Begin(KeyValueCall::Kind kind) const;
  bool End(KeyValueCall call, const absl::Status& status);
  std::string Full(const std::string& key) const { return prefix_ + key; }
  // The range with the prefix; open ends are those of the prefix.
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
  // What it last saw of a key, or wrote.
  std::map<std::string, std::string> seen_;
  KeyValueHistory history_;
  absl::Status error_;
};

struct RandomClients {
  int clients = 5;
  // Calls of each, if none of them fails for good before.
  int calls = 6;
  uint64_t seed = 0;
  // Called by each of them after each call. May be empty.
  std::function<void()> after_each = {};
};

// Runs random clients at the same time: the history of them together. `failures`, if it is
// not null, is given a line for each client that had any, with the last one.
KeyValueHistory RunRandomClients(KeyValue* keyspace, const std::string& prefix,
                                 const RandomClients& how, std::string* failures = nullptr);

// Empty if the history is strictly serializable; otherwise the calls that show that it is
// not, and which of the histories it was that were made from `seed`.
std::string WhyNotSerializable(const KeyValueHistory& history, uint64_t seed, uint64_t round);

// The seconds that a randomised check is to take: PENSTOCK_TEST_KEY_VALUE_SECONDS, or
// `otherwise`.
double RandomCheckSeconds(double otherwise);
// Where its choices begin: PENSTOCK_TEST_KEY_VALUE_SEED, or by chance.
uint64_t RandomCheckSeed();

}  // namespace penstock::testing

#endif  // PENSTOCK_TESTS_SUPPORT_KEY_VALUE_CLIENT_H_
