// A folder for the files of a test, and the configuration loaded from one.
#ifndef PENSTOCK_TESTS_UNIT_CONFIG_FIXTURE_H_
#define PENSTOCK_TESTS_UNIT_CONFIG_FIXTURE_H_

#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gtest/gtest.h"
#include "server/config/load.h"

namespace penstock::server {

class ConfigTest : public ::testing::Test {
 protected:
  ConfigTest() {
    std::string pattern = (std::filesystem::temp_directory_path() / "penstock-XXXXXX").string();
    folder_ = mkdtemp(pattern.data());
    command_line_.data_dir = Path("data");
  }

  ~ConfigTest() override { std::filesystem::remove_all(folder_); }

  std::string Path(const std::string& name) const { return folder_ + "/" + name; }

  std::string Write(const std::string& name, std::string_view content) const {
    std::ofstream(Path(name), std::ios::binary) << content;
    // It may hold a password.
    std::filesystem::permissions(Path(name), std::filesystem::perms(0600));
    return Path(name);
  }

  absl::StatusOr<Config> Load() const {
    return LoadConfig(command_line_, [this](const std::string& name) -> std::optional<std::string> {
      const auto variable = variables_.find(name);
      if (variable == variables_.end()) return std::nullopt;
      return variable->second;
    });
  }

  // What the file `yaml` gives, or in an error test what is wrong with it. "@" stands for the
  // test's folder.
  absl::StatusOr<Config> LoadText(const std::string& yaml) {
    command_line_.config_file = Write("penstock.yaml", Replace(yaml, "@", folder_));
    return Load();
  }

  // The lines of the error, with FILE for the file's path and @ for the folder's.
  std::vector<std::string> Mistakes(const absl::StatusOr<Config>& config) const {
    std::vector<std::string> lines;
    if (config.ok()) return lines;
    std::string text(config.status().message());
    if (command_line_.config_file) text = Replace(text, *command_line_.config_file, "FILE");
    text = Replace(text, folder_, "@") + "\n";
    for (size_t begin = 0; begin < text.size();) {
      const size_t end = text.find('\n', begin);
      lines.push_back(text.substr(begin, end - begin));
      begin = end + 1;
    }
    return lines;
  }

  std::vector<std::string> MistakesIn(const std::string& yaml) { return Mistakes(LoadText(yaml)); }

  std::string folder_;
  CommandLine command_line_;
  std::map<std::string, std::string> variables_;

 private:
  static std::string Replace(std::string text, const std::string& from, const std::string& to) {
    for (size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size()) {
      text.replace(at, from.size(), to);
    }
    return text;
  }
};

}  // namespace penstock::server

#endif  // PENSTOCK_TESTS_UNIT_CONFIG_FIXTURE_H_
