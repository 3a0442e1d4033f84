// Prints every key of the configuration as JSON, for reference_test.py.
#include <cstdio>
#include <string>
#include <string_view>

#include "fmt/format.h"
#include "server/config/keys.h"

namespace penstock::server {
namespace {

std::string Quoted(std::string_view text) {
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') quoted += '\\';
    quoted += c;
  }
  return quoted + '"';
}

std::string ToJson(const KeyText& key) {
  return fmt::format(R"({{"name": {}, "value": {}, "fallback": {}, "help": {}, "reloads": {}}})",
                     Quoted(key.name), key.has_default ? Quoted(key.value) : "null",
                     Quoted(key.fallback), Quoted(key.help), key.reloads);
}

template <typename Items, typename Show>
std::string List(const Items& items, const Show& show) {
  std::string list;
  for (const auto& item : items) list += (list.empty() ? "" : ",\n") + show(item);
  return "[" + list + "]";
}

std::string ToJson(const KeySection& section) {
  return fmt::format(R"({{"heading": {}, "path": {}, "drivers": {}, "keys": {}}})",
                     Quoted(section.heading), Quoted(section.path), List(section.drivers, Quoted),
                     List(section.keys, [](const KeyText& key) { return ToJson(key); }));
}

}  // namespace
}  // namespace penstock::server

int main() {
  using penstock::server::KeySection;
  fmt::print("{}\n",
             penstock::server::List(penstock::server::KeySections(), [](const KeySection& section) {
               return penstock::server::ToJson(section);
             }));
  return std::fflush(stdout);
}
