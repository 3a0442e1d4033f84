// Defaults, the data folder, TLS and what may be left out.
#include <sys/stat.h>

#include <filesystem>

#include "gmock/gmock.h"
#include "tests/unit/config/fixture.h"
#include "tests/unit/config/pem.h"

namespace penstock::server {
namespace {

using ::testing::ElementsAre;

class LoadTest : public ConfigTest {};

int ModeOf(const std::string& path) {
  struct stat info;
  return stat(path.c_str(), &info) == 0 ? info.st_mode & 07777 : -1;
}

TEST_F(LoadTest, ZeroConfiguration) {
  const auto config = Load();
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_THAT(config->server.listen,
              ElementsAre("127.0.0.1:7420", "unix:" + Path("data/penstock.sock")));
  EXPECT_EQ(config->server.http_listen, "127.0.0.1:9420");
  EXPECT_FALSE(config->server.tls.has_value());
  EXPECT_EQ(config->default_database, "main");
  ASSERT_EQ(config->databases.size(), 1u);
  const DatabaseConfig& main = config->databases.at("main");
  EXPECT_EQ(main.driver.name, "main");
  EXPECT_EQ(main.driver.driver, "sqlite");
  EXPECT_EQ(main.driver.database, Path("data/main.db"));
  EXPECT_EQ(main.pool.max_open, 5);
  EXPECT_EQ(ModeOf(Path("data")), 0700);
}

TEST_F(LoadTest, TheDataFolderIsDataInTheWorkingDirectory) {
  const auto before = std::filesystem::current_path();
  std::filesystem::current_path(folder_);
  command_line_.data_dir.reset();
  const auto config = Load();
  std::filesystem::current_path(before);
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(config->databases.at("main").driver.database, "data/main.db");
  EXPECT_THAT(config->server.listen, ElementsAre("127.0.0.1:7420", "unix:data/penstock.sock"));
  EXPECT_EQ(ModeOf(Path("data")), 0700);
}

TEST_F(LoadTest, MissingFoldersAreCreatedAndAnExistingOneKeepsItsMode) {
  command_line_.data_dir = Path("a/b/c/");
  ASSERT_TRUE(Load().ok());
  EXPECT_EQ(ModeOf(Path("a/b")), 0700);
  EXPECT_EQ(ModeOf(Path("a/b/c")), 0700);
  std::filesystem::permissions(Path("a/b/c"), std::filesystem::perms(0750));
  ASSERT_TRUE(Load().ok());
  EXPECT_EQ(ModeOf(Path("a/b/c")), 0750);
}

TEST_F(LoadTest, CheckCreatesNothing) {
  command_line_.check = true;
  ASSERT_TRUE(Load().ok());
  EXPECT_FALSE(std::filesystem::exists(Path("data")));
}

TEST_F(LoadTest, AMistakeCreatesNothing) {
  command_line_.log_level = "loud";
  ASSERT_FALSE(Load().ok());
  EXPECT_FALSE(std::filesystem::exists(Path("data")));
}

TEST_F(LoadTest, AFolderThatNothingUsesIsNotCreated) {
  const auto before = std::filesystem::current_path();
  std::filesystem::current_path(folder_);
  command_line_.data_dir.reset();
  const auto config =
      LoadText("server: {listen: 'localhost:0'}\ndatabases: {m: {database: ':memory:'}}");
  std::filesystem::current_path(before);
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_FALSE(std::filesystem::exists(Path("data")));
}

TEST_F(LoadTest, DataFolderThatIsAFile) {
  Write("data", "");
  const std::vector<std::string> expected = {
      "--data-dir: cannot use '@/data' as the data folder: Not a directory; name a folder that "
      "this user can write to"};
  command_line_.check = true;
  EXPECT_EQ(Mistakes(Load()), expected);
  command_line_.check = false;
  EXPECT_FALSE(Load().ok());
  command_line_.data_dir = Path("data/below");
  EXPECT_THAT(Mistakes(Load()),
              ElementsAre("--data-dir: cannot use '@/data/below' as the data folder: File exists; "
                          "name a folder that this user can write to"));
}

TEST_F(LoadTest, DataFolderOfNoName) {
  command_line_.data_dir = "";
  EXPECT_THAT(Mistakes(Load()), ElementsAre("--data-dir: is empty; write the path of a folder"));
}

TEST_F(LoadTest, DataFolderTooLongForItsSocket) {
  command_line_.data_dir = Path(std::string(100, 'x'));
  const auto mistakes = Mistakes(Load());
  ASSERT_EQ(mistakes.size(), 1u);
  EXPECT_THAT(mistakes[0], ::testing::StartsWith("--data-dir: 'unix:@/xxx"));
  EXPECT_THAT(mistakes[0],
              ::testing::EndsWith("a socket's path has at most 107; use a shorter path"));
}

TEST_F(LoadTest, FilesThatSayNothing) {
  for (const char* text :
       {"", "\n", "# only a comment\n", "---\n", "\xEF\xBB\xBF", "null\n",
        "server:\nlog:\ndatabases:\n", "{}", "databases: {}\r\n", "databases:\n  main:\n"}) {
    const auto config = LoadText(text);
    ASSERT_TRUE(config.ok()) << text << config.status();
    EXPECT_EQ(config->default_database, "main");
    EXPECT_EQ(config->server.max_sessions, 10'000);
  }
}

TEST_F(LoadTest, ListenIsOneOrAList) {
  EXPECT_THAT(LoadText("server: {listen: 'localhost:1'}")->server.listen,
              ElementsAre("localhost:1"));
  EXPECT_THAT(LoadText("server: {listen: ['localhost:0', '127.0.0.1:0']}")->server.listen,
              ElementsAre("localhost:0", "127.0.0.1:0"));
}

TEST_F(LoadTest, HttpOff) {
  EXPECT_EQ(LoadText("server: {http_listen: off}")->server.http_listen, "");
  EXPECT_EQ(LoadText("server: {http_listen: ''}")->server.http_listen, "");
}

constexpr char kIdentities[] =
    "identities: {app: {certificates: 'cn:app', grants: {database: main, rights: read}}}\n";

TEST_F(LoadTest, WideAddressesAreAllowedWhenSecured) {
  Write("c", kPem), Write("k", kPem), Write("ca", kPem);
  const auto config = LoadText(
      "server:\n  listen: 0.0.0.0:7420\n"
      "  tls: {cert_file: @/c, key_file: @/k, client_ca_file: @/ca}\n" +
      std::string(kIdentities));
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(config->server.tls->cert_file, Path("c"));
  EXPECT_EQ(config->server.tls->key_file, Path("k"));
  EXPECT_EQ(config->server.tls->client_ca_file, Path("ca"));
  EXPECT_TRUE(config->server.tls->require_client_cert);
}

TEST_F(LoadTest, ClientsWithTokensMayComeWithoutACertificate) {
  Write("c", kPem);
  const auto config = LoadText(
      "server: {tls: {cert_file: @/c, key_file: @/c, client_ca_file: @/c, "
      "require_client_cert: false}}\n");
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_FALSE(config->server.tls->require_client_cert);
}

TEST_F(LoadTest, WideAddressesAreAllowedWhenInsecureIsSaid) {
  const std::string yaml = "server: {listen: '0.0.0.0:7420', http_listen: '0.0.0.0:9420'}";
  EXPECT_FALSE(LoadText(yaml).ok());
  command_line_.insecure = true;
  EXPECT_TRUE(LoadText(yaml).ok());
  command_line_.insecure = false;
  EXPECT_TRUE(LoadText("server: {listen: '[::]:7420', insecure: true}").ok());
}

// Neither is enough alone: a certificate says who comes, and not what that one may do; and what
// proves an identity does not cross a network in clear.
TEST_F(LoadTest, WideAddressesNeedIdentitiesAndTls) {
  Write("c", kPem), Write("k", kPem), Write("ca", kPem);
  const std::string listen = "server:\n  listen: 0.0.0.0:7420\n";
  const std::string tls = "  tls: {cert_file: @/c, key_file: @/k";
  const auto lacks = [](const std::string& what) {
    return "FILE:2: server.listen: '0.0.0.0:7420' can be reached from other machines; set " + what +
           " so that only your callers get in, or use --insecure (server.insecure: true) if the "
           "network is trusted";
  };
  EXPECT_THAT(MistakesIn(listen), ElementsAre(lacks("identities and server.tls")));
  EXPECT_THAT(MistakesIn(listen + "identities: {}\n"),
              ElementsAre(lacks("identities and server.tls")));
  EXPECT_THAT(MistakesIn(listen + kIdentities), ElementsAre(lacks("server.tls")));
  EXPECT_THAT(MistakesIn(listen + tls + "}\n"), ElementsAre(lacks("identities")));
  EXPECT_THAT(MistakesIn(listen + tls + ", client_ca_file: @/ca}\n"),
              ElementsAre(lacks("identities")));
  // Tokens are enough to tell callers apart.
  EXPECT_TRUE(LoadText(listen + tls + "}\n" + kIdentities).ok());
}

TEST_F(LoadTest, LowerMessageLimitTakesItsDefaultsAlong) {
  const auto config = LoadText("server: {max_message_bytes: 64KiB}");
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(config->server.batch_bytes, size_t{64} << 10);
  EXPECT_EQ(config->server.first_batch_bytes, size_t{16} << 10);
  EXPECT_EQ(config->databases.at("main").driver.max_value_bytes, size_t{64} << 10);
}

TEST_F(LoadTest, AnAnchorServesSeveralDatabases) {
  const auto config = LoadText("databases:\n  main: &same {query_timeout: 3s}\n  other: *same\n");
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(config->databases.at("other").limits.query_timeout, Milliseconds(3'000));
  EXPECT_EQ(config->databases.at("other").driver.database, Path("data/other.db"));
}

}  // namespace
}  // namespace penstock::server
