#include "drivers/cockroachdb/functions.h"

#include <algorithm>
#include <iterator>

namespace penstock::cockroachdb {
namespace {

// Those that only answer: an identifier, a time, a place, or what the cluster knows of itself.
// All of them are there since v23.1, unless it is said. What may be missing costs time, and is
// no danger.
constexpr std::string_view kHarmless[] = {
    // Identifiers.
    "experimental_uuid_v4",
    "gen_random_ulid",
    "unique_rowid",
    "unordered_unique_rowid",
    "uuid_generate_v1",
    "uuid_generate_v1mc",
    "uuid_generate_v4",
    "uuid_v4",
    // Times.
    "cluster_logical_timestamp",
    "experimental_follower_read_timestamp",
    "follower_read_timestamp",
    "with_max_staleness",
    "with_min_timestamp",
    // Functions of crdb_internal: the cluster, its nodes, regions, ranges and keys.
    "cluster_id",
    "cluster_name",
    "default_to_database_primary_region",
    "encode_key",
    "gateway_region",
    "get_database_id",
    "get_namespace_id",
    "get_zone_config",
    "has_role_option",
    "is_admin",
    "is_at_least_version",
    "is_constraint_active",
    "lease_holder",
    "locality_value",
    "node_executable_version",
    "node_id",
    "num_geo_inverted_index_entries",
    "num_inverted_index_entries",
    "pretty_key",
    "pretty_span",
    "range_stats",
    "round_decimal_values",
};

}  // namespace

const postgres::Effects* EffectsOfFunction(std::string_view name) {
  const bool known =
      std::find(std::begin(kHarmless), std::end(kHarmless), name) != std::end(kHarmless);
  return known ? &postgres::kNoEffects : nullptr;
}

}  // namespace penstock::cockroachdb
