#include "drivers/postgres/postgres_driver.h"

#include <mutex>
#include <string>
#include <utility>

#include "drivers/postgres/connection.h"
#include "drivers/postgres/options.h"
#include "drivers/postgres/types.h"

namespace penstock::postgres {
namespace {

class Driver final : public driver::Driver {
 public:
  Driver(Options options, Flavor flavor)
      : options_(std::move(options)), flavor_(std::move(flavor)) {}

  const driver::DriverInfo& info() const override { return flavor_.info; }

  driver::Capabilities capabilities() const override {
    driver::Capabilities capabilities = flavor_.info.capabilities;
    std::lock_guard lock(mutex_);
    capabilities.read_committed = capabilities.read_committed && read_committed_;
    return capabilities;
  }

  std::string server_version() const override {
    std::lock_guard lock(mutex_);
    return server_version_;
  }

  absl::StatusOr<std::unique_ptr<driver::Connection>> Connect(
      driver::Lane /*lane*/, const driver::Deadline& deadline) override {
    absl::StatusOr<std::unique_ptr<Connection>> connection =
        Connection::Open(options_, flavor_, &types_, &definitions_, deadline);
    if (!connection.ok()) return connection.status();
    std::lock_guard lock(mutex_);
    server_version_ =
        flavor_.cockroach ? (*connection)->cockroach_version() : (*connection)->server_version();
    read_committed_ = (*connection)->read_committed();
    return std::unique_ptr<driver::Connection>(*std::move(connection));
  }

 private:
  const Options options_;
  const Flavor flavor_;
  TypeRegistry types_;
  Definitions definitions_;
  mutable std::mutex mutex_;
  std::string server_version_;
  bool read_committed_ = true;
};

}  // namespace

absl::StatusOr<std::unique_ptr<driver::Driver>> Open(const driver::Config& config) {
  Flavor flavor;
  flavor.info = Spec().info;
  return OpenFlavor(config, std::move(flavor));
}

absl::Status Check(const driver::Config& config) { return ParseOptions(config).status(); }

absl::StatusOr<std::unique_ptr<driver::Driver>> OpenFlavor(const driver::Config& config,
                                                           Flavor flavor) {
  absl::StatusOr<Options> options = ParseOptions(config);
  if (!options.ok()) return options.status();
  flavor.info.overrun = options->cancel_grace;
  return std::make_unique<Driver>(*std::move(options), std::move(flavor));
}

}  // namespace penstock::postgres
