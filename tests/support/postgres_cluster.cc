#include "tests/support/postgres_cluster.h"

#include <pwd.h>
#include <signal.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <pqxx/pqxx>
#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"

namespace penstock::testing {

namespace fs = std::filesystem;

std::string PostgresProgram(const std::string& name) {
  std::string newest;
  std::error_code none;
  for (const auto& version : fs::directory_iterator("/usr/lib/postgresql", none)) {
    const fs::path program = version.path() / "bin" / name;
    if (fs::exists(program) && program.string() > newest) newest = program.string();
  }
  if (newest.empty()) {
    ADD_FAILURE() << "there is no PostgreSQL server: install the package postgresql "
                     "(scripts/install-deps test)";
  }
  return newest;
}

std::vector<std::string> AsPostgres(std::vector<std::string> words) {
  std::vector<std::string> all = {"setpriv", "--pdeathsig", "INT"};
  if (geteuid() == 0) {
    all.insert(all.end(), {"--reuid", "postgres", "--regid", "postgres", "--clear-groups"});
  }
  all.insert(all.end(), words.begin(), words.end());
  return all;
}

void PostgresCluster::GiveAway(const std::string& path) {
  if (geteuid() != 0) return;
  const passwd* user = getpwnam("postgres");
  if (user == nullptr || chown(path.c_str(), user->pw_uid, user->pw_gid) != 0) {
    ADD_FAILURE() << "there is no user postgres: install the package postgresql "
                     "(scripts/install-deps test)";
  }
}

void PostgresCluster::Run(const std::string& program, std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), PostgresProgram(program));
  Process process(AsPostgres(std::move(arguments)), folder_);
  EXPECT_EQ(process.Wait(), 0) << process.output();
}

PostgresCluster::PostgresCluster(const std::vector<std::string>& settings)
    : own_folder_(std::make_unique<TempDir>()), folder_(own_folder_->path()), settings_(settings) {
  GiveAway(folder_);
  Run("initdb", {"--no-sync", "--auth=trust", "--username=postgres", "--encoding=UTF8",
                 "--locale=C.UTF-8", folder_ + "/data"});
  Start();
}

PostgresCluster::PostgresCluster(const PostgresCluster* primary)
    : own_folder_(std::make_unique<TempDir>()), folder_(own_folder_->path()) {
  GiveAway(folder_);
  Run("pg_basebackup",
      {"--no-sync", "--checkpoint=fast", "--write-recovery-conf", "--username=postgres",
       "--host=" + primary->folder_, "--pgdata=" + folder_ + "/data"});
  Start();
}

std::string PostgresCluster::PlaceFile(const std::string& from, const std::string& name) {
  const std::string path = folder_ + "/" + name;
  std::filesystem::copy_file(from, path);
  std::filesystem::permissions(path, std::filesystem::perms::owner_read);
  GiveAway(path);
  return path;
}

PostgresCluster::~PostgresCluster() {
  if (server_ != nullptr) Stop(SIGQUIT);
}

void PostgresCluster::DropDatabases() {
  if (databases_.empty()) return;
  pqxx::connection connection(connection_string("postgres"));
  pqxx::nontransaction work(connection);
  for (const std::string& name : databases_) {
    work.exec("DROP DATABASE " + name + " WITH (FORCE)");
  }
  databases_.clear();
}

// Cleans up when the tests have run. At exit, parts of libpq may be gone already.
class PostgresCluster::Cleaner final : public ::testing::EmptyTestEventListener {
  void OnTestProgramEnd(const ::testing::UnitTest&) override { Shared().DropDatabases(); }
};

PostgresCluster& PostgresCluster::Shared() {
  // These are destroyed at exit, unlike most static objects, so that nothing is left behind.
  const char* const file = std::getenv("PENSTOCK_TEST_POSTGRES");
  if (file == nullptr) {
    static PostgresCluster own;
    return own;
  }
  static PostgresCluster shared = [file] {
    std::string folder;
    std::getline(std::ifstream(file), folder);
    if (folder.empty()) ADD_FAILURE() << file << " does not say where the shared PostgreSQL is";
    ::testing::UnitTest::GetInstance()->listeners().Append(new Cleaner);
    return PostgresCluster(Running(), folder);
  }();
  return shared;
}

void PostgresCluster::Start(const std::vector<std::string>& settings) {
  std::vector<std::string> words = {PostgresProgram("postgres"), "-D", folder_ + "/data", "-k",
                                    folder_};
  for (const char* setting :
       {"listen_addresses=", "fsync=off", "max_connections=64", "max_prepared_transactions=4"}) {
    words.insert(words.end(), {"-c", setting});
  }
  for (const std::string& setting : settings_) words.insert(words.end(), {"-c", setting});
  for (const std::string& setting : settings) words.insert(words.end(), {"-c", setting});
  server_ = std::make_unique<Process>(AsPostgres(words), folder_);
  // A standby says "ready to accept read-only connections".
  EXPECT_TRUE(server_->WaitForOutput("database system is ready to accept ")) << server_->output();
}

void PostgresCluster::Stop(int signal) {
  server_->Signal(signal);
  server_->Wait();
  server_ = nullptr;
}

std::string PostgresCluster::CreateDatabase() {
  // The name has the process's id, because others may make databases on the same server.
  std::string name = "test" + std::to_string(getpid()) + "_" + std::to_string(databases_.size());
  pqxx::connection connection(connection_string("postgres"));
  pqxx::nontransaction(connection).exec("CREATE DATABASE " + name);
  databases_.push_back(name);
  return name;
}

std::string PostgresCluster::connection_string(const std::string& database) const {
  return "host=" + folder_ + " user=postgres dbname=" + database;
}

}  // namespace penstock::testing
