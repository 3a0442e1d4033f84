#include "tests/unit/drivers/toy_driver.h"

#include <map>
#include <mutex>
#include <string>

#include "fmt/format.h"

namespace penstock::toy {
namespace {

using driver::Reason;
using driver::StatementRun;

struct Rows {
  std::mutex mutex;
  std::map<std::string, std::string> texts;
};

absl::StatusOr<driver::OptionValues> ReadOptions(const driver::Config& config) {
  return driver::OptionValues::Read("toy", Spec().options, config.options);
}

class ToyConnection final : public driver::Connection {
 public:
  ToyConnection(Rows* rows, size_t max_rows, bool shouts)
      : rows_(rows), max_rows_(max_rows), shouts_(shouts) {}

  size_t RunBatch(std::span<StatementRun* const> runs) override {
    for (StatementRun* run : runs) Run(*run);
    return runs.size();
  }

  void Run(StatementRun& run) override {
    std::lock_guard lock(rows_->mutex);
    if (run.key_value != nullptr) {
      run.status = driver::MakeError(Reason::kUnsupported, "toy has no keys and values");
    } else if (run.sql == "SET" && run.args.size() == 2) {
      Set(run);
    } else if (run.sql == "ALL") {
      All(run);
    } else {
      run.status =
          driver::MakeErrorWithHint(Reason::kSyntax, fmt::format("toy cannot read '{}'", run.sql),
                                    "write SET with two parameters, or ALL");
    }
  }

  absl::StatusOr<driver::StatementInfo> Describe(std::string_view sql, const driver::Deadline&,
                                                 driver::Cancellation*) override {
    return driver::StatementInfo{.parameter_count = sql == "SET" ? 2 : 0, .columns = Columns()};
  }

  absl::Status Begin(const driver::TransactionOptions&) override { return No(); }
  absl::Status Commit() override { return No(); }
  absl::Status Rollback() override { return No(); }
  absl::Status Savepoint(std::string_view) override { return No(); }
  absl::Status RollbackTo(std::string_view) override { return No(); }
  absl::Status Release(std::string_view) override { return No(); }
  bool transaction_aborted() const override { return false; }
  absl::Status Ping(const driver::Deadline&) override { return absl::OkStatus(); }
  absl::Status Reset() override { return absl::OkStatus(); }
  bool healthy() const override { return true; }

 private:
  static absl::Status No() {
    return driver::MakeError(Reason::kUnsupported, "toy has no transactions");
  }

  static driver::Columns Columns() {
    static const driver::Columns columns = std::make_shared<const std::vector<driver::Column>>(
        std::vector<driver::Column>{{.name = "key", .kind = driver::Kind::kText},
                                    {.name = "text", .kind = driver::Kind::kText}});
    return columns;
  }

  void Set(StatementRun& run) {
    const std::string key(run.args[0].text);
    if (rows_->texts.size() >= max_rows_ && !rows_->texts.contains(key)) {
      run.status = driver::MakeErrorWithHint(Reason::kLimitExceeded,
                                             fmt::format("toy has {} rows already", max_rows_),
                                             "raise its option max_rows");
      return;
    }
    rows_->texts[key] = run.args[1].text;
    run.summary.rows_affected = 1;
  }

  void All(StatementRun& run) {
    run.read_only = true;
    run.summary.rows_returned = static_cast<int64_t>(rows_->texts.size());
    if (run.writer == nullptr) return;
    run.writer->Begin(Columns());
    for (const auto& [key, text] : rows_->texts) {
      run.writer->Bytes(driver::Kind::kText, key);
      run.writer->Bytes(driver::Kind::kText, shouts_ ? text + "!" : text);
      run.writer->EndRow();
    }
  }

  Rows* const rows_;
  const size_t max_rows_;
  const bool shouts_;
};

class ToyDriver final : public driver::Driver {
 public:
  explicit ToyDriver(driver::OptionValues options) : options_(std::move(options)) {}

  const driver::DriverInfo& info() const override { return Spec().info; }
  std::string server_version() const override { return "0.1"; }
  absl::StatusOr<std::unique_ptr<driver::Connection>> Connect(driver::Lane,
                                                              const driver::Deadline&) override {
    return std::make_unique<ToyConnection>(&rows_, options_.Number("max_rows"),
                                           options_.Text("voice") == "loud");
  }

 private:
  const driver::OptionValues options_;
  Rows rows_;
};

absl::Status Check(const driver::Config& config) { return ReadOptions(config).status(); }

absl::StatusOr<std::unique_ptr<driver::Driver>> Open(const driver::Config& config) {
  absl::StatusOr<driver::OptionValues> options = ReadOptions(config);
  if (!options.ok()) return options.status();
  return std::make_unique<ToyDriver>(*std::move(options));
}

constexpr std::string_view kVoices[] = {"soft", "loud"};
constexpr driver::Option kOptions[] = {
    {.name = "max_rows",
     .type = driver::Option::Type::kNumber,
     .fallback = "2",
     .help = "rows that there may be",
     .min = 1,
     .max = 9},
    {.name = "voice",
     .type = driver::Option::Type::kChoice,
     .fallback = "soft",
     .help = "how texts are told: `soft`, as they are; `loud`, with a mark",
     .words = kVoices}};

driver::DriverSpec MakeSpec() {
  driver::DriverSpec spec;
  spec.info = {.name = "toy", .dialect = "toy", .embedded = true};
  spec.aliases = {"plaything"};
  spec.file_words = {"toybox"};
  spec.options = kOptions;
  spec.pool.max_open = 3;
  spec.open = Open;
  spec.check = Check;
  return spec;
}

}  // namespace

const driver::DriverSpec& Spec() {
  static const auto* const spec = new driver::DriverSpec(MakeSpec());
  return *spec;
}

}  // namespace penstock::toy

namespace penstock::driver {

// The table, with one row.
std::span<const DriverSpec* const> Drivers() {
  static const DriverSpec* const rows[] = {&toy::Spec()};
  return rows;
}

}  // namespace penstock::driver
