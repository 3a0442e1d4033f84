// What the tests of types share: a result's value to keep, and values to try.
#ifndef PENSTOCK_TESTS_UNIT_POSTGRES_TYPES_FIXTURE_H_
#define PENSTOCK_TESTS_UNIT_POSTGRES_TYPES_FIXTURE_H_

#include <deque>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "drivers/api/row_writer.h"
#include "drivers/api/value.h"

namespace penstock::postgres {

using Texts = std::vector<std::string>;

// Keeps the one value of a result, with all that it borrows.
class OneValue final : public driver::RowWriter {
 public:
  void Begin(const driver::Columns& /*columns*/) override {}
  void Null() override { value = driver::Value::Null(); }
  void Boolean(bool v) override { value = driver::Value::Boolean(v); }
  void Integer(int64_t v) override { value = driver::Value::Integer(v); }
  void Real(double v) override { value = driver::Value::Real(v); }
  void Bytes(driver::Kind kind, std::string_view bytes) override {
    value = driver::Value::Of(kind, Keep(bytes));
  }
  void Timestamp(int64_t seconds, int32_t nanos) override {
    value = driver::Value::Timestamp(seconds, nanos);
  }
  void Array(std::span<const driver::Value> elements) override { value = Copy(elements); }
  void EndRow() override {}
  size_t bytes() const override { return 0; }

  driver::Value value;

 private:
  std::string_view Keep(std::string_view text) { return texts_.emplace_back(text); }
  driver::Value Copy(std::span<const driver::Value> elements) {
    std::vector<driver::Value>& list = lists_.emplace_back(elements.begin(), elements.end());
    for (driver::Value& element : list) {
      element.text = Keep(element.text);
      if (element.kind == driver::Kind::kArray) element = Copy(element.elements);
    }
    return {.kind = driver::Kind::kArray, .elements = list};
  }
  std::deque<std::string> texts_;
  std::deque<std::vector<driver::Value>> lists_;
};

// Values of the base types by their names, as psql takes them.
const std::map<std::string, Texts>& Samples();

}  // namespace penstock::postgres

#endif  // PENSTOCK_TESTS_UNIT_POSTGRES_TYPES_FIXTURE_H_
