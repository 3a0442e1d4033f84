#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/config/load.h"

namespace penstock::server {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

absl::StatusOr<CommandLine> Parse(std::vector<const char*> arguments) {
  arguments.insert(arguments.begin(), "penstockd");
  return ParseCommandLine(static_cast<int>(arguments.size()), arguments.data());
}

TEST(CommandLineTest, NothingSaid) {
  const auto parsed = Parse({});
  ASSERT_TRUE(parsed.ok());
  EXPECT_EQ(parsed->config_file, std::nullopt);
  EXPECT_EQ(parsed->data_dir, std::nullopt);
  EXPECT_TRUE(parsed->listen.empty());
  EXPECT_EQ(parsed->http_listen, std::nullopt);
  EXPECT_EQ(parsed->log_level, std::nullopt);
  EXPECT_EQ(parsed->log_format, std::nullopt);
  EXPECT_FALSE(parsed->insecure || parsed->check || parsed->show_version);
  EXPECT_EQ(parsed->help, "");
}

TEST(CommandLineTest, EveryFlag) {
  const auto parsed = Parse({"--config", "p.yaml", "--data-dir=d", "--listen", "a:1,b:2",
                             "--listen", "c:3", "--http-listen", "", "--log-level", "debug",
                             "--log-format=json", "--insecure", "--check", "--version"});
  ASSERT_TRUE(parsed.ok()) << parsed.status();
  EXPECT_EQ(parsed->config_file, "p.yaml");
  EXPECT_EQ(parsed->data_dir, "d");
  EXPECT_THAT(parsed->listen, ElementsAre("a:1", "b:2", "c:3"));
  EXPECT_EQ(parsed->http_listen, "");
  EXPECT_EQ(parsed->log_level, "debug");
  EXPECT_EQ(parsed->log_format, "json");
  EXPECT_TRUE(parsed->insecure && parsed->check && parsed->show_version);
}

TEST(CommandLineTest, HelpNamesFlagsVariablesAndTheirOrder) {
  const auto parsed = Parse({"--help"});
  ASSERT_TRUE(parsed.ok());
  for (const char* text :
       {"--config", "--data-dir", "--listen", "--http-listen", "--log-level", "--log-format",
        "--insecure", "--check", "--version", "PENSTOCK_CONFIG", "PENSTOCK_DATA_DIR",
        "PENSTOCK_LISTEN", "PENSTOCK_HTTP_LISTEN", "PENSTOCK_LOG_LEVEL", "PENSTOCK_LOG_FORMAT",
        "PENSTOCK_INSECURE", "127.0.0.1:7420", "127.0.0.1:9420", "first of these that has it"}) {
    EXPECT_THAT(parsed->help, HasSubstr(text));
  }
}

TEST(CommandLineTest, WrongFlags) {
  const std::vector<std::vector<const char*>> cases = {
      {"--nonsense"},         {"serve"},   {"--config"}, {"--config", "a", "--config", "b"},
      {"--insecure=perhaps"}, {"--listen"}};
  for (const auto& arguments : cases) {
    const auto parsed = Parse(arguments);
    EXPECT_EQ(parsed.status().code(), absl::StatusCode::kInvalidArgument) << arguments[0];
    EXPECT_THAT(std::string(parsed.status().message()), HasSubstr("see penstockd --help"));
    EXPECT_EQ(parsed.status().message().find('\n'), std::string::npos);
  }
  EXPECT_THAT(std::string(Parse({"--nonsense"}).status().message()), HasSubstr("--nonsense"));
}

}  // namespace
}  // namespace penstock::server
