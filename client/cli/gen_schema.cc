#include "client/cli/gen_schema.h"

#include <algorithm>
#include <utility>

#include "client/cli/gen_catalogue.h"
#include "fmt/format.h"
#include "penstock/errors.h"
#include "text/string_views.h"

namespace penstock::cli {
namespace {

constexpr std::string_view kOurs = "penstock_";
// The largest number of names that a message lists.
constexpr size_t kMostNames = 20;

std::string ListNames(const std::vector<CatalogueTable>& all) {
  if (all.empty()) return "the database has no tables";
  std::vector<std::string> names;
  for (const CatalogueTable& one : all) names.push_back(one.table.FullName());
  std::sort(names.begin(), names.end());
  std::string list = "there are";
  for (size_t i = 0; i < std::min(names.size(), kMostNames); ++i) {
    list += fmt::format("{} {}", i == 0 ? "" : ",", names[i]);
  }
  if (names.size() > kMostNames) list += fmt::format(" and {} more", names.size() - kMostNames);
  return list;
}

bool Fits(std::string_view pattern, const GenTable& table) {
  if (table.name.starts_with(kOurs) && !pattern.starts_with(kOurs)) return false;
  return FitsPattern(pattern, table.name) || FitsPattern(pattern, table.FullName());
}

// Returns the tables that a pattern matches; an error if a pattern matches none.
absl::StatusOr<std::vector<CatalogueTable>> Choose(std::vector<CatalogueTable> all,
                                                   std::vector<std::string> patterns) {
  const bool everything = patterns.empty();
  if (everything) patterns = {"*"};
  std::vector<bool> meant(all.size());
  for (const std::string& pattern : patterns) {
    bool fits_one = false;
    for (size_t i = 0; i < all.size(); ++i) {
      if (!Fits(pattern, all[i].table)) continue;
      fits_one = true;
      meant[i] = true;
    }
    if (fits_one) continue;
    return MakeError(absl::StatusCode::kNotFound,
                     everything ? "no table to write a header for"
                                : fmt::format("no table matches the pattern \"{}\"", pattern),
                     {.reason = "UNDEFINED_TABLE", .hint = ListNames(all)});
  }
  std::vector<CatalogueTable> chosen;
  for (size_t i = 0; i < all.size(); ++i) {
    if (meant[i]) chosen.push_back(std::move(all[i]));
  }
  return chosen;
}

// Reads the columns as a query returns them: in its order, without hidden ones, and with their
// kinds.
absl::Status ReadColumns(const Context& ctx, Executor* db, sql::Dialect dialect,
                         CatalogueTable* from) {
  absl::Status known = ReadCatalogueColumns(ctx, db, dialect, from);
  if (!known.ok()) return known;
  const auto rows = db->Query(ctx, fmt::format("SELECT * FROM {} LIMIT 0", from->reference));
  if (!rows.ok()) return rows.status();
  for (const ColumnType& type : (*rows)->ColumnTypes()) {
    GenColumn column = from->columns[type.name];
    column.name = type.name;
    column.kind = type.kind;
    column.native_type = type.native_type;
    from->table.columns.push_back(std::move(column));
  }
  return (*rows)->Close();
}

absl::Status WithTable(const GenTable& table, const absl::Status& status) {
  return MakeError(status.code(),
                   fmt::format("{} cannot be read: {}", table.FullName(), ToStd(status.message())),
                   GetErrorDetails(status));
}

absl::StatusOr<GenSchema> ReadFrom(const Context& ctx, Executor* db, sql::Dialect dialect,
                                   const std::vector<std::string>& patterns) {
  auto all = ReadCatalogue(ctx, db, dialect);
  if (!all.ok()) return all.status();
  auto chosen = Choose(*std::move(all), patterns);
  if (!chosen.ok()) return chosen.status();
  GenSchema schema;
  for (CatalogueTable& one : *chosen) {
    if (!one.readable) {
      schema.unreadable.push_back(one.table.FullName());
      continue;
    }
    const absl::Status read = ReadColumns(ctx, db, dialect, &one);
    if (!read.ok()) return WithTable(one.table, read);
    schema.tables.push_back(std::move(one.table));
  }
  std::sort(schema.tables.begin(), schema.tables.end(), [](const GenTable& a, const GenTable& b) {
    return std::pair(a.name, a.schema) < std::pair(b.name, b.schema);
  });
  std::sort(schema.unreadable.begin(), schema.unreadable.end());
  return schema;
}

}  // namespace

bool FitsPattern(std::string_view pattern, std::string_view text) {
  const size_t star = pattern.find('*');
  if (star == std::string_view::npos) return pattern == text;
  if (!text.starts_with(pattern.substr(0, star))) return false;
  const std::string_view rest = pattern.substr(star + 1);
  // Tries the shortest match of the star first. Names of tables are short, so this is fast enough.
  for (size_t from = star; from <= text.size(); ++from) {
    if (FitsPattern(rest, text.substr(from))) return true;
  }
  return false;
}

absl::StatusOr<GenSchema> ReadGenSchema(const Context& ctx, Provider* db, sql::Dialect dialect,
                                        const std::vector<std::string>& patterns) {
  const auto tx =
      db->Transaction(ctx, {.isolation = Isolation::kRepeatableRead, .read_only = true});
  if (!tx.ok()) return tx.status();
  absl::StatusOr<GenSchema> schema = ReadFrom(ctx, tx->get(), dialect, patterns);
  if (!schema.ok()) return schema;
  if (absl::Status ended = (*tx)->Rollback(ctx); !ended.ok()) return ended;
  return schema;
}

}  // namespace penstock::cli
