// penstock_compare: runs SQL files through the gateway and through the backend itself, side
// by side. scripts/compare runs it.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <atomic>
#include <chrono>
#include <filesystem>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "tests/differential/backend.h"
#include "tests/differential/known.h"
#include "tests/differential/run.h"
#include "tests/differential/text.h"

namespace penstock::differential {
namespace {

struct Options {
  std::string backend = "sqlite";
  std::vector<Mode> modes;
  std::string known;
  std::vector<std::string> paths;
  size_t jobs = 2;
  size_t most = SIZE_MAX;
  size_t shown = 50;
  bool list_progress = false;
  std::vector<std::string> before;
};

// Files as they are named; of folders those with a name that one of the readers is for.
std::vector<std::string> FilesIn(const std::vector<std::string>& paths) {
  std::vector<std::string> files;
  for (const std::string& path : paths) {
    if (!std::filesystem::is_directory(path)) {
      files.push_back(path);
      continue;
    }
    for (const auto& entry : std::filesystem::recursive_directory_iterator(path)) {
      const std::string extension = entry.path().extension().string();
      const bool wanted = extension == ".test" || extension == ".slt" || extension == ".sql";
      if (wanted && entry.is_regular_file()) files.push_back(entry.path().string());
    }
  }
  std::sort(files.begin(), files.end());
  return files;
}

// Takes one file after the other, until there are no more; several threads do so.
class Work {
 public:
  Work(const Options& options, const Backend& backend, const KnownDifferences& known)
      : options_(options), backend_(backend), known_(known), files_(FilesIn(options.paths)) {}

  void Run() {
    std::vector<std::thread> threads;
    for (size_t i = 0; i < options_.jobs; ++i) threads.emplace_back([this] { TakeFiles(); });
    for (std::thread& thread : threads) thread.join();
  }

  const Report& report() const { return report_; }
  // Files that could not be run, each with the reason.
  const std::vector<std::string>& broken() const { return broken_; }

 private:
  void TakeFiles() {
    if (!options_.before.empty()) {
      const absl::Status prepared = backend_.Prepare(options_.before);
      if (!prepared.ok()) return Broken(options_.before[0], prepared);
    }
    for (size_t at = next_++; at < files_.size(); at = next_++) {
      const absl::StatusOr<Script> script = ReadScript(files_[at], backend_);
      if (!script.ok()) {
        Broken(files_[at], script.status());
        continue;
      }
      for (const Mode mode : options_.modes) RunIn(*script, mode);
    }
  }

  void RunIn(const Script& script, Mode mode) {
    if (options_.list_progress) {
      fmt::print(stderr, "{} ({}, {} records)\n", script.path, ModeName(mode),
                 script.records.size());
    }
    const absl::StatusOr<Report> report = RunAlone(script, backend_, known_, mode, options_.most);
    if (!report.ok()) return Broken(script.path, report.status());
    const std::lock_guard lock(mutex_);
    report_.Add(*report);
  }

  void Broken(const std::string& path, const absl::Status& why) {
    const std::lock_guard lock(mutex_);
    broken_.push_back(fmt::format("{}: {}", path, std::string(why.message())));
  }

  const Options& options_;
  const Backend& backend_;
  const KnownDifferences& known_;
  const std::vector<std::string> files_;
  std::atomic<size_t> next_{0};
  std::mutex mutex_;
  Report report_;
  std::vector<std::string> broken_;
};

void PrintCounts(const char* title, const std::map<std::string, size_t>& counts) {
  if (!counts.empty()) fmt::print("{}\n", title);
  for (const auto& [name, count] : counts) fmt::print("  {:>9}  {}\n", count, name);
}

void Print(const Report& report, size_t shown) {
  fmt::print("{} scripts were run.\n", report.scripts);
  for (const auto& [mode, count] : report.compared) {
    fmt::print("  {:>9}  statements compared in {} mode\n", count, ModeName(mode));
  }
  fmt::print("  {:>9}  of them with columns, which held {} values\n", report.results,
             report.values);
  fmt::print("  {:>9}  of them failed on the oracle's side\n", report.failures);
  fmt::print("  {:>9}  answers of the oracle are what the file says, {} are not\n", report.agreed,
             report.disagreed);
  for (const std::string& place : report.first_disagreements)
    fmt::print("             {}\n", place);
  PrintCounts("Not run:", report.left_out);
  PrintCounts("Known differences:", report.known);
  fmt::print("{} differences that are not known.\n", report.differences.size());
  for (size_t i = 0; i < std::min(shown, report.differences.size()); ++i) {
    const Difference& difference = report.differences[i];
    fmt::print("{}:{} ({})\n    {}\n    {}\n", difference.path, difference.line,
               ModeName(difference.mode), Printable(difference.sql, 300), difference.what);
  }
}

int Main(int argc, char** argv) {
  CLI::App app("Runs SQL files through the gateway and the backend itself, side by side.");
  Options options;
  std::vector<std::string> modes = {"autocommit", "transaction", "prepare", "parameters"};
  app.add_option("backend", options.backend, "the backend: sqlite or postgres")->required();
  app.add_option("paths", options.paths, "files, or folders of .test, .slt and .sql files")
      ->required()
      ->check(CLI::ExistingPath);
  app.add_option("--mode", modes,
                 "how statements are sent: autocommit, transaction, prepare, "
                 "parameters (of sqlite only); all of them unless it is given")
      ->check(CLI::IsMember(modes));
  app.add_option("--known", options.known, "the list of known differences")
      ->check(CLI::ExistingFile);
  app.add_option("--jobs", options.jobs, "files at once")->capture_default_str();
  app.add_option("--most", options.most, "at most so many statements a file");
  app.add_option("--show", options.shown, "at most so many differences")->capture_default_str();
  app.add_option("--before", options.before,
                 "files that psql runs first, in the database that each file then has a copy of")
      ->check(CLI::ExistingFile);
  app.add_flag("--progress", options.list_progress, "say which file is run");
  CLI11_PARSE(app, argc, argv);

  const Backend* backend = FindBackend(options.backend);
  if (backend == nullptr) {
    fmt::print(stderr, "penstock_compare: there is no backend '{}'\n", options.backend);
    return 2;
  }
  for (const Mode mode : backend->modes()) {
    if (std::find(modes.begin(), modes.end(), ModeName(mode)) != modes.end()) {
      options.modes.push_back(mode);
    }
  }
  KnownDifferences known;
  if (!options.known.empty()) {
    absl::StatusOr<KnownDifferences> read = KnownDifferences::Read(options.known);
    if (!read.ok()) {
      fmt::print(stderr, "penstock_compare: {}\n", std::string(read.status().message()));
      return 2;
    }
    known = *std::move(read);
  }
  Work work(options, *backend, known);
  const auto began = std::chrono::steady_clock::now();
  work.Run();
  Print(work.report(), options.shown);
  for (const std::string& broken : work.broken()) fmt::print("not run: {}\n", broken);
  fmt::print("It took {:.1f} s.\n",
             std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count());
  return work.report().differences.empty() && work.broken().empty() ? 0 : 1;
}

}  // namespace
}  // namespace penstock::differential

int main(int argc, char** argv) { return penstock::differential::Main(argc, argv); }
