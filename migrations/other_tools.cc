#include "migrations/other_tools.h"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <map>
#include <string_view>
#include <utility>

#include "absl/strings/ascii.h"
#include "drivers/api/error.h"
#include "fmt/format.h"

namespace penstock::migrations {
namespace {

using driver::MakeErrorWithHint;
using driver::Reason;

// A tool and its table. `query` gives a row a version: its text, and what is the case with
// it. {0} stands for the table.
struct Tool {
  std::string_view name;
  std::string_view table;
  // Empty: the table does not say it in versions.
  std::string_view query;
};

// A query answers with a number for each version; one that is not 0 is applied.
constexpr int64_t kHalfDone = 1;
constexpr int64_t kUpTo = 2;  // it is applied, and all before it are
constexpr int64_t kUnclear = 3;

// If several tools have a table of the same name, it is the one whose query the database takes.
constexpr Tool kTools[] = {
    {"golang-migrate", "schema_migrations",
     "SELECT CAST(version AS TEXT), CASE WHEN dirty THEN 1 ELSE 2 END FROM {0}"},
    {"dbmate, Rails or Ecto", "schema_migrations", "SELECT CAST(version AS TEXT), 0 FROM {0}"},
    {"goose", "goose_db_version",
     "SELECT CAST(g.version_id AS TEXT), 0 FROM {0} AS g WHERE g.is_applied AND g.version_id > 0 "
     "AND g.id = (SELECT max(l.id) FROM {0} AS l WHERE l.version_id = g.version_id)"},
    {"Flyway", "flyway_schema_history",
     "SELECT CAST(version AS TEXT), CASE WHEN NOT success THEN 1 WHEN type = 'BASELINE' THEN 2 "
     "WHEN type LIKE 'UNDO%' OR type = 'DELETE' THEN 3 ELSE 0 END FROM {0} WHERE version IS NOT "
     "NULL"},
    {"sqlx", "_sqlx_migrations",
     "SELECT CAST(version AS TEXT), CASE WHEN success THEN 0 ELSE 1 END FROM {0}"},
    {"Diesel", "__diesel_schema_migrations", "SELECT CAST(version AS TEXT), 0 FROM {0}"},
    {"Atlas", "atlas_schema_revisions",
     "SELECT CAST(version AS TEXT), CASE WHEN applied < total THEN 1 WHEN type = 1 THEN 2 ELSE 0 "
     "END FROM {0} WHERE version NOT LIKE '.%'"},
    {"Knex", "knex_migrations", "SELECT name, 0 FROM {0}"},
    {"Prisma", "_prisma_migrations",
     "SELECT migration_name, CASE WHEN finished_at IS NULL THEN 1 ELSE 0 END FROM {0} WHERE "
     "rolled_back_at IS NULL"},
    {"sql-migrate", "gorp_migrations", "SELECT id, 0 FROM {0}"},
    {"Refinery", "refinery_schema_history", "SELECT CAST(version AS TEXT), 0 FROM {0}"},
    {"node-pg-migrate", "pgmigrations", "SELECT name, 0 FROM {0}"},
    {"Alembic", "alembic_version", ""},
    {"Django", "django_migrations", ""},
    {"Liquibase", "databasechangelog", ""},
    {"Entity Framework", "__efmigrationshistory", ""},
    {"SeaORM", "seaql_migrations", ""},
    {"TypeORM", "typeorm_migrations", ""}};

constexpr std::string_view kBaselineHint =
    "run `penstock migrate baseline FOLDER VERSION` to begin a history in which everything up to "
    "VERSION is applied already (0 if the schema contains nothing from the files)";

// Names of the schema that are the table of a tool.
std::vector<std::string> KnownTables(const std::vector<std::string>& names) {
  std::vector<std::string> known;
  for (const std::string& name : names) {
    const std::string lower = absl::AsciiStrToLower(name);
    if (std::any_of(std::begin(kTools), std::end(kTools),
                    [&lower](const Tool& tool) { return tool.table == lower; })) {
      known.push_back(name);
    }
  }
  return known;
}

std::string Joined(const std::vector<std::string>& names) {
  constexpr size_t kShown = 5;
  std::string joined;
  for (size_t i = 0; i < std::min(names.size(), kShown); ++i) {
    joined += (i == 0 ? "" : ", ") + names[i];
  }
  return names.size() > kShown ? joined + ", …" : joined;
}

struct Answer {
  std::string_view tool;
  Table rows;
};

absl::StatusOr<Answer> Ask(MigrationConnection* connection, Dialect* dialect,
                           const std::string& table) {
  absl::StatusOr<std::string> name = dialect->Qualified(connection, table);
  if (!name.ok()) return name.status();
  absl::Status refused;
  for (const Tool& tool : kTools) {
    if (tool.table != absl::AsciiStrToLower(table)) continue;
    if (tool.query.empty()) {
      return MakeErrorWithHint(
          Reason::kMigrationRefused,
          fmt::format("the table {} of {} does not record which versions are applied", table,
                      tool.name),
          kBaselineHint);
    }
    absl::StatusOr<Table> rows = connection->Query(fmt::format(fmt::runtime(tool.query), *name));
    if (rows.ok()) return Answer{.tool = tool.name, .rows = *std::move(rows)};
    refused = driver::Annotate(rows.status(), fmt::format("the table {}", table));
  }
  return refused;
}

// "20240101_create_users" is 20240101. False: it does not begin with a number.
bool ParseVersion(std::string_view text, uint64_t* version) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), *version);
  const std::string_view rest = text.substr(static_cast<size_t>(end - text.data()));
  return error == std::errc() && (rest.empty() || rest[0] == '_' || rest[0] == '-');
}

class Adoption {
 public:
  Adoption(std::string_view tool, const Source& source) : tool_(tool), source_(source) {}

  absl::Status Take(const std::string& text, int64_t state) {
    uint64_t version = 0;
    if (!ParseVersion(text, &version) || state == kUnclear) {
      return Refuse(
          fmt::format(
              "{} records the version '{}', from which the applied migrations cannot be determined",
              tool_, text),
          kBaselineHint);
    }
    if (state == kHalfDone) {
      return Refuse(fmt::format("{} records that version {} failed halfway", tool_, version),
                    "check the database, and repair that version with the same tool first");
    }
    if (state == kUpTo) {
      if (!source_.contains(version)) {
        return Refuse(
            fmt::format("{} records that the database is at version {}, which has no file", tool_,
                        version),
            "check that this is the right folder");
      }
      for (const auto& [before, migration] : source_) {
        if (before <= version) Add(before);
      }
      return absl::OkStatus();
    }
    Add(version);
    return absl::OkStatus();
  }

  absl::StatusOr<std::vector<HistoryRow>> End() {
    const bool known = std::any_of(rows_.begin(), rows_.end(), [this](const auto& entry) {
      return source_.contains(entry.first);
    });
    if (!rows_.empty() && !known) {
      return Refuse(fmt::format("none of the {} versions that {} records as applied has a file",
                                rows_.size(), tool_),
                    "check that this is the right folder");
    }
    std::vector<HistoryRow> rows;
    for (auto& [version, row] : rows_) rows.push_back(std::move(row));
    return rows;
  }

 private:
  static absl::Status Refuse(std::string_view what, std::string_view hint) {
    return MakeErrorWithHint(Reason::kMigrationRefused, what, hint);
  }

  void Add(uint64_t version) {
    HistoryRow& row = rows_[version];
    row.version = version;
    row.note = fmt::format("{}{}", kAdoptedNote, tool_);
    const auto found = source_.find(version);
    row.name = found == source_.end() ? "adopted" : found->second.name;
    if (found != source_.end() && found->second.up.has_value()) {
      row.checksum = found->second.up->checksum;
    }
  }

  const std::string_view tool_;
  const Source& source_;
  std::map<uint64_t, HistoryRow> rows_;
};

}  // namespace

absl::Status CheckNobodyElses(MigrationConnection* connection, Dialect* dialect) {
  absl::StatusOr<std::vector<std::string>> names = dialect->Strangers(connection);
  if (!names.ok() || names->empty()) return names.status();
  const std::vector<std::string> known = KnownTables(*names);
  if (known.empty()) {
    return MakeErrorWithHint(Reason::kMigrationRefused,
                             fmt::format("the database has no migration history, but its schema is "
                                         "not empty ({}): what the files create may exist already",
                                         Joined(*names)),
                             kBaselineHint);
  }
  return MakeErrorWithHint(
      Reason::kMigrationRefused,
      fmt::format("another tool has migrated the database: it has the table {}, but no migration "
                  "history of Penstock",
                  Joined(known)),
      fmt::format("run `penstock migrate adopt FOLDER` to take over what that table records; or {}",
                  kBaselineHint));
}

absl::StatusOr<std::vector<HistoryRow>> ReadOtherTool(MigrationConnection* connection,
                                                      Dialect* dialect, const Source& source) {
  absl::StatusOr<std::vector<std::string>> names = dialect->Strangers(connection);
  if (!names.ok()) return names.status();
  const std::vector<std::string> known = KnownTables(*names);
  if (known.size() != 1) {
    return MakeErrorWithHint(
        Reason::kMigrationRefused,
        known.empty() ? "the history's schema has no table of a known tool"
                      : fmt::format("the history's schema has the tables of several tools: {}",
                                    Joined(known)),
        kBaselineHint);
  }
  absl::StatusOr<Answer> answer = Ask(connection, dialect, known.front());
  if (!answer.ok()) return answer.status();
  Adoption adoption(answer->tool, source);
  for (const std::vector<Cell>& row : answer->rows) {
    absl::Status status = adoption.Take(row[0].text, row[1].integer);
    if (!status.ok()) return status;
  }
  return adoption.End();
}

}  // namespace penstock::migrations
