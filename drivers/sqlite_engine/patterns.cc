// A pattern is a list of elements of which each matches one character, with stars in
// between. The text is matched from left to right; where that fails the last star is
// given one more character and the elements after it are tried again from there. An
// earlier star need not be tried again: what it could give, the last one can take.
#include "drivers/sqlite_engine/patterns.h"

#include <sqlite3.h>

#include <algorithm>
#include <cstring>

#include "drivers/sqlite_engine/error.h"
#include "drivers/sqlite_engine/work.h"

namespace penstock::sqlite_engine {
namespace {

constexpr uint32_t kNone = 0xffffffff;

uint32_t Lower(uint32_t c) { return c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c; }

// Characters of a text that need not be valid UTF-8, as SQLite reads them.
class Reader {
 public:
  explicit Reader(std::string_view text)
      : at_(text.data()), end_(text.data() + strnlen(text.data(), text.size())) {}

  bool AtEnd() const { return at_ == end_; }
  unsigned char Byte() const { return static_cast<unsigned char>(*at_); }
  const char* at() const { return at_; }
  const char* end() const { return end_; }
  void MoveTo(const char* at) { at_ = at; }

  // The next character; 0 at the end.
  uint32_t Next() {
    if (AtEnd()) return 0;
    uint32_t c = Byte();
    ++at_;
    if (c < 0xc0) return c;
    c &= c < 0xe0 ? 0x1fU : c < 0xf0 ? 0x0fU : c < 0xf8 ? 0x07U : c < 0xfc ? 0x03U : 0x01U;
    while (!AtEnd() && (Byte() & 0xc0U) == 0x80) c = (c << 6) + (Next() & 0x3fU);
    const bool valid = c >= 0x80 && (c & 0xfffff800U) != 0xd800 && (c & 0xfffffffeU) != 0xfffe;
    return valid ? c : 0xfffd;
  }

 private:
  const char* at_;
  const char* end_;
};

class Matcher {
 public:
  Matcher(PatternKind kind, std::string_view pattern, std::string_view text, uint32_t escape,
          Work* work)
      : glob_(kind == PatternKind::kGlob),
        star_(glob_ ? '*' : '%'),
        one_(glob_ ? '?' : '_'),
        escape_(escape == 0 ? kNone : escape),
        pattern_(pattern),
        text_(text),
        work_(work) {
    // An escape that is a wildcard is none any more.
    if (escape_ == star_) star_ = kNone;
    if (escape_ == one_) one_ = kNone;
  }

  PatternMatch Match() {
    for (;;) {
      if (work_->Add(1)) return PatternMatch::kInterrupted;
      if (!pattern_.AtEnd() && pattern_.Byte() == star_) {
        pattern_.MoveTo(pattern_.at() + 1);
        if (pattern_.AtEnd()) return PatternMatch::kYes;
        after_star_ = pattern_.at();
        star_ends_ = text_.at();
        continue;
      }
      if (pattern_.AtEnd() && text_.AtEnd()) return PatternMatch::kYes;
      // Each element takes a character: there are not enough, whatever a star takes.
      if (text_.AtEnd()) return PatternMatch::kNo;
      if (!pattern_.AtEnd() && MatchElement()) continue;
      if (interrupted_) return PatternMatch::kInterrupted;
      if (after_star_ == nullptr || !WidenStar()) return PatternMatch::kNo;
      if (interrupted_) return PatternMatch::kInterrupted;
    }
  }

 private:
  // Takes an element of the pattern and a character of the text.
  bool MatchElement() {
    const uint32_t element = pattern_.Next();
    const uint32_t c = text_.Next();
    if (glob_ && element == '[') return MatchSet(c);
    if (element == escape_) {
      const uint32_t escaped = pattern_.Next();
      return escaped != 0 && Same(escaped, c);
    }
    return Same(element, c) || element == one_;
  }

  bool Same(uint32_t a, uint32_t b) const {
    return a == b || (!glob_ && a < 0x80 && b < 0x80 && Lower(a) == Lower(b));
  }

  // Matches the set behind "[".
  bool MatchSet(uint32_t c) {
    uint32_t before = 0;
    bool seen = false;
    bool inverted = false;
    uint32_t each = pattern_.Next();
    if (each == '^') {
      inverted = true;
      each = pattern_.Next();
    }
    if (each == ']') {
      seen = c == ']';
      each = pattern_.Next();
    }
    for (; each != 0 && each != ']'; each = pattern_.Next()) {
      if (work_->Add(1)) interrupted_ = true;
      if (interrupted_) return false;
      const bool range = each == '-' && !pattern_.AtEnd() && pattern_.Byte() != ']' && before > 0;
      if (range) {
        each = pattern_.Next();
        seen = seen || (c >= before && c <= each);
        before = 0;
      } else {
        seen = seen || c == each;
        before = each;
      }
    }
    return each != 0 && seen != inverted;
  }

  // Gives the last star one more character, or as many as it takes to come to one
  // with which the next element begins. False: there is none.
  bool WidenStar() {
    text_.MoveTo(star_ends_);
    if (text_.AtEnd()) return false;
    text_.Next();
    pattern_.MoveTo(after_star_);
    const uint32_t first = pattern_.Byte();
    const bool literal = first < 0x80 && first != one_ && first != escape_ && first != star_ &&
                         !(glob_ && first == '[');
    if (literal) {
      const char* found = Find(first);
      if (work_->Add(static_cast<size_t>(found - text_.at()) / 8)) interrupted_ = true;
      text_.MoveTo(found);
    }
    star_ends_ = text_.at();
    return !text_.AtEnd();
  }

  const char* Find(uint32_t literal) const {
    const auto c = static_cast<char>(literal);
    if (glob_ || Lower(literal) < 'a' || Lower(literal) > 'z') {
      return std::find(text_.at(), text_.end(), c);
    }
    return std::find_if(text_.at(), text_.end(),
                        [c](char other) { return ((c ^ other) & ~0x20) == 0; });
  }

  const bool glob_;
  uint32_t star_;
  uint32_t one_;
  const uint32_t escape_;
  Reader pattern_;
  Reader text_;
  Work* const work_;
  // The beginning of the elements behind the last star, and the end of what it has taken.
  const char* after_star_ = nullptr;
  const char* star_ends_ = nullptr;
  bool interrupted_ = false;
};

// The data with which the functions are registered.
struct Settings {
  const StatementExecutor* executor;
  PatternKind kind;
  bool matches_bytes;
};

std::string_view BytesOf(sqlite3_value* value) {
  const bool blob = sqlite3_value_type(value) == SQLITE_BLOB;
  const void* bytes = blob ? sqlite3_value_blob(value) : sqlite3_value_text(value);
  const auto size = static_cast<size_t>(sqlite3_value_bytes(value));
  return bytes == nullptr ? std::string_view("")
                          : std::string_view(static_cast<const char*>(bytes), size);
}

// The one character that a text consists of; 0 if it is not one.
uint32_t OneCharacter(std::string_view text) {
  Reader reader(text);
  const uint32_t c = reader.Next();
  return reader.AtEnd() ? c : 0;
}

// like(pattern, text [, escape]) or glob(pattern, text).
void Call(sqlite3_context* result, int count, sqlite3_value** values) {
  const auto* settings = static_cast<const Settings*>(sqlite3_user_data(result));
  const auto is = [values](int i, int type) { return sqlite3_value_type(values[i]) == type; };
  if (!settings->matches_bytes && (is(0, SQLITE_BLOB) || is(1, SQLITE_BLOB))) {
    sqlite3_result_int(result, 0);
    return;
  }
  const std::string_view pattern = BytesOf(values[0]);
  sqlite3* db = sqlite3_context_db_handle(result);
  const int longest = sqlite3_limit(db, SQLITE_LIMIT_LIKE_PATTERN_LENGTH, -1);
  if (pattern.size() > static_cast<size_t>(longest)) {
    sqlite3_result_error(result, "LIKE or GLOB pattern too complex", -1);
    return;
  }
  uint32_t escape = 0;
  if (count == 3) {
    if (is(2, SQLITE_NULL)) return;
    escape = OneCharacter(BytesOf(values[2]));
    if (escape == 0) {
      sqlite3_result_error(result, "ESCAPE expression must be a single character", -1);
      return;
    }
  }
  if (is(0, SQLITE_NULL) || is(1, SQLITE_NULL)) return;
  Work work(settings->executor);
  switch (MatchPattern(settings->kind, pattern, BytesOf(values[1]), escape, &work)) {
    case PatternMatch::kInterrupted: sqlite3_result_error_code(result, SQLITE_INTERRUPT); break;
    case PatternMatch::kYes: sqlite3_result_int(result, 1); break;
    case PatternMatch::kNo: sqlite3_result_int(result, 0); break;
  }
}

int Add(sqlite3* db, const char* name, int arguments, const Settings& settings) {
  constexpr int kFlags = SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_INNOCUOUS;
  return sqlite3_create_function_v2(db, name, arguments, kFlags, new Settings(settings), Call,
                                    nullptr, nullptr,
                                    [](void* kept) { delete static_cast<Settings*>(kept); });
}

}  // namespace

PatternMatch MatchPattern(PatternKind kind, std::string_view pattern, std::string_view text,
                          uint32_t escape, Work* work) {
  return Matcher(kind, pattern, text, escape, work).Match();
}

absl::Status RegisterPatterns(sqlite3* db, const StatementExecutor* executor,
                              BytesInPatterns bytes) {
  const bool matches = bytes == BytesInPatterns::kMatched ||
                       sqlite3_compileoption_used("LIKE_DOESNT_MATCH_BLOBS") == 0;
  const Settings like{.executor = executor, .kind = PatternKind::kLike, .matches_bytes = matches};
  Settings glob = like;
  glob.kind = PatternKind::kGlob;
  const bool added = Add(db, "like", 2, like) == SQLITE_OK &&
                     Add(db, "like", 3, like) == SQLITE_OK && Add(db, "glob", 2, glob) == SQLITE_OK;
  return added ? absl::OkStatus() : LastError(db);
}

}  // namespace penstock::sqlite_engine
