// Turns the command line, the environment and a YAML file into a checked Config.
//
// Each setting comes from the first of these that has it: flag, environment variable, file,
// default. deploy/penstock.example.yaml describes every key.
#ifndef PENSTOCK_SERVER_CONFIG_LOAD_H_
#define PENSTOCK_SERVER_CONFIG_LOAD_H_

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "server/config/config.h"

namespace penstock::server {

// The flags of the command line. A member that is not set was not given.
struct CommandLine {
  std::optional<std::string> config_file;
  std::optional<std::string> data_dir;
  // Replaces the list of the file; empty if it was not given.
  std::vector<std::string> listen;
  // An empty text means no HTTP.
  std::optional<std::string> http_listen;
  std::optional<std::string> log_level;
  std::optional<std::string> log_format;
  bool insecure = false;
  // --check: check the configuration, print its mistakes, and do not serve.
  bool check = false;
  // --version: print the version to standard output and exit with 0.
  bool show_version = false;
  // Not empty if --help was given: the text to print to standard output before the daemon exits
  // with 0.
  std::string help;
};

// Reads the flags. Fails with INVALID_ARGUMENT, whose one line says what is wrong with them and
// names --help; penstockd prints it to standard error and exits with 2 (kExitUsage). Prints nothing
// and never exits.
absl::StatusOr<CommandLine> ParseCommandLine(int argc, const char* const* argv);

// Looks a variable up; nullopt if it is not set.
using Environment = std::function<std::optional<std::string>(const std::string& name)>;

// Reads the environment of this process, which nobody may change meanwhile.
Environment ProcessEnvironment();

// Finds mistakes in a database, all else of which is right, that the configuration cannot know.
using DatabaseCheck = std::function<absl::Status(const DatabaseConfig&)>;

// Told what has become of the password of a database that a file or a credential holds, when it was
// asked for anew for an attempt to connect. OK: it is another one now. An error, whose message
// shows no secret, says why the last one goes on. Called by the threads that connect, several of
// them at once.
using PasswordNews = std::function<void(const std::string& database, const absl::Status& status)>;

// Builds the configuration, and creates the data folder (mode 0700) if it is
// needed and missing, unless `command_line.check`.
//
// INVALID_ARGUMENT carries every mistake that was found, one a line, each as
// "where: what is wrong; what to do", where `where` is "file:line: path.to.key"
// or the name of the flag or the variable. Passwords and connection strings
// never appear in it.
//
// `check`, if there is one, looks at the migrate_on_start of each database. `news`, if there is
// one, is told of passwords that change as long as a copy of the configuration's passwords is in
// use.
absl::StatusOr<Config> LoadConfig(const CommandLine& command_line, const Environment& environment,
                                  const DatabaseCheck& check = {}, const PasswordNews& news = {});

// The exit codes of penstockd for a wrong flag and for a wrong configuration.
inline constexpr int kExitUsage = 2;
inline constexpr int kExitConfig = 78;  // EX_CONFIG of sysexits.h

}  // namespace penstock::server

#endif  // PENSTOCK_SERVER_CONFIG_LOAD_H_
