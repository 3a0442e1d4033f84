// Random operations, of KeyValueService and of SQL on the same keyspace, compared with
// a std::map after each.
// after each.
#include <algorithm>
#include <iterator>
#include <list>
#include <map>
#include <random>

#include "tests/unit/key_value/fixture.h"

namespace penstock::driver {
namespace {

using Model = std::map<std::string, std::string>;

class ModelTest : public KeyValueTest {
 protected:
  // Few different keys, so that operations meet; zero bytes and 0xff among them.
  std::string RandomKey() {
    static constexpr char kBytes[] = {'\0', 'a', 'b', '\x7f', '\xff'};
    std::string key;
    for (int length = Random(1, 3); length > 0; --length) key += kBytes[Random(0, 4)];
    return key;
  }

  int Random(int low, int high) { return std::uniform_int_distribution(low, high)(random_); }

  static bool Holds(const Model& model, const KeyCondition& condition) {
    const auto found = model.find(std::string(condition.key));
    switch (condition.kind) {
      case KeyCondition::Kind::kAbsent: return found == model.end();
      case KeyCondition::Kind::kPresent: return found != model.end();
      case KeyCondition::Kind::kValueEquals:
        return found != model.end() && found->second == condition.value;
    }
    return false;
  }

  static void Apply(const KeyMutation& mutation, Model* model) {
    const std::string key(mutation.key);
    switch (mutation.kind) {
      case KeyMutation::Kind::kPut: (*model)[key] = mutation.value; break;
      case KeyMutation::Kind::kDelete: model->erase(key); break;
      case KeyMutation::Kind::kDeleteRange:
        if (mutation.range.empty()) break;
        model->erase(model->lower_bound(std::string(mutation.range.start)),
                     mutation.range.end.has_value()
                         ? model->lower_bound(std::string(*mutation.range.end))
                         : model->end());
        break;
    }
  }

  std::string_view Keep(std::string bytes) { return *kept_.insert(kept_.end(), std::move(bytes)); }

  KeyMutation RandomMutation() {
    switch (Random(0, 9)) {
      case 0: return DeleteRange(Keep(RandomKey()), Keep(RandomKey()));
      case 1:
      case 2:
      case 3: return Delete(Keep(RandomKey()));
      default: return Put(Keep(RandomKey()), Keep(std::to_string(Random(0, 3))));
    }
  }

  KeyCondition RandomCondition() {
    switch (Random(0, 2)) {
      case 0: return Absent(Keep(RandomKey()));
      case 1: return Present(Keep(RandomKey()));
      default: return Equals(Keep(RandomKey()), Keep(std::to_string(Random(0, 3))));
    }
  }

  void WriteSomething(Model* model, bool in_transaction) {
    std::vector<KeyMutation> mutations;
    for (int count = Random(1, 5); count > 0; --count) mutations.push_back(RandomMutation());
    std::vector<KeyCondition> conditions;
    for (int count = Random(-1, 2); count > 0; --count) conditions.push_back(RandomCondition());
    const OperationPtr write = MakeWrite(mutations, conditions);
    in_transaction ? RunInTransaction(write.get()) : Run(write.get());
    ASSERT_TRUE(write->run.status.ok()) << write->run.status;
    std::optional<size_t> failed;
    for (size_t i = conditions.size(); i-- > 0;) {
      if (!Holds(*model, conditions[i])) failed = i;
    }
    ASSERT_EQ(write->operation.failed_condition, failed);
    if (failed.has_value()) return;
    for (const KeyMutation& mutation : mutations) Apply(mutation, model);
  }

  void ScanSomething(const Model& model, bool in_transaction) {
    const std::string start = Random(0, 3) == 0 ? "" : RandomKey();
    const std::string end = RandomKey();
    const bool open = Random(0, 3) == 0;
    const OperationPtr scan = MakeScan({.start = start, .end = std::nullopt});
    if (!open) scan->operation.range.end = end;
    scan->operation.reverse = Random(0, 1) == 1;
    scan->operation.limit = Random(0, 4);
    scan->run.limits.max_bytes = static_cast<size_t>(Random(1, 20));
    in_transaction ? RunInTransaction(scan.get()) : Run(scan.get());
    ASSERT_TRUE(scan->run.status.ok()) << scan->run.status;
    Entries wanted;
    for (const auto& entry : model) {
      if (entry.first >= start && (open || entry.first < end)) wanted.push_back(entry);
    }
    if (scan->operation.reverse) std::reverse(wanted.begin(), wanted.end());
    const auto limit = static_cast<size_t>(scan->operation.limit);
    if (limit > 0 && wanted.size() > limit) wanted.resize(limit);
    ASSERT_EQ(scan->output.entries, wanted);
  }

  // The keyspace as a table.
  std::string Sql(const std::string& text) const {
    const std::string table = GetParam() == "pebble" ? "kv" : "penstock_kv_kv";
    return std::string(text).replace(text.find("kv"), 2, table);
  }

  struct SqlResult {
    absl::Status status;
    int64_t rows_affected = 0;
    Entries entries;
  };

  SqlResult RunSql(const std::string& text, const std::vector<Value>& args, bool in_transaction) {
    const std::string sql = Sql(text);
    EntryWriter output;
    StatementRun run;
    run.sql = sql;
    run.args = args;
    run.writer = &output;
    run.limits.max_bytes = static_cast<size_t>(Random(1, 20));
    StatementRun* const one = &run;
    if (in_transaction) {
      writer_->Run(run);
    } else {
      reader_->RunBatch({&one, 1});
      if (run.wrong_lane) writer_->RunBatch({&one, 1});
    }
    while (run.cursor != nullptr) {
      output.TakeAway();
      const absl::StatusOr<bool> more = run.cursor->Fetch(run.limits, &output);
      if (more.ok() && *more) continue;
      run.status = more.status();
      run.cursor.reset();
    }
    return {run.status, run.summary.rows_affected, output.entries};
  }

  void InsertWithSql(Model* model, bool in_transaction) {
    const std::string key = RandomKey();
    const bool exists = model->contains(key);
    const std::vector<Value> args = {Value::Blob(key), Value::Blob("i")};
    switch (Random(0, 2)) {
      case 0: {
        const SqlResult result = RunSql("INSERT INTO kv VALUES ($1, $2)", args, in_transaction);
        ASSERT_EQ(GetErrorInfo(result.status).reason,
                  exists ? Reason::kUniqueViolation : Reason::kUnspecified)
            << result.status;
        model->emplace(key, "i");
        break;
      }
      case 1:
        ASSERT_EQ(
            RunSql("INSERT OR REPLACE INTO kv VALUES ($1, $2)", args, in_transaction).rows_affected,
            1);
        (*model)[key] = "i";
        break;
      default:
        ASSERT_EQ(
            RunSql("INSERT OR IGNORE INTO kv VALUES ($1, $2)", args, in_transaction).rows_affected,
            exists ? 0 : 1);
        model->emplace(key, "i");
    }
  }

  void ChangeWithSql(Model* model, bool in_transaction) {
    const std::string start = RandomKey();
    const std::string end = RandomKey();
    const std::vector<Value> args = {Value::Blob(start), Value::Blob(end)};
    const auto first = model->lower_bound(start);
    const auto last = end <= start ? first : model->upper_bound(end);
    const auto count = std::distance(first, last);
    SqlResult result;
    if (Random(0, 1) == 0) {
      result =
          RunSql("DELETE FROM kv WHERE key >= $1 AND key <= $2 AND $1 < $2", args, in_transaction);
      model->erase(first, last);
    } else {
      result = RunSql(
          "UPDATE kv SET value = CAST(value || 'u' AS BLOB) "
          "WHERE key BETWEEN $1 AND $2 AND $1 < $2",
          args, in_transaction);
      for (auto entry = first; entry != last; ++entry) entry->second += 'u';
    }
    ASSERT_TRUE(result.status.ok()) << result.status;
    ASSERT_EQ(result.rows_affected, count);
  }

  void MoveWithSql(Model* model, bool in_transaction) {
    const std::string key = RandomKey();
    const std::string to = RandomKey();
    const SqlResult result = RunSql("UPDATE kv SET key = $2 WHERE key = $1",
                                    {Value::Blob(key), Value::Blob(to)}, in_transaction);
    const auto from = model->find(key);
    if (from != model->end() && to != key && model->contains(to)) {
      ASSERT_EQ(GetErrorInfo(result.status).reason, Reason::kUniqueViolation) << result.status;
      return;
    }
    ASSERT_TRUE(result.status.ok()) << result.status;
    if (from == model->end()) return;
    auto node = model->extract(from);
    node.key() = to;
    model->insert(std::move(node));
  }

  void SelectSomething(const Model& model, bool in_transaction) {
    const std::string start = RandomKey();
    const std::string skipped = RandomKey();
    const bool reverse = Random(0, 1) == 1;
    const auto limit = static_cast<size_t>(Random(0, 5));
    const SqlResult result = RunSql(
        std::string("SELECT key, value FROM kv WHERE key > $1 AND key <> $2 ORDER BY key ") +
            (reverse ? "DESC" : "ASC") + " LIMIT $3",
        {Value::Blob(start), Value::Blob(skipped), Value::Integer(static_cast<int64_t>(limit))},
        in_transaction);
    ASSERT_TRUE(result.status.ok()) << result.status;
    Entries wanted;
    for (const auto& entry : model) {
      if (entry.first > start && entry.first != skipped) wanted.push_back(entry);
    }
    if (reverse) std::reverse(wanted.begin(), wanted.end());
    if (wanted.size() > limit) wanted.resize(limit);
    ASSERT_EQ(result.entries, wanted);
  }

  void Do(Model* model, bool in_transaction) {
    kept_.clear();
    switch (Random(0, 7)) {
      case 0: return InsertWithSql(model, in_transaction);
      case 1: return ChangeWithSql(model, in_transaction);
      case 2: return MoveWithSql(model, in_transaction);
      case 3: return SelectSomething(*model, in_transaction);
      case 4:
      case 5: return WriteSomething(model, in_transaction);
      default: return ScanSomething(*model, in_transaction);
    }
  }

  void Transact(Model* model) {
    Model within = *model;
    ASSERT_TRUE(writer_->Begin({}).ok());
    for (int count = Random(1, 10); count > 0 && !HasFailure(); --count) {
      if (Random(0, 4) == 0) {
        const Model before = within;
        ASSERT_TRUE(writer_->Savepoint("s").ok());
        Do(&within, true);
        if (Random(0, 1) == 0) {
          ASSERT_TRUE(writer_->RollbackTo("s").ok());
          within = before;
        }
        ASSERT_TRUE(writer_->Release("s").ok());
      } else {
        Do(&within, true);
      }
    }
    switch (Random(0, 9)) {
      case 0: Crash(); break;
      case 1:
      case 2:
      case 3:
      case 4: ASSERT_TRUE(writer_->Rollback().ok()); break;
      default: ASSERT_TRUE(writer_->Commit().ok()); *model = within;
    }
  }

  std::mt19937 random_{20260101};
  std::list<std::string> kept_;
};
PENSTOCK_ON_EACH_DRIVER(ModelTest);

TEST_P(ModelTest, DoesWhatAMapDoesAndKeepsItThroughCrashes) {
  // So that there is a table.
  Write({Put("a", "1")});
  Model model = {{"a", "1"}};
  for (int step = 0; step < 1500 && !HasFailure(); ++step) {
    SCOPED_TRACE(step);
    const int choice = Random(0, 99);
    if (choice == 0) {
      Open();
    } else if (choice == 1) {
      Crash();
    } else if (choice < 20) {
      Transact(&model);
    } else {
      Do(&model, false);
    }
    ASSERT_EQ(Scan(), Entries(model.begin(), model.end()));
  }
}

}  // namespace
}  // namespace penstock::driver
