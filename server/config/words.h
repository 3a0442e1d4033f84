// Words for error messages: quoting what was read, and guessing what was meant.
#ifndef PENSTOCK_SERVER_CONFIG_WORDS_H_
#define PENSTOCK_SERVER_CONFIG_WORDS_H_

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace penstock::server {

// Returns the text with control characters and invalid UTF-8 escaped, so that a message stays on
// its line.
std::string Printable(std::string_view text);

// Printable, in single quotes and shortened if long.
std::string Quoted(std::string_view text);

// The one of `known` that `word` was most likely meant to be, if any is close.
std::optional<std::string> Nearest(std::string_view word, const std::vector<std::string>& known);

// "did you mean 'x'?", or if nothing is close "use one of a, b, c".
std::string Advice(std::string_view word, const std::vector<std::string>& known);

// "'x' is not one of a, b, c; did you mean 'a'?" Shows `word` only if it is one,
// since a connection string in the wrong place may hold a password.
std::string NotAChoice(std::string_view word, const std::vector<std::string>& choices);

// Tells whether the text is not empty and has letters, digits, '_' and '-' only. Such a text is
// safe to show, to use as a metric's label and as a file's name.
bool IsWord(std::string_view text);

// True if there is a character below a space, or DEL.
bool HasControlCharacter(std::string_view text);

}  // namespace penstock::server

#endif  // PENSTOCK_SERVER_CONFIG_WORDS_H_
