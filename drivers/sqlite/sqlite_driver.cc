#include "drivers/sqlite/sqlite_driver.h"

#include <sqlite3.h>

#include <string>
#include <utility>
#include <vector>

#include "drivers/sqlite/connection.h"
#include "drivers/sqlite/handle.h"
#include "drivers/sqlite/options.h"
#include "drivers/sqlite_engine/temp_space.h"

namespace penstock::sqlite {
namespace {

class SqliteDriver final : public driver::Driver {
 public:
  SqliteDriver(Options options, Handle anchor)
      : options_(std::move(options)), anchor_(std::move(anchor)) {
    KeepFiles();
  }

  const driver::DriverInfo& info() const override { return Spec().info; }
  std::string server_version() const override { return sqlite3_libversion(); }

  absl::StatusOr<std::unique_ptr<driver::Connection>> Connect(
      driver::Lane lane, const driver::Deadline& deadline) override {
    return Connection::Open(options_, &files_, lane, deadline);
  }

  std::vector<driver::Problem> Problems() override { return problems_.List(); }
  void Examine() override { files_.Check().IgnoreError(); }

 private:
  // The write-ahead log is there as long as the anchor is. What is in memory has no file,
  // and who may not write has no promise to break.
  void KeepFiles() {
    sqlite3* db = anchor_.db.get();
    if (options_.in_memory || sqlite3_db_readonly(db, "main") != 0) return;
    // A new file has its log from the first read on.
    const sqlite_engine::TrustedScope trusted(anchor_.policy.get());
    sqlite3_exec(db, "SELECT 1 FROM sqlite_schema LIMIT 1", nullptr, nullptr, nullptr);
    files_.Keep(options_.path);
    files_.Keep(sqlite3_filename_wal(sqlite3_db_filename(db, "main")));
  }

  const Options options_;
  driver::ProblemList problems_;
  driver::KeptFiles files_{&problems_};
  // Keeps a memory database alive, and the write-ahead log of a file from being
  // taken down and set up again whenever the pool is empty.
  const Handle anchor_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<driver::Driver>> Open(const driver::Config& config) {
  absl::StatusOr<Options> options = ParseOptions(config);
  if (!options.ok()) return options.status();
  options->temp_space = std::make_shared<sqlite_engine::TempSpace>(options->max_temp_mib << 20);
  absl::StatusOr<Handle> anchor =
      OpenHandle(*options, driver::Lane::kWrite, driver::Deadline::None());
  if (!anchor.ok()) return anchor.status();
  return std::make_unique<SqliteDriver>(*std::move(options), *std::move(anchor));
}

absl::Status Check(const driver::Config& config) { return ParseOptions(config).status(); }

}  // namespace penstock::sqlite
