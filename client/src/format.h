// Formats messages. The library does so itself because it would need {fmt} for nothing else, and
// every program that links the library would need it, too.
#ifndef PENSTOCK_CLIENT_SRC_FORMAT_H_
#define PENSTOCK_CLIENT_SRC_FORMAT_H_

#include <charconv>
#include <concepts>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>

namespace penstock::internal {

// One value of a message. A text is referred to and must outlive this object.
class FormatPart {
 public:
  FormatPart(std::string_view text) : text_(text) {}
  FormatPart(const char* text) : text_(text) {}
  FormatPart(const std::string& text) : text_(text) {}
  // Accepts Abseil's string_view where it is a type of its own.
  template <typename T>
  requires(!std::integral<T> &&
           requires(const T& t) {
             { t.data() } -> std::same_as<const char*>;
             t.size();
           }) FormatPart(const T& text)
      : text_(text.data(), text.size()) {}
  // Formats a number in decimal.
  template <std::integral T>
  requires(!std::same_as<T, bool> && !std::same_as<T, char>) FormatPart(T number) {
    const auto end = std::to_chars(digits_, digits_ + sizeof(digits_), number).ptr;
    text_ = std::string_view(digits_, static_cast<std::size_t>(end - digits_));
  }
  FormatPart(const FormatPart&) = delete;
  FormatPart& operator=(const FormatPart&) = delete;

  std::string_view text() const { return text_; }

 private:
  std::string_view text_;
  char digits_[20];  // Enough for 64 bits and a sign.
};

// A pattern in which each {} stands for the next value. A program whose pattern and values do not
// match in number does not compile.
template <typename... T>
struct FormatPattern {
  consteval FormatPattern(const char* pattern) : text(pattern) {
    std::size_t places = 0;
    for (std::size_t i = 0; i + 1 < text.size(); ++i) {
      if (text[i] == '{' && text[i + 1] == '}') ++places;
    }
    if (places != sizeof...(T)) throw "the pattern needs one {} for each value";
  }
  std::string_view text;
};

// Returns the pattern with each {} replaced by the next part.
std::string FormatParts(std::string_view pattern, std::span<const FormatPart* const> parts);

template <typename... T>
std::string Format(FormatPattern<std::type_identity_t<T>...> pattern, const T&... values) {
  return [&](const auto&... part) {
    const FormatPart* const parts[] = {&part...};
    return FormatParts(pattern.text, parts);
  }(FormatPart(values)...);
}

}  // namespace penstock::internal

#endif  // PENSTOCK_CLIENT_SRC_FORMAT_H_
