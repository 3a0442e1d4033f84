#include "client/cli/options.h"

#include <algorithm>
#include <cstdlib>
#include <map>
#include <utility>

#include "CLI/App.hpp"
#include "CLI/Config.hpp"
#include "CLI/Formatter.hpp"
#include "client/cli/gen.h"
#include "client/cli/help_text.h"
#include "client/cli/key_value.h"
#include "client/cli/migrate_options.h"
#include "client/cli/number.h"
#include "client/cli/secret.h"
#include "client/cli/token.h"
#include "client/cli/words.h"
#include "fmt/format.h"
#include "text/string_views.h"
#include "text/utf8.h"

namespace penstock::cli {
namespace {

constexpr const char* kDefaultTarget = "127.0.0.1:7420";

// Reads an option whose value is one of a few words.
template <typename Enum>
CLI::callback_t OneOf(std::map<std::string, Enum> words, Enum* value) {
  return [words = std::move(words), value](const CLI::results_t& results) {
    const auto found = words.find(results.front());
    if (found == words.end()) return false;
    *value = found->second;
    return true;
  };
}

// Returns what is wrong with a name, or an empty text.
std::string CheckUtf8(const std::string& name) {
  return IsUtf8(name) ? "" : "a name must be valid UTF-8";
}

void AddGlobalOptions(CLI::App* app, Options* options) {
  app->add_option("--target", options->target, "The daemon: host:port or unix:/path")
      ->envname("PENSTOCK_TARGET")
      ->default_str(kDefaultTarget);
  app->add_option("-d,--database", options->database, "The database; default: the daemon's own")
      ->check(CheckUtf8)
      ->envname("PENSTOCK_DATABASE");
  app->add_option("--format",
                  OneOf<OutputFormat>({{"table", OutputFormat::kTable},
                                       {"csv", OutputFormat::kCsv},
                                       {"json", OutputFormat::kJson}},
                                      &options->format),
                  "The format of rows")
      ->type_name("table|csv|json")
      ->default_str("table");
  const auto set_null = [options](const CLI::results_t& results) {
    options->csv_null = results.front();
    // A field with quotes is text, and one that begins with \x is a blob, so NULL can be neither.
    return results.front().find_first_of("\",\r\n") == std::string::npos &&
           !results.front().starts_with("\\x");
  };
  app->add_option("--null", set_null, "How csv writes NULL; see below")->type_name("TEXT");
  const auto set_timeout = [options](const CLI::results_t& results) {
    absl::StatusOr<absl::Duration> timeout = ParseTimeout(results.front());
    if (!timeout.ok())
      throw CLI::ValidationError("--timeout", std::string(timeout.status().message()));
    options->timeout = *timeout;
    return true;
  };
  app->add_option("--timeout", set_timeout, "Time limit of the whole command: 500ms, 10s, 1m30s")
      ->type_name("DURATION");
  app->add_option("--tls-ca", options->tls_ca, "Use TLS and trust the CAs in this PEM file")
      ->type_name("FILE");
  CLI::Option* cert =
      app->add_option("--tls-cert", options->tls_cert, "The client's certificate, a PEM file");
  CLI::Option* key =
      app->add_option("--tls-key", options->tls_key, "The client's private key, a PEM file");
  cert->type_name("FILE")->needs(key);
  key->type_name("FILE")->needs(cert);
  app->add_option("--token-file", options->token_file,
                  "Prove who we are by the token in this file, or in the variable PENSTOCK_TOKEN")
      ->type_name("FILE")
      ->envname("PENSTOCK_TOKEN_FILE");
}

// There is no option for the token itself, because everybody can read the command lines of others.
void TakeToken(Options* options) {
  const char* const token = std::getenv("PENSTOCK_TOKEN");
  if (token != nullptr && options->token_file.empty()) options->token = token;
}

// For --help only: the words after these commands never reach CLI11 (see words.h).
void DescribeWords(CLI::App* command, const std::string& name, const std::string& description) {
  const auto ignored = [](const CLI::results_t&) { return true; };
  command->add_option(name, ignored, description)->type_name("");
}

void AddStatement(CLI::App* command, Options* options) {
  DescribeWords(command, "SQL", "One statement, required; - reads it from standard input");
  DescribeWords(command, "ARGS", "The parameters, any number; see `penstock --help`");
  const auto add_settings = [options](const std::vector<std::string>& settings) {
    for (const std::string& setting : settings) {
      const size_t equals = setting.find('=');
      if (equals == 0 || equals == std::string::npos) {
        throw CLI::ValidationError("--setting", "write NAME=VALUE, as in app.user=ada");
      }
      options->settings.emplace_back(setting.substr(0, equals), setting.substr(equals + 1));
    }
  };
  command
      ->add_option_function<std::vector<std::string>>(
          "--setting", add_settings,
          "A setting of the session for this statement, as in app.user=ada; any number of times")
      ->type_name("NAME=VALUE")
      ->allow_extra_args(false);
}

void AddKeyValue(CLI::App* command, Options* options) {
  DescribeWords(
      command, "WORDS",
      "get KEY, put KEY VALUE, delete KEY or scan [PREFIX]; KEY, VALUE and PREFIX are the "
      "bytes as written, or blob: and hexadecimal digits; the value - is read from standard "
      "input");
  command->add_option("-k,--keyspace", options->keyspace, "The keyspace; default: kv")
      ->check(CheckUtf8);
  command->add_flag("--raw", options->raw,
                    "Take KEY, VALUE and PREFIX literally, even blob: and -; get adds no end of "
                    "line");
  command->add_flag("--reverse", options->reverse, "Scan from the last key to the first");
  command->add_flag("--keys-only", options->keys_only, "Scan without values");
  command
      ->add_option("--limit", DecimalNumber(&options->limit, 0),
                   "Maximum number of entries to scan")
      ->type_name("NUMBER");
}

// Takes the words that follow the command; the statement comes first. Returns what is wrong with
// them, or an empty text.
std::string TakeWords(std::vector<std::string> words, Options* options) {
  options->args = std::move(words);
  std::vector<std::string>& all = options->args;
  if (options->command == Command::kKeyValue) return std::string(CheckKeyValue(*options).message());
  const bool wanted = options->command == Command::kQuery || options->command == Command::kExec;
  if (!wanted) return all.empty() ? "" : fmt::format("unexpected argument \"{}\"", all.front());
  if (all.empty()) return "SQL is required";
  options->sql = std::move(all.front());
  all.erase(all.begin());
  return "";
}

CLI::App* AddCommand(CLI::App* app, const std::string& name, const std::string& description,
                     Command command, Options* options) {
  CLI::App* added = app->add_subcommand(name, description);
  // Global options may also follow the command.
  added->fallthrough();
  added->final_callback([options, command] { options->command = command; });
  return added;
}

// Returns true for an option that might have a token, and for a token.
bool MayBeToken(const std::string& word) {
  return word == "--token" || word.starts_with("--token=") || word.starts_with("pst_");
}

// Returns CLI11's message, or a more helpful one.
std::string MessageOf(const CLI::ParseError& error, const CLI::App& app,
                      const std::vector<std::string>& arguments) {
  // CLI11 would quote the token.
  if (std::ranges::any_of(arguments, MayBeToken)) {
    return "a token does not belong on a command line, which everybody can read; use --token-file "
           "or PENSTOCK_TOKEN, and standard input for token check";
  }
  const std::vector<std::string> unknown = app.remaining();
  if (app.get_subcommands().empty() && !unknown.empty()) {
    return fmt::format("unknown command \"{}\"; see `penstock --help`", unknown.front());
  }
  if (app.get_subcommands().empty() && error.get_name() == "RequiredError") {
    return "a command is missing: ping, query, exec, kv, databases, gen, migrate, token or "
           "secret";
  }
  return error.what();
}

}  // namespace

absl::StatusOr<absl::Duration> ParseTimeout(std::string_view text) {
  absl::Duration timeout;
  if (!absl::ParseDuration(ToAbsl(text), &timeout) || timeout <= absl::ZeroDuration() ||
      timeout == absl::InfiniteDuration()) {
    return absl::InvalidArgumentError(
        fmt::format("invalid time limit \"{}\"; write 500ms, 10s or 1m30s", text));
  }
  return timeout;
}

absl::StatusOr<ParsedOptions> ParseOptions(const std::vector<std::string>& arguments) {
  ParsedOptions parsed;
  Options* options = &parsed.options;
  options->target = kDefaultTarget;

  CLI::App app(kDescription, "penstock");
  app.footer(kFooter);
  app.set_version_flag("--version", "penstock " PENSTOCK_VERSION);
  // If more were allowed, an argument "ping" would be taken for a command.
  app.require_subcommand(1);
  AddGlobalOptions(&app, options);
  AddCommand(&app, "ping", "Connect to the database and describe it", Command::kPing, options);
  AddStatement(
      AddCommand(&app, "query", "Run a statement and print its rows", Command::kQuery, options),
      options);
  AddStatement(AddCommand(&app, "exec", "Run a statement and print what it changed", Command::kExec,
                          options),
               options);
  AddKeyValue(AddCommand(&app, "kv", "Read and write keys and values", Command::kKeyValue, options),
              options);
  AddCommand(&app, "databases", "List the databases the daemon serves", Command::kDatabases,
             options);
  AddGen(AddCommand(&app, "gen", "Write the tables as a C++ header for the query builder",
                    Command::kGen, options),
         options);
  AddMigrate(&app, options);
  AddToken(&app, options);
  AddSecret(&app, options);
  absl::StatusOr<PartedWords> parted = PartWords(app, {"query", "exec", "kv"}, arguments);
  if (!parted.ok()) return parted.status();
  try {
    // CLI11 expects the arguments in reverse order.
    app.parse(std::vector<std::string>(parted->options.rbegin(), parted->options.rend()));
    const std::string wrong = TakeWords(std::move(parted->words), options);
    if (!wrong.empty()) return absl::InvalidArgumentError(wrong);
    TakeToken(options);
    if (options->csv_null.has_value() && options->format != OutputFormat::kCsv) {
      return absl::InvalidArgumentError("--null needs --format csv");
    }
  } catch (const CLI::CallForHelp&) {
    std::string before;
    const CLI::App* named = &app;
    while (!named->get_subcommands().empty()) {
      before += (before.empty() ? "" : " ") + named->get_name();
      named = named->get_subcommands().front();
    }
    parsed.text = named->help(before);
  } catch (const CLI::CallForAllHelp&) {
    parsed.text = app.help("", CLI::AppFormatMode::All);
  } catch (const CLI::CallForVersion& version) {
    parsed.text = fmt::format("{}\n", version.what());
  } catch (const CLI::ParseError& error) {
    return absl::InvalidArgumentError(MessageOf(error, app, arguments));
  }
  return parsed;
}

}  // namespace penstock::cli
