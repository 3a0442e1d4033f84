#include "migrations/source.h"

#include <algorithm>
#include <deque>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <system_error>
#include <utility>

#include "drivers/api/error.h"
#include "fmt/format.h"
#include "migrations/file_name.h"
#include "migrations/script.h"
#include "migrations/sections.h"

namespace penstock::migrations {
namespace {

using driver::MakeErrorWithHint;
using driver::Reason;

absl::Status Refuse(std::string_view what, std::string_view hint) {
  return MakeErrorWithHint(Reason::kInvalidParameter, what, hint);
}

// What was chosen for one version and direction so far.
struct Choice {
  const File* file = nullptr;
  FileName name;
  // A part of the file; null: all of it.
  const Section* section = nullptr;
};
using Choices = std::map<std::pair<uint64_t, Direction>, Choice>;

// What is wrong with the files, all at once.
class Problems {
 public:
  void Add(const absl::Status& problem) {
    if (!problem.ok()) problems_.push_back(problem);
  }

  absl::Status status() const {
    if (problems_.size() <= 1) return problems_.empty() ? absl::OkStatus() : problems_.front();
    // A status has some kilobytes on the wire.
    constexpr size_t kMost = 20;
    std::string text = fmt::format("the files have {} problems:", problems_.size());
    for (size_t i = 0; i < std::min(problems_.size(), kMost); ++i) {
      const absl::string_view message = problems_[i].message();
      text += fmt::format(" ({}) {};", i + 1, std::string_view(message.data(), message.size()));
    }
    if (problems_.size() > kMost) {
      text += fmt::format(" and {} more", problems_.size() - kMost);
    } else {
      text.pop_back();
    }
    const driver::ErrorInfo first = driver::GetErrorInfo(problems_.front());
    return MakeErrorWithHint(first.reason, text, "of the first: " + first.hint);
  }

 private:
  std::vector<absl::Status> problems_;
};

class Reader {
 public:
  Reader(std::string_view driver, const Dialect& dialect, Problems* problems,
         std::vector<std::string>* others)
      : driver_(driver), dialect_(dialect), problems_(*problems), others_(others) {}

  void Take(const File& file) {
    if (!IsSqlFile(file.name)) return;
    some_ = true;
    absl::Status status = Choose(file);
    if (!status.ok()) problems_.Add(status);
  }

  void Fill(Source* source) {
    const bool plain_ones = choices_.empty();
    for (auto& [file, name, why] : plain_) {
      if (!plain_ones) {
        LeaveAside(*file, why);
      } else if (name.driver.empty() || name.driver == driver_) {
        problems_.Add(Add({.file = file, .name = std::move(name)}));
      }
    }
    for (const auto& [key, choice] : choices_) {
      problems_.Add(AddScript(choice, source));
      if (choices_.contains({key.first, Direction::kUp})) continue;
      problems_.Add(Refuse(
          fmt::format("{}: there is no up file for version {}", choice.file->name, key.first),
          fmt::format("add {}_{}.up.sql, or remove this file", key.first, choice.name.name)));
    }
  }

  // There are files, and all of them are something else.
  absl::Status CheckSome() const {
    if (!some_ || !choices_.empty()) return absl::OkStatus();
    return Refuse(
        left_aside_.empty()
            ? fmt::format("none of the files is a migration for the driver {}", driver_)
            : "none of the files is a migration: " + left_aside_,
        "name them like 0001_create_users.up.sql and 0001_create_users.down.sql; a file with both "
        "directions has the markers of goose, dbmate or sql-migrate");
  }

 private:
  absl::Status Choose(const File& file) {
    std::string why;
    absl::StatusOr<std::optional<FileName>> name = ParseFileName(file.name, &why);
    if (!name.ok()) return name.status();
    absl::StatusOr<std::optional<Sections>> sections = ReadSections(file.name, file.content);
    // A file of something else is not looked into.
    if (!sections.ok() && !name->has_value() && !ParseNameOfBoth(file.name).ok()) {
      sections = std::nullopt;
    }
    if (!sections.ok()) return sections.status();
    if (name->has_value()) return ChooseOne(file, **std::move(name), *sections);
    if (sections->has_value()) return ChooseBoth(file, **std::move(sections));
    absl::StatusOr<FileName> plain = ParseNameOfBoth(file.name);
    if (plain.ok() && !SaysDirection(file.name)) {
      plain_.push_back({.file = &file, .name = *std::move(plain), .why = why});
    } else {
      LeaveAside(file, why);
    }
    return absl::OkStatus();
  }

  absl::Status ChooseOne(const File& file, FileName name, const std::optional<Sections>& sections) {
    const bool up = name.direction == Direction::kUp;
    const bool mixed =
        sections.has_value() && (up ? sections->down.has_value() : sections->up.has_value());
    if (mixed) {
      return Refuse(fmt::format("{}: it has a marker of the other direction, so that its {} would "
                                "run both",
                                file.name, Name(name.direction)),
                    fmt::format("remove the part, or call the file {}_{}.sql, which is read by its "
                                "markers",
                                name.version, name.name));
    }
    if (!name.driver.empty() && name.driver != driver_) return absl::OkStatus();
    return Add({.file = &file, .name = std::move(name)});
  }

  absl::Status ChooseBoth(const File& file, Sections parsed) {
    absl::StatusOr<FileName> name = ParseNameOfBoth(file.name);
    if (!name.ok()) return name.status();
    if (!name->driver.empty() && name->driver != driver_) return absl::OkStatus();
    if (!parsed.up.has_value()) {
      return Refuse(fmt::format("{}: it has no part for up", file.name),
                    "write the marker of the direction before its statements");
    }
    const Sections& sections = sections_.emplace_back(std::move(parsed));
    absl::Status status = Add({.file = &file, .name = *name, .section = &*sections.up});
    if (!status.ok() || !sections.down.has_value()) return status;
    name->direction = Direction::kDown;
    return Add({.file = &file, .name = *std::move(name), .section = &*sections.down});
  }

  absl::Status Add(Choice added) {
    Choice& choice = choices_[{added.name.version, added.name.direction}];
    const bool special = !added.name.driver.empty();
    if (choice.file != nullptr && special == !choice.name.driver.empty()) {
      return Refuse(fmt::format("{} and {} are both the {} of version {}", choice.file->name,
                                added.file->name, Name(added.name.direction), added.name.version),
                    "give one of them another version");
    }
    if (choice.file == nullptr || special) choice = std::move(added);
    return absl::OkStatus();
  }

  absl::Status AddScript(const Choice& choice, Source* source) {
    absl::StatusOr<Script> script = ParseScript(*choice.file, choice.section, dialect_);
    Migration& migration = (*source)[choice.name.version];
    migration.version = choice.name.version;
    if (migration.name.empty()) migration.name = choice.name.name;
    if (choice.name.direction == Direction::kUp) {
      // It stands for the version also if it is refused.
      migration.name = choice.name.name;
      migration.up = Script{.file = choice.file->name};
    }
    if (!script.ok() && choice.name.direction == Direction::kDown) {
      migration.down_problem = script.status();
      return absl::OkStatus();
    }
    if (!script.ok()) return script.status();
    if (choice.name.direction == Direction::kDown) {
      migration.down = *std::move(script);
      return absl::OkStatus();
    }
    migration.up = *std::move(script);
    return absl::OkStatus();
  }

  void LeaveAside(const File& file, std::string_view why) {
    constexpr size_t kMost = 100;
    constexpr size_t kShown = 10;
    ++others_count_;
    const std::string text = fmt::format("{}: the name is not a migration's: {}", file.name, why);
    if (others_ != nullptr && others_count_ <= kMost) others_->push_back(text);
    if (others_count_ <= kShown) left_aside_ += (left_aside_.empty() ? "" : "; ") + text;
  }

  const std::string_view driver_;
  const Dialect& dialect_;
  Problems& problems_;
  std::vector<std::string>* const others_;
  size_t others_count_ = 0;
  std::string left_aside_;
  bool some_ = false;
  // Those that choices refer to.
  std::deque<Sections> sections_;
  Choices choices_;
  // Files with a version and a name that say no direction.
  struct Plain {
    const File* file;
    FileName name;
    std::string why;
  };
  std::vector<Plain> plain_;
};

absl::Status AddCode(const CodeStep& step, Source* source) {
  if (step.name.empty()) {
    return Refuse(fmt::format("the code step of version {} has no name", step.version),
                  "give it one");
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
                                  const Dialect& dialect, std::vector<std::string>* others) {
  Problems problems;
  Reader reader(driver, dialect, &problems, others);
  for (const File& file : files) reader.Take(file);
  Source source;
  reader.Fill(&source);
  for (const CodeStep& step : code_steps) problems.Add(AddCode(step, &source));
  if (problems.status().ok() && code_steps.empty()) problems.Add(reader.CheckSome());
  absl::Status status = problems.status();
  if (!status.ok()) return status;
  return source;
}

absl::StatusOr<std::vector<File>> ReadFolder(const std::string& path) {
  std::error_code error;
  std::vector<File> files;
  std::filesystem::directory_iterator entries(path, error);
  for (; !error && entries != std::filesystem::directory_iterator(); entries.increment(error)) {
    File file{.name = entries->path().filename().string(), .content = {}};
    if (!IsSqlFile(file.name) || !entries->is_regular_file(error)) continue;
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
  if (files.empty()) {
    return Refuse(fmt::format("the migrations' folder {} has no file that ends in .sql", path),
                  "correct the path");
  }
  std::sort(files.begin(), files.end(),
            [](const File& a, const File& b) { return a.name < b.name; });
  return files;
}

}  // namespace penstock::migrations
