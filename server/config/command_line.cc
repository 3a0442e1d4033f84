#include <memory>

#include "CLI/CLI.hpp"
#include "fmt/format.h"
#include "server/config/load.h"
#include "server/config/words.h"

namespace penstock::server {
namespace {

constexpr char kDescription[] =
    "penstockd: a database gateway. It owns the connections to the configured databases\n"
    "and serves them over gRPC. Without any flag it serves one SQLite database, 'main'.";

constexpr char kFooter[] = R"(
Each setting is taken from the first of these that has it:
  1. the flag
  2. the environment variable (an empty one counts as not set)
  3. the configuration file
  4. the default
The configuration file has many more settings than there are flags; the example
penstock.example.yaml lists them all with units and defaults.

Variables: PENSTOCK_CONFIG, PENSTOCK_DATA_DIR, PENSTOCK_LISTEN (separated by commas),
PENSTOCK_HTTP_LISTEN, PENSTOCK_LOG_LEVEL, PENSTOCK_LOG_FORMAT, PENSTOCK_INSECURE (true or
false).

Exit codes: 0 after an orderly end, 1 if it could not start, 2 for a wrong flag, 78 for a
wrong configuration.)";

// Adds an option that tells an empty value from none.
void AddText(CLI::App* app, const std::string& flag, std::optional<std::string>* out,
             const std::string& value_name, const std::string& description) {
  app->add_option_function<std::string>(
         flag, [out](const std::string& value) { *out = value; }, description)
      ->type_name(value_name);
}

void AddOptions(CLI::App* app, CommandLine* out) {
  app->set_help_flag("-h,--help", "Print this and exit");
  app->add_flag("--version", out->show_version, "Print the version and exit");
  AddText(app, "-c,--config", &out->config_file, "FILE",
          "The configuration file, in YAML. Default: none\n[PENSTOCK_CONFIG]");
  app->add_flag("--check", out->check, "Check the configuration, print its mistakes and exit");
  AddText(app, "--data-dir", &out->data_dir, "FOLDER",
          "The folder of databases without a path and of the unix socket;\n"
          "created with mode 0700 if it is missing. Default: data\n[PENSTOCK_DATA_DIR]");
  app->add_option("--listen", out->listen,
                  "A gRPC address, host:port or unix:/path; may be repeated,\n"
                  "or several separated by commas. Default: 127.0.0.1:7420\n"
                  "and unix:FOLDER/penstock.sock [PENSTOCK_LISTEN]")
      ->type_name("ADDRESS")
      ->delimiter(',')
      ->allow_extra_args(false);
  AddText(app, "--http-listen", &out->http_listen, "ADDRESS",
          "The address of /metrics, /healthz and /readyz, or off.\n"
          "Default: 127.0.0.1:9420 [PENSTOCK_HTTP_LISTEN]");
  AddText(app, "--log-level", &out->log_level, "LEVEL",
          "trace, debug, info, warn, error or off. Default: info\n[PENSTOCK_LOG_LEVEL]");
  AddText(app, "--log-format", &out->log_format, "FORMAT",
          "text or json. Default: text [PENSTOCK_LOG_FORMAT]");
  app->add_flag("--insecure", out->insecure,
                "Allow addresses that other machines reach without\n"
                "identities and TLS. By default they are refused [PENSTOCK_INSECURE]");
}

}  // namespace

absl::StatusOr<CommandLine> ParseCommandLine(int argc, const char* const* argv) {
  CommandLine command_line;
  CLI::App app(kDescription, "penstockd");
  app.get_formatter()->column_width(26);
  app.footer(kFooter);
  AddOptions(&app, &command_line);
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    return CommandLine{.help = app.help()};
  } catch (const CLI::ParseError& error) {
    return absl::InvalidArgumentError(
        fmt::format("{}; see penstockd --help", Printable(error.what())));
  }
  return command_line;
}

}  // namespace penstock::server
