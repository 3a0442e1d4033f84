#include <algorithm>
#include <string>
#include <utility>

#include "drivers/api/error.h"
#include "drivers/api/spec.h"
#include "fmt/format.h"
#include "fmt/ranges.h"

namespace penstock::driver {
namespace {

bool Has(const std::vector<std::string_view>& words, std::string_view word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

}  // namespace

std::vector<std::string> DriverNames() {
  std::vector<std::string> names;
  std::vector<std::string> aliases;
  for (const DriverSpec* spec : Drivers()) {
    names.push_back(spec->info.name);
    aliases.insert(aliases.end(), spec->aliases.begin(), spec->aliases.end());
  }
  names.insert(names.end(), aliases.begin(), aliases.end());
  return names;
}

const DriverSpec* FindDriver(std::string_view name) {
  for (const DriverSpec* spec : Drivers()) {
    if (spec->info.name == name || Has(spec->aliases, name)) return spec;
  }
  return nullptr;
}

const DriverSpec* FindDriverOfFile(std::string_view word) {
  if (const DriverSpec* const spec = FindDriver(word)) return spec;
  for (const DriverSpec* spec : Drivers()) {
    if (Has(spec->file_words, word)) return spec;
  }
  return nullptr;
}

absl::StatusOr<const DriverSpec*> RequireDriver(std::string_view name) {
  if (const DriverSpec* const spec = FindDriver(name)) return spec;
  return MakeErrorWithHint(Reason::kUnsupported,
                           fmt::format("no driver named '{}' in this build", name),
                           fmt::format("use one of {}", fmt::join(DriverNames(), ", ")));
}

}  // namespace penstock::driver
