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
#include "migrations/sections.h"
#include "text/string_views.h"

namespace penstock::migrations {
namespace {

using driver::MakeErrorWithHint;
using driver::Reason;

absl::Status Refuse(std::string_view what, std::string_view hint) {
  return MakeErrorWithHint(Reason::kInvalidParameter, what, hint);
}

// The file that was chosen for one version and direction so far.
struct Choice {
  std::optional<size_t> file;
  FileName name;
  // The file has both directions.
  bool is_part = false;
};
using Choices = std::map<std::pair<uint64_t, Direction>, Choice>;

// Collects what is wrong with the files, to tell it all at once.
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
      text += fmt::format(" ({}) {};", i + 1, ToStd(problems_[i].message()));
    }
    if (problems_.size() > kMost) {
      text += fmt::format(" and {} more", problems_.size() - kMost);
    } else {
      text.pop_back();
    }
    const driver::ErrorInfo first = driver::GetErrorInfo(problems_.front());
    return MakeErrorWithHint(first.reason, text, "for the first problem: " + first.hint);
  }

 private:
  std::vector<absl::Status> problems_;
};

class Reader {
 public:
  Reader(std::shared_ptr<const Files> files, std::string_view driver, const Dialect& dialect,
         Problems* problems, std::vector<std::string>* others)
      : files_(std::move(files)),
        driver_(driver),
        dialect_(dialect),
        problems_(*problems),
        others_(others) {}

  void Take(size_t file) {
    if (!IsSqlFile(files_->name(file))) return;
    some_ = true;
    problems_.Add(Choose(file));
  }

  void Fill(Source* source) {
    const bool plain_ones = choices_.empty();
    for (auto& [file, name, why] : plain_) {
      if (!plain_ones) {
        LeaveAside(files_->name(file), why);
      } else if (name.driver.empty() || name.driver == driver_) {
        problems_.Add(Add({.file = file, .name = std::move(name)}));
      }
    }
    for (const auto& [key, choice] : choices_) {
      problems_.Add(AddScript(choice, source));
      if (choices_.contains({key.first, Direction::kUp})) continue;
      problems_.Add(Refuse(
          fmt::format("{}: no up file exists for version {}", NameOf(choice), key.first),
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
  const std::string& NameOf(const Choice& choice) const { return files_->name(*choice.file); }

  absl::Status Choose(size_t file) {
    const std::string& file_name = files_->name(file);
    std::string why;
    absl::StatusOr<std::optional<FileName>> name = ParseFileName(file_name, &why);
    if (!name.ok()) return name.status();
    const absl::StatusOr<std::string> content = files_->Read(file);
    if (!content.ok()) return content.status();
    absl::StatusOr<std::optional<Sections>> sections = ReadSections(file_name, *content);
    // A file of something else is not looked into.
    if (!sections.ok() && !name->has_value() && !ParseNameOfBoth(file_name).ok()) {
      sections = std::nullopt;
    }
    if (!sections.ok()) return sections.status();
    if (name->has_value()) return ChooseOne(file, **std::move(name), *sections);
    if (sections->has_value()) return ChooseBoth(file, **sections);
    absl::StatusOr<FileName> plain = ParseNameOfBoth(file_name);
    if (plain.ok() && !SaysDirection(file_name)) {
      plain_.push_back({.file = file, .name = *std::move(plain), .why = why});
    } else {
      LeaveAside(file_name, why);
    }
    return absl::OkStatus();
  }

  absl::Status ChooseOne(size_t file, FileName name, const std::optional<Sections>& sections) {
    const bool up = name.direction == Direction::kUp;
    const bool mixed =
        sections.has_value() && (up ? sections->down.has_value() : sections->up.has_value());
    if (mixed) {
      return Refuse(
          fmt::format(
              "{}: the file has a marker of the other direction, so its {} step would run both",
              files_->name(file), Name(name.direction)),
          fmt::format(
              "remove that part, or rename the file to {}_{}.sql, which is read by its markers",
              name.version, name.name));
    }
    if (!name.driver.empty() && name.driver != driver_) return absl::OkStatus();
    return Add({.file = file, .name = std::move(name)});
  }

  absl::Status ChooseBoth(size_t file, const Sections& sections) {
    absl::StatusOr<FileName> name = ParseNameOfBoth(files_->name(file));
    if (!name.ok()) return name.status();
    if (!name->driver.empty() && name->driver != driver_) return absl::OkStatus();
    if (!sections.up.has_value()) {
      return Refuse(fmt::format("{}: the file has no up part", files_->name(file)),
                    "write the marker of the direction before its statements");
    }
    absl::Status status = Add({.file = file, .name = *name, .is_part = true});
    if (!status.ok() || !sections.down.has_value()) return status;
    name->direction = Direction::kDown;
    return Add({.file = file, .name = *std::move(name), .is_part = true});
  }

  absl::Status Add(Choice added) {
    Choice& choice = choices_[{added.name.version, added.name.direction}];
    const bool special = !added.name.driver.empty();
    if (choice.file.has_value() && special == !choice.name.driver.empty()) {
      return Refuse(fmt::format("{} and {} are both the {} of version {}", NameOf(choice),
                                NameOf(added), Name(added.name.direction), added.name.version),
                    "give one of them another version");
    }
    if (!choice.file.has_value() || special) choice = std::move(added);
    return absl::OkStatus();
  }

  absl::Status AddScript(const Choice& choice, Source* source) {
    absl::StatusOr<Script> script =
        ParseScript(files_, *choice.file,
                    choice.is_part ? std::optional(choice.name.direction) : std::nullopt, dialect_);
    Migration& migration = (*source)[choice.name.version];
    migration.version = choice.name.version;
    if (migration.name.empty()) migration.name = choice.name.name;
    if (choice.name.direction == Direction::kUp) {
      // It stands for the version also if it is refused.
      migration.name = choice.name.name;
      migration.up.emplace().file = NameOf(choice);
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

  void LeaveAside(const std::string& name, std::string_view why) {
    constexpr size_t kMost = 100;
    constexpr size_t kShown = 10;
    ++others_count_;
    const std::string text = fmt::format("{}: invalid name for a migration file: {}", name, why);
    if (others_ != nullptr && others_count_ <= kMost) others_->push_back(text);
    if (others_count_ <= kShown) left_aside_ += (left_aside_.empty() ? "" : "; ") + text;
  }

  const std::shared_ptr<const Files> files_;
  const std::string_view driver_;
  const Dialect& dialect_;
  Problems& problems_;
  std::vector<std::string>* const others_;
  size_t others_count_ = 0;
  std::string left_aside_;
  bool some_ = false;
  Choices choices_;
  // Files with a version and a name that say no direction.
  struct Plain {
    size_t file;
    FileName name;
    std::string why;
  };
  std::vector<Plain> plain_;
};

absl::Status AddCode(const CodeStep& step, Source* source) {
  if (step.name.empty()) {
    return Refuse(fmt::format("the code step of version {} has no name", step.version),
                  "give it a name");
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

absl::StatusOr<Source> ReadSource(const std::shared_ptr<const Files>& files,
                                  const std::vector<CodeStep>& code_steps, std::string_view driver,
                                  const Dialect& dialect, std::vector<std::string>* others) {
  Problems problems;
  Reader reader(files, driver, dialect, &problems, others);
  for (size_t i = 0; i < files->size(); ++i) reader.Take(i);
  Source source;
  reader.Fill(&source);
  for (const CodeStep& step : code_steps) problems.Add(AddCode(step, &source));
  if (problems.status().ok() && code_steps.empty()) problems.Add(reader.CheckSome());
  absl::Status status = problems.status();
  if (!status.ok()) return status;
  return source;
}

absl::StatusOr<Source> ReadSource(std::vector<File> files, const std::vector<CodeStep>& code_steps,
                                  std::string_view driver, const Dialect& dialect,
                                  std::vector<std::string>* others) {
  return ReadSource(std::make_shared<const Files>(std::move(files)), code_steps, driver, dialect,
                    others);
}

absl::StatusOr<std::shared_ptr<Files>> ReadFolder(const std::string& path) {
  namespace fs = std::filesystem;
  std::error_code error;
  std::vector<fs::path> paths;
  fs::directory_iterator entries(path, error);
  for (; !error && entries != fs::directory_iterator(); entries.increment(error)) {
    if (!IsSqlFile(entries->path().filename().string())) continue;
    if (entries->is_regular_file(error)) paths.push_back(entries->path());
  }
  if (error) {
    return Refuse(fmt::format("cannot read the migrations folder {}: {}", path, error.message()),
                  "correct the path or the permissions of the folder");
  }
  if (paths.empty()) {
    return Refuse(fmt::format("the migrations folder {} has no file that ends in .sql", path),
                  "correct the path");
  }
  std::sort(paths.begin(), paths.end());
  auto files = std::make_shared<Files>();
  for (const fs::path& file : paths) {
    std::ifstream stream(file, std::ios::binary);
    std::ostringstream content;
    content << stream.rdbuf();
    // An empty file is no failure, although nothing was copied.
    if (!stream.is_open() || stream.bad()) {
      return Refuse(fmt::format("{} cannot be read", file.string()), "check its permissions");
    }
    files->Add(file.filename().string(), std::move(content).str());
  }
  return files;
}

}  // namespace penstock::migrations
