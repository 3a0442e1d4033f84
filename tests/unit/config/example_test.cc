// The example that is shipped: it loads, it says the defaults, and it has every key.
#include <filesystem>
#include <fstream>
#include <sstream>

#include "gmock/gmock.h"
#include "server/config/keys.h"
#include "tests/unit/config/fixture.h"

namespace penstock::server {
namespace {

class ExampleTest : public ConfigTest {
 protected:
  // In the test's folder, so that `data` is created there.
  absl::StatusOr<Config> LoadFrom(const std::optional<std::string>& file) {
    const auto before = std::filesystem::current_path();
    std::filesystem::current_path(folder_);
    command_line_.data_dir.reset();
    command_line_.config_file = file;
    auto config = Load();
    std::filesystem::current_path(before);
    return config;
  }

  static std::string Text() {
    std::ostringstream text;
    text << std::ifstream(kExample).rdbuf();
    return text.str();
  }

  static constexpr char kExample[] = PENSTOCK_DEPLOY_DIR "/penstock.example.yaml";
};

std::vector<std::string> Values(const std::vector<KeyText>& keys) {
  std::vector<std::string> values;
  for (const KeyText& key : keys) values.push_back(key.name + ": " + key.value);
  return values;
}

TEST_F(ExampleTest, SaysTheDefaults) {
  const auto example = LoadFrom(kExample);
  const auto none = LoadFrom(std::nullopt);
  ASSERT_TRUE(example.ok()) << example.status();
  ASSERT_TRUE(none.ok()) << none.status();
  const auto same = [](const auto& keys, const auto& said, const auto& implied) {
    EXPECT_EQ(Values(Describe(keys, said)), Values(Describe(keys, implied)));
  };
  same(ServerKeys(), example->server, none->server);
  same(LogKeys(), example->log, none->log);
  EXPECT_EQ(example->server.listen, none->server.listen);
  EXPECT_EQ(example->server.http_listen, none->server.http_listen);
  EXPECT_EQ(example->server.tls.has_value(), none->server.tls.has_value());
  EXPECT_EQ(example->default_database, none->default_database);
  EXPECT_EQ(example->identities.size(), none->identities.size());
  EXPECT_EQ(example->jwt.jwks_file, none->jwt.jwks_file);
  ASSERT_EQ(example->databases.size(), none->databases.size());
  const DatabaseConfig& said = example->databases.at("main");
  const DatabaseConfig& implied = none->databases.at("main");
  EXPECT_EQ(said.driver.driver, implied.driver.driver);
  EXPECT_EQ(said.migrations_table, implied.migrations_table);
  same(ConnectionKeys(), said.driver, implied.driver);
  same(ValueKeys(), said.driver, implied.driver);
  same(PoolKeys(), said.pool, implied.pool);
  same(LimitKeys(), said.limits, implied.limits);
  same(MigrationKeys(), said, implied);
}

// In a comment, if it is not sqlite's.
TEST_F(ExampleTest, HasEveryKeyWithItsDefault) {
  const std::string text = Text();
  int keys = 0;
  for (const KeySection& section : KeySections()) {
    for (const KeyText& key : section.keys) {
      const std::string value = key.has_default ? " " + key.value : "";
      // The first key of an item of a list stands behind a '-'.
      EXPECT_THAT(text,
                  testing::ContainsRegex("(^|\n)[ #]*(- )?" + key.name + ":" + value + "( |\n|$)"))
          << section.heading;
      ++keys;
    }
  }
  EXPECT_GT(keys, 80);
}

// Each key is known where the table says that it is, and an unknown one is told all of them.
TEST_F(ExampleTest, TheTablesAreWhatIsRead) {
  for (const KeySection& section : KeySections()) {
    if (section.path.ends_with("options")) continue;
    std::string yaml = "zzzzzzzzzz: 1";
    std::string path = section.path;
    for (size_t dot; !path.empty(); path.resize(dot == std::string::npos ? 0 : dot)) {
      dot = path.rfind('.');
      const std::string name = dot == std::string::npos ? path : path.substr(dot + 1);
      yaml = (name == "*" ? "main" : name) + ": {" + yaml + "}";
    }
    const auto mistakes = MistakesIn(yaml);
    const std::string list = testing::PrintToString(mistakes);
    for (const KeyText& key : section.keys) {
      EXPECT_THAT(list, testing::ContainsRegex("[ ,]" + key.name + "[,\"]")) << section.heading;
    }
  }
}

}  // namespace
}  // namespace penstock::server
