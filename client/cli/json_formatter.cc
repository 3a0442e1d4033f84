#include <memory>
#include <set>

#include "client/cli/encode.h"
#include "client/cli/formatter.h"
#include "client/cli/value_text.h"

namespace penstock::cli {
namespace {

// Makes the names distinct: a name that is repeated gets _2, _3, ….
std::vector<std::string> Distinct(const std::vector<std::string>& names) {
  std::set<std::string> taken(names.begin(), names.end());
  std::set<std::string> seen;
  std::vector<std::string> distinct;
  for (std::string name : names) {
    if (!seen.insert(name).second) {
      const std::string base = name + "_";
      for (int n = 2; !taken.insert(name = base + std::to_string(n)).second;) ++n;
    }
    distinct.push_back(std::move(name));
  }
  return distinct;
}

class JsonFormatter : public Formatter {
 public:
  explicit JsonFormatter(std::string* out) : out_(out) {}

  void Begin(const std::vector<std::string>& columns) override {
    for (const std::string& name : Distinct(columns)) {
      std::string key;
      AppendJsonString(name, &key);
      keys_.push_back(key + ": ");
    }
    out_->push_back('[');
  }

  void Row(std::span<const Value> values) override {
    out_->append(any_ ? ",\n {" : "\n {");
    any_ = true;
    for (size_t i = 0; i < values.size(); ++i) {
      if (i > 0) out_->append(", ");
      out_->append(keys_[i]);
      AppendJson(values[i], out_);
    }
    out_->push_back('}');
  }

  void End() override { out_->append(any_ ? "\n]\n" : "]\n"); }

 private:
  std::string* const out_;
  // The quoted names of the columns, each with its colon.
  std::vector<std::string> keys_;
  bool any_ = false;
};

}  // namespace

std::unique_ptr<Formatter> MakeJsonFormatter(std::string* out) {
  return std::make_unique<JsonFormatter>(out);
}

}  // namespace penstock::cli
