#include "drivers/pebble/pebble_driver.h"

#include <string>
#include <utility>
#include <vector>

#include "drivers/pebble/connection.h"
#include "drivers/pebble/metrics.h"
#include "drivers/pebble/options.h"
#include "drivers/pebble/store.h"
#include "fmt/format.h"
#include "rocksdb/version.h"

namespace penstock::pebble {
namespace {

class PebbleDriver final : public driver::Driver {
 public:
  explicit PebbleDriver(std::unique_ptr<Store> store) : store_(std::move(store)) {}

  const driver::DriverInfo& info() const override { return Spec().info; }
  std::string server_version() const override {
    return fmt::format("{}.{}.{}", ROCKSDB_MAJOR, ROCKSDB_MINOR, ROCKSDB_PATCH);
  }

  absl::StatusOr<std::unique_ptr<driver::Connection>> Connect(driver::Lane lane,
                                                              const driver::Deadline&) override {
    return std::make_unique<Connection>(store_.get(), lane);
  }

  std::vector<driver::Metric> Metrics() override { return CollectMetrics(*store_); }
  std::vector<driver::Problem> Problems() override { return store_->Problems(); }
  void Examine() override { store_->Examine(); }

 private:
  const std::unique_ptr<Store> store_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<driver::Driver>> Open(const driver::Config& config) {
  absl::StatusOr<Options> options = ParseOptions(config);
  if (!options.ok()) return options.status();
  absl::StatusOr<std::unique_ptr<Store>> store = Store::Open(*options);
  if (!store.ok()) return store.status();
  return std::make_unique<PebbleDriver>(*std::move(store));
}

absl::Status Check(const driver::Config& config) { return ParseOptions(config).status(); }

}  // namespace penstock::pebble
