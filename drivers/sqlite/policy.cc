#include "drivers/sqlite/policy.h"

#include <sqlite3.h>
#include <strings.h>

#include <algorithm>
#include <initializer_list>
#include <string_view>

#include "drivers/api/error.h"
#include "fmt/format.h"

namespace penstock::sqlite {
namespace {

using driver::MakeErrorWithHint;
using driver::Reason;

bool IsOneOf(const char* name, std::initializer_list<const char*> names) {
  return std::any_of(names.begin(), names.end(),
                     [name](const char* other) { return strcasecmp(name, other) == 0; });
}

// Pragmas that only tell, with whatever argument.
bool Tells(const char* name) {
  return IsOneOf(
      name, {"table_info", "table_xinfo", "table_list", "index_list", "index_info", "index_xinfo",
             "foreign_key_list", "foreign_key_check", "integrity_check", "quick_check",
             "database_list", "collation_list", "function_list", "pragma_list", "module_list",
             "compile_options", "page_count", "freelist_count", "data_version"});
}

// Settings that may be read but are the configuration's to change.
bool MayBeRead(const char* name) {
  return IsOneOf(
      name, {"journal_mode", "synchronous", "foreign_keys", "page_size", "encoding", "cache_size",
             "schema_version", "auto_vacuum", "busy_timeout", "max_page_count", "mmap_size",
             "query_only", "secure_delete", "trusted_schema", "analysis_limit",
             "wal_autocheckpoint", "journal_size_limit"});
}

// What belongs to the database and may be changed by whoever may write to it.
bool MayBeWritten(const char* name) {
  return IsOneOf(
      name, {"user_version", "application_id", "optimize", "wal_checkpoint", "incremental_vacuum"});
}

}  // namespace

int FilePolicy::Decide(int action, const char* first, const char* second, const char* database) {
  switch (action) {
    case SQLITE_ATTACH:
    case SQLITE_DETACH: NoteChangeOfSession(); return DecideAttach();
    case SQLITE_PRAGMA: return DecidePragma(first, second);
    case SQLITE_CREATE_TEMP_INDEX:
    case SQLITE_CREATE_TEMP_TABLE:
    case SQLITE_CREATE_TEMP_TRIGGER:
    case SQLITE_CREATE_TEMP_VIEW: NoteChangeOfSession(); return SQLITE_OK;
    case SQLITE_INSERT:  // into the list of temporary objects, among others
    case SQLITE_CREATE_VTABLE:
      if (database != nullptr && strcasecmp(database, "temp") == 0) NoteChangeOfSession();
      return SQLITE_OK;
    default: return Policy::Decide(action, first, second, database);
  }
}

int FilePolicy::DecideAttach() {
  if (allow_attach_) return SQLITE_OK;
  return Refuse(MakeErrorWithHint(Reason::kNotAllowed,
                                  "ATTACH, DETACH and VACUUM INTO are not allowed",
                                  "set the option allow_attach of the database to allow them"));
}

int FilePolicy::DecideInside(int action, const char* first, const char* second,
                             const char* database) {
  // VACUUM attaches a file without a name for itself, VACUUM INTO one with a name.
  const bool names_file = action == SQLITE_ATTACH && first != nullptr && first[0] != '\0';
  return names_file ? DecideAttach() : Policy::DecideInside(action, first, second, database);
}

int FilePolicy::DecidePragma(const char* name, const char* argument) {
  if (Tells(name) || MayBeWritten(name) || (argument == nullptr && MayBeRead(name))) {
    return SQLITE_OK;
  }
  return Refuse(MakeErrorWithHint(
      Reason::kNotAllowed,
      fmt::format("PRAGMA {}{} is not allowed", name, argument != nullptr ? " with a value" : ""),
      "connections are shared; settings belong to the options of the database in the "
      "configuration"));
}

}  // namespace penstock::sqlite
