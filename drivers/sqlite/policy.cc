#include "drivers/sqlite/policy.h"

#include <sqlite3.h>
#include <strings.h>

#include <optional>
#include <string_view>

#include "absl/strings/ascii.h"
#include "drivers/api/error.h"
#include "drivers/sqlite/pragmas.h"
#include "fmt/format.h"

namespace penstock::sqlite {
namespace {

using driver::MakeErrorWithHint;
using driver::Reason;

// Says what to do instead of setting it.
std::string_view HintFor(std::optional<PragmaRule> rule, std::string_view name) {
  if (!rule.has_value()) {
    return "see the options of the database in the configuration for what can be set; SQLite does "
           "not know this pragma, or it is newer than the gateway";
  }
  if (*rule == PragmaRule::kOfTransaction) {
    return "set it inside a transaction, with which it ends; connections are shared and have the "
           "options of the configuration";
  }
  // Not defer_foreign_keys: ON DELETE CASCADE would empty the tables that refer to a
  // table that is dropped, all the same.
  if (name == "foreign_keys") {
    return "set it in the options of the database in the configuration; a migration file may turn "
           "it off for its own step, to rebuild a table";
  }
  return "use the options of the database in the configuration; connections are shared";
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
  // A table such as pragma_table_info asks for these, and full-text search for itself.
  if (action == SQLITE_PRAGMA) return DecidePragma(first, second);
  // VACUUM attaches a file without a name for itself, VACUUM INTO one with a name.
  const bool names_file = action == SQLITE_ATTACH && first != nullptr && first[0] != '\0';
  return names_file ? DecideAttach() : Policy::DecideInside(action, first, second, database);
}

int FilePolicy::DecidePragma(const char* name, const char* argument) {
  const std::optional<PragmaRule> rule = RuleOf(name);
  if (rule.has_value()) {
    switch (*rule) {
      case PragmaRule::kTells:
      case PragmaRule::kWrites: return SQLITE_OK;
      case PragmaRule::kOfTransaction:
        if (argument == nullptr || in_transaction_) return SQLITE_OK;
        break;
      case PragmaRule::kReads:
        if (argument == nullptr) return SQLITE_OK;
        break;
      case PragmaRule::kRefused: break;
    }
  }
  return Refuse(MakeErrorWithHint(
      Reason::kNotAllowed,
      fmt::format("PRAGMA {}{} is not allowed", name, argument != nullptr ? " with a value" : ""),
      HintFor(rule, absl::AsciiStrToLower(name))));
}

}  // namespace penstock::sqlite
