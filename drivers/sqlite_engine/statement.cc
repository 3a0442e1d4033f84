#include "drivers/sqlite_engine/statement.h"

#include <sqlite3.h>
#include <strings.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>

#include "absl/strings/ascii.h"
#include "drivers/api/error.h"
#include "drivers/sqlite_engine/characters.h"
#include "drivers/sqlite_engine/error.h"
#include "drivers/sqlite_engine/exact.h"
#include "drivers/sqlite_engine/memory.h"
#include "drivers/sqlite_engine/values.h"
#include "fmt/format.h"

namespace penstock::sqlite_engine {
namespace {

using driver::MakeError;
using driver::MakeErrorWithHint;
using driver::Reason;

// Texts longer than this in all are not worth keeping prepared.
constexpr size_t kMaxCachedText = size_t{4} << 20;

// Returns the text behind leading white space, comments and semicolons.
std::string_view SkipBlank(std::string_view sql) {
  for (;;) {
    while (!sql.empty() && (absl::ascii_isspace(sql.front()) || sql.front() == ';'))
      sql.remove_prefix(1);
    if (sql.starts_with("--")) {
      const size_t end = sql.find('\n');
      sql.remove_prefix(end == std::string_view::npos ? sql.size() : end + 1);
    } else if (sql.starts_with("/*")) {
      const size_t end = sql.find("*/", 2);
      sql.remove_prefix(end == std::string_view::npos ? sql.size() : end + 2);
    } else {
      return sql;
    }
  }
}

bool StartsWithKeyword(std::string_view sql, std::string_view keyword) {
  sql = SkipBlank(sql);
  return sql.size() >= keyword.size() &&
         strncasecmp(sql.data(), keyword.data(), keyword.size()) == 0 &&
         (sql.size() == keyword.size() || !IsNameCharacter(sql[keyword.size()]));
}

absl::Status CountError(int wanted, size_t given) {
  return MakeError(Reason::kInvalidParameter,
                   fmt::format("the statement takes {} parameter{}, {} {} given", wanted,
                               wanted == 1 ? "" : "s", given, given == 1 ? "was" : "were"));
}

// Bounds the memory of preparing: for any statement, and for each byte of its text. A row of
// VALUES takes some hundred times its text. Views that are nested so that they double
// with each level end here.
constexpr size_t kPrepareBytes = size_t{64} << 20;
constexpr size_t kPrepareBytesPerByte = 500;

absl::Status PrepareMemoryError() {
  return MakeErrorWithHint(Reason::kLimitExceeded, "preparing the statement takes too much memory",
                           "nest views, WITH and subqueries less deeply");
}

}  // namespace

Statement::Statement(sqlite3_stmt* handle, std::string_view sql, AnonymousText anonymous,
                     Policy* policy)
    : handle_(handle),
      sql_(sql),
      anonymous_(std::move(anonymous)),
      changes_session_(policy->changes_session()),
      reads_counters_(policy->reads_counters()),
      defines_(policy->defines()),
      note_(sqlite3_stmt_isexplain(handle) == 0 ? policy->note() : 0),
      policy_(policy) {
  read_only_ = sqlite3_stmt_readonly(handle_) != 0 && !changes_session_;
  is_vacuum_ = StartsWithKeyword(sql_, "VACUUM");
  runs_alone_ = is_vacuum_ || changes_session_ || StartsWithKeyword(sql_, "PRAGMA");
  ReadColumns();
}

Statement::~Statement() { sqlite3_finalize(handle_); }

absl::StatusOr<std::unique_ptr<Statement>> Statement::Prepare(sqlite3* db, Policy* policy,
                                                              std::string_view sql) {
  if (sql.find('\0') != std::string_view::npos) {
    return MakeErrorWithHint(Reason::kSyntax, "the statement contains a NUL character",
                             "pass such text as a parameter");
  }
  absl::StatusOr<AnonymousText> anonymous = WithoutNumbers(sql);
  if (!anonymous.ok()) return anonymous.status();
  const std::string_view text = anonymous->sql.empty() ? sql : anonymous->sql;
  const PreparingScope preparing(policy);
  const MemoryScope memory(policy->executor(), kPrepareBytes + sql.size() * kPrepareBytesPerByte);
  sqlite3_stmt* handle = nullptr;
  const char* tail = nullptr;
  const int code = sqlite3_prepare_v3(db, text.data(), static_cast<int>(text.size()),
                                      SQLITE_PREPARE_PERSISTENT, &handle, &tail);
  if (code != SQLITE_OK) {
    if (!policy->refusal().ok()) return policy->refusal();
    return memory.exceeded() ? PrepareMemoryError() : LastError(db, text);
  }
  const auto consumed = static_cast<size_t>(tail - text.data());
  if (handle == nullptr) {
    return MakeError(Reason::kEmptyStatement, "the request contains no statement");
  }
  std::unique_ptr<Statement> statement(new Statement(handle, sql, *std::move(anonymous), policy));
  // `text` may have moved with the object that it is in.
  const std::string_view rest = sql.substr(consumed);
  if (!SkipBlank(rest).empty()) {
    return MakeErrorWithHint(Reason::kMultipleStatements, "the request has more than one statement",
                             "send one statement a request; scripts belong to migrations");
  }
  absl::Status mapped = statement->MapParameters();
  if (!mapped.ok()) return mapped;
  return statement;
}

absl::Status Statement::MapParameters() {
  const int count = sqlite3_bind_parameter_count(handle_);
  if (!anonymous_.sql.empty()) {
    // SQLite and the reading of the text differ: no value may go to the wrong place.
    if (static_cast<size_t>(count) != anonymous_.arguments.size()) {
      return MakeError(Reason::kInvalidParameter,
                       "cannot determine the parameters of the statement");
    }
    argument_of_ = std::move(anonymous_.arguments);
    if (count > 0) {
      parameter_count_ = *std::max_element(argument_of_.begin(), argument_of_.end()) + 1;
    }
    return CheckAllUsed();
  }
  bool numbered = false;
  bool positional = false;
  for (int i = 1; i <= count; ++i) {
    const char* name = sqlite3_bind_parameter_name(handle_, i);
    const bool has_number = name != nullptr && name[0] != '?';
    (has_number ? numbered : positional) = true;
    const int number = has_number ? ParameterNumber(name) : i;
    if (number == 0 || number > kMaxParameters) {
      return NotNumberedError(name != nullptr ? name : fmt::format("?{}", i));
    }
    argument_of_.push_back(number - 1);
    parameter_count_ = std::max(parameter_count_, number);
  }
  if (numbered && positional) return MixedError();
  return CheckAllUsed();
}

absl::Status Statement::CheckAllUsed() const {
  std::vector<bool> used(static_cast<size_t>(parameter_count_));
  for (const int argument : argument_of_) used[static_cast<size_t>(argument)] = true;
  const auto missing = std::find(used.begin(), used.end(), false);
  if (missing == used.end()) return absl::OkStatus();
  return MakeError(Reason::kInvalidParameter,
                   fmt::format("the statement uses ${} but not ${}", parameter_count_,
                               missing - used.begin() + 1));
}

void Statement::ReadColumns() {
  std::vector<driver::Column> columns;
  const int count = sqlite3_column_count(handle_);
  for (int i = 0; i < count; ++i) {
    const char* name = sqlite3_column_name(handle_, i);
    const char* declared = sqlite3_column_decltype(handle_, i);
    driver::Column column;
    if (name != nullptr) column.name = name;
    if (declared != nullptr) {
      column.native_type = declared;
      column.kind = KindOfDeclaredType(declared);
    }
    columns.push_back(std::move(column));
  }
  columns_ = std::make_shared<const std::vector<driver::Column>>(std::move(columns));
  prepared_times_ = sqlite3_stmt_status(handle_, SQLITE_STMTSTATUS_REPREPARE, 0);
}

void Statement::RefreshColumns() {
  if (prepared_times_ != sqlite3_stmt_status(handle_, SQLITE_STMTSTATUS_REPREPARE, 0)) {
    ReadColumns();
  }
}

absl::Status Statement::CheckCount(size_t arguments) const {
  return arguments == static_cast<size_t>(parameter_count_)
             ? absl::OkStatus()
             : CountError(parameter_count_, arguments);
}

absl::Status Statement::Bind(std::span<const driver::Value> args, Bytes bytes) {
  if (args.size() != static_cast<size_t>(parameter_count_)) return CheckCount(args.size());
  arguments_ = args;
  bool fresh = false;
  for (size_t i = 0; i < argument_of_.size(); ++i) {
    const driver::Value& value = args[static_cast<size_t>(argument_of_[i])];
    absl::Status status = BindExactly(static_cast<int>(i) + 1, value, bytes, &fresh);
    if (!status.ok()) {
      return driver::Annotate(status, fmt::format("parameter {}", argument_of_[i] + 1));
    }
  }
  return absl::OkStatus();
}

absl::Status Statement::BindExactly(int index, const driver::Value& value, Bytes bytes,
                                    bool* fresh) {
  if (read_only_) return sqlite_engine::Bind(handle_, index, *ToBind(value, kNowhere), bytes);
  if (IsKeptAnywhere(value)) return sqlite_engine::Bind(handle_, index, value, bytes);
  if (stores_ == nullptr) stores_ = std::make_unique<ParameterStores>(handle_, policy_);
  if (!*fresh) stores_->Refresh();
  *fresh = true;
  const std::optional<driver::Value> exact = ToBind(value, stores_->Of(index));
  return exact.has_value() ? sqlite_engine::Bind(handle_, index, *exact, bytes)
                           : stores_->Refuse(index, value);
}

absl::Status Statement::WriteRow(driver::RowWriter* writer) const {
  const int count = static_cast<int>(columns_->size());
  for (int i = 0; i < count; ++i) {
    absl::Status status = WriteColumn(handle_, i, (*columns_)[static_cast<size_t>(i)].kind, writer);
    if (!status.ok()) return status;
  }
  writer->EndRow();
  return absl::OkStatus();
}

void Statement::Reset() {
  arguments_ = {};
  sqlite3_reset(handle_);
  if (!argument_of_.empty()) sqlite3_clear_bindings(handle_);
}

absl::StatusOr<Statement*> StatementCache::Get(std::string_view sql) {
  const auto found = by_text_.find(sql);
  if (found != by_text_.end()) {
    recent_first_.splice(recent_first_.begin(), recent_first_, found->second);
    return recent_first_.front().get();
  }
  absl::StatusOr<std::unique_ptr<Statement>> prepared = Statement::Prepare(db_, policy_, sql);
  if (!prepared.ok()) return prepared.status();
  text_bytes_ += sql.size();
  while (!recent_first_.empty() &&
         (recent_first_.size() >= capacity_ || text_bytes_ > kMaxCachedText)) {
    DropOldest();
  }
  recent_first_.push_front(*std::move(prepared));
  by_text_.emplace(recent_first_.front()->sql(), recent_first_.begin());
  return recent_first_.front().get();
}

Statement* StatementCache::Peek(std::string_view sql) const {
  const auto found = by_text_.find(sql);
  return found == by_text_.end() ? nullptr : found->second->get();
}

void StatementCache::Clear() {
  by_text_.clear();
  recent_first_.clear();
  text_bytes_ = 0;
}

void StatementCache::DropOldest() {
  const std::string& sql = recent_first_.back()->sql();
  text_bytes_ -= sql.size();
  by_text_.erase(sql);
  recent_first_.pop_back();
}

}  // namespace penstock::sqlite_engine
