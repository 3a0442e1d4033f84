#include "tests/unit/key_value/fixture.h"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <system_error>

#include "drivers/pebble/pebble_driver.h"
#include "drivers/sql_key_value/sql_key_value.h"
#include "drivers/sqlite/sqlite_driver.h"

namespace penstock::driver {
namespace {

absl::StatusOr<std::unique_ptr<Driver>> OpenDriver(const std::string& name,
                                                   const std::string& folder) {
  Config config;
  config.name = "main";
  config.driver = name;
  config.database = folder + "/" + name;
  if (name == "pebble") return pebble::Open(config);
  absl::StatusOr<std::unique_ptr<Driver>> sqlite = sqlite::Open(config);
  if (!sqlite.ok()) return sqlite;
  return sql_key_value::WithKeyValue(*std::move(sqlite), *sqlite::Spec().key_value);
}

using Sizes = std::map<std::string, std::uintmax_t>;

// Nothing if something has just gone.
std::optional<Sizes> SizesOf(const std::string& folder) {
  Sizes sizes;
  std::error_code error;
  std::filesystem::recursive_directory_iterator each(folder, error);
  for (; !error && each != std::filesystem::end(each); each.increment(error)) {
    if (each->is_regular_file(error)) sizes[each->path()] = each->file_size(error);
    if (error) break;
  }
  return error ? std::nullopt : std::optional(sizes);
}

// Threads of the database's may be removing files that are not needed any more: then
// it is copied again.
void CopyAsOfOneMoment(const std::string& from, const std::string& to) {
  for (;;) {
    const std::optional<Sizes> before = SizesOf(from);
    std::error_code error;
    std::filesystem::copy(from, to, std::filesystem::copy_options::recursive, error);
    if (!error && before.has_value() && before == SizesOf(from)) return;
    std::filesystem::remove_all(to);
  }
}

}  // namespace

std::vector<std::string> TestedDrivers() { return {"pebble", "sqlite"}; }

void EntryWriter::Begin(const Columns& columns) {
  ++begun;
  column_count = columns->size();
  entries.clear();
  row_.clear();
  bytes_ = 0;
}

void EntryWriter::Bytes(Kind kind, std::string_view bytes) {
  EXPECT_EQ(kind, Kind::kBlob);
  row_.emplace_back(bytes);
  bytes_ += bytes.size();
}

void EntryWriter::EndRow() {
  ASSERT_EQ(row_.size(), column_count);
  row_.resize(2);
  entries.emplace_back(row_[0], row_[1]);
  row_.clear();
}

Operation::Operation(KeyValueRun::Kind kind, std::string keyspace) : space(std::move(keyspace)) {
  operation.kind = kind;
  operation.keyspace = space;
  run.key_value = &operation;
  run.writer = &output;
}

OperationPtr MakeGet(std::vector<std::string_view> keys, std::string keyspace) {
  auto get = std::make_unique<Operation>(KeyValueRun::Kind::kGet, std::move(keyspace));
  get->keys = std::move(keys);
  get->operation.keys = get->keys;
  return get;
}

OperationPtr MakeScan(KeyRange range, std::string keyspace) {
  auto scan = std::make_unique<Operation>(KeyValueRun::Kind::kScan, std::move(keyspace));
  scan->operation.range = range;
  return scan;
}

OperationPtr MakeWrite(std::vector<KeyMutation> mutations, std::vector<KeyCondition> conditions,
                       std::string keyspace) {
  auto write = std::make_unique<Operation>(KeyValueRun::Kind::kWrite, std::move(keyspace));
  write->mutations = std::move(mutations);
  write->conditions = std::move(conditions);
  write->operation.mutations = write->mutations;
  write->operation.conditions = write->conditions;
  return write;
}

KeyMutation Put(std::string_view key, std::string_view value) {
  return {.kind = KeyMutation::Kind::kPut, .key = key, .value = value, .range = {}};
}

KeyMutation Delete(std::string_view key) {
  return {.kind = KeyMutation::Kind::kDelete, .key = key, .value = {}, .range = {}};
}

KeyMutation DeleteRange(std::string_view start, std::optional<std::string_view> end) {
  return {.kind = KeyMutation::Kind::kDeleteRange,
          .key = {},
          .value = {},
          .range = {.start = start, .end = end}};
}

KeyCondition Absent(std::string_view key) {
  return {.kind = KeyCondition::Kind::kAbsent, .key = key, .value = {}};
}

KeyCondition Present(std::string_view key) {
  return {.kind = KeyCondition::Kind::kPresent, .key = key, .value = {}};
}

KeyCondition Equals(std::string_view key, std::string_view value) {
  return {.kind = KeyCondition::Kind::kValueEquals, .key = key, .value = value};
}

KeyValueTest::KeyValueTest() {
  std::string pattern = (std::filesystem::temp_directory_path() / "penstock-XXXXXX").string();
  folder_ = mkdtemp(pattern.data());
  Open();
}

KeyValueTest::~KeyValueTest() {
  reader_.reset();
  writer_.reset();
  driver_.reset();
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

void KeyValueTest::Open() {
  reader_.reset();
  writer_.reset();
  driver_.reset();
  auto driver = OpenDriver(GetParam(), folder_);
  ASSERT_TRUE(driver.ok()) << driver.status();
  driver_ = *std::move(driver);
  writer_ = Connect(Lane::kWrite);
  reader_ = Connect(Lane::kRead);
}

void KeyValueTest::Crash() {
  const std::string left = folder_ + "-left";
  CopyAsOfOneMoment(folder_, left);
  reader_.reset();
  writer_.reset();
  driver_.reset();
  std::filesystem::remove_all(folder_);
  std::filesystem::rename(left, folder_);
  Open();
}

std::unique_ptr<Connection> KeyValueTest::Connect(Lane lane) {
  auto connection = driver_->Connect(lane, Deadline::None());
  EXPECT_TRUE(connection.ok()) << connection.status();
  return *std::move(connection);
}

void KeyValueTest::Finish(Operation* operation) {
  StatementRun& run = operation->run;
  while (run.cursor != nullptr) {
    operation->output.TakeAway();
    const absl::StatusOr<bool> more = run.cursor->Fetch(run.limits, &operation->output);
    if (!more.ok()) run.status = more.status();
    if (more.ok() && *more) continue;
    run.summary = run.cursor->summary();
    run.cursor.reset();
  }
}

void KeyValueTest::Run(Operation* operation) {
  StatementRun* const run = &operation->run;
  Connection* connection = operation->operation.reads() ? reader_.get() : writer_.get();
  connection->Together({&run, 1});  // makes it ready
  ASSERT_EQ(connection->RunBatch({&run, 1}), 1u);
  ASSERT_FALSE(run->wrong_lane);
  Finish(operation);
}

void KeyValueTest::RunInTransaction(Operation* operation) {
  writer_->Run(operation->run);
  Finish(operation);
}

void KeyValueTest::Write(std::vector<KeyMutation> mutations, std::string keyspace) {
  const OperationPtr write = MakeWrite(std::move(mutations), {}, std::move(keyspace));
  Run(write.get());
  ASSERT_TRUE(write->run.status.ok()) << write->run.status;
  ASSERT_FALSE(write->operation.failed_condition.has_value());
}

Entries KeyValueTest::Get(std::vector<std::string_view> keys, std::string keyspace) {
  const OperationPtr get = MakeGet(std::move(keys), std::move(keyspace));
  Run(get.get());
  EXPECT_TRUE(get->run.status.ok()) << get->run.status;
  std::sort(get->output.entries.begin(), get->output.entries.end());
  return get->output.entries;
}

Entries KeyValueTest::Scan(KeyRange range, std::string keyspace) {
  const OperationPtr scan = MakeScan(range, std::move(keyspace));
  Run(scan.get());
  EXPECT_TRUE(scan->run.status.ok()) << scan->run.status;
  return scan->output.entries;
}

bool KeyValueTest::WriteIf(std::vector<KeyCondition> conditions,
                           std::vector<KeyMutation> mutations) {
  const OperationPtr write = MakeWrite(std::move(mutations), std::move(conditions));
  Run(write.get());
  EXPECT_TRUE(write->run.status.ok()) << write->run.status;
  return !write->operation.failed_condition.has_value();
}

}  // namespace penstock::driver
