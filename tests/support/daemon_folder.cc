#include "tests/support/daemon_folder.h"

#include <fstream>
#include <vector>

#include "fmt/format.h"
#include "gtest/gtest.h"
#include "tests/support/postgres_cluster.h"

namespace penstock::testing {

DaemonFolder::DaemonFolder(const std::string& driver, const std::string& server,
                           std::string connection_string) {
  if (driver == "postgres" && connection_string.empty()) {
    PostgresCluster& cluster = PostgresCluster::Shared();
    connection_string = cluster.connection_string(cluster.CreateDatabase());
  }
  std::string database = fmt::format("driver: {}", driver);
  if (!connection_string.empty()) {
    database += fmt::format(", connection_string: '{}'", connection_string);
  }
  std::ofstream(folder_.path() + "/penstock.yaml") << fmt::format(
      "data_dir: {}/data\nserver: {{listen: ['{}'], http_listen: '127.0.0.1:0'{}}}\n"
      "databases:\n  main: {{{}}}\n",
      folder_.path(), target(), server.empty() ? "" : ", " + server, database);
}

std::unique_ptr<Process> DaemonFolder::Start() const {
  const std::vector<std::string> command = {BuiltProgram("penstockd"), "--config",
                                            folder_.path() + "/penstock.yaml"};
  auto daemon = std::make_unique<Process>(command, folder_.path());
  EXPECT_TRUE(daemon->WaitForOutput("penstockd ready")) << daemon->output();
  return daemon;
}

}  // namespace penstock::testing
