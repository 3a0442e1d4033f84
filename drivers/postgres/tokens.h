// The words of a text, as PostgreSQL's own scanner cuts it.
#ifndef PENSTOCK_DRIVERS_POSTGRES_TOKENS_H_
#define PENSTOCK_DRIVERS_POSTGRES_TOKENS_H_

#include <cstddef>
#include <optional>
#include <string_view>
#include <vector>

namespace penstock::postgres {

// One token: a name, a keyword, a constant, an operator or a single character.
struct Token {
  // It borrows from the text that was scanned.
  std::string_view text;
  // An unquoted name or a keyword, which Is compares without regard to capitals.
  bool word = false;

  // `lower` is in small letters.
  bool Is(std::string_view lower) const;
  size_t begin(std::string_view sql) const { return static_cast<size_t>(text.data() - sql.data()); }
};

// The tokens of `sql` without its comments. Nothing: the scanner cannot read it (a string that
// does not end). A server with a grammar of its own has the same tokens, if it claims to speak
// PostgreSQL's language. Thread-safe. The text has no NUL.
std::optional<std::vector<Token>> Scan(std::string_view sql);

}  // namespace penstock::postgres

#endif  // PENSTOCK_DRIVERS_POSTGRES_TOKENS_H_
