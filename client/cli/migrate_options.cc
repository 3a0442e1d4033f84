#include "client/cli/migrate_options.h"

#include <string>

#include "CLI/App.hpp"
#include "CLI/Config.hpp"
#include "CLI/Formatter.hpp"
#include "client/cli/number.h"

namespace penstock::cli {
namespace {

using Action = MigrateOptions::Action;

constexpr const char* kFooter =
    R"(A folder has pairs of files, 0001_create_users.up.sql and
0001_create_users.down.sql, or files 0001_create_users.sql with both directions, as
goose, dbmate and sql-migrate write them. A file with the line
`-- penstock: no-transaction` before its first statement is not run in a transaction;
if such a step fails in the middle, `status` says where and `repair` decides how to
continue. If another tool has migrated the database so far, begin with `adopt` or
`baseline`.)";

bool IsName(const std::string& text) {
  return !text.empty() && text.find_first_of("/\\ \t\n") == std::string::npos;
}

CLI::App* Add(CLI::App* migrate, const std::string& name, const std::string& description,
              Command command, Options* options) {
  CLI::App* added = migrate->add_subcommand(name, description);
  added->fallthrough();
  added->add_option("FOLDER", options->migrate.folder, "The folder of migrations")
      ->required()
      ->type_name("");
  added->final_callback([options, command] { options->command = command; });
  return added;
}

void SetAction(Action action, Options* options) {
  options->command = Command::kMigrate;
  options->migrate.options.action = action;
}

CLI::App* AddAction(CLI::App* migrate, const std::string& name, const std::string& description,
                    Action action, Options* options) {
  CLI::App* added = Add(migrate, name, description, Command::kMigrate, options);
  added->final_callback([options, action] { SetAction(action, options); });
  return added;
}

void AddVersion(CLI::App* command, Options* options) {
  command->add_option("VERSION", Version(&options->migrate.options.version), "A version")
      ->required()
      ->type_name("");
}

void AddLimits(CLI::App* command, Options* options) {
  const auto duration = [](absl::Duration* to) {
    return [to](const CLI::results_t& results) {
      absl::StatusOr<absl::Duration> parsed = ParseTimeout(results.front());
      if (!parsed.ok()) throw CLI::ValidationError(std::string(parsed.status().message()));
      *to = *parsed;
      return true;
    };
  };
  MigrateOptions& wanted = options->migrate.options;
  command->add_flag("--dry-run", wanted.dry_run, "Print the SQL instead of running it");
  command
      ->add_option("--statement-timeout", duration(&wanted.statement_timeout),
                   "Time limit of each statement; default: none")
      ->type_name("DURATION");
  command
      ->add_option("--lock-timeout", duration(&wanted.lock_timeout),
                   "Time to wait for another migrator; default: 60s")
      ->type_name("DURATION");
}

void AddUp(CLI::App* migrate, Options* options) {
  MigrateOptions& wanted = options->migrate.options;
  CLI::App* up = AddAction(migrate, "up", "Apply pending migrations", Action::kUp, options);
  CLI::App* dry =
      AddAction(migrate, "dry-run", "Print the SQL that `up` would run", Action::kUp, options);
  for (CLI::App* command : {up, dry}) {
    command->add_option("--steps", DecimalNumber(&wanted.steps, 1), "Number of steps; default: all")
        ->type_name("NUMBER");
    command->add_flag("--allow-gaps", wanted.allow_gaps,
                      "Also apply versions below the last applied one");
  }
  AddLimits(up, options);
  dry->final_callback([options] {
    SetAction(Action::kUp, options);
    options->migrate.options.dry_run = true;
  });
}

void AddDown(CLI::App* migrate, Options* options) {
  MigrateOptions& wanted = options->migrate.options;
  CLI::App* down = AddAction(migrate, "down", "Undo migrations, by default the last one",
                             Action::kDown, options);
  CLI::Option* steps =
      down->add_option("--steps", DecimalNumber(&wanted.steps, 1), "Number of steps; default: 1")
          ->type_name("NUMBER");
  CLI::Option* all = down->add_flag(
      "--all", [](int64_t) {}, "Undo all migrations");
  all->excludes(steps);
  AddLimits(down, options);
  down->final_callback([options, steps, all] {
    SetAction(Action::kDown, options);
    if (steps->count() == 0 && all->count() == 0) options->migrate.options.steps = 1;
  });
}

void AddRepair(CLI::App* migrate, Options* options) {
  MigrateOptions& wanted = options->migrate.options;
  std::vector<uint64_t>& versions = options->migrate.versions;
  CLI::App* repair =
      AddAction(migrate, "repair", "Correct the history", Action::kMarkApplied, options);
  CLI::Option* applied = repair->add_option("--applied", Versions(&versions),
                                            "Record as applied; also accepts a changed file");
  CLI::Option* not_applied =
      repair->add_option("--not-applied", Versions(&versions), "Record as not applied");
  CLI::Option* resume = repair->add_option("--resume", Versions(&versions),
                                           "Continue at --statement in the next run");
  constexpr int kMany = 1 << 20;
  for (CLI::Option* option : {applied, not_applied, resume}) {
    option->type_name("VERSION[,VERSION…]")
        ->expected(1, kMany)
        ->allow_extra_args(false)
        ->delimiter(',');
  }
  applied->excludes(not_applied)->excludes(resume);
  not_applied->excludes(resume);
  repair
      ->add_option("--statement", DecimalNumber(&wanted.statement, 1),
                   "The statement to continue at; default: where it stopped")
      ->type_name("NUMBER")
      ->needs(resume);
  repair->final_callback([options, applied, not_applied, resume] {
    if (applied->count() + not_applied->count() + resume->count() == 0) {
      throw CLI::ValidationError("repair needs --applied, --not-applied or --resume");
    }
    MigrateOptions& repairs = options->migrate.options;
    repairs.version = options->migrate.versions.front();
    repairs.more_versions = {options->migrate.versions.begin() + 1,
                             options->migrate.versions.end()};
    SetAction(applied->count() > 0       ? Action::kMarkApplied
              : not_applied->count() > 0 ? Action::kMarkNotApplied
                                         : Action::kResume,
              options);
  });
}

}  // namespace

void AddMigrate(CLI::App* app, Options* options) {
  CLI::App* migrate = app->add_subcommand("migrate", "Change the schema, step by step");
  migrate->fallthrough();
  migrate->require_subcommand(1);
  migrate->footer(kFooter);
  AddUp(migrate, options);
  AddDown(migrate, options);
  CLI::App* to = AddAction(migrate, "to", "Migrate up or down to a version (0: undo all)",
                           Action::kTo, options);
  AddVersion(to, options);
  AddLimits(to, options);
  Add(migrate, "status", "Summarize the state and list migrations that are not simply applied",
      Command::kMigrationStatus, options)
      ->add_flag("--all", options->migrate.all,
                 "Also list applied migrations; csv and json always do");
  AddAction(migrate, "adopt",
            "Begin the history with the versions that another tool's table records as applied",
            Action::kAdopt, options);
  AddVersion(
      AddAction(migrate, "baseline",
                "Begin the history of a database that already has everything up to a version",
                Action::kBaseline, options),
      options);
  AddRepair(migrate, options);
  CLI::App* added =
      Add(migrate, "new", "Create the files of a migration", Command::kNewMigration, options);
  added->add_option("NAME", options->migrate.name, "The name, such as create_users")
      ->required()
      ->type_name("")
      ->check([](const std::string& name) {
        return IsName(name) ? "" : "a name must not contain slashes or spaces";
      });
  added->add_flag("--timestamp", options->migrate.timestamp, "Use the current UTC time as version");
}

}  // namespace penstock::cli
