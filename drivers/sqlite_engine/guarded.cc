#include "drivers/sqlite_engine/guarded.h"

#include <sqlite3.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "drivers/sqlite_engine/error.h"
#include "drivers/sqlite_engine/original.h"
#include "drivers/sqlite_engine/printf_format.h"
#include "drivers/sqlite_engine/work.h"
#include "text/utf8.h"

namespace penstock::sqlite_engine {
namespace {

// json_patch compares each member of one object with each of the other: some 3 ns.
constexpr uint64_t kMostComparisons = 300'000'000;

struct Shared {
  const StatementExecutor* executor;
  OriginalFunctions originals;
};

Shared* SharedOf(sqlite3_context* result) {
  return static_cast<Shared*>(sqlite3_user_data(result));
}

// Nothing: the value is NULL, or memory ran out.
bool TextOf(sqlite3_value* value, std::string_view* text) {
  const auto* bytes = reinterpret_cast<const char*>(sqlite3_value_text(value));
  if (bytes == nullptr) return false;
  *text = {bytes, static_cast<size_t>(sqlite3_value_bytes(value))};
  return true;
}

// Finds `needle` in `hay`, at or after `from`. glibc's memmem is linear.
size_t Find(std::string_view hay, std::string_view needle, size_t from) {
  const char* at = hay.data() + from;
  const size_t left = hay.size() - from;
  const void* found = needle.size() == 1 ? memchr(at, needle.front(), left)
                                         : memmem(at, left, needle.data(), needle.size());
  return found == nullptr ? std::string_view::npos
                          : static_cast<size_t>(static_cast<const char*>(found) - hay.data());
}

// A place in text is the start of a character.
size_t FindInText(std::string_view hay, std::string_view needle) {
  if (IsContinuation(needle.front())) {
    return hay.substr(0, needle.size()) == needle ? 0 : std::string_view::npos;
  }
  return Find(hay, needle, 0);
}

void ResultTooBig(sqlite3_context* result, const std::string& message) {
  sqlite3_result_error(result, message.data(), static_cast<int>(message.size()));
  sqlite3_result_error_code(result, SQLITE_TOOBIG);
}

struct FreeValue {
  void operator()(sqlite3_value* value) const { sqlite3_value_free(value); }
};
using Copy = std::unique_ptr<sqlite3_value, FreeValue>;

// instr(hay, needle): the place of the first character, from 1, or 0.
void Instr(sqlite3_context* result, int, sqlite3_value** values) {
  if (sqlite3_value_type(values[0]) == SQLITE_NULL ||
      sqlite3_value_type(values[1]) == SQLITE_NULL) {
    return;
  }
  const bool blobs =
      sqlite3_value_type(values[0]) == SQLITE_BLOB && sqlite3_value_type(values[1]) == SQLITE_BLOB;
  std::string_view hay;
  std::string_view needle;
  // Reading bytes as text changes the value, which others may read after this.
  Copy copies[2];
  if (!blobs) {
    for (int i = 0; i < 2; ++i) {
      if (sqlite3_value_type(values[i]) != SQLITE_BLOB) continue;
      copies[i].reset(sqlite3_value_dup(values[i]));
    }
  }
  const auto value_of = [&](int i) { return copies[i] != nullptr ? copies[i].get() : values[i]; };
  if (blobs) {
    const auto bytes = [](sqlite3_value* value) {
      const auto* data = static_cast<const char*>(sqlite3_value_blob(value));
      return std::string_view(data, static_cast<size_t>(sqlite3_value_bytes(value)));
    };
    hay = bytes(values[0]);
    needle = bytes(values[1]);
  } else if (!TextOf(value_of(0), &hay) || !TextOf(value_of(1), &needle)) {
    sqlite3_result_error_nomem(result);
    return;
  }
  if (needle.empty()) {
    sqlite3_result_int(result, 1);
    return;
  }
  const size_t at = needle.size() > hay.size() ? std::string_view::npos
                    : blobs                    ? Find(hay, needle, 0)
                                               : FindInText(hay, needle);
  if (at == std::string_view::npos) {
    sqlite3_result_int(result, 0);
    return;
  }
  // Characters begin at bytes that continue none, and at the very first.
  const auto skipped = hay.substr(0, at + 1).substr(1);
  const auto continued = blobs ? 0 : std::count_if(skipped.begin(), skipped.end(), IsContinuation);
  sqlite3_result_int64(result, static_cast<int64_t>(at) + 1 - continued);
}

// replace(text, old, new).
void Replace(sqlite3_context* result, int, sqlite3_value** values) {
  std::string_view text;
  std::string_view from;
  std::string_view to;
  if (!TextOf(values[0], &text) || !TextOf(values[1], &from)) return;
  if (from.empty() || from.front() == '\0') {
    sqlite3_result_value(result, values[0]);
    return;
  }
  if (!TextOf(values[2], &to)) return;
  const auto longest = static_cast<size_t>(
      sqlite3_limit(sqlite3_context_db_handle(result), SQLITE_LIMIT_LENGTH, -1));
  std::string made;
  size_t copied = 0;
  while (text.size() - copied >= from.size()) {
    const size_t at = Find(text, from, copied);
    if (at == std::string_view::npos) break;
    made.append(text, copied, at - copied).append(to);
    copied = at + from.size();
    if (made.size() > longest) break;
  }
  if (made.size() + (text.size() - copied) > longest) {
    sqlite3_result_error_toobig(result);
    return;
  }
  made.append(text, copied);
  sqlite3_result_text64(result, made.data(), made.size(), SQLITE_TRANSIENT, SQLITE_UTF8);
}

// The characters of a text up to a zero byte, as SQLite divides it.
std::vector<std::string_view> Characters(std::string_view text) {
  std::vector<std::string_view> characters;
  text = text.substr(0, text.find('\0'));
  while (!text.empty()) {
    size_t length = 1;
    if (static_cast<unsigned char>(text.front()) >= 0xc0) {
      while (length < text.size() && IsContinuation(text[length])) ++length;
    }
    characters.push_back(text.substr(0, length));
    text.remove_prefix(length);
  }
  return characters;
}

// The characters that trim takes away at either end.
class TrimSet {
 public:
  explicit TrimSet(std::string_view characters) : characters_(Characters(characters)) {
    for (const std::string_view each : characters_) {
      if (each.size() == 1) bytes_[static_cast<unsigned char>(each.front())] = true;
      only_bytes_ = only_bytes_ && each.size() == 1;
    }
  }

  // How long the character is that `text` begins or ends with; 0: it is none of them,
  // or the work is to end.
  size_t At(std::string_view text, bool end, Work* work, bool* interrupted) const {
    if (only_bytes_) {
      return bytes_[static_cast<unsigned char>(end ? text.back() : text.front())] ? 1 : 0;
    }
    for (const std::string_view each : characters_) {
      if ((*interrupted = work->Add(1))) return 0;
      if (each.size() > text.size()) continue;
      const size_t from = end ? text.size() - each.size() : 0;
      if (text.substr(from, each.size()) == each) return each.size();
    }
    return 0;
  }

 private:
  const std::vector<std::string_view> characters_;
  std::array<bool, 256> bytes_{};
  bool only_bytes_ = true;
};

template <bool at_start, bool at_end>
void Trim(sqlite3_context* result, int, sqlite3_value** values) {
  std::string_view text;
  std::string_view characters;
  if (!TextOf(values[0], &text) || !TextOf(values[1], &characters)) return;
  const TrimSet set(characters);
  Work work(SharedOf(result)->executor);
  bool interrupted = false;
  for (size_t length = 1; at_start && length > 0 && !text.empty();) {
    length = set.At(text, false, &work, &interrupted);
    text.remove_prefix(length);
  }
  for (size_t length = 1; at_end && length > 0 && !text.empty() && !interrupted;) {
    length = set.At(text, true, &work, &interrupted);
    text.remove_suffix(length);
  }
  if (interrupted) {
    sqlite3_result_error_code(result, SQLITE_INTERRUPT);
  } else {
    sqlite3_result_text64(result, text.data(), text.size(), SQLITE_TRANSIENT, SQLITE_UTF8);
  }
}

// printf(format, …), also named format.
void Printf(sqlite3_context* result, int count, sqlite3_value** values) {
  std::string_view format;
  if (count > 0 && TextOf(values[0], &format)) {
    const int longest = sqlite3_limit(sqlite3_context_db_handle(result), SQLITE_LIMIT_LENGTH, -1);
    const int64_t repeats = MostRepeatsOfC(format, [count, values](size_t i) {
      return i + 1 < static_cast<size_t>(count) ? sqlite3_value_int64(values[i + 1]) : 0;
    });
    if (repeats > longest) {
      sqlite3_result_error_toobig(result);
      return;
    }
  }
  SharedOf(result)->originals.Call("printf", count, values, result);
}

// json_patch(document, patch).
void JsonPatch(sqlite3_context* result, int count, sqlite3_value** values) {
  // A member has a colon, so there are no more of them than of these.
  uint64_t members = 1;
  for (int i = 0; i < count; ++i) {
    std::string_view text;
    if (!TextOf(values[i], &text)) return;
    members *= static_cast<uint64_t>(std::count(text.begin(), text.end(), ':')) + 1;
  }
  if (members > kMostComparisons) {
    ResultTooBig(result, "json_patch of two documents with so many members would take too long");
    return;
  }
  SharedOf(result)->originals.Call("json_patch", count, values, result);
}

}  // namespace

struct GuardedFunctions::Guard : Shared {};

GuardedFunctions::GuardedFunctions(const StatementExecutor* executor)
    : guard_(new Guard{{executor, {}}}) {}

GuardedFunctions::~GuardedFunctions() = default;

absl::Status GuardedFunctions::Register(sqlite3* db) {
  using Function = void(sqlite3_context*, int, sqlite3_value**);
  struct Replaced {
    const char* name;
    int arguments;
    Function* function;
  };
  constexpr Replaced kReplaced[] = {
      {"instr", 2, Instr},
      {"replace", 3, Replace},
      {"trim", 2, Trim<true, true>},
      {"ltrim", 2, Trim<true, false>},
      {"rtrim", 2, Trim<false, true>},
      {"printf", -1, Printf},
      {"format", -1, Printf},
      {"json_patch", 2, JsonPatch},
  };
  constexpr int kFlags = SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_INNOCUOUS;
  Shared* shared = guard_.get();
  for (const Replaced& each : kReplaced) {
    const int code = sqlite3_create_function(db, each.name, each.arguments, kFlags, shared,
                                             each.function, nullptr, nullptr);
    if (code != SQLITE_OK) return LastError(db);
  }
  return absl::OkStatus();
}

}  // namespace penstock::sqlite_engine
