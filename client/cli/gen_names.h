// Names of a database as names of C++.
#ifndef PENSTOCK_CLIENT_CLI_GEN_NAMES_H_
#define PENSTOCK_CLIENT_CLI_GEN_NAMES_H_

#include <set>
#include <string>
#include <string_view>
#include <utility>

namespace penstock::cli {

// `name` if C++ takes it. Otherwise what stands for it: "first name" is first_name, "1st" _1st,
// "class" class_, "größe" gr_uf6_udf_e, as each letter that is not ASCII becomes u and its number.
std::string ToIdentifier(std::string_view name);

// The name of a type: "order_lines" is OrderLines.
std::string ToTypeName(std::string_view name);

// Whether `text` can be the name of a namespace: identifiers, with :: between them.
bool IsNamespace(std::string_view text);

// `text` as a literal of C++, with its quotes, on one line whatever is in it.
std::string ToLiteral(std::string_view text);

// The names of one scope, which are all different. Not thread-safe.
class Scope {
 public:
  // `taken` are there from the beginning.
  explicit Scope(std::set<std::string> taken) : taken_(std::move(taken)) {}
  // `wanted`, or the same with an underscore behind it, or with _2, _3 and so on.
  std::string Take(const std::string& wanted);

 private:
  std::set<std::string> taken_;
};

}  // namespace penstock::cli

#endif  // PENSTOCK_CLIENT_CLI_GEN_NAMES_H_
