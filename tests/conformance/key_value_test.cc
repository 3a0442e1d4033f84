// KeyValueService, the same on every backend, through the client library and,
// where that would not let a mistake pass, as messages.
#include <algorithm>
#include <chrono>
#include <thread>

#include "fmt/format.h"
#include "penstock/penstock.h"
#include "penstock/v1/key_value.grpc.pb.h"
#include "tests/conformance/backend.h"
#include "tests/support/process.h"

namespace penstock::testing {
namespace {

using std::string;

class KeyValueTopic : public ::testing::TestWithParam<const Backend*> {
 protected:
  KeyValueTopic() : config_(GetParam()->Config(folder_.path())) {}

  Gateway& gateway() {
    if (gateway_ == nullptr) gateway_ = std::make_unique<Gateway>(config_);
    return *gateway_;
  }

  Provider& db() {
    if (db_ == nullptr) {
      auto made = New(penstock::Config{.target = gateway().target()});
      EXPECT_TRUE(made.ok()) << made.status();
      db_ = *std::move(made);
    }
    return *db_;
  }

  penstock::KeyValue& kv() {
    if (kv_ == nullptr) kv_ = db().KeyValue("");
    return *kv_;
  }

  v1::KeyValueService::Stub& stub() {
    if (stub_ == nullptr) {
      wire_ = std::make_unique<Wire>(gateway().target());
      stub_ = v1::KeyValueService::NewStub(wire_->channel());
    }
    return *stub_;
  }

  void Put(const string& key, const string& value) {
    const absl::Status status = kv().Put(ctx_, key, value);
    ASSERT_TRUE(status.ok()) << status;
  }

  std::optional<string> Get(const string& key) {
    const auto value = kv().Get(ctx_, key);
    EXPECT_TRUE(value.ok()) << value.status();
    return value.ok() ? *value : std::nullopt;
  }

  std::vector<Entry> Scan(const ScanOptions& options = {}, penstock::KeyValue* from = nullptr) {
    const auto entries = (from == nullptr ? kv() : *from).Scan(ctx_, options);
    EXPECT_TRUE(entries.ok()) << entries.status();
    std::vector<Entry> all;
    while (entries.ok() && (*entries)->Next()) {
      all.push_back({(*entries)->Key(), (*entries)->Value()});
    }
    if (!entries.ok()) return all;
    EXPECT_TRUE((*entries)->Err().ok()) << (*entries)->Err();
    return all;
  }

  string Keys(const ScanOptions& options = {}) {
    string keys;
    for (const Entry& entry : Scan(options)) keys += (keys.empty() ? "" : " ") + entry.key;
    return keys;
  }

  WriteResult Write(const std::vector<Condition>& conditions,
                    const std::vector<Mutation>& mutations) {
    const auto result = kv().Write(ctx_, conditions, mutations);
    EXPECT_TRUE(result.ok()) << result.status();
    return result.value_or(WriteResult());
  }

  void ExpectInvalid(const absl::Status& status) {
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << status;
    EXPECT_EQ(GetErrorDetails(status).reason, "INVALID_PARAMETER") << status;
  }

  // So many entries, with values of this size, as quickly as may be.
  void Fill(int count, size_t value_bytes) {
    std::vector<Mutation> mutations;
    for (int i = 0; i < count; ++i) {
      mutations.push_back(Mutation::Put(fmt::format("{:07}", i), string(value_bytes, 'v')));
    }
    ASSERT_TRUE(Write({}, mutations).applied);
  }

  const Context ctx_;
  TempDir folder_;
  server::Config config_;
  std::unique_ptr<Gateway> gateway_;
  std::unique_ptr<Wire> wire_;
  std::unique_ptr<Provider> db_;
  std::unique_ptr<penstock::KeyValue> kv_;
  std::unique_ptr<v1::KeyValueService::Stub> stub_;
};
INSTANTIATE_TEST_SUITE_P(Drivers, KeyValueTopic, ::testing::ValuesIn(KeyValueBackends()),
                         [](const auto& tested) { return tested.param->name(); });

TEST_P(KeyValueTopic, WhatWasPutIsThere) {
  EXPECT_EQ(Get("a"), std::nullopt);
  Put("a", "1");
  Put("empty", "");
  EXPECT_EQ(Get("a"), "1");
  EXPECT_EQ(Get("empty"), "");
  Put("a", "2");
  EXPECT_EQ(Get("a"), "2");
  EXPECT_TRUE(kv().Delete(ctx_, "a").ok());
  EXPECT_TRUE(kv().Delete(ctx_, "a").ok());
  EXPECT_EQ(Get("a"), std::nullopt);
}

TEST_P(KeyValueTopic, BatchGetAnswersInTheOrderOfTheRequest) {
  Put("a", "1");
  Put("b", "");
  const auto values = kv().BatchGet(ctx_, {"b", "nothing", "a", "a"});
  ASSERT_TRUE(values.ok()) << values.status();
  EXPECT_EQ(*values, (std::vector<std::optional<string>>{"", std::nullopt, "1", "1"}));
  const auto none = kv().BatchGet(ctx_, {});
  ASSERT_TRUE(none.ok()) << none.status();
  EXPECT_TRUE(none->empty());
}

TEST_P(KeyValueTopic, BatchGetOfManyKeys) {
  Fill(3000, 10);
  std::vector<string> keys;
  for (int i = 0; i < 10'000; ++i) keys.push_back(fmt::format("{:07}", i));
  const auto values = kv().BatchGet(ctx_, keys);
  ASSERT_TRUE(values.ok()) << values.status();
  EXPECT_EQ(std::count(values->begin(), values->end(), std::nullopt), 7000);
  keys.push_back("one more");
  ExpectInvalid(kv().BatchGet(ctx_, keys).status());
}

TEST_P(KeyValueTopic, OrderIsBytewiseAndAnyBytesAreAKey) {
  const string zero("\0", 1);
  const std::vector<string> ordered = {zero,       zero + zero, zero + "a", "A",    "a",
                                       "a" + zero, "aa",        "b",        "\x7f", "\x80",
                                       "\xc3\xa9", "\xff",      "\xff\xff"};
  std::vector<Entry> wanted;
  for (const string& key : ordered) wanted.push_back({key, key + zero + "\xff"});
  for (auto entry = wanted.rbegin(); entry != wanted.rend(); ++entry) Put(entry->key, entry->value);
  EXPECT_EQ(Scan(), wanted);
  std::reverse(wanted.begin(), wanted.end());
  EXPECT_EQ(Scan({.reverse = true}), wanted);
  EXPECT_EQ(Scan({.prefix = "\xff"}).size(), 2u);
  EXPECT_EQ(Scan({.prefix = zero}).size(), 3u);
}

TEST_P(KeyValueTopic, ScansPartsOfIt) {
  for (const char* key : {"a", "ab", "abc", "b", "ba", "c"}) Put(key, "v");
  EXPECT_EQ(Keys({.prefix = "a"}), "a ab abc");
  EXPECT_EQ(Keys({.prefix = "x"}), "");
  EXPECT_EQ(Keys({.range = {.start = "ab", .end = "ba"}}), "ab abc b");
  EXPECT_EQ(Keys({.range = {.start = "b"}}), "b ba c");
  EXPECT_EQ(Keys({.range = {.end = "ab"}}), "a");
  EXPECT_EQ(Keys({.range = {.start = "b", .end = "b"}}), "");
  EXPECT_EQ(Keys({.limit = 2}), "a ab");
  EXPECT_EQ(Keys({.range = {.start = "ab", .end = "ba"}, .reverse = true, .limit = 2}), "b abc");
  EXPECT_EQ(Keys({.prefix = "b", .reverse = true}), "ba b");
  for (const Entry& entry : Scan({.keys_only = true})) EXPECT_EQ(entry.value, "");
}

TEST_P(KeyValueTopic, GoesOnPageByPage) {
  Fill(25, 1);
  for (const bool reverse : {false, true}) {
    std::vector<string> keys;
    string last;
    for (;;) {
      const auto page = Scan({.range = {.start = "0000001", .end = "0000024"},
                              .reverse = reverse,
                              .limit = 10,
                              .continue_after = last});
      for (const Entry& entry : page) keys.push_back(entry.key);
      if (page.size() < 10) break;
      last = page.back().key;
    }
    EXPECT_EQ(keys.size(), 23u);
    EXPECT_EQ(keys.front(), reverse ? "0000023" : "0000001");
    if (reverse) std::reverse(keys.begin(), keys.end());
    EXPECT_TRUE(std::is_sorted(keys.begin(), keys.end()));
    EXPECT_EQ(std::adjacent_find(keys.begin(), keys.end()), keys.end());
  }
  // Beyond the range, there is nothing, or all of it.
  EXPECT_EQ(Keys({.range = {.end = "0000001"}, .continue_after = "9"}), "");
  EXPECT_EQ(Keys({.range = {.start = "0000024"}, .continue_after = "0"}), "0000024");
}

TEST_P(KeyValueTopic, KeyspacesAreApartAndEmptyBeforeTheirFirstWrite) {
  const auto one = db().KeyValue("one");
  const auto two = db().KeyValue("two");
  EXPECT_EQ(*one->Get(ctx_, "a"), std::nullopt);
  EXPECT_EQ(Scan({}, one.get()).size(), 0u);
  EXPECT_EQ(*one->DeletePrefix(ctx_, ""), 0);
  EXPECT_TRUE(one->Delete(ctx_, "a").ok());
  ASSERT_TRUE(one->Put(ctx_, "a", "1").ok());
  EXPECT_EQ(*two->Get(ctx_, "a"), std::nullopt);
  ASSERT_TRUE(two->Put(ctx_, "b", "2").ok());
  EXPECT_EQ(Scan({}, one.get()), (std::vector<Entry>{{"a", "1"}}));
  EXPECT_EQ(Scan({}, two.get()), (std::vector<Entry>{{"b", "2"}}));
  EXPECT_EQ(Keys(), "");
}

TEST_P(KeyValueTopic, BadKeysAndNamesAreRefused) {
  const string longest(GetParam()->max_key_bytes(), 'k');
  Put(longest, "v");
  EXPECT_EQ(Get(longest), "v");
  EXPECT_EQ(Keys({.range = {.start = longest}}), longest);
  const string too_long((size_t{64} << 10) + 1, 'k');
  for (const string& key : {string(), too_long}) {
    ExpectInvalid(kv().Get(ctx_, key).status());
    ExpectInvalid(kv().BatchGet(ctx_, {"a", key}).status());
    ExpectInvalid(kv().Put(ctx_, key, "v"));
    ExpectInvalid(kv().Delete(ctx_, key));
    ExpectInvalid(kv().Write(ctx_, {Condition::Absent(key)}, {}).status());
    ExpectInvalid(
        kv().Write(ctx_, {}, {Mutation::Put("a", "v"), Mutation::Put(key, "v")}).status());
  }
  for (const char* name : {"A", "1a", "a-b", "a b", "x;drop table y", "\xc3\xa9"}) {
    ExpectInvalid(db().KeyValue(name)->Put(ctx_, "a", "v"));
    ExpectInvalid(db().KeyValue(name)->Scan(ctx_).status());
  }
  EXPECT_EQ(Get("a"), std::nullopt);
}

TEST_P(KeyValueTopic, AKeyThatTheBackendCannotHoldIsRefusedByName) {
  if (GetParam()->max_key_bytes() == size_t{64} << 10) {
    // It holds every key that may be asked for.
    Put(string(size_t{64} << 10, 'k'), "v");
    return;
  }
  const string key(GetParam()->max_key_bytes() + 1, 'k');
  const absl::Status status = kv().Put(ctx_, key, "v");
  EXPECT_EQ(status.code(), absl::StatusCode::kUnimplemented) << status;
  EXPECT_NE(status.message().find(std::to_string(GetParam()->max_key_bytes())),
            absl::string_view::npos);
  EXPECT_EQ(Get(key), std::nullopt);
}

TEST_P(KeyValueTopic, WhatIsLeftOutOrUpsideDownIsRefused) {
  ExpectInvalid(kv().Scan(ctx_, {.range = {.start = "b", .end = "a"}}).status());
  ExpectInvalid(kv().Scan(ctx_, {.limit = -1}).status());
  ExpectInvalid(kv().DeleteRange(ctx_, {.start = "b", .end = "a"}).status());
  const auto refused = [this](auto call) {
    grpc::ClientContext context;
    EXPECT_EQ(call(&context).error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  };
  Put("a", "1");
  refused([this](grpc::ClientContext* context) {
    v1::DeleteRangeResponse response;
    return stub().DeleteRange(context, v1::DeleteRangeRequest(), &response);
  });
  for (const bool condition : {false, true}) {
    refused([&](grpc::ClientContext* context) {
      v1::WriteRequest request;
      condition ? request.add_conditions()->set_key("a") : (void)request.add_mutations();
      v1::WriteResponse response;
      return stub().Write(context, request, &response);
    });
  }
  grpc::ClientContext context;
  v1::GetRequest request;
  request.set_key("a");
  request.set_database("nowhere");
  v1::GetResponse response;
  EXPECT_EQ(stub().Get(&context, request, &response).error_code(), grpc::StatusCode::NOT_FOUND);
  EXPECT_EQ(Get("a"), "1");
}

TEST_P(KeyValueTopic, DeletesRangesAndCounts) {
  for (const char* key : {"a", "b", "ba", "c", "d"}) Put(key, "v");
  EXPECT_EQ(*kv().DeleteRange(ctx_, {.start = "b", .end = "c"}), 2);
  EXPECT_EQ(Keys(), "a c d");
  EXPECT_EQ(*kv().DeletePrefix(ctx_, "d"), 1);
  EXPECT_EQ(*kv().DeletePrefix(ctx_, "x"), 0);
  EXPECT_EQ(*kv().DeleteRange(ctx_, {.start = "c", .end = "c"}), 0);
  EXPECT_EQ(*kv().DeleteRange(ctx_, {}), 2);
  EXPECT_EQ(Keys(), "");
}

TEST_P(KeyValueTopic, ConditionsHoldTogetherOrNothingIsDone) {
  EXPECT_TRUE(Write({Condition::Absent("a")}, {Mutation::Put("a", "1")}).applied);
  EXPECT_FALSE(Write({Condition::Absent("a")}, {Mutation::Put("a", "2")}).applied);
  EXPECT_TRUE(Write({Condition::ValueEquals("a", "1"), Condition::Absent("b")},
                    {Mutation::Put("a", "2"), Mutation::Put("b", "2")})
                  .applied);
  const WriteResult failed =
      Write({Condition::Present("a"), Condition::ValueEquals("b", "3"), Condition::Absent("a")},
            {Mutation::DeletePrefix("")});
  EXPECT_FALSE(failed.applied);
  EXPECT_EQ(failed.failed_condition, 1u);
  EXPECT_FALSE(Write({Condition::Present("nothing")}, {Mutation::Delete("a")}).applied);
  EXPECT_FALSE(Write({Condition::ValueEquals("nothing", "")}, {Mutation::Delete("a")}).applied);
  EXPECT_EQ(Scan(), (std::vector<Entry>{{"a", "2"}, {"b", "2"}}));
}

TEST_P(KeyValueTopic, MutationsApplyInTheirOrder) {
  Put("a1", "old");
  EXPECT_TRUE(Write({}, {Mutation::Put("a2", "x"), Mutation::DeletePrefix("a"),
                         Mutation::Put("a3", "1"), Mutation::Put("a3", "2"),
                         Mutation::Put("b", "x"), Mutation::Delete("b"), Mutation::Delete("c"),
                         Mutation::Put("c", "3"), Mutation::DeleteRange({.start = "x"})})
                  .applied);
  EXPECT_EQ(Scan(), (std::vector<Entry>{{"a3", "2"}, {"c", "3"}}));
  EXPECT_TRUE(Write({}, {}).applied);
}

TEST_P(KeyValueTopic, AWriteOfAHundredThousandMutations) {
  Fill(100'000, 20);
  EXPECT_EQ(Scan({.keys_only = true}).size(), 100'000u);
  std::vector<Mutation> mutations;
  for (int i = 0; i < 100'000; ++i) {
    const string key = fmt::format("{:07}", i);
    mutations.push_back(i % 2 == 0 ? Mutation::Delete(key) : Mutation::Put(key, "new"));
  }
  EXPECT_TRUE(Write({Condition::Present("0000000")}, mutations).applied);
  EXPECT_EQ(Scan().size(), 50'000u);
  EXPECT_EQ(Get("0000001"), "new");
}

TEST_P(KeyValueTopic, LargeValues) {
  const string large(size_t{8} << 20, '\xff');
  Put("large", large);
  EXPECT_EQ(Get("large"), large);
  EXPECT_EQ(Scan().front().value, large);
}

TEST_P(KeyValueTopic, ValuesThatDoNotFitIntoAMessageAreRefused) {
  config_.server.max_message_bytes = size_t{1} << 20;
  for (int i = 0; i < 4; ++i) Put(std::to_string(i), string(size_t{400} << 10, 'v'));
  const auto values = kv().BatchGet(ctx_, {"0", "1", "2", "3"});
  EXPECT_EQ(values.status().code(), absl::StatusCode::kResourceExhausted) << values.status();
  EXPECT_TRUE(kv().BatchGet(ctx_, {"0", "1"}).ok());
  EXPECT_EQ(Scan().size(), 4u);
}

TEST_P(KeyValueTopic, AScanSeesOneSnapshotWhileOthersWrite) {
  Fill(20'000, 200);
  const auto entries = kv().Scan(ctx_);
  ASSERT_TRUE(entries.ok()) << entries.status();
  ASSERT_TRUE((*entries)->Next());
  // All of it changes while most of the scan is still to come.
  ASSERT_TRUE(kv().DeletePrefix(ctx_, "00").ok());
  ASSERT_TRUE(Write({}, {Mutation::Put("0000001", "new"), Mutation::Put("zzz", "new")}).applied);
  int count = 1;
  do {
    ASSERT_EQ((*entries)->Key(), fmt::format("{:07}", count - 1));
    ASSERT_EQ((*entries)->Value().size(), 200u);
  } while ((*entries)->Next() && ++count);
  EXPECT_TRUE((*entries)->Err().ok()) << (*entries)->Err();
  EXPECT_EQ(count, 20'000);
  EXPECT_EQ(Scan().size(), 2u);
}

TEST_P(KeyValueTopic, AbandonedScansLeaveNothingBehind) {
  Fill(20'000, 200);
  // More than there are connections.
  for (int i = 0; i < 40; ++i) {
    const auto entries = kv().Scan(ctx_);
    ASSERT_TRUE(entries.ok()) << entries.status();
    ASSERT_TRUE((*entries)->Next());
  }
  EXPECT_EQ(Keys({.limit = 1}), "0000000");
  Put("after", "1");
  EXPECT_EQ(Get("after"), "1");
}

TEST_P(KeyValueTopic, IncrementsByCompareAndSetLoseNone) {
  constexpr int kThreads = 8;
  constexpr int kEach = 20;
  const auto increment = [this] {
    for (int done = 0; done < kEach;) {
      const auto old = kv().Get(ctx_, "n");
      if (!old.ok()) return old.status();
      const int next = old->has_value() ? std::stoi(**old) + 1 : 1;
      const Condition condition =
          old->has_value() ? Condition::ValueEquals("n", **old) : Condition::Absent("n");
      const auto written =
          kv().Write(ctx_, {condition}, {Mutation::Put("n", std::to_string(next))});
      if (written.ok() && written->applied) ++done;
      if (!written.ok() && !absl::IsAborted(written.status())) return written.status();
    }
    return absl::OkStatus();
  };
  kv();
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&] {
      const absl::Status status = increment();
      EXPECT_TRUE(status.ok()) << status;
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(Get("n"), std::to_string(kThreads * kEach));
}

TEST_P(KeyValueTopic, ManyFirstWritesToOneKeyspaceAtOnce) {
  kv();
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([this, i] {
      const absl::Status status = kv().Put(ctx_, std::to_string(i), "v");
      EXPECT_TRUE(status.ok()) << status;
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(Keys(), "0 1 2 3 4 5 6 7");
}

TEST_P(KeyValueTopic, OneProgramRunsUnchanged) {
  Process example({BuiltProgram("example_accounts"), gateway().target()}, folder_.path());
  EXPECT_EQ(example.Wait(), 0) << example.output();
  const auto accounts = db().KeyValue("accounts");
  int64_t together = 0;
  for (const Entry& entry : Scan({}, accounts.get())) together += std::stoll(entry.value);
  EXPECT_EQ(together, 1000) << example.output();
}

TEST_P(KeyValueTopic, IsThereAfterARestart) {
  Put("a", "1");
  kv_.reset();
  db_.reset();
  gateway_.reset();
  EXPECT_EQ(Get("a"), "1");
}

TEST_P(KeyValueTopic, InATransactionNobodySeesItBeforeTheCommit) {
  Put("a", "1");
  auto tx = db().Transaction(ctx_);
  ASSERT_TRUE(tx.ok()) << tx.status();
  const auto within = (*tx)->KeyValue("");
  const auto other = (*tx)->KeyValue("other");
  ASSERT_TRUE(within->Put(ctx_, "b", "2").ok());
  ASSERT_TRUE(within->Delete(ctx_, "a").ok());
  ASSERT_TRUE(other->Put(ctx_, "x", "3").ok());
  EXPECT_EQ(*within->Get(ctx_, "b"), "2");
  EXPECT_EQ(*within->Get(ctx_, "a"), std::nullopt);
  EXPECT_EQ(Scan({}, within.get()), (std::vector<Entry>{{"b", "2"}}));
  EXPECT_EQ(Scan({.keys_only = true}, other.get()), (std::vector<Entry>{{"x", ""}}));
  // A condition that fails ends nothing.
  const auto refused = within->Write(ctx_, {Condition::Present("b"), Condition::Absent("b")}, {});
  ASSERT_TRUE(refused.ok()) << refused.status();
  EXPECT_FALSE(refused->applied);
  EXPECT_EQ(refused->failed_condition, 1u);
  EXPECT_EQ(Scan(), (std::vector<Entry>{{"a", "1"}}));
  ASSERT_TRUE((*tx)->Commit(ctx_).ok());
  EXPECT_EQ(Scan(), (std::vector<Entry>{{"b", "2"}}));
  EXPECT_EQ(*db().KeyValue("other")->Get(ctx_, "x"), "3");
}

TEST_P(KeyValueTopic, ATransactionRollsBackAndHasSavepoints) {
  for (const char* key : {"a", "b", "c"}) Put(key, "1");
  auto tx = db().Transaction(ctx_);
  ASSERT_TRUE(tx.ok()) << tx.status();
  const auto within = (*tx)->KeyValue("");
  ASSERT_TRUE(within->Put(ctx_, "d", "2").ok());
  ASSERT_TRUE((*tx)->Savepoint(ctx_, "one").ok());
  EXPECT_EQ(*within->DeleteRange(ctx_, {.start = "b"}), 3);
  EXPECT_EQ(*within->DeletePrefix(ctx_, "x"), 0);
  ExpectInvalid(within->Put(ctx_, "", "v"));
  ASSERT_TRUE((*tx)->RollbackTo(ctx_, "one").ok());
  EXPECT_EQ(Scan({}, within.get()).size(), 4u);
  ASSERT_TRUE((*tx)->Rollback(ctx_).ok());
  EXPECT_EQ(Keys(), "a b c");
}

TEST_P(KeyValueTopic, ALongScanInATransactionComesInBatches) {
  Fill(5000, 100);
  auto tx = db().Transaction(ctx_);
  ASSERT_TRUE(tx.ok()) << tx.status();
  const auto within = (*tx)->KeyValue("");
  EXPECT_EQ(Scan({}, within.get()).size(), 5000u);
  EXPECT_EQ(Scan({.reverse = true, .limit = 3}, within.get()).front().key, "0004999");
  {
    const auto abandoned = within->Scan(ctx_);
    ASSERT_TRUE((*abandoned)->Next());
    EXPECT_FALSE(within->Put(ctx_, "a", "v").ok());
  }
  EXPECT_TRUE(within->Put(ctx_, "a", "v").ok());
  ASSERT_TRUE((*tx)->Commit(ctx_).ok());
  EXPECT_EQ(Get("a"), "v");
}

TEST_P(KeyValueTopic, SqlAndKeysInOneTransaction) {
  ASSERT_TRUE(db().Exec(ctx_, "CREATE TABLE t (key TEXT PRIMARY KEY, value INTEGER)").ok());
  for (const bool commit : {false, true}) {
    auto tx = db().Transaction(ctx_);
    ASSERT_TRUE(tx.ok()) << tx.status();
    ASSERT_TRUE((*tx)->Exec(ctx_, "INSERT INTO t VALUES ('a', 1)").ok());
    ASSERT_TRUE((*tx)->KeyValue("")->Put(ctx_, "a", "1").ok());
    EXPECT_TRUE((commit ? (*tx)->Commit(ctx_) : (*tx)->Rollback(ctx_)).ok());
    EXPECT_EQ(Get("a").has_value(), commit);
    const auto rows = db().Query(ctx_, "SELECT value FROM t");
    ASSERT_TRUE(rows.ok()) << rows.status();
    EXPECT_EQ((*rows)->Next(), commit);
  }
}

TEST_P(KeyValueTopic, SqlSeesTheKeyspaceAsATable) {
  Put("a", "1");
  const auto rows = db().Query(
      ctx_, fmt::format("SELECT value FROM {} WHERE key = $1", GetParam()->table_of("kv")),
      Bytes{"a"});
  ASSERT_TRUE(rows.ok()) << rows.status();
  ASSERT_TRUE((*rows)->Next());
  Bytes value;
  ASSERT_TRUE((*rows)->Scan(&value).ok());
  EXPECT_EQ(value.data, "1");
}

}  // namespace
}  // namespace penstock::testing
