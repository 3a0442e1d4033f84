// A client that takes smaller messages than the daemon: what it is sent it can receive, and
// no write is lost with an answer that it cannot.
#include <memory>
#include <string>

#include "fmt/format.h"
#include "gmock/gmock.h"
#include "penstock/penstock.h"
#include "tests/conformance/backend.h"

namespace penstock::testing {
namespace {

using ::testing::HasSubstr;

constexpr size_t kSmall = size_t{1} << 20;
constexpr int64_t kLarge = int64_t{3} << 20;

class MessageSize : public Conformance {
 protected:
  std::unique_ptr<Provider> Client(size_t max_message_bytes) {
    auto db = New({.target = gateway().target(), .max_message_bytes = max_message_bytes});
    EXPECT_TRUE(db.ok()) << db.status();
    return *std::move(db);
  }

  static absl::Status ReadAll(absl::StatusOr<std::unique_ptr<Rows>> rows, int* count) {
    *count = 0;
    if (!rows.ok()) return rows.status();
    while ((*rows)->Next()) ++*count;
    return (*rows)->Err();
  }
  // It says whose limit is passed.
  static void ExpectTooLarge(const absl::Status& status) {
    EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted) << status;
    EXPECT_EQ(GetErrorDetails(status).reason, "LIMIT_EXCEEDED") << status;
    EXPECT_THAT(std::string(status.message()), HasSubstr("1048576"));
  }

  const Context ctx_ = Context().WithTimeout(absl::Seconds(30));
  int count_ = 0;
};
PENSTOCK_CONFORMANCE(MessageSize);

// Those of keys and values.
class EntrySize : public MessageSize {};
PENSTOCK_CONFORMANCE_ON(EntrySize, KeyValueBackends());

TEST_P(MessageSize, ManyRowsComeInMessagesThatFit) {
  const auto db = Client(64 << 10);
  Do(fmt::format("CREATE TABLE t (id INTEGER PRIMARY KEY, data {})", backend().blob_type()));
  const std::string row(5000, 'x');
  std::vector<Args> rows;
  for (int i = 0; i < 10; ++i) rows.push_back({i, Value(Bytes{row})});
  ASSERT_TRUE(db->ExecRows(ctx_, "INSERT INTO t VALUES ($1, $2)", rows).ok());
  const std::string all = "SELECT a.data, b.data FROM t a, t b, t c";
  EXPECT_TRUE(ReadAll(db->Query(ctx_, all), &count_).ok());
  EXPECT_EQ(count_, 1000);
  const auto statement = db->Prepare(ctx_, all);
  ASSERT_TRUE(statement.ok()) << statement.status();
  EXPECT_TRUE(ReadAll((*statement)->Query(ctx_), &count_).ok());
  EXPECT_EQ(count_, 1000);
  const auto transaction = db->Transaction(ctx_);
  ASSERT_TRUE(transaction.ok()) << transaction.status();
  EXPECT_TRUE(ReadAll((*transaction)->Query(ctx_, all), &count_).ok());
  EXPECT_EQ(count_, 1000);
}

TEST_P(MessageSize, ARowThatDoesNotFitIsRefusedByTheDaemon) {
  const auto db = Client(kSmall);
  Do(fmt::format("CREATE TABLE t (id INTEGER PRIMARY KEY, data {})", backend().blob_type()));
  Do(fmt::format("INSERT INTO t VALUES (1, {})", backend().blob_of(kLarge)));
  const std::string sql = "SELECT data FROM t";
  ExpectTooLarge(ReadAll(db->Query(ctx_, sql), &count_));
  const auto statement = db->Prepare(ctx_, sql);
  ASSERT_TRUE(statement.ok()) << statement.status();
  ExpectTooLarge(ReadAll((*statement)->Query(ctx_), &count_));
  // The stream goes on.
  ExpectTooLarge(ReadAll((*statement)->Query(ctx_), &count_));
  const auto transaction = db->Transaction(ctx_);
  ASSERT_TRUE(transaction.ok()) << transaction.status();
  ExpectTooLarge(ReadAll((*transaction)->Query(ctx_, sql), &count_));
  EXPECT_TRUE((*transaction)->Rollback(ctx_).ok());
  // Who takes it gets it.
  EXPECT_TRUE(ReadAll(Client(size_t{8} << 20)->Query(ctx_, sql), &count_).ok());
  EXPECT_EQ(count_, 1);
}

// What is returned of a write that cannot be undone any more is lost, but not that it was done.
TEST_P(MessageSize, AWriteWhoseRowsDoNotFitIsUndoneOrTold) {
  const auto db = Client(kSmall);
  Do(fmt::format("CREATE TABLE t (id INTEGER PRIMARY KEY, data {})", backend().blob_type()));
  const std::string insert =
      fmt::format("INSERT INTO t VALUES ($1, {}) RETURNING data", backend().blob_of(kLarge));
  const auto statement = db->Prepare(ctx_, insert);
  ASSERT_TRUE(statement.ok()) << statement.status();
  int id = 0;
  for (const bool prepared : {false, true}) {
    ++id;
    const absl::Status status = prepared ? ReadAll((*statement)->Query(ctx_, id), &count_)
                                         : ReadAll(db->Query(ctx_, insert, id), &count_);
    EXPECT_FALSE(status.ok());
    EXPECT_EQ(count_, 0);
    EXPECT_THAT(std::string(status.message()), HasSubstr("bytes"));
    const std::string there = Ask(fmt::format("SELECT count(*) FROM t WHERE id = {}", id));
    if (!IsCommitOutcomeUnknown(status)) {
      EXPECT_EQ(there, "0") << status;
    }
    if (backend().buffers_returning()) {
      EXPECT_EQ(GetErrorDetails(status).reason, "LIMIT_EXCEEDED") << status;
      EXPECT_THAT(GetErrorDetails(status).hint, HasSubstr("max_message_bytes"));
    }
  }
}

TEST_P(EntrySize, AnEntryThatDoesNotFitIsRefusedByTheDaemon) {
  const auto large = Client(size_t{8} << 20);
  const std::string value(static_cast<size_t>(kLarge), 'v');
  ASSERT_TRUE(large->KeyValue("keys")->Put(ctx_, "k", value).ok());
  ASSERT_TRUE(large->KeyValue("keys")->Put(ctx_, "other", "v").ok());
  const auto small = Client(kSmall);
  const auto keys = small->KeyValue("keys");
  ExpectTooLarge(keys->Get(ctx_, "k").status());
  ExpectTooLarge(keys->BatchGet(ctx_, {"other", "k"}).status());
  auto entries = keys->Scan(ctx_);
  if (entries.ok()) {
    while ((*entries)->Next()) {
    }
  }
  ExpectTooLarge(entries.ok() ? (*entries)->Err() : entries.status());
  const auto transaction = small->Transaction(ctx_);
  ASSERT_TRUE(transaction.ok()) << transaction.status();
  ExpectTooLarge((*transaction)->KeyValue("keys")->Get(ctx_, "k").status());
  EXPECT_EQ(*keys->Get(ctx_, "other"), "v");
  EXPECT_EQ(*large->KeyValue("keys")->Get(ctx_, "k"), value);
}

}  // namespace
}  // namespace penstock::testing
