// The migrator on a real SQLite database.
#ifndef PENSTOCK_TESTS_UNIT_MIGRATIONS_FIXTURE_H_
#define PENSTOCK_TESTS_UNIT_MIGRATIONS_FIXTURE_H_

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "drivers/sqlite/sqlite_driver.h"
#include "gtest/gtest.h"
#include "migrations/migrator.h"

namespace penstock::migrations {

class MigratorTest : public ::testing::Test {
 protected:
  MigratorTest() {
    std::string name = (std::filesystem::temp_directory_path() / "migrator-XXXXXX").string();
    folder_ = mkdtemp(name.data());
    Open();
  }
  ~MigratorTest() override {
    migration_connection_.reset();
    connection_.reset();
    driver_.reset();
    std::filesystem::remove_all(folder_);
  }

  // Anew, with these options of the database.
  void Open(const std::map<std::string, std::string>& options = {}) {
    migration_connection_.reset();
    connection_.reset();
    driver_.reset();
    driver::Config config;
    config.options = options;
    config.name = "main";
    config.driver = "sqlite";
    config.database = folder_ + "/main.db";
    driver_ = *sqlite::Open(config);
    connection_ = Connect();
    migration_connection_ =
        std::make_unique<MigrationConnection>(connection_.get(), &cancellation_);
  }

  std::unique_ptr<driver::Connection> Connect() {
    return *driver_->Connect(driver::Lane::kWrite, driver::Deadline::None());
  }

  std::unique_ptr<Migrator> Make(const std::vector<File>& files,
                                 MigrationConnection* connection = nullptr) {
    auto dialect = *MakeDialect("sqlite", "penstock_migrations");
    auto source = ReadSource(files, {{9, "fill", true}}, "sqlite", *dialect);
    EXPECT_TRUE(source.ok()) << source.status();
    return std::make_unique<Migrator>(
        std::move(dialect), *std::move(source),
        connection == nullptr ? migration_connection_.get() : connection);
  }

  // Runs everything but code steps; the error of the first that fails.
  absl::Status Migrate(const std::vector<File>& files, const Target& target = {}) {
    auto migrator = Make(files);
    absl::StatusOr<bool> locked = migrator->TryLock();
    if (!locked.ok()) return locked.status();
    EXPECT_TRUE(*locked);
    auto plan = migrator->MakePlan(target, false, false);
    if (!plan.ok()) return plan.status();
    for (const PlanStep& step : *plan) {
      if (step.migration->is_code) break;
      absl::StatusOr<HistoryRow> row = migrator->RunStep(
          step, [this](size_t statement, size_t) { statements_.push_back(statement); });
      if (!row.ok()) return row.status();
    }
    return absl::OkStatus();
  }

  std::string Ask(const std::string& sql) {
    const absl::StatusOr<Table> table = migration_connection_->Query(sql);
    if (!table.ok()) return "error: " + std::string(table.status().message());
    std::string text;
    for (const auto& row : *table) {
      for (const Cell& cell : row) {
        text += cell.text.empty() ? std::to_string(cell.integer) : cell.text;
        text += " ";
      }
    }
    return text;
  }

  std::string folder_;
  driver::Cancellation cancellation_;
  std::unique_ptr<driver::Driver> driver_;
  std::unique_ptr<driver::Connection> connection_;
  std::unique_ptr<MigrationConnection> migration_connection_;
  std::vector<size_t> statements_;
};

}  // namespace penstock::migrations

#endif  // PENSTOCK_TESTS_UNIT_MIGRATIONS_FIXTURE_H_
