#include "drivers/sql_key_value/sql_key_value.h"

#include <string>
#include <utility>

#include "drivers/sql_key_value/connection.h"

namespace penstock::sql_key_value {
namespace {

class SqlKeyValueDriver final : public driver::Driver {
 public:
  SqlKeyValueDriver(std::unique_ptr<driver::Driver> inner, const driver::KeyValueDialect& dialect)
      : inner_(std::move(inner)), dialect_(dialect) {}

  const driver::DriverInfo& info() const override { return inner_->info(); }
  driver::Capabilities capabilities() const override { return inner_->capabilities(); }
  std::string server_version() const override { return inner_->server_version(); }
  std::vector<driver::Metric> Metrics() override { return inner_->Metrics(); }
  std::vector<driver::Problem> Problems() override { return inner_->Problems(); }
  void Examine() override { inner_->Examine(); }

  absl::StatusOr<std::unique_ptr<driver::Connection>> Connect(
      driver::Lane lane, const driver::Deadline& deadline) override {
    absl::StatusOr<std::unique_ptr<driver::Connection>> inner = inner_->Connect(lane, deadline);
    if (!inner.ok()) return inner.status();
    return std::make_unique<Connection>(inner_.get(), *std::move(inner), dialect_,
                                        inner_->info().split_lanes && lane == driver::Lane::kRead);
  }

 private:
  const std::unique_ptr<driver::Driver> inner_;
  const driver::KeyValueDialect& dialect_;
};

}  // namespace

std::unique_ptr<driver::Driver> WithKeyValue(std::unique_ptr<driver::Driver> driver,
                                             const driver::KeyValueDialect& dialect) {
  return std::make_unique<SqlKeyValueDriver>(std::move(driver), dialect);
}

}  // namespace penstock::sql_key_value
