// Migrations that are functions of the client's, on every driver: on keys and values,
// which all of them have. What is done to a history without SQL is here too.
#include <atomic>
#include <filesystem>
#include <fstream>
#include <thread>

#include "fmt/format.h"
#include "gmock/gmock.h"
#include "penstock/penstock.h"
#include "tests/conformance/backend.h"
#include "tests/support/migrate.h"

namespace penstock::testing {
namespace {

using ::testing::HasSubstr;

class MigrationCode : public ::testing::TestWithParam<const Backend*> {
 protected:
  MigrationCode()
      : gateway_(GetParam()->Config(folder_.path())), db_(*New({.target = gateway_.target()})) {}

  // Puts `key` on its way up, and takes it away on its way down.
  CodeMigration Step(uint64_t version, const std::string& key) const {
    return {.version = version,
            .name = "put_" + key,
            .up = [this, key](Transaction* tx) { return tx->KeyValue("")->Put(ctx_, key, "up"); },
            .down = [this, key](Transaction* tx) { return tx->KeyValue("")->Delete(ctx_, key); }};
  }

  absl::StatusOr<MigrateResult> Run(const std::vector<CodeMigration>& code,
                                    MigrateOptions options = {}, const std::string& files = "") {
    options.code = code;
    return db_->Migrate(ctx_, files, options);
  }

  absl::StatusOr<MigrateResult> Repair(MigrateOptions::Action action, uint64_t version,
                                       const std::vector<CodeMigration>& code) {
    return Run(code, {.action = action, .version = version});
  }

  std::string Keys() {
    std::string keys;
    auto entries = db_->KeyValue("")->Scan(ctx_, {});
    EXPECT_TRUE(entries.ok()) << entries.status();
    while (entries.ok() && (*entries)->Next()) {
      keys += (keys.empty() ? "" : " ") + (*entries)->Key();
    }
    return keys;
  }

  absl::StatusOr<MigrationReport> Report() { return db_->MigrationStatus(ctx_, ""); }

  // "1 up done, 1 down done"
  std::string History() {
    const auto report = Report();
    EXPECT_TRUE(report.ok()) << report.status();
    std::string text;
    if (!report.ok()) return text;
    for (const MigrationRecord& record : report->history) {
      text += fmt::format("{}{} {} {}", text.empty() ? "" : ", ", record.version,
                          record.down ? "down" : "up", record.state);
      if (record.statement > 0) text += fmt::format(" {}", record.statement);
      // Each run of one is recorded as such.
      const bool run = record.state == "done" && record.note == "code";
      if (record.state == "done" && !run && !record.note.empty()) text += " " + record.note;
    }
    return text;
  }

  // "1 applied, 2 pending", with code steps in place of files.
  std::string Status(const std::vector<CodeMigration>& code) {
    Wire wire(gateway_.target());
    MigrationWire migrations(wire.channel());
    v1::GetStatusRequest request;
    for (const CodeMigration& step : code) {
      v1::CodeStep* added = request.add_code_steps();
      added->set_version(step.version);
      added->set_name(step.name);
    }
    return migrations.Status(request);
  }

  const Context ctx_;
  TempDir folder_;
  Gateway gateway_;
  std::unique_ptr<Provider> db_;
};
INSTANTIATE_TEST_SUITE_P(Drivers, MigrationCode, ::testing::ValuesIn(KeyValueBackends()),
                         [](const auto& tested) { return tested.param->name(); });

TEST_P(MigrationCode, UpDownAndUpAgain) {
  const std::vector<CodeMigration> code = {Step(1, "a"), Step(2, "b"), Step(10, "c")};
  EXPECT_EQ(Status(code), "1 pending, 2 pending, 10 pending");
  const auto up = Run(code);
  ASSERT_TRUE(up.ok()) << up.status();
  EXPECT_EQ(up->steps, 3);
  EXPECT_EQ(up->version, 10);
  EXPECT_EQ(Keys(), "a b c");
  EXPECT_EQ(Run(code)->steps, 0);
  const auto down = Run(code, {.action = MigrateOptions::Action::kTo, .version = 1});
  ASSERT_TRUE(down.ok()) << down.status();
  EXPECT_EQ(down->version, 1);
  EXPECT_EQ(Keys(), "a");
  EXPECT_EQ(Status(code), "1 applied, 2 pending, 10 pending");
  ASSERT_TRUE(Run(code).ok());
  EXPECT_EQ(Keys(), "a b c");
  EXPECT_EQ(History(),
            "1 up done, 2 up done, 10 up done, 10 down done, 2 down done, 2 up done, 10 up done");
}

TEST_P(MigrationCode, AFailureLeavesNothing) {
  CodeMigration failing = Step(2, "b");
  failing.up = [this](Transaction* tx) {
    EXPECT_TRUE(tx->KeyValue("")->Put(ctx_, "b", "up").ok());
    return absl::AbortedError("not today");
  };
  EXPECT_EQ(Run({Step(1, "a"), failing, Step(3, "c")}).status(), absl::AbortedError("not today"));
  EXPECT_EQ(Keys(), "a");
  EXPECT_EQ(History(), "1 up done");
  ASSERT_TRUE(Run({Step(1, "a"), Step(2, "b"), Step(3, "c")}).ok());
  EXPECT_EQ(Keys(), "a b c");
}

TEST_P(MigrationCode, AClientThatGoesLeavesNothing) {
  const Context context;
  MigrateOptions options;
  options.code = {Step(1, "a")};
  options.code[0].up = [&](Transaction* tx) {
    EXPECT_TRUE(tx->KeyValue("")->Put(ctx_, "a", "up").ok());
    context.Cancel();
    return absl::OkStatus();
  };
  EXPECT_TRUE(IsCancelled(db_->Migrate(context, "", options).status()));
  // Waits for the lock until the daemon has noticed.
  ASSERT_TRUE(Run({Step(1, "a")}).ok());
  EXPECT_EQ(Keys(), "a");
  EXPECT_EQ(History(), "1 up done");
}

TEST_P(MigrationCode, Refusals) {
  ASSERT_TRUE(Run({Step(1, "a"), Step(3, "c")}).ok());
  const absl::Status gap = Run({Step(1, "a"), Step(2, "b"), Step(3, "c")}).status();
  EXPECT_THAT(std::string(gap.message()), HasSubstr("the code step 2 'put_b': not applied"));
  CodeMigration no_way_back = Step(3, "c");
  no_way_back.down = nullptr;
  const absl::Status refused =
      Run({Step(1, "a"), no_way_back}, {.action = MigrateOptions::Action::kDown, .steps = 1})
          .status();
  EXPECT_THAT(std::string(refused.message()), HasSubstr("it has no `down` function"));
  EXPECT_EQ(Keys(), "a c");
}

// Code that is applied has to be there only where it is to run.
TEST_P(MigrationCode, WhoeverLacksCodeThatIsAppliedGoesOn) {
  ASSERT_TRUE(Run({Step(1, "a"), Step(3, "c")}).ok());
  EXPECT_EQ(Status({Step(1, "a"), Step(2, "b"), Step(4, "d")}),
            "1 applied, 2 gap, 3 applied, 4 pending");
  EXPECT_EQ(Run({Step(1, "a"), Step(4, "d")}).status(), absl::OkStatus());
  EXPECT_EQ(Keys(), "a c d");
  EXPECT_EQ(Status({}), "1 applied, 3 applied, 4 applied");
  const auto down =
      Run({Step(1, "a"), Step(4, "d")}, {.action = MigrateOptions::Action::kTo, .version = 1});
  EXPECT_THAT(std::string(down.status().message()),
              HasSubstr("migration 3 (put_c) cannot be undone here: it is a code step"));
  EXPECT_EQ(Keys(), "a c d");
}

TEST_P(MigrationCode, BaselineAndRepair) {
  const std::vector<CodeMigration> code = {Step(1, "a"), Step(2, "b"), Step(3, "c")};
  using Action = MigrateOptions::Action;
  const auto baseline = Repair(Action::kBaseline, 2, code);
  ASSERT_TRUE(baseline.ok()) << baseline.status();
  EXPECT_EQ(baseline->records.size(), 2u);
  EXPECT_FALSE(Repair(Action::kBaseline, 2, code).ok());
  ASSERT_TRUE(Run(code).ok());
  EXPECT_EQ(Keys(), "c");
  ASSERT_TRUE(Repair(Action::kMarkNotApplied, 2, code).ok());
  EXPECT_EQ(Status(code), "1 applied, 2 gap, 3 applied");
  ASSERT_TRUE(Run(code, {.allow_gaps = true}).ok());
  EXPECT_EQ(Keys(), "b c");
  ASSERT_TRUE(Repair(Action::kMarkNotApplied, 3, code).ok());
  ASSERT_TRUE(Repair(Action::kMarkApplied, 3, code).ok());
  EXPECT_EQ(Status(code), "1 applied, 2 applied, 3 applied");
  EXPECT_EQ(History(),
            "1 up done baseline, 2 up done baseline, 3 up done, 2 down done repair, 2 up done, "
            "3 down done repair, 3 up done repair");
}

TEST_P(MigrationCode, ManyAtOnceApplyEachStepOnce) {
  constexpr int kSteps = 20;
  std::atomic<int> ran{0};
  std::vector<CodeMigration> code;
  for (int i = 1; i <= kSteps; ++i) {
    CodeMigration step = Step(i, fmt::format("{:02}", i));
    step.up = [&ran, up = step.up](Transaction* tx) {
      ++ran;
      return up(tx);
    };
    code.push_back(step);
  }
  std::vector<std::thread> clients;
  for (int i = 0; i < 10; ++i) {
    clients.emplace_back([&] {
      const auto up = Run(code);
      EXPECT_TRUE(up.ok()) << up.status();
    });
  }
  for (std::thread& client : clients) client.join();
  EXPECT_EQ(ran.load(), kSteps);
  const auto report = Report();
  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_EQ(report->history.size(), static_cast<size_t>(kSteps));
}

// Without transactional DDL a file's statements are committed one by one; the one that
// fails is recorded, and repaired.
TEST_P(MigrationCode, AFailedFileIsRecordedAndRepaired) {
  const std::string files = folder_.path() + "/migrations";
  std::filesystem::create_directory(files);
  std::ofstream(files + "/2_bad.up.sql") << "CREATE nonsense;";
  const std::vector<CodeMigration> code = {Step(1, "a"), Step(3, "c")};
  const absl::Status failed = Run(code, {}, files).status();
  EXPECT_THAT(std::string(failed.message()), HasSubstr("2_bad.up.sql, line 1 (statement 1 of 1)"));
  EXPECT_EQ(Keys(), "a");
  if (GetParam()->has_transactional_ddl()) {
    EXPECT_EQ(History(), "1 up done");
    return;
  }
  EXPECT_EQ(History(), "1 up done, 2 up failed 1");
  const absl::Status refused = Run(code, {}, files).status();
  EXPECT_EQ(GetErrorDetails(refused).reason, "MIGRATION_REFUSED") << refused;
  const auto repaired =
      Run(code, {.action = MigrateOptions::Action::kMarkApplied, .version = 2}, files);
  ASSERT_TRUE(repaired.ok()) << repaired.status();
  const auto up = Run(code, {}, files);
  ASSERT_TRUE(up.ok()) << up.status();
  EXPECT_EQ(up->steps, 1);
  EXPECT_EQ(Keys(), "a c");
  EXPECT_EQ(History(), "1 up done, 2 up done repair, 3 up done");
}

// Files of SQL on tables of a key and a value, which every driver has.
TEST_P(MigrationCode, FilesMakeTablesAndFillThem) {
  const std::string files = folder_.path() + "/migrations";
  std::filesystem::create_directory(files);
  const auto write = [&](const std::string& name, const std::string& sql) {
    std::ofstream(files + "/" + name) << sql;
  };
  write("1_notes.up.sql", "CREATE TABLE notes (key TEXT PRIMARY KEY, value TEXT NOT NULL);");
  write("1_notes.down.sql", "DROP TABLE notes;");
  write("2_fill.up.sql",
        "INSERT INTO notes (key, value) VALUES ('a', '1');"
        "UPDATE notes SET value = '2' WHERE key = 'a';");
  write("2_fill.down.sql", "DELETE FROM notes;");
  const auto notes = [this] {
    auto rows = db_->Query(ctx_, "SELECT key, value FROM notes ORDER BY key");
    if (!rows.ok()) return std::string("no table");
    std::string text;
    for (std::string key, value; (*rows)->Next() && (*rows)->Scan(&key, &value).ok();) {
      text += key + "=" + value + ";";
    }
    return text;
  };
  ASSERT_TRUE(Run({Step(3, "c")}, {}, files).ok());
  EXPECT_EQ(notes(), "a=2;");
  EXPECT_EQ(History(), "1 up done, 2 up done, 3 up done");

  // What changes rows alone is all or nothing everywhere.
  write("4_twice.up.sql",
        "INSERT INTO notes (key, value) VALUES ('b', '1');"
        "INSERT INTO notes (key, value) VALUES ('a', 'again');");
  const absl::Status failed = Run({Step(3, "c")}, {}, files).status();
  EXPECT_THAT(std::string(failed.message()), HasSubstr("4_twice.up.sql"));
  EXPECT_EQ(notes(), "a=2;");
  std::filesystem::remove(files + "/4_twice.up.sql");

  MigrateOptions down;
  down.action = MigrateOptions::Action::kDown;
  down.steps = 3;
  const auto undone = Run({Step(3, "c")}, down, files);
  ASSERT_TRUE(undone.ok()) << undone.status();
  EXPECT_EQ(undone->steps, 3);
  EXPECT_EQ(notes(), "no table");
  EXPECT_EQ(Keys(), "");
}

// What people see who look at it.
TEST_P(MigrationCode, TheHistoryIsReadable) {
  ASSERT_TRUE(Run({Step(1, "a"), Step(20, "b")}).ok());
  if (GetParam()->has_free_columns()) {
    auto rows = db_->Query(ctx_, "SELECT name FROM penstock_migrations WHERE version = 20");
    std::string name;
    ASSERT_TRUE(rows.ok() && (*rows)->Next() && (*rows)->Scan(&name).ok());
    EXPECT_EQ(name, "put_b");
    return;
  }
  auto entries = db_->KeyValue("penstock_migrations")->Scan(ctx_, {});
  ASSERT_TRUE(entries.ok()) << entries.status();
  ASSERT_TRUE((*entries)->Next());
  EXPECT_EQ((*entries)->Key(), "0000000000000000001");
  ASSERT_TRUE((*entries)->Next());
  EXPECT_THAT((*entries)->Value(),
              HasSubstr(R"({"id":2,"version":20,"name":"put_b","checksum":"","direction":"up",)"
                        R"("state":"done","statement":0,"note":"code","applied_at":"2)"));
  // Somebody else's entry in it is named, not taken for something.
  ASSERT_TRUE(db_->KeyValue("penstock_migrations")->Put(ctx_, "zzz", "what?").ok());
  const absl::Status strange = Run({Step(1, "a")}).status();
  EXPECT_THAT(std::string(strange.message()),
              HasSubstr("invalid entry in the migration history penstock_migrations: what?"));
}

}  // namespace
}  // namespace penstock::testing
