#include "drivers/sqlite_engine/diagnosis.h"

#include <sqlite3.h>
#include <strings.h>

#include <algorithm>
#include <string>

#include "drivers/api/error.h"
#include "drivers/sqlite_engine/key_name.h"

namespace penstock::sqlite_engine {
namespace {

using driver::ErrorInfo;

bool IsOn(sqlite3* db, int setting) {
  int on = 0;
  return sqlite3_db_config(db, setting, -1, &on) == SQLITE_OK && on != 0;
}

// Returns the text behind `prefix`; empty if the message begins otherwise.
std::string_view After(std::string_view message, std::string_view prefix) {
  return message.starts_with(prefix) ? message.substr(prefix.size()) : std::string_view();
}

bool SameName(std::string_view a, std::string_view b) {
  return a.size() == b.size() && strncasecmp(a.data(), b.data(), a.size()) == 0;
}

// The name in double quotes at the front of `sql`; empty if there is none.
std::string QuotedName(std::string_view sql) {
  std::string name;
  if (!sql.starts_with('"')) return name;
  for (size_t i = 1; i < sql.size(); ++i) {
    if (sql[i] == '"' && (i + 1 == sql.size() || sql[++i] != '"')) return name;
    name += sql[i];
  }
  return {};
}

bool Mentions(std::string_view sql, std::string_view name) {
  return std::search(sql.begin(), sql.end(), name.begin(), name.end(),
                     [](char a, char b) { return strncasecmp(&a, &b, 1) == 0; }) != sql.end();
}

// A column that does not exist may be a text that somebody has written in double
// quotes: in the statement, or in a view or trigger that it makes use of.
void ExplainMissingColumn(sqlite3* db, std::string_view sql, int offset, std::string_view column,
                          ErrorInfo* info) {
  if (IsOn(db, SQLITE_DBCONFIG_DQS_DML) && IsOn(db, SQLITE_DBCONFIG_DQS_DDL)) return;
  const bool located = offset >= 0 && static_cast<size_t>(offset) < sql.size();
  if (located && SameName(QuotedName(sql.substr(static_cast<size_t>(offset))), column)) {
    info->hint =
        "use single quotes for text: double quotes are for names (the option "
        "double_quoted_strings of a sqlite database lets them stand for texts, too)";
  } else if (!Mentions(sql, column)) {
    // The position is one in the text of the view or trigger.
    info->position = 0;
    info->hint =
        "correct the view, trigger or other part of the schema that contains it; if it is a text "
        "in double quotes there, use single quotes, or set the option double_quoted_strings to on";
  }
}

void ExplainUnsafeUse(sqlite3* db, ErrorInfo* info) {
  info->hint = IsOn(db, SQLITE_DBCONFIG_TRUSTED_SCHEMA)
                   ? "SQLite allows it in a statement, but not in a view, a trigger, an index, a "
                     "constraint, a default or a generated column; remove it from there"
                   : "set the option trusted_schema of the database to on if the schema was made "
                     "by somebody you trust, or remove this from the view, trigger, index, "
                     "constraint, default or generated column that has it";
}

bool HasColumn(sqlite3* db, const std::string& table, const std::string& column) {
  return sqlite3_table_column_metadata(db, nullptr, table.c_str(), column.c_str(), nullptr, nullptr,
                                       nullptr, nullptr, nullptr) == SQLITE_OK;
}

// `keys` is "table.column" or a list of them. SQLite quotes nothing in it, so that only
// the schema tells where a name with a dot or a comma in it ends.
void FindTableAndColumn(sqlite3* db, std::string_view keys, ErrorInfo* info) {
  if (std::count(keys.begin(), keys.end(), '.') == 1 && keys.find(", ") == std::string_view::npos) {
    return;
  }
  for (size_t dot = keys.find('.'); dot != std::string_view::npos; dot = keys.find('.', dot + 1)) {
    const std::string table(keys.substr(0, dot));
    const std::string_view rest = keys.substr(dot + 1);
    for (size_t end = rest.find(", ");; end = rest.find(", ", end + 1)) {
      const std::string column(rest.substr(0, end));
      if (HasColumn(db, table, column)) {
        info->table = table;
        info->column = column;
        return;
      }
      if (end == std::string_view::npos) break;
    }
  }
}

}  // namespace

void Diagnose(sqlite3* db, std::string_view sql, int code, std::string_view message, int offset,
              ErrorInfo* info) {
  switch (code) {
    case SQLITE_CORRUPT:
    case SQLITE_ERROR:
      if (message.find("unsafe use of ") != std::string_view::npos) {
        ExplainUnsafeUse(db, info);
      } else if (const auto column = After(message, "no such column: "); !column.empty()) {
        ExplainMissingColumn(db, sql, offset, column, info);
      }
      return;
    case SQLITE_CONSTRAINT_UNIQUE:
    case SQLITE_CONSTRAINT_PRIMARYKEY:
    case SQLITE_CONSTRAINT_ROWID:
      if (!info->constraint.empty()) return;  // an index of expressions has a name only
      FindTableAndColumn(db, After(message, "UNIQUE constraint failed: "), info);
      info->constraint =
          NameOfKey(db, info->table, std::string(After(message, "UNIQUE constraint failed: ")));
      return;
    case SQLITE_CONSTRAINT_NOTNULL:
      FindTableAndColumn(db, After(message, "NOT NULL constraint failed: "), info);
      return;
    default: return;
  }
}

}  // namespace penstock::sqlite_engine
