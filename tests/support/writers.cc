#include "tests/support/writers.h"

#include <utility>

#include "fmt/format.h"
#include "gtest/gtest.h"

namespace penstock::testing {
namespace {

// The statements that differ between drivers. The ids are text, because keys are.
struct Texts {
  std::string create;
  // Writes the row $1; slow_insert does the same and takes a few hundredths of a second.
  std::string insert = "INSERT INTO ids VALUES ($1, '')";
  std::string slow_insert =
      "INSERT INTO ids SELECT $1, (WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c "
      "WHERE i < 30000) SELECT count(*) FROM c)";
};

Texts TextsOf(const std::string& driver) {
  if (driver == "pebble") return {.create = "CREATE TABLE ids (key TEXT PRIMARY KEY, value TEXT)"};
  if (driver == "sqlite") return {.create = "CREATE TABLE ids (key TEXT, value TEXT)"};
  return {.create = "CREATE TABLE ids (key text, value text)",
          .slow_insert = "INSERT INTO ids SELECT $1, 'x' || pg_sleep(0.03)::text"};
}

absl::Status ReadAll(absl::StatusOr<std::unique_ptr<Rows>> rows) {
  if (!rows.ok()) return rows.status();
  while ((*rows)->Next()) {
  }
  return (*rows)->Err();
}

}  // namespace

Writers::Writers(Options options) : options_(std::move(options)) {
  auto db = New({.target = options_.target, .database = options_.database});
  EXPECT_TRUE(db.ok()) << db.status();
  db_ = *std::move(db);
  const Texts texts = TextsOf(options_.driver);
  AddCalls(texts.insert);
  if (options_.slow) AddCalls(texts.slow_insert);
  Add("rows", [this, insert = texts.insert](const std::string& id) {
    std::vector<Args> rows;
    for (int i = 0; i < 20; ++i) rows.push_back({fmt::format("{}.{}", id, i)});
    const absl::Status status = db_->ExecRows(Limited(), insert, rows).status();
    for (int i = 0; i < 20; ++i) account_.Enter(fmt::format("{}.{}", id, i), status);
  });
  Add("put", [this](const std::string& id) {
    account_.Enter(id, db_->KeyValue("keys")->Put(Limited(), id, "x"));
  });
  Add("write", [this](const std::string& id) {
    account_.Enter(id,
                   db_->KeyValue("keys")->Write(Limited(), {}, {Mutation::Put(id, "x")}).status());
  });
}

Writers::~Writers() { Stop(); }

absl::Status Writers::Prepare() {
  return db_->Exec(Limited(), TextsOf(options_.driver).create).status();
}

void Writers::AddCalls(const std::string& sql) {
  Add("exec", [this, sql](const std::string& id) {
    account_.Enter(id, db_->Exec(Limited(), sql, id).status());
  });
  Add("query", [this, sql](const std::string& id) {
    account_.Enter(id, ReadAll(db_->Query(Limited(), sql, id)));
  });
  Add("batch", [this, sql](const std::string& id) {
    std::vector<BatchStatement> batch;
    for (int i = 0; i < 5; ++i) batch.push_back({sql, {fmt::format("{}.{}", id, i)}});
    const auto outcomes = db_->ExecBatch(Limited(), batch);
    for (int i = 0; i < 5; ++i) {
      account_.Enter(fmt::format("{}.{}", id, i), outcomes[static_cast<size_t>(i)].status());
    }
  });
  Add("statement", [this, sql](const std::string& id) {
    const Context ctx = Limited();
    auto statement = db_->Prepare(ctx, sql);
    if (!statement.ok()) return account_.Enter(id, statement.status());
    for (int i = 0; i < 4; ++i) {
      const std::string each = fmt::format("{}.{}", id, i);
      account_.Enter(each, i % 2 == 0 ? (*statement)->Exec(ctx, each).status()
                                      : ReadAll((*statement)->Query(ctx, each)));
    }
  });
  Add("transaction", [this, sql](const std::string& id) {
    const Context ctx = Limited();
    account_.Enter(id, RunInTransaction(ctx, *db_, [&](Transaction& transaction) {
                     return transaction.Exec(ctx, sql, id).status();
                   }));
  });
}

void Writers::Add(const std::string& name, Call call) {
  callers_.emplace_back(fmt::format("{}{}", name, callers_.size()), std::move(call));
}

void Writers::Start() {
  stopping_ = false;
  for (Caller& caller : callers_) caller.thread = std::thread([this, &caller] { Run(&caller); });
}

void Writers::Run(Caller* caller) {
  while (!stopping_) {
    caller->since = absl::ToUnixNanos(absl::Now());
    caller->call(fmt::format("{}{}-{}", options_.prefix, caller->name, caller->calls.load()));
    caller->since = 0;
    ++caller->calls;
  }
}

void Writers::Stop() {
  stopping_ = true;
  for (Caller& caller : callers_) {
    if (caller.thread.joinable()) caller.thread.join();
  }
}

absl::StatusOr<std::map<std::string, int>> Writers::There() const {
  const Context ctx = Context().WithTimeout(absl::Minutes(1));
  std::map<std::string, int> there;
  auto rows = db_->Query(ctx, "SELECT key FROM ids");
  if (!rows.ok()) return rows.status();
  for (std::string id; (*rows)->Next();) {
    if (const absl::Status status = (*rows)->Scan(&id); !status.ok()) return status;
    ++there[id];
  }
  if (!(*rows)->Err().ok()) return (*rows)->Err();
  auto entries = db_->KeyValue("keys")->Scan(ctx);
  if (!entries.ok()) return entries.status();
  while ((*entries)->Next()) ++there[(*entries)->Key()];
  if (!(*entries)->Err().ok()) return (*entries)->Err();
  return there;
}

absl::Status Writers::Clear() {
  account_.Clear();
  const Context ctx = Context().WithTimeout(absl::Minutes(1));
  const absl::Status status = db_->Exec(ctx, "DELETE FROM ids").status();
  return status.ok() ? db_->KeyValue("keys")->DeletePrefix(ctx, "").status() : status;
}

std::vector<std::string> Writers::Overdue(absl::Duration more) const {
  std::vector<std::string> found;
  for (const Caller& caller : callers_) {
    const int64_t since = caller.since;
    if (since == 0 || absl::Now() - absl::FromUnixNanos(since) < options_.limit + more) continue;
    found.push_back(options_.driver + " " + caller.name);
  }
  return found;
}

std::vector<int64_t> Writers::calls() const {
  std::vector<int64_t> counts;
  for (const Caller& caller : callers_) counts.push_back(caller.calls);
  return counts;
}

}  // namespace penstock::testing
