#include "tests/support/driver_calls.h"

#include <utility>

#include "fmt/format.h"
#include "gtest/gtest.h"

namespace penstock::testing {

void TextRows::Begin(const driver::Columns& of) {
  ++begun;
  columns = of;
  rows.clear();
  row_.clear();
  bytes_ = 0;
}

void TextRows::Add(std::string_view kind, std::string_view content) {
  if (!row_.empty()) row_ += '|';
  row_ += kind;
  if (!content.empty()) row_.append(" ").append(content);
  bytes_ += content.size() + 1;
}

void TextRows::Integer(int64_t value) { Add("integer", fmt::to_string(value)); }
void TextRows::Real(double value) { Add("real", fmt::format("{}", value)); }
void TextRows::Timestamp(int64_t seconds, int32_t nanos) {
  Add("timestamp", fmt::format("{}.{:09}", seconds, nanos));
}

namespace {

std::string ElementText(const driver::Value& value) {
  using driver::Kind;
  switch (value.kind) {
    case Kind::kUnspecified: return "null";
    case Kind::kBoolean: return value.integer != 0 ? "true" : "false";
    case Kind::kInteger: return fmt::to_string(value.integer);
    case Kind::kReal: return fmt::format("{}", value.real);
    case Kind::kTimestamp: return fmt::format("{}.{:09}", value.integer, value.nanos);
    case Kind::kArray: {
      std::string list;
      for (const driver::Value& element : value.elements) {
        list += (list.empty() ? "" : ", ") + ElementText(element);
      }
      return "[" + list + "]";
    }
    case Kind::kText: return fmt::format("'{}'", value.text);
    default: return std::string(value.text);
  }
}

}  // namespace

void TextRows::Array(std::span<const driver::Value> elements) {
  Add("array", ElementText({.kind = driver::Kind::kArray, .elements = elements}));
}

void TextRows::EndRow() {
  rows.push_back(std::move(row_));
  row_.clear();
}

Call::Call(std::string text, std::vector<driver::Value> values)
    : sql(std::move(text)), args(std::move(values)) {
  run.sql = sql;
  run.args = args;
  run.cancellation = &cancellation;
  run.writer = &output;
}

Calls MakeCalls(const std::vector<std::string>& texts) {
  Calls calls;
  for (const std::string& text : texts) calls.push_back(std::make_unique<Call>(text));
  return calls;
}

void RunTogether(driver::Connection* connection, const Calls& calls) {
  std::vector<driver::StatementRun*> runs;
  for (const std::unique_ptr<Call>& call : calls) runs.push_back(&call->run);
  EXPECT_EQ(connection->RunBatch(runs), runs.size());
}

}  // namespace penstock::testing
