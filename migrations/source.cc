#include "migrations/source.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <system_error>
#include <utility>

#include "drivers/api/error.h"
#include "fmt/format.h"
#include "migrations/file_name.h"
#include "migrations/script.h"

namespace penstock::migrations {
namespace {

using driver::MakeErrorWithHint;
using driver::Reason;

absl::Status Refuse(std::string_view what, std::string_view hint) {
  return MakeErrorWithHint(Reason::kInvalidParameter, what, hint);
}

bool IsSql(std::string_view name) { return name.ends_with(".sql"); }

// What was chosen for one version and direction so far.
struct Choice {
  const File* file = nullptr;
  FileName name;
};
using Choices = std::map<std::pair<int64_t, Direction>, Choice>;

absl::Status Choose(const File& file, std::string_view driver, Choices* choices) {
  absl::StatusOr<FileName> name = ParseFileName(file.name);
  if (!name.ok()) return name.status();
  if (!name->driver.empty() && name->driver != driver) return absl::OkStatus();
  Choice& choice = (*choices)[{name->version, name->direction}];
  const bool special = !name->driver.empty();
  if (choice.file != nullptr && special == !choice.name.driver.empty()) {
    return Refuse(fmt::format("{} and {} are both the {} of version {}", choice.file->name,
                              file.name, Name(name->direction), name->version),
                  "give one of them another version");
  }
  if (choice.file == nullptr || special) choice = {.file = &file, .name = *std::move(name)};
  return absl::OkStatus();
}

absl::Status AddScript(const Choice& choice, const Dialect& dialect, Source* source) {
  absl::StatusOr<Script> script = ParseScript(*choice.file, dialect);
  if (!script.ok()) return script.status();
  Migration& migration = (*source)[choice.name.version];
  migration.version = choice.name.version;
  if (choice.name.direction == Direction::kUp) {
    if (script->blank) {
      return Refuse(fmt::format("{}: the file is empty", choice.file->name),
                    "write the migration, or a comment if it is to do nothing");
    }
    migration.name = choice.name.name;
    migration.up = *std::move(script);
  } else {
    if (migration.name.empty()) migration.name = choice.name.name;
    migration.down = *std::move(script);
  }
  return absl::OkStatus();
}

absl::Status AddCode(const CodeStep& step, Source* source) {
  if (step.version <= 0 || step.name.empty()) {
    return Refuse(
        fmt::format("a code step has the version {} and the name '{}'", step.version, step.name),
        "give it a version above 0 and a name");
  }
  if (const auto found = source->find(step.version); found != source->end()) {
    return Refuse(fmt::format("the code step '{}' and {} have the same version {}", step.name,
                              found->second.Title(), step.version),
                  "give one of them another version");
  }
  (*source)[step.version] = {.version = step.version,
                             .name = step.name,
                             .up = std::nullopt,
                             .down = std::nullopt,
                             .is_code = true,
                             .code_has_down = step.has_down};
  return absl::OkStatus();
}

}  // namespace

std::string Migration::Title() const {
  if (up.has_value()) return up->file;
  if (down.has_value()) return down->file;
  return fmt::format("the code step {} '{}'", version, name);
}

absl::StatusOr<Source> ReadSource(const std::vector<File>& files,
                                  const std::vector<CodeStep>& code_steps, std::string_view driver,
                                  const Dialect& dialect) {
  Choices choices;
  for (const File& file : files) {
    if (!IsSql(file.name)) continue;
    absl::Status status = Choose(file, driver, &choices);
    if (!status.ok()) return status;
  }
  Source source;
  for (const auto& [key, choice] : choices) {
    absl::Status status = AddScript(choice, dialect, &source);
    if (!status.ok()) return status;
  }
  for (const auto& [version, migration] : source) {
    if (migration.up.has_value()) continue;
    return Refuse(
        fmt::format("{}: there is no up file for version {}", migration.down->file, version),
        fmt::format("add {}_{}.up.sql, or remove this file", version, migration.name));
  }
  for (const CodeStep& step : code_steps) {
    absl::Status status = AddCode(step, &source);
    if (!status.ok()) return status;
  }
  return source;
}

absl::StatusOr<std::vector<File>> ReadFolder(const std::string& path) {
  std::error_code error;
  std::vector<File> files;
  std::filesystem::directory_iterator entries(path, error);
  for (; !error && entries != std::filesystem::directory_iterator(); entries.increment(error)) {
    File file{.name = entries->path().filename().string(), .content = {}};
    if (!IsSql(file.name) || !entries->is_regular_file(error)) continue;
    std::ifstream stream(entries->path(), std::ios::binary);
    std::ostringstream content;
    content << stream.rdbuf();
    if (!stream.good()) {
      return Refuse(fmt::format("{} cannot be read", entries->path().string()),
                    "look at its permissions");
    }
    file.content = std::move(content).str();
    files.push_back(std::move(file));
  }
  if (error) {
    return Refuse(
        fmt::format("the migrations' folder {} cannot be read: {}", path, error.message()),
        "correct the path, or the folder's permissions");
  }
  std::sort(files.begin(), files.end(),
            [](const File& a, const File& b) { return a.name < b.name; });
  return files;
}

}  // namespace penstock::migrations
