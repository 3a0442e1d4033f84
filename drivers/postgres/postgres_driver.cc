#include "drivers/postgres/postgres_driver.h"

#include <list>
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
  Driver(driver::Config config, Options options, Flavor flavor)
      : config_(std::move(config)), flavor_(std::move(flavor)) {
    options_.push_back(std::move(options));
  }

  const driver::DriverInfo& info() const override { return flavor_.info; }

  std::string server_version() const override {
    std::lock_guard lock(mutex_);
    return server_version_;
  }

  absl::StatusOr<std::unique_ptr<driver::Connection>> Connect(
      driver::Lane /*lane*/, const driver::Deadline& deadline) override {
    absl::StatusOr<std::unique_ptr<Connection>> connection =
        Connection::Open(options(), flavor_, &types_, &definitions_, deadline);
    if (!connection.ok()) return connection.status();
    std::lock_guard lock(mutex_);
    server_version_ =
        flavor_.cockroach ? (*connection)->cockroach_version() : (*connection)->server_version();
    return std::unique_ptr<driver::Connection>(*std::move(connection));
  }

  absl::Status SetPassword(const std::string& password) override {
    config_.password = password;
    absl::StatusOr<Options> options = ParseOptions(config_);
    if (!options.ok()) return options.status();
    std::lock_guard lock(mutex_);
    options_.push_back(*std::move(options));
    return absl::OkStatus();
  }

 private:
  const Options& options() const {
    std::lock_guard lock(mutex_);
    return options_.back();
  }

  driver::Config config_;
  // Those in force are the last; connections refer to those that they were made with.
  std::list<Options> options_;
  const Flavor flavor_;
  TypeRegistry types_;
  Definitions definitions_;
  mutable std::mutex mutex_;
  std::string server_version_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<driver::Driver>> Open(const driver::Config& config) {
  Flavor flavor;
  flavor.info = {
      .name = "postgres",
      .dialect = "postgresql",
      .capabilities = {
          .returning = true, .savepoints = true, .transactional_ddl = true, .arrays = true}};
  return OpenFlavor(config, std::move(flavor));
}

absl::Status Check(const driver::Config& config) { return ParseOptions(config).status(); }

absl::StatusOr<std::unique_ptr<driver::Driver>> OpenFlavor(const driver::Config& config,
                                                           Flavor flavor) {
  absl::StatusOr<Options> options = ParseOptions(config);
  if (!options.ok()) return options.status();
  flavor.info.overrun = options->cancel_grace;
  return std::make_unique<Driver>(config, *std::move(options), std::move(flavor));
}

}  // namespace penstock::postgres
