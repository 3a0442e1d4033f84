#include "drivers/postgres/array.h"

#include <utility>

#include "drivers/postgres/scalar.h"
#include "text/utf8.h"

namespace penstock::postgres {
namespace {

using driver::Kind;
using driver::Value;

// Lists within lists: what the wire takes from clients. PostgreSQL's own limit is six, for each
// array of a domain over arrays again.
constexpr int kMaxDepth = 32;

class ArrayReader {
 public:
  // In an array that is `depth` lists deep in others.
  ArrayReader(const Type& array, std::string_view text, int depth, ArrayStore* store)
      : element_(*array.element), rest_(text), depth_(depth), store_(store) {}

  bool Read(Value* value) {
    if (rest_.starts_with('[')) {
      *value = Value::Text(rest_);
      return IsUtf8(rest_);
    }
    return ReadList(value) && rest_.empty();
  }

 private:
  bool Take(char c) {
    if (!rest_.starts_with(c)) return false;
    rest_.remove_prefix(1);
    return true;
  }

  bool ReadList(Value* value) {
    if (!Take('{') || ++depth_ > kMaxDepth) return false;
    std::vector<Value>& elements = store_->lists.emplace_back();
    while (!Take('}')) {
      if (!elements.empty() && !Take(element_.delimiter)) return false;
      Value element;
      if (!(rest_.starts_with('{') ? ReadList(&element) : ReadOne(&element))) return false;
      elements.push_back(element);
    }
    --depth_;
    value->kind = Kind::kArray;
    value->elements = elements;
    return true;
  }

  bool ReadOne(Value* value) {
    std::string text;
    const bool quoted = rest_.starts_with('"');
    if (!(quoted ? ReadQuoted(&text) : ReadBare(&text))) return false;
    if (!quoted && text == "NULL") return true;
    return ReadElement(store_->texts.emplace_back(std::move(text)), value);
  }

  bool ReadElement(const std::string& text, Value* value) {
    if (element_.kind == Kind::kArray)
      return ArrayReader(element_, text, depth_, store_).Read(value);
    std::string* bytes = nullptr;
    if (element_.kind == Kind::kBlob || element_.kind == Kind::kDecimal) {
      bytes = &store_->texts.emplace_back();
    }
    if (!ReadScalar(element_, text, bytes, value)) return false;
    // Numbers borrow nothing.
    if (value->text.empty()) store_->texts.pop_back();
    return true;
  }

  bool ReadQuoted(std::string* text) {
    rest_.remove_prefix(1);
    while (!rest_.empty() && rest_.front() != '"') {
      if (!ReadCharacter(text)) return false;
    }
    return Take('"');
  }

  bool ReadBare(std::string* text) {
    while (!rest_.empty() && rest_.front() != '}' && rest_.front() != element_.delimiter) {
      if (!ReadCharacter(text)) return false;
    }
    return !text->empty();
  }

  bool ReadCharacter(std::string* text) {
    Take('\\');
    if (rest_.empty()) return false;
    *text += rest_.front();
    rest_.remove_prefix(1);
    return true;
  }

  const Type& element_;
  std::string_view rest_;
  int depth_;
  ArrayStore* const store_;
};

}  // namespace

bool ReadArray(const Type& type, std::string_view text, ArrayStore* store, Value* value) {
  return ArrayReader(type, text, 0, store).Read(value);
}

}  // namespace penstock::postgres
