#include "client/cli/gen_names.h"

#include <algorithm>
#include <iterator>

#include "fmt/format.h"
#include "text/utf8.h"

namespace penstock::cli {
namespace {

// Keywords, names that C's headers define as macros, and names that the builder's headers use in
// places where a column's name would be found first.
constexpr std::string_view kReserved[] = {"EOF",
                                          "INFINITY",
                                          "NAN",
                                          "NULL",
                                          "alignas",
                                          "alignof",
                                          "and",
                                          "and_eq",
                                          "asm",
                                          "assert",
                                          "auto",
                                          "bitand",
                                          "bitor",
                                          "bool",
                                          "break",
                                          "case",
                                          "catch",
                                          "char",
                                          "char16_t",
                                          "char32_t",
                                          "char8_t",
                                          "class",
                                          "co_await",
                                          "co_return",
                                          "co_yield",
                                          "compl",
                                          "concept",
                                          "const",
                                          "const_cast",
                                          "consteval",
                                          "constexpr",
                                          "constinit",
                                          "continue",
                                          "decltype",
                                          "default",
                                          "delete",
                                          "do",
                                          "double",
                                          "dynamic_cast",
                                          "else",
                                          "enum",
                                          "errno",
                                          "explicit",
                                          "export",
                                          "extern",
                                          "false",
                                          "float",
                                          "for",
                                          "friend",
                                          "goto",
                                          "if",
                                          "inline",
                                          "int",
                                          "linux",
                                          "long",
                                          "mutable",
                                          "namespace",
                                          "new",
                                          "noexcept",
                                          "not",
                                          "not_eq",
                                          "nullptr",
                                          "operator",
                                          "or",
                                          "or_eq",
                                          "penstock",
                                          "private",
                                          "protected",
                                          "public",
                                          "register",
                                          "reinterpret_cast",
                                          "requires",
                                          "return",
                                          "short",
                                          "signed",
                                          "sizeof",
                                          "static",
                                          "static_assert",
                                          "static_cast",
                                          "std",
                                          "stderr",
                                          "stdin",
                                          "stdout",
                                          "struct",
                                          "switch",
                                          "template",
                                          "this",
                                          "thread_local",
                                          "throw",
                                          "true",
                                          "try",
                                          "typedef",
                                          "typeid",
                                          "typename",
                                          "union",
                                          "unix",
                                          "unsigned",
                                          "using",
                                          "virtual",
                                          "void",
                                          "volatile",
                                          "wchar_t",
                                          "while",
                                          "xor",
                                          "xor_eq"};

bool IsReserved(std::string_view name) {
  return std::find(std::begin(kReserved), std::end(kReserved), name) != std::end(kReserved);
}

bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsCapital(char c) { return c >= 'A' && c <= 'Z'; }
bool IsLetter(char c) { return IsCapital(c) || (c >= 'a' && c <= 'z'); }

// C++ reserves names with two underscores in a row.
void AppendUnderscore(std::string* to) {
  if (to->empty() || to->back() != '_') *to += '_';
}

// A name cannot begin with a digit, and C++ reserves names that begin with an underscore and a
// capital.
std::string WithBeginning(std::string name) {
  if (name.empty()) return "x";
  if (IsDigit(name[0])) return "_" + name;
  if (name.size() > 1 && name[0] == '_' && IsCapital(name[1])) return "x" + name;
  return name;
}

std::string Letters(std::string_view name) {
  std::string letters;
  while (!name.empty()) {
    const CodePoint point = FirstCodePoint(name);
    const char c = name[0];
    name.remove_prefix(point.length);
    if (point.length == 1 && (IsLetter(c) || IsDigit(c))) {
      letters += c;
      continue;
    }
    AppendUnderscore(&letters);
    if (point.length == 1) continue;
    letters += fmt::format("u{:x}", point.value);
    if (!name.empty()) letters += '_';
  }
  return letters;
}

}  // namespace

std::string ToIdentifier(std::string_view name) {
  const std::string identifier = WithBeginning(Letters(name));
  return IsReserved(identifier) ? identifier + "_" : identifier;
}

std::string ToTypeName(std::string_view name) {
  std::string type;
  bool begins = true;
  for (const char c : Letters(name)) {
    if (c != '_') type += begins && IsLetter(c) && !IsCapital(c) ? static_cast<char>(c - 32) : c;
    begins = c == '_';
  }
  return WithBeginning(type);
}

bool IsNamespace(std::string_view text) {
  for (;;) {
    const size_t end = text.find("::");
    const std::string_view part = text.substr(0, end);
    if (part.empty() || ToIdentifier(part) != part) return false;
    if (end == std::string_view::npos) return true;
    text.remove_prefix(end + 2);
  }
}

std::string ToLiteral(std::string_view text) {
  std::string literal = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      literal += {'\\', c};
    } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
      literal += fmt::format("\\{:03o}", static_cast<unsigned>(c));
    } else {
      literal += c;
    }
  }
  return literal + '"';
}

std::string Scope::Take(const std::string& wanted) {
  std::string name = wanted;
  if (taken_.contains(name)) name = wanted.ends_with('_') ? wanted + "2" : wanted + "_";
  for (int number = 2; taken_.contains(name); ++number) {
    name = fmt::format("{}{}{}", wanted, wanted.ends_with('_') ? "" : "_", number);
  }
  taken_.insert(name);
  return name;
}

}  // namespace penstock::cli
