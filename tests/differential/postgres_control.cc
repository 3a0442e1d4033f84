// Transaction control as PostgreSQL spells it.
#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "tests/differential/postgres_text.h"
#include "tests/differential/text.h"

namespace penstock::differential {
namespace {

// What BEGIN says behind its first words; false: something that a Begin cannot say.
bool ReadModes(const std::vector<std::string>& words, size_t at, Control* control) {
  const auto is = [&](size_t i, std::string_view word) {
    return i < words.size() && words[i] == word;
  };
  while (at < words.size()) {
    if (is(at, "READ") && (is(at + 1, "ONLY") || is(at + 1, "WRITE"))) {
      control->read_only = words[at + 1] == "ONLY";
      at += 2;
    } else if (is(at, "ISOLATION") && is(at + 1, "LEVEL")) {
      at += 2;
      const bool two = is(at, "REPEATABLE") || is(at, "READ");
      if (is(at, "SERIALIZABLE")) {
        control->isolation = v1::ISOLATION_LEVEL_SERIALIZABLE;
      } else if (is(at, "REPEATABLE") && is(at + 1, "READ")) {
        control->isolation = v1::ISOLATION_LEVEL_REPEATABLE_READ;
      } else if (is(at, "READ") && is(at + 1, "COMMITTED")) {
        control->isolation = v1::ISOLATION_LEVEL_READ_COMMITTED;
      } else {
        return false;
      }
      at += two ? 2 : 1;
    } else {
      return false;
    }
  }
  return true;
}

}  // namespace

Control ParsePostgresControl(std::string_view sql) {
  using Kind = Control::Kind;
  const std::string verb = Verb(sql);
  if (verb != "BEGIN" && verb != "START") return ParseControl(sql);
  std::string text(sql);
  std::replace(text.begin(), text.end(), ',', ' ');
  std::vector<std::string> words = FirstWords(text, 20);
  for (std::string& word : words) word = Upper(word);
  const bool noise = words.size() > 1 && (words[1] == "TRANSACTION" || words[1] == "WORK");
  if (verb == "START" && !noise) return {};
  Control control{.kind = Kind::kBegin};
  return ReadModes(words, noise ? 2 : 1, &control) ? control : Control{};
}

}  // namespace penstock::differential
