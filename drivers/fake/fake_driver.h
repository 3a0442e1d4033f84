// A scripted driver for tests of what stands above drivers.
#ifndef PENSTOCK_DRIVERS_FAKE_FAKE_DRIVER_H_
#define PENSTOCK_DRIVERS_FAKE_FAKE_DRIVER_H_

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "drivers/api/driver.h"

namespace penstock::fake {

// The behaviour of the connections of a FakeDriver. A test sets the functions
// before it uses the driver and reads the journal at any time. Thread-safe
// apart from setting the functions.
struct Script {
  // Runs a statement; default: success. May set a cursor.
  std::function<void(driver::StatementRun&)> run;
  // Whether a statement of a batch must not run on such a connection; default: it may.
  std::function<bool(driver::Lane, const driver::StatementRun&)> wrong_lane;
  std::function<absl::Status(const driver::Deadline&)> connect;
  std::function<absl::Status()> begin;
  std::function<absl::Status()> commit;
  std::function<absl::Status()> rollback;
  std::function<absl::Status()> reset;
  std::function<absl::Status(const driver::Deadline&)> ping;
  std::function<bool()> healthy;
  bool aborted = false;

  // "connect", "run a+b", "begin", "commit", "rollback", "reset", "close", … in order.
  void Note(std::string event);
  std::vector<std::string> Journal() const;

 private:
  mutable std::mutex mutex_;
  std::vector<std::string> journal_;
};

class FakeDriver final : public driver::Driver {
 public:
  explicit FakeDriver(std::shared_ptr<Script> script, driver::DriverInfo info = {});

  const driver::DriverInfo& info() const override { return info_; }
  std::string server_version() const override { return "1"; }
  absl::StatusOr<std::unique_ptr<driver::Connection>> Connect(
      driver::Lane lane, const driver::Deadline& deadline) override;

 private:
  const std::shared_ptr<Script> script_;
  driver::DriverInfo info_;
};

}  // namespace penstock::fake

#endif  // PENSTOCK_DRIVERS_FAKE_FAKE_DRIVER_H_
