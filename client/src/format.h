// Texts with values in them, for messages. The library would need {fmt} for nothing else, and every
// program that links it then, too.
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

// A value in a text. It refers to a text, which has to outlive it.
class FormatPart {
 public:
  FormatPart(std::string_view text) : text_(text) {}
  FormatPart(const char* text) : text_(text) {}
  FormatPart(const std::string& text) : text_(text) {}
  // Abseil's string_view, where that is a type of its own.
  template <typename T>
  requires(!std::integral<T> &&
           requires(const T& t) {
             { t.data() } -> std::same_as<const char*>;
             t.size();
           }) FormatPart(const T& text)
      : text_(text.data(), text.size()) {}
  // In decimal.
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
  char digits_[20];  // Those of 64 bits, with a sign.
};

// A text in which {} stands for each value, in their order; a program with more or fewer of these
// than values is not compiled.
template <typename... T>
struct FormatPattern {
  consteval FormatPattern(const char* pattern) : text(pattern) {
    std::size_t places = 0;
    for (std::size_t i = 0; i + 1 < text.size(); ++i) {
      if (text[i] == '{' && text[i + 1] == '}') ++places;
    }
    if (places != sizeof...(T)) throw "as many {} as values";
  }
  std::string_view text;
};

// The pattern with the parts in its places.
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
