#include "drivers/fake/fake_driver.h"

#include <utility>

namespace penstock::fake {
namespace {

class FakeConnection final : public driver::Connection {
 public:
  FakeConnection(std::shared_ptr<Script> script, driver::Lane lane)
      : script_(std::move(script)), lane_(lane) {}
  ~FakeConnection() override { script_->Note("close"); }

  size_t RunBatch(std::span<driver::StatementRun* const> runs) override {
    size_t done = 0;
    std::string event = "run";
    for (driver::StatementRun* run : runs) {
      event += (done++ == 0 ? " " : "+") + std::string(run->sql);
      if (script_->wrong_lane && script_->wrong_lane(lane_, *run)) {
        run->wrong_lane = true;
      } else if (script_->run) {
        script_->run(*run);
      }
      if (run->cursor != nullptr) break;
    }
    script_->Note(event);
    return done;
  }

  void Run(driver::StatementRun& run) override {
    script_->Note("run " + std::string(run.sql));
    if (script_->run) script_->run(run);
  }

  absl::StatusOr<driver::StatementInfo> Describe(std::string_view sql, const driver::Deadline&,
                                                 driver::Cancellation*) override {
    script_->Note("describe " + std::string(sql));
    driver::StatementInfo info;
    info.columns = std::make_shared<const std::vector<driver::Column>>();
    return info;
  }

  absl::Status Begin(const driver::TransactionOptions&) override {
    return Call("begin", script_->begin);
  }
  absl::Status Commit() override { return Call("commit", script_->commit); }
  absl::Status Rollback() override { return Call("rollback", script_->rollback); }
  absl::Status Savepoint(std::string_view name) override {
    return Call("savepoint " + std::string(name), nullptr);
  }
  absl::Status RollbackTo(std::string_view name) override {
    return Call("rollback to " + std::string(name), nullptr);
  }
  absl::Status Release(std::string_view name) override {
    return Call("release " + std::string(name), nullptr);
  }
  bool transaction_aborted() const override { return script_->aborted; }
  absl::Status Ping(const driver::Deadline& deadline) override {
    script_->Note("ping");
    return script_->ping ? script_->ping(deadline) : absl::OkStatus();
  }
  absl::Status Reset() override { return Call("reset", script_->reset); }
  bool healthy() const override { return !script_->healthy || script_->healthy(); }

 private:
  absl::Status Call(std::string event, const std::function<absl::Status()>& outcome) {
    script_->Note(std::move(event));
    return outcome ? outcome() : absl::OkStatus();
  }

  const std::shared_ptr<Script> script_;
  const driver::Lane lane_;
};

}  // namespace

void Script::Note(std::string event) {
  std::lock_guard lock(mutex_);
  journal_.push_back(std::move(event));
}

std::vector<std::string> Script::Journal() const {
  std::lock_guard lock(mutex_);
  return journal_;
}

FakeDriver::FakeDriver(std::shared_ptr<Script> script, driver::DriverInfo info)
    : script_(std::move(script)), info_(std::move(info)) {
  if (info_.name.empty()) info_.name = "fake";
}

absl::StatusOr<std::unique_ptr<driver::Connection>> FakeDriver::Connect(
    driver::Lane lane, const driver::Deadline& deadline) {
  script_->Note("connect");
  if (script_->connect) {
    absl::Status status = script_->connect(deadline);
    if (!status.ok()) return status;
  }
  return std::make_unique<FakeConnection>(script_, lane);
}

}  // namespace penstock::fake
