// Flag over environment over file over default.
#include "gmock/gmock.h"
#include "tests/unit/config/fixture.h"

namespace penstock::server {
namespace {

using ::testing::ElementsAre;

constexpr char kYaml[] = R"(
data_dir: '@/file'
server: {listen: 'localhost:1', http_listen: 'localhost:2', insecure: true}
log: {level: warn, format: json}
)";

class PrecedenceTest : public ConfigTest {
 protected:
  PrecedenceTest() { command_line_.data_dir.reset(); }

  void SetVariables() {
    variables_ = {
        {"PENSTOCK_DATA_DIR", Path("variable")}, {"PENSTOCK_LISTEN", "localhost:3,localhost:4"},
        {"PENSTOCK_HTTP_LISTEN", "localhost:5"}, {"PENSTOCK_LOG_LEVEL", "error"},
        {"PENSTOCK_LOG_FORMAT", "text"},         {"PENSTOCK_INSECURE", "false"}};
  }
};

TEST_F(PrecedenceTest, File) {
  const auto config = LoadText(kYaml);
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(config->databases.at("main").driver.database, Path("file/main.db"));
  EXPECT_THAT(config->server.listen, ElementsAre("localhost:1"));
  EXPECT_EQ(config->server.http_listen, "localhost:2");
  EXPECT_TRUE(config->server.insecure);
  EXPECT_EQ(config->log.level, "warn");
  EXPECT_EQ(config->log.format, "json");
}

TEST_F(PrecedenceTest, EnvironmentOverFile) {
  SetVariables();
  const auto config = LoadText(kYaml);
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(config->databases.at("main").driver.database, Path("variable/main.db"));
  EXPECT_THAT(config->server.listen, ElementsAre("localhost:3", "localhost:4"));
  EXPECT_EQ(config->server.http_listen, "localhost:5");
  EXPECT_FALSE(config->server.insecure);
  EXPECT_EQ(config->log.level, "error");
  EXPECT_EQ(config->log.format, "text");
}

TEST_F(PrecedenceTest, FlagOverEnvironment) {
  SetVariables();
  command_line_.data_dir = Path("flag");
  command_line_.listen = {"localhost:6"};
  command_line_.http_listen = "";
  command_line_.log_level = "trace";
  command_line_.log_format = "json";
  command_line_.insecure = true;
  const auto config = LoadText(kYaml);
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(config->databases.at("main").driver.database, Path("flag/main.db"));
  EXPECT_THAT(config->server.listen, ElementsAre("localhost:6"));
  EXPECT_EQ(config->server.http_listen, "");
  EXPECT_TRUE(config->server.insecure);
  EXPECT_EQ(config->log.level, "trace");
  EXPECT_EQ(config->log.format, "json");
}

TEST_F(PrecedenceTest, AVariableSetToNothingIsNotSet) {
  SetVariables();
  for (auto& [name, value] : variables_) value.clear();
  variables_["PENSTOCK_CONFIG"] = "";
  ASSERT_TRUE(LoadText(kYaml).ok());
  EXPECT_THAT(LoadText(kYaml)->server.listen, ElementsAre("localhost:1"));
  command_line_.config_file.reset();
  command_line_.data_dir = Path("data");
  EXPECT_TRUE(Load().ok());
}

TEST_F(PrecedenceTest, TheFileItself) {
  command_line_.data_dir = Path("data");
  variables_["PENSTOCK_CONFIG"] = Write("variable.yaml", "log: {level: warn}");
  EXPECT_EQ(Load()->log.level, "warn");
  command_line_.config_file = Write("flag.yaml", "log: {level: error}");
  EXPECT_EQ(Load()->log.level, "error");
}

TEST_F(PrecedenceTest, MistakesNameTheirOrigin) {
  variables_ = {{"PENSTOCK_LISTEN", "localhost:1,nowhere"},
                {"PENSTOCK_LOG_LEVEL", "wran"},
                {"PENSTOCK_INSECURE", "perhaps"}};
  command_line_.data_dir = Path("data");
  command_line_.http_listen = "unix:/x";
  command_line_.log_format = "xml";
  EXPECT_THAT(
      Mistakes(Load()),
      ElementsAre(
          "PENSTOCK_INSECURE: 'perhaps' is not true or false; use one of them",
          "PENSTOCK_LISTEN: 'nowhere' has no port; write host:port or unix:/path",
          "--http-listen: is a unix socket, which HTTP does not support; use host:port, or off",
          "PENSTOCK_LOG_LEVEL: 'wran' is not one of trace, debug, info, warn, error, off; "
          "did you mean 'warn'?",
          "--log-format: 'xml' is not one of text, json; use one of them"));
}

TEST_F(PrecedenceTest, ProcessEnvironment) {
  setenv("PENSTOCK_TEST_VARIABLE", "said", 1);
  EXPECT_EQ(ProcessEnvironment()("PENSTOCK_TEST_VARIABLE"), "said");
  unsetenv("PENSTOCK_TEST_VARIABLE");
  EXPECT_EQ(ProcessEnvironment()("PENSTOCK_TEST_VARIABLE"), std::nullopt);
}

}  // namespace
}  // namespace penstock::server
