#include "drivers/postgres/functions.h"

#include <algorithm>
#include <iterator>

namespace penstock::postgres {
namespace {

struct Volatile {
  std::string_view name;
  Effects effects;
};
constexpr Effects kWrites = {.changes_session = false,
                             .writes = true,
                             .reads_sequences = false,
                             .folds = false,
                             .escapes = false};
constexpr Effects kEscapes = {.changes_session = false,
                              .writes = true,
                              .reads_sequences = false,
                              .folds = false,
                              .escapes = true};
constexpr Effects kReadsSequences = {.changes_session = false,
                                     .writes = false,
                                     .reads_sequences = true,
                                     .folds = false,
                                     .escapes = false};
constexpr Volatile kVolatile[] = {
    {"clock_timestamp", kNoEffects},
    {"currval", kReadsSequences},
    {"gen_random_uuid", kNoEffects},
    {"lastval", kReadsSequences},
    {"lo_get", kNoEffects},
    // A read-only transaction refuses it, and setval.
    {"nextval", kWrites},
    // Until the end of the transaction.
    {"pg_advisory_xact_lock", kNoEffects},
    {"pg_advisory_xact_lock_shared", kNoEffects},
    {"pg_try_advisory_xact_lock", kNoEffects},
    {"pg_try_advisory_xact_lock_shared", kNoEffects},
    {"pg_blocking_pids", kNoEffects},
    {"pg_cancel_backend", kEscapes},
    {"pg_column_size", kNoEffects},
    {"pg_current_wal_lsn", kNoEffects},
    {"pg_database_size", kNoEffects},
    {"pg_indexes_size", kNoEffects},
    {"pg_is_in_recovery", kNoEffects},
    {"pg_last_wal_receive_lsn", kNoEffects},
    {"pg_last_wal_replay_lsn", kNoEffects},
    {"pg_last_xact_replay_timestamp", kNoEffects},
    {"pg_notify", kEscapes},
    {"pg_partition_ancestors", kNoEffects},
    {"pg_partition_tree", kNoEffects},
    {"pg_relation_size", kNoEffects},
    {"pg_sleep", kNoEffects},
    {"pg_sleep_for", kNoEffects},
    {"pg_sleep_until", kNoEffects},
    {"pg_table_size", kNoEffects},
    {"pg_tablespace_size", kNoEffects},
    {"pg_terminate_backend", kEscapes},
    {"pg_total_relation_size", kNoEffects},
    {"pg_xact_status", kNoEffects},
    {"random", kNoEffects},
    {"setval", kWrites},
    {"timeofday", kNoEffects},
};

}  // namespace

const Effects* EffectsOfFunction(std::string_view name) {
  const auto* const found =
      std::find_if(std::begin(kVolatile), std::end(kVolatile),
                   [name](const Volatile& entry) { return entry.name == name; });
  return found == std::end(kVolatile) ? nullptr : &found->effects;
}

}  // namespace penstock::postgres
