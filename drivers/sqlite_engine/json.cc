#include "drivers/sqlite_engine/json.h"

#include <cstddef>

#include "absl/strings/ascii.h"

namespace penstock::sqlite_engine {
namespace {

// SQLite's own JSON functions go as deep.
constexpr int kMaxDepth = 1000;

constexpr size_t kNone = std::string_view::npos;

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

// Reads one document from the front of a text.
class Reader {
 public:
  explicit Reader(std::string_view text) : rest_(text) {}

  bool ReadDocument() { return ReadValue(0) && rest_.empty(); }

 private:
  bool Take(char c) {
    if (rest_.empty() || rest_.front() != c) return false;
    rest_.remove_prefix(1);
    return true;
  }

  bool TakeWord(std::string_view word) {
    if (!rest_.starts_with(word)) return false;
    rest_.remove_prefix(word.size());
    return true;
  }

  bool TakeDigits() {
    const size_t before = rest_.size();
    while (!rest_.empty() && IsDigit(rest_.front())) rest_.remove_prefix(1);
    return rest_.size() < before;
  }

  void SkipSpace() {
    const size_t end = rest_.find_first_not_of(" \t\n\r");
    rest_.remove_prefix(end == std::string_view::npos ? rest_.size() : end);
  }

  // Reads a value and the white space around it.
  bool ReadValue(int depth) {
    if (depth > kMaxDepth) return false;
    SkipSpace();
    const bool valid = ReadBareValue(depth);
    SkipSpace();
    return valid;
  }

  bool ReadBareValue(int depth) {
    if (rest_.empty()) return false;
    switch (rest_.front()) {
      case '{': return ReadList('}', true, depth);
      case '[': return ReadList(']', false, depth);
      case '"': return ReadString();
      case 't': return TakeWord("true");
      case 'f': return TakeWord("false");
      case 'n': return TakeWord("null");
      default: return ReadNumber();
    }
  }

  // An object or an array, from its opening bracket to `close`.
  bool ReadList(char close, bool has_names, int depth) {
    rest_.remove_prefix(1);
    SkipSpace();
    if (Take(close)) return true;
    do {
      if (has_names && !ReadName()) return false;
      if (!ReadValue(depth + 1)) return false;
    } while (Take(','));
    return Take(close);
  }

  bool ReadName() {
    SkipSpace();
    if (!ReadString()) return false;
    SkipSpace();
    return Take(':');
  }

  bool ReadString() {
    if (!Take('"')) return false;
    while (!rest_.empty()) {
      const char c = rest_.front();
      rest_.remove_prefix(1);
      if (c == '"') return true;
      if (static_cast<unsigned char>(c) < 0x20) return false;
      if (c == '\\' && !ReadEscape()) return false;
    }
    return false;
  }

  bool ReadEscape() {
    if (Take('u')) {
      for (int i = 0; i < 4; ++i) {
        if (rest_.empty() || !absl::ascii_isxdigit(rest_.front())) return false;
        rest_.remove_prefix(1);
      }
      return true;
    }
    if (rest_.empty() || std::string_view("\"\\/bfnrt").find(rest_.front()) == kNone) {
      return false;
    }
    rest_.remove_prefix(1);
    return true;
  }

  bool ReadNumber() {
    Take('-');
    if (!Take('0') && !TakeDigits()) return false;
    if (Take('.') && !TakeDigits()) return false;
    if (!Take('e') && !Take('E')) return true;
    if (!Take('+')) Take('-');
    return TakeDigits();
  }

  std::string_view rest_;
};

}  // namespace

bool IsJson(std::string_view text) { return Reader(text).ReadDocument(); }

std::string_view TrimJson(std::string_view text) {
  const size_t begin = text.find_first_not_of(" \t\n\r");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t\n\r") + 1 - begin);
}

}  // namespace penstock::sqlite_engine
