#include "drivers/cockroachdb/cockroachdb_driver.h"

#include <utility>

#include "drivers/cockroachdb/functions.h"
#include "drivers/cockroachdb/grammar.h"
#include "drivers/postgres/postgres_driver.h"

namespace penstock::cockroachdb {

absl::StatusOr<std::unique_ptr<driver::Driver>> Open(const driver::Config& config) {
  postgres::Flavor flavor;
  flavor.cockroach = true;
  flavor.read_own = ReadGrammar;
  flavor.effects_of = EffectsOfFunction;
  flavor.info = Spec().info;
  return postgres::OpenFlavor(config, std::move(flavor));
}

absl::Status Check(const driver::Config& config) { return postgres::Check(config); }

}  // namespace penstock::cockroachdb
