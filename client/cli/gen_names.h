// Converts names of a database to C++ names.
#ifndef PENSTOCK_CLIENT_CLI_GEN_NAMES_H_
#define PENSTOCK_CLIENT_CLI_GEN_NAMES_H_

#include <set>
#include <string>
#include <string_view>
#include <utility>

namespace penstock::cli {

// Returns `name` if it is a valid C++ identifier, and otherwise a replacement: "first name" becomes
// first_name, "1st" _1st, "class" class_, and "größe" gr_uf6_udf_e, where each letter outside of
// ASCII becomes u and its number.
std::string ToIdentifier(std::string_view name);

// Returns the name of a type: "order_lines" becomes OrderLines.
std::string ToTypeName(std::string_view name);

// Returns true if `text` is a valid name of a namespace: identifiers, separated by ::.
bool IsNamespace(std::string_view text);

// Returns `text` as a C++ string literal, with its quotes and always on one line.
std::string ToLiteral(std::string_view text);

// Makes the names of one scope distinct. Not thread-safe.
class Scope {
 public:
  // `taken` are the names that the scope already has.
  explicit Scope(std::set<std::string> taken) : taken_(std::move(taken)) {}
  // Returns `wanted`, or a variant that is still free: with an underscore, or with _2, _3 and so
  // on.
  std::string Take(const std::string& wanted);

 private:
  std::set<std::string> taken_;
};

}  // namespace penstock::cli

#endif  // PENSTOCK_CLIENT_CLI_GEN_NAMES_H_
