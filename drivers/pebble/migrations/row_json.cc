#include "drivers/pebble/migrations/row_json.h"

#include <cctype>
#include <charconv>
#include <map>
#include <variant>

#include "drivers/api/error.h"
#include "drivers/api/text.h"
#include "fmt/format.h"

namespace penstock::migrations {
namespace {

using driver::MakeErrorWithHint;
using driver::Reason;

constexpr int64_t kMicrosInSecond = 1'000'000;

// The text in quotes.
std::string Quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out += {'\\', c};
    } else if (static_cast<unsigned char>(c) < ' ') {
      out += fmt::format("\\u{:04x}", static_cast<int>(c));
    } else {
      out += c;
    }
  }
  return out + '"';
}

std::string TimeText(int64_t micros) {
  int64_t seconds = micros / kMicrosInSecond;
  int64_t rest = micros % kMicrosInSecond;
  if (rest < 0) {
    --seconds;
    rest += kMicrosInSecond;
  }
  return driver::FormatTimestamp(seconds, static_cast<int32_t>(rest * 1000));
}

// A whole number is its 64 bits, with or without a sign.
using Member = std::variant<int64_t, std::string>;
using Members = std::map<std::string, Member, std::less<>>;

void AppendUtf8(uint32_t code, std::string* to) {
  constexpr uint32_t kTwo = 0x80;
  constexpr uint32_t kThree = 0x800;
  constexpr uint32_t kSix = 0x3f;
  const auto tail = [to](uint32_t bits) { to->push_back(static_cast<char>(kTwo | (bits & kSix))); };
  if (code < kTwo) {
    to->push_back(static_cast<char>(code));
  } else if (code < kThree) {
    to->push_back(static_cast<char>(0xc0 | (code >> 6)));
    tail(code);
  } else {
    to->push_back(static_cast<char>(0xe0 | (code >> 12)));
    tail(code >> 6);
    tail(code);
  }
}

// Reads one object whose members are texts and whole numbers.
class Reader {
 public:
  explicit Reader(std::string_view json) : rest_(json) {}

  // False: it is not such an object.
  bool Read(Members* members) {
    if (!Take('{')) return false;
    if (Take('}')) return AtEnd();
    do {
      std::string name;
      Member value;
      if (!ReadText(&name) || !Take(':') || !ReadMember(&value)) return false;
      (*members)[name] = std::move(value);
    } while (Take(','));
    return Take('}') && AtEnd();
  }

 private:
  void SkipSpace() {
    while (!rest_.empty() && std::isspace(static_cast<unsigned char>(rest_.front())) != 0) {
      rest_.remove_prefix(1);
    }
  }
  bool AtEnd() {
    SkipSpace();
    return rest_.empty();
  }
  bool Take(char wanted) {
    SkipSpace();
    if (!rest_.starts_with(wanted)) return false;
    rest_.remove_prefix(1);
    return true;
  }

  bool ReadMember(Member* value) {
    SkipSpace();
    if (rest_.starts_with('"')) return ReadText(&value->emplace<std::string>());
    int64_t number = 0;
    const char* const last = rest_.data() + rest_.size();
    auto read = std::from_chars(rest_.data(), last, number);
    if (read.ec == std::errc::result_out_of_range) {
      uint64_t large = 0;
      read = std::from_chars(rest_.data(), last, large);
      number = static_cast<int64_t>(large);
    }
    if (read.ec != std::errc()) return false;
    rest_.remove_prefix(static_cast<size_t>(read.ptr - rest_.data()));
    *value = number;
    return true;
  }

  bool ReadText(std::string* text) {
    if (!Take('"')) return false;
    while (!rest_.empty()) {
      const char c = rest_.front();
      rest_.remove_prefix(1);
      if (c == '"') return true;
      if (c != '\\') {
        text->push_back(c);
      } else if (!ReadEscape(text)) {
        return false;
      }
    }
    return false;
  }

  bool ReadEscape(std::string* text) {
    if (rest_.empty()) return false;
    const char c = rest_.front();
    rest_.remove_prefix(1);
    switch (c) {
      case 'n': text->push_back('\n'); return true;
      case 't': text->push_back('\t'); return true;
      case 'r': text->push_back('\r'); return true;
      case 'b': text->push_back('\b'); return true;
      case 'f': text->push_back('\f'); return true;
      case '"':
      case '\\':
      case '/': text->push_back(c); return true;
      case 'u': break;
      default: return false;
    }
    constexpr size_t kDigits = 4;
    constexpr int kHexadecimal = 16;
    uint32_t code = 0;
    if (rest_.size() < kDigits) return false;
    const auto [end, error] =
        std::from_chars(rest_.data(), rest_.data() + kDigits, code, kHexadecimal);
    if (error != std::errc() || end != rest_.data() + kDigits) return false;
    rest_.remove_prefix(kDigits);
    AppendUtf8(code, text);
    return true;
  }

  std::string_view rest_;
};

template <typename Type>
bool Get(const Members& members, std::string_view name, Type* value) {
  const auto found = members.find(name);
  if (found == members.end() || !std::holds_alternative<Type>(found->second)) return false;
  *value = std::get<Type>(found->second);
  return true;
}

}  // namespace

std::string ToJson(const HistoryRow& row) {
  return fmt::format(R"({{"id":{},"version":{},"name":{},"checksum":{},"direction":{},"state":{},)"
                     R"("statement":{},"note":{},"applied_at":{},"duration_ms":{}}})",
                     row.id, row.version, Quoted(row.name), Quoted(row.checksum),
                     Quoted(Name(row.direction)), Quoted(Name(row.state)), row.statement,
                     Quoted(row.note), Quoted(TimeText(row.applied_at_us)), row.duration_ms);
}

absl::StatusOr<HistoryRow> RowFromJson(std::string_view json, std::string_view history) {
  Members members;
  HistoryRow row;
  std::string direction;
  std::string state;
  std::string applied_at;
  int64_t version = 0;
  int64_t seconds = 0;
  int32_t nanos = 0;
  if (Reader(json).Read(&members) && Get(members, "id", &row.id) &&
      Get(members, "version", &version) && Get(members, "name", &row.name) &&
      Get(members, "checksum", &row.checksum) && Get(members, "direction", &direction) &&
      Get(members, "state", &state) && Get(members, "statement", &row.statement) &&
      Get(members, "note", &row.note) && Get(members, "applied_at", &applied_at) &&
      Get(members, "duration_ms", &row.duration_ms) &&
      driver::ParseTimestamp(applied_at, &seconds, &nanos)) {
    row.version = static_cast<uint64_t>(version);
    row.applied_at_us = seconds * kMicrosInSecond + nanos / 1000;
    return WithNames(std::move(row), direction, state, history);
  }
  return MakeErrorWithHint(
      Reason::kDataException,
      fmt::format("invalid entry in the migration history {}: {}", history, json.substr(0, 200)),
      "give the history a keyspace of its own, to which nothing else writes (migrations_table)");
}

}  // namespace penstock::migrations
