#include "drivers/pebble/patterns.h"

#include <sqlite3.h>

#include <string>
#include <string_view>

#include "drivers/api/text.h"
#include "drivers/pebble/table_value.h"
#include "drivers/sqlengine/error.h"

namespace penstock::pebble {
namespace {

// SQLite's own limit: the time that a match takes grows with its square.
constexpr size_t kMaxPatternBytes = 50'000;

bool Check(sqlite3_context* result, int count, sqlite3_value** values) {
  for (int i = 0; i < count; ++i) {
    if (sqlite3_value_type(values[i]) == SQLITE_NULL) return false;
  }
  if (BytesOf(values[0]).size() > kMaxPatternBytes) {
    sqlite3_result_error(result, "LIKE or GLOB pattern too complex", -1);
    return false;
  }
  return true;
}

// The character that a text consists of; 0 if it is not one.
unsigned int OneCharacter(std::string_view text) {
  if (text.empty() || !driver::IsUtf8(text)) return 0;
  const auto first = static_cast<unsigned char>(text.front());
  const size_t bytes = first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
  if (text.size() != bytes) return 0;
  if (bytes == 1) return first;
  unsigned int character = first & (0xffU >> (bytes + 1));
  for (const char c : text.substr(1)) {
    character = character << 6 | (static_cast<unsigned char>(c) & 0x3fU);
  }
  return character;
}

// The third argument is that of ESCAPE.
void Like(sqlite3_context* result, int count, sqlite3_value** values) {
  if (!Check(result, count, values)) return;
  const unsigned int escape = count == 3 ? OneCharacter(BytesOf(values[2])) : 0;
  if (count == 3 && escape == 0) {
    sqlite3_result_error(result, "ESCAPE expression must be a single character", -1);
    return;
  }
  const std::string pattern(BytesOf(values[0]));
  const std::string text(BytesOf(values[1]));
  sqlite3_result_int(result, sqlite3_strlike(pattern.c_str(), text.c_str(), escape) == 0);
}

void Glob(sqlite3_context* result, int count, sqlite3_value** values) {
  if (!Check(result, count, values)) return;
  const std::string pattern(BytesOf(values[0]));
  const std::string text(BytesOf(values[1]));
  sqlite3_result_int(result, sqlite3_strglob(pattern.c_str(), text.c_str()) == 0);
}

}  // namespace

absl::Status RegisterPatterns(sqlite3* db) {
  constexpr int kFlags = SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_INNOCUOUS;
  const auto add = [db](const char* name, int arguments, auto* function) {
    return sqlite3_create_function(db, name, arguments, kFlags, nullptr, function, nullptr,
                                   nullptr);
  };
  const bool added = add("like", 2, Like) == SQLITE_OK && add("like", 3, Like) == SQLITE_OK &&
                     add("glob", 2, Glob) == SQLITE_OK;
  return added ? absl::OkStatus() : sqlengine::LastError(db);
}

}  // namespace penstock::pebble
