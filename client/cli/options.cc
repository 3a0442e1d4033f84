#include "client/cli/options.h"

#include <algorithm>
#include <map>
#include <span>
#include <utility>

#include "CLI/App.hpp"
#include "CLI/Config.hpp"
#include "CLI/Formatter.hpp"
#include "client/cli/key_value.h"
#include "client/cli/migrate_options.h"
#include "fmt/format.h"

namespace penstock::cli {
namespace {

constexpr const char* kDescription =
    "Runs SQL through a Penstock daemon.\n\n"
    "  penstock query 'select 1'\n"
    "  penstock query 'select name from users where age > $1' 18 --format csv\n"
    "  penstock exec 'insert into users(name) values($1)' Ada\n"
    "  penstock migrate up ./migrations\n";

constexpr const char* kFooter =
    R"(Arguments fill the parameters $1, $2, … of the statement. One that reads as a
64-bit integer is an integer, any other is text. A prefix says the kind outright:
  int:42  real:1.5  bool:true  text:42  decimal:12.50  json:{"a":1}
  blob:c0ffee (hexadecimal)  null:
A statement or argument that begins with a dash follows `--`; a negative number
needs none.

Formats:
  table  for people. NULL is NULL, and the text 'NULL' has quotes; a blob is \x and
         hexadecimal digits; control characters are spelled out (\n, \u{1b}).
  csv    RFC 4180 with a header. NULL is an empty field, empty text is "".
  json   an array with an object a row. Decimals, times and the like are strings,
         blobs base64 strings, NaN and infinities strings. A column name that
         occurs again gets _2, _3, ….

Exit codes:
  0  it worked
  1  the statement failed, or its result could not be written
  2  the command line is wrong
  3  the daemon or its database could not be reached
  4  migrate status: there are migrations to be applied
  5  migrate: files and history do not agree, or a migration has to be repaired)";

constexpr const char* kDefaultTarget = "127.0.0.1:7420";

// A value of one of a few words.
template <typename Enum>
CLI::callback_t OneOf(std::map<std::string, Enum> words, Enum* value) {
  return [words = std::move(words), value](const CLI::results_t& results) {
    const auto found = words.find(results.front());
    if (found == words.end()) return false;
    *value = found->second;
    return true;
  };
}

void AddGlobalOptions(CLI::App* app, Options* options) {
  app->add_option("--target", options->target, "The daemon: host:port or unix:/path")
      ->envname("PENSTOCK_TARGET")
      ->default_str(kDefaultTarget);
  app->add_option("-d,--database", options->database, "The database; else the daemon's default")
      ->envname("PENSTOCK_DATABASE");
  app->add_option("--format",
                  OneOf<OutputFormat>({{"table", OutputFormat::kTable},
                                       {"csv", OutputFormat::kCsv},
                                       {"json", OutputFormat::kJson}},
                                      &options->format),
                  "How rows are written")
      ->type_name("table|csv|json")
      ->default_str("table");
  const auto set_timeout = [options](const CLI::results_t& results) {
    absl::StatusOr<absl::Duration> timeout = ParseTimeout(results.front());
    if (!timeout.ok())
      throw CLI::ValidationError("--timeout", std::string(timeout.status().message()));
    options->timeout = *timeout;
    return true;
  };
  app->add_option("--timeout", set_timeout, "For the whole command: 500ms, 10s, 1m30s")
      ->type_name("DURATION");
  app->add_option("--tls-ca", options->tls_ca, "Speak TLS and trust the CAs of this PEM file")
      ->type_name("FILE");
  CLI::Option* cert = app->add_option("--tls-cert", options->tls_cert, "Our certificate, PEM");
  CLI::Option* key = app->add_option("--tls-key", options->tls_key, "Its private key, PEM");
  cert->type_name("FILE")->needs(key);
  key->type_name("FILE")->needs(cert);
}

// SQL and its arguments are collected in `args`; TakeStatement parts them.
void AddStatement(CLI::App* command, Options* options) {
  const auto append = [options](const CLI::results_t& results) {
    options->args.insert(options->args.end(), results.begin(), results.end());
    return true;
  };
  command->add_option("SQL", append, "One statement, required; - reads it from standard input")
      ->type_name("");
  command->add_option("ARGS", append, "Its parameters; see `penstock --help`")
      ->type_name("")
      ->expected(0, -1)
      ->allow_extra_args();
}

// What stood behind `--` is added to what stood before it, and the statement is
// taken out. What is wrong with them, or nothing.
std::string TakeStatement(const std::vector<std::string>& behind_dashes, Options* options) {
  std::vector<std::string>& all = options->args;
  all.insert(all.end(), behind_dashes.begin(), behind_dashes.end());
  const bool wanted = options->command == Command::kQuery || options->command == Command::kExec;
  if (options->command == Command::kKeyValue) {
    const absl::Status checked = CheckKeyValue(*options);
    return std::string(checked.message());
  }
  if (!wanted) return all.empty() ? "" : fmt::format("\"{}\" was not expected", all.front());
  if (all.empty()) return "SQL is required";
  options->sql = std::move(all.front());
  all.erase(all.begin());
  return "";
}

void AddKeyValue(CLI::App* command, Options* options) {
  const auto append = [options](const CLI::results_t& results) {
    options->args.insert(options->args.end(), results.begin(), results.end());
    return true;
  };
  command
      ->add_option(
          "WORDS", append,
          "get KEY, put KEY VALUE, delete KEY or scan [PREFIX]; a key or value is text, or "
          "blob: and hexadecimal digits; the value - is read from standard input")
      ->type_name("")
      ->expected(0, -1)
      ->allow_extra_args();
  command->add_option("-k,--keyspace", options->keyspace, "The keyspace; else kv");
  command->add_flag("--reverse", options->reverse, "Scan from the last key to the first");
  command->add_flag("--keys-only", options->keys_only, "Scan without values");
  command->add_option("--limit", options->limit, "Scan no more entries than that")
      ->check(CLI::NonNegativeNumber);
}

CLI::App* AddCommand(CLI::App* app, const std::string& name, const std::string& description,
                     Command command, Options* options) {
  CLI::App* added = app->add_subcommand(name, description);
  // The global options may stand behind the command, too.
  added->fallthrough();
  added->final_callback([options, command] { options->command = command; });
  return added;
}

// The arguments as CLI11 wants them, last one first. It takes "[1,2]" for a
// list; a prefix that says what it is, text, keeps it whole.
std::vector<std::string> ForCli11(std::span<const std::string> arguments) {
  std::vector<std::string> reversed(arguments.rbegin(), arguments.rend());
  for (std::string& argument : reversed) {
    if (argument.starts_with('[') && argument.ends_with(']')) argument.insert(0, "text:");
  }
  return reversed;
}

// CLI11's message, or a better one.
std::string MessageOf(const CLI::ParseError& error, const CLI::App& app) {
  const std::vector<std::string> unknown = app.remaining();
  if (app.get_subcommands().empty() && !unknown.empty()) {
    return fmt::format("there is no command \"{}\"", unknown.front());
  }
  if (app.get_subcommands().empty() && error.get_name() == "RequiredError") {
    return "a command is missing: ping, query, exec, kv, databases or migrate";
  }
  return error.what();
}

}  // namespace

absl::StatusOr<absl::Duration> ParseTimeout(std::string_view text) {
  absl::Duration timeout;
  if (!absl::ParseDuration(absl::string_view(text.data(), text.size()), &timeout) ||
      timeout <= absl::ZeroDuration() || timeout == absl::InfiniteDuration()) {
    return absl::InvalidArgumentError(
        fmt::format("\"{}\" is not a time limit; write 500ms, 10s or 1m30s", text));
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
  // With more than one, an argument that reads "ping" would be a command.
  app.require_subcommand(1);
  AddGlobalOptions(&app, options);
  AddCommand(&app, "ping", "Reach the database and describe it", Command::kPing, options);
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
  AddMigrate(&app, options);
  // CLI11 forgets about `--` once it has seen the statement.
  const auto dashes = std::ranges::find(arguments, "--");
  try {
    app.parse(ForCli11({arguments.begin(), dashes}));
    const std::vector<std::string> behind(dashes == arguments.end() ? dashes : dashes + 1,
                                          arguments.end());
    const std::string wrong = TakeStatement(behind, options);
    if (!wrong.empty()) return absl::InvalidArgumentError(wrong);
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
    return absl::InvalidArgumentError(MessageOf(error, app));
  }
  return parsed;
}

}  // namespace penstock::cli
