#include "drivers/sqlite/pragmas.h"

#include <strings.h>

#include <algorithm>
#include <iterator>

namespace penstock::sqlite {
namespace {

struct Entry {
  std::string_view name;
  PragmaRule rule;
};

using enum PragmaRule;

// Every PRAGMA of SQLite; a test compares it with pragma_list of the SQLite that is linked.
constexpr Entry kPragmas[] = {
    {"analysis_limit", kReads},
    {"application_id", kWrites},
    {"auto_vacuum", kReads},
    {"automatic_index", kReads},
    {"busy_timeout", kReads},
    {"cache_size", kReads},
    {"cache_spill", kReads},
    // It cannot be read, and changes what LIKE finds for everybody.
    {"case_sensitive_like", kRefused},
    {"cell_size_check", kReads},
    {"checkpoint_fullfsync", kReads},
    {"collation_list", kTells},
    {"compile_options", kTells},
    {"count_changes", kReads},
    {"data_store_directory", kReads},
    {"data_version", kTells},
    {"database_list", kTells},
    {"default_cache_size", kReads},
    {"defer_foreign_keys", kOfTransaction},
    {"empty_result_callbacks", kReads},
    {"encoding", kReads},
    {"foreign_key_check", kTells},
    {"foreign_key_list", kTells},
    // Off in a migration's file: see drivers/sqlite/migrations/foreign_keys.h.
    {"foreign_keys", kReads},
    {"freelist_count", kTells},
    {"full_column_names", kReads},
    {"fullfsync", kReads},
    {"function_list", kTells},
    {"hard_heap_limit", kReads},
    {"ignore_check_constraints", kReads},
    {"incremental_vacuum", kWrites},
    {"index_info", kTells},
    {"index_list", kTells},
    {"index_xinfo", kTells},
    {"integrity_check", kTells},
    {"journal_mode", kReads},
    {"journal_size_limit", kReads},
    {"legacy_alter_table", kOfTransaction},
    {"locking_mode", kReads},
    {"lock_status", kTells},
    {"max_page_count", kReads},
    {"mmap_size", kReads},
    {"module_list", kTells},
    {"optimize", kWrites},
    {"page_count", kTells},
    {"page_size", kReads},
    {"pragma_list", kTells},
    {"query_only", kReads},
    {"quick_check", kTells},
    {"read_uncommitted", kReads},
    {"recursive_triggers", kReads},
    {"reverse_unordered_selects", kReads},
    {"schema_version", kReads},
    {"secure_delete", kReads},
    {"short_column_names", kReads},
    // It empties the page cache, which is everybody's.
    {"shrink_memory", kRefused},
    {"soft_heap_limit", kReads},
    {"stats", kTells},
    {"synchronous", kReads},
    {"table_info", kTells},
    {"table_list", kTells},
    {"table_xinfo", kTells},
    {"temp_store", kReads},
    {"temp_store_directory", kReads},
    {"threads", kReads},
    {"trusted_schema", kReads},
    {"user_version", kWrites},
    {"wal_autocheckpoint", kReads},
    {"wal_checkpoint", kWrites},
    {"writable_schema", kReads},
};

}  // namespace

std::optional<PragmaRule> RuleOf(std::string_view pragma) {
  const auto* found =
      std::find_if(std::begin(kPragmas), std::end(kPragmas), [pragma](const Entry& entry) {
        return entry.name.size() == pragma.size() &&
               strncasecmp(entry.name.data(), pragma.data(), pragma.size()) == 0;
      });
  if (found == std::end(kPragmas)) return std::nullopt;
  return found->rule;
}

}  // namespace penstock::sqlite
