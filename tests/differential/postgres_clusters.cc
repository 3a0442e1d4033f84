#include "tests/differential/postgres_clusters.h"

#include <filesystem>
#include <pqxx/pqxx>

#include "fmt/format.h"
#include "tests/support/process.h"
#include "tests/support/temp_dir.h"

namespace penstock::differential {
namespace {

// The database that others are copies of.
constexpr char kTemplate[] = "prepared";

// They would keep the database.
void RollBackPrepared(const std::string& where) {
  pqxx::connection connection(where);
  pqxx::nontransaction work(connection);
  for (const auto& row : work.exec("SELECT quote_literal(gid) FROM pg_prepared_xacts WHERE "
                                   "database = current_database()")) {
    work.exec("ROLLBACK PREPARED " + row[0].as<std::string>());
  }
}

}  // namespace

PostgresClusters& PostgresClusters::OfThread() {
  thread_local PostgresClusters clusters;
  return clusters;
}

absl::Status PostgresClusters::RunOnBoth(const std::string& sql) {
  try {
    for (const testing::PostgresCluster* cluster : {&own_, &gateways_}) {
      pqxx::connection connection(cluster->connection_string("postgres"));
      pqxx::nontransaction(connection).exec(sql);
    }
  } catch (const pqxx::failure& error) {
    return absl::InternalError(error.what());
  }
  return absl::OkStatus();
}

absl::Status PostgresClusters::Prepare(const std::vector<std::string>& files) {
  if (files == prepared_) return absl::OkStatus();
  absl::Status made = RunOnBoth(fmt::format("DROP DATABASE IF EXISTS {}", kTemplate));
  if (made.ok()) made = RunOnBoth(fmt::format("CREATE DATABASE {}", kTemplate));
  if (!made.ok()) return made;
  const testing::TempDir folder;
  for (const testing::PostgresCluster* cluster : {&own_, &gateways_}) {
    for (const std::string& file : files) {
      testing::Process psql(
          {testing::PostgresProgram("psql"), "-X", "-q", "-f", std::filesystem::absolute(file),
           cluster->connection_string(kTemplate)},
          folder.path());
      const int code = psql.Wait();
      if (code != 0) {
        return absl::InternalError(
            fmt::format("psql ended with {} in {}: {}", code, file, psql.output()));
      }
    }
  }
  prepared_ = files;
  return absl::OkStatus();
}

absl::Status PostgresClusters::NewDatabase(const std::string& name) {
  return RunOnBoth(fmt::format("CREATE DATABASE {} TEMPLATE {}", name,
                               prepared_.empty() ? "template0" : kTemplate));
}

void PostgresClusters::DropDatabase(const std::string& name) {
  for (const testing::PostgresCluster* cluster : {&own_, &gateways_}) {
    try {
      RollBackPrepared(cluster->connection_string(name));
      pqxx::connection connection(cluster->connection_string("postgres"));
      pqxx::nontransaction(connection)
          .exec(fmt::format("DROP DATABASE IF EXISTS {} WITH (FORCE)", name));
    } catch (const pqxx::failure& error) {
      // It goes with the cluster.
      fmt::print(stderr, "the database {} stays: {}\n", name, error.what());
    }
  }
}

}  // namespace penstock::differential
