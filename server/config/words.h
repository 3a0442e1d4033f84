// Words for error messages: quotes of what was read, and guesses at what was meant.
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

// Returns the printable text in single quotes, shortened if it is long.
std::string Quoted(std::string_view text);

// Returns the word of `known` that `word` was most likely meant to be, if any is close.
std::optional<std::string> Nearest(std::string_view word, const std::vector<std::string>& known);

// Returns "did you mean 'x'?", or if nothing is close "use one of a, b, c".
std::string Advice(std::string_view word, const std::vector<std::string>& known);

// Returns "'x' is not one of a, b, c; did you mean 'a'?". It shows `word` only if it is one,
// because a connection string in the wrong place may hold a password.
std::string NotAChoice(std::string_view word, const std::vector<std::string>& choices);

// Tells whether the text is not empty and has letters, digits, '_' and '-' only. Such a text is
// safe to show, to use as a metric's label and as a file's name.
bool IsWord(std::string_view text);

// Tells whether there is a character below a space, or DEL.
bool HasControlCharacter(std::string_view text);

}  // namespace penstock::server

#endif  // PENSTOCK_SERVER_CONFIG_WORDS_H_
