// The settings of the session that a database's callers have, and every mistake in them.
#include <string>
#include <tuple>

#include "fmt/format.h"
#include "gmock/gmock.h"
#include "tests/unit/config/fixture.h"

namespace penstock::server {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using Source = IdentitySetting::Source;

constexpr char kIdentities[] =
    "identities:\n"
    "  app:\n"
    "    unix_users: 0\n"
    "    grants: {database: main, rights: read}\n";

class SettingsTest : public ConfigTest {
 protected:
  SettingsTest() { Write("keys.json", R"({"keys": []})"); }

  // A file with the keys in a database, from line 6, and with identities and tokens.
  static std::string With(const std::string& keys, const std::string& driver = "postgres") {
    return fmt::format(
        "jwt: {{jwks_file: @/keys.json, algorithms: RS256, audience: a}}\n"
        "databases:\n  main:\n    driver: {}\n    host: db\n    {}\n{}",
        driver, keys, kIdentities);
  }
};

TEST_F(SettingsTest, AreRead) {
  const auto config = LoadText(
      With("call_settings: [request.header.x, app.user]\n"
           "    identity_settings: {app.tenant: 'claim:https://example.org/tenant', app.who: "
           "identity, request.jwt.claims: claims}"));
  ASSERT_TRUE(config.ok()) << config.status();
  const SettingsConfig& settings = config->databases.at("main").settings;
  EXPECT_THAT(settings.carried, ElementsAre("app.user", "request.header.x"));
  ASSERT_EQ(settings.derived.size(), 3u);
  EXPECT_EQ(settings.derived[0].name, "app.tenant");
  EXPECT_EQ(settings.derived[0].source, Source::kClaim);
  EXPECT_EQ(settings.derived[0].claim, "https://example.org/tenant");
  EXPECT_EQ(settings.derived[1].name, "app.who");
  EXPECT_EQ(settings.derived[1].source, Source::kIdentity);
  EXPECT_EQ(settings.derived[2].source, Source::kClaims);
}

TEST_F(SettingsTest, OneNameNeedsNoList) {
  const auto config = LoadText(With("call_settings: app.user"));
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_THAT(config->databases.at("main").settings.carried, ElementsAre("app.user"));
}

TEST_F(SettingsTest, ThereAreNoneWithoutTheKeys) {
  const auto config = LoadText("databases: {main: {driver: postgres, host: db}}\n");
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_THAT(config->databases.at("main").settings.carried, IsEmpty());
  EXPECT_THAT(config->databases.at("main").settings.derived, IsEmpty());
}

// None of the server's own settings has a point in its name, so that none of them can be named.
TEST_F(SettingsTest, NamesOfTheServersOwnSettingsAreRefused) {
  const std::string form =
      " is not a setting that a call may have; write two or more words joined by '.', as in "
      "app.user, of small letters, digits and '_', at most 63: the server's own settings stay its "
      "own";
  for (const std::string& name :
       {std::string("role"), std::string("session_authorization"),
        std::string("transaction_read_only"), std::string("search_path"),
        std::string("row_security"), std::string("statement_timeout"), std::string("is_superuser"),
        std::string("app"), std::string("App.user"), std::string("app.User"),
        std::string("app..user"), std::string(".user"), std::string("app."),
        std::string("app.1user"), std::string("app.us er"), std::string("app.user-name"),
        std::string("app.\\u00e4"), std::string("app.") + std::string(60, 'x')}) {
    const std::string quoted = name == "app.\\u00e4" ? "\"app.\\u00e4\"" : "'" + name + "'";
    const std::string shown = name == "app.\\u00e4" ? "app.\u00e4" : name;
    const auto mistakes = MistakesIn(With("call_settings: [" + quoted + "]"));
    ASSERT_EQ(mistakes.size(), 1u) << name;
    EXPECT_THAT(mistakes[0], HasSubstr("FILE:6: databases.main.call_settings"));
    EXPECT_THAT(mistakes[0], HasSubstr(shown.substr(0, 40)));
    EXPECT_THAT(mistakes[0], HasSubstr(form));
    EXPECT_THAT(MistakesIn(With("identity_settings: {" + quoted + ": identity}")),
                ElementsAre(HasSubstr(form)))
        << name;
  }
  EXPECT_TRUE(LoadText(With("call_settings: app." + std::string(59, 'x'))).ok());
}

TEST_F(SettingsTest, Mistakes) {
  const std::string source =
      " is not where a setting can come from; write identity, claim:NAME or claims";
  const std::tuple<std::string, std::string> table[] = {
      {"call_settings: []",
       "call_settings: is an empty list; write at least one, or remove the key"},
      {"call_settings: {a.b: c}", "call_settings: is a map; write a single value"},
      {"call_settings: ['']", "call_settings: is empty; write something, or remove it"},
      {"call_settings: [a.b, a.b]",
       "call_settings: 'a.b' is there already, in line 6; keep it at one place"},
      {"identity_settings: app.user",
       "identity_settings: is a single value; write a map of keys and values"},
      {"identity_settings: {a.b: sub}", "identity_settings.a.b: 'sub'" + source},
      {"identity_settings: {a.b: 'claim:'}", "identity_settings.a.b: 'claim:'" + source},
      {"identity_settings: {a.b: Identity}", "identity_settings.a.b: 'Identity'" + source},
  };
  for (const auto& [keys, mistake] : table) {
    EXPECT_THAT(MistakesIn(With(keys)), ElementsAre("FILE:6: databases.main." + mistake)) << keys;
  }
  EXPECT_THAT(
      MistakesIn(With("call_settings: a.b\n    identity_settings: {a.b: identity}")),
      ElementsAre("FILE:7: databases.main.identity_settings.a.b: 'a.b' is there already, in line "
                  "6; keep it at one place"));
}

TEST_F(SettingsTest, TooMany) {
  std::string names;
  for (int i = 0; i < 64; ++i) names += fmt::format("{}app.x{}", i > 0 ? ", " : "", i);
  EXPECT_TRUE(LoadText(With("call_settings: [" + names + "]")).ok());
  EXPECT_THAT(
      MistakesIn(With("call_settings: [" + names + ", app.y, app.z]")),
      ElementsAre(
          "FILE:6: databases.main.call_settings: 'app.y' is one setting too many; keep at most "
          "64"));
}

TEST_F(SettingsTest, NeedADriverThatHasThem) {
  EXPECT_THAT(
      MistakesIn("databases: {main: {driver: sqlite, call_settings: a.b}}\n"),
      ElementsAre("FILE:1: databases.main.call_settings: is not supported by sqlite; remove it, or "
                  "choose another driver"));
  EXPECT_THAT(MistakesIn(With("identity_settings: {a.b: identity}", "cockroachdb")),
              ElementsAre(HasSubstr("identity_settings: is not supported by cockroachdb")));
}

TEST_F(SettingsTest, NeedIdentitiesAndTokens) {
  const std::string database =
      "databases:\n  main:\n    driver: postgres\n    host: db\n    identity_settings:\n";
  EXPECT_THAT(MistakesIn(database + "      a.b: identity\n"),
              ElementsAre("FILE:5: databases.main.identity_settings: has no meaning without "
                          "identities; say there who may call, or remove the key"));
  for (const char* from : {"claim:sub", "claims"}) {
    EXPECT_THAT(
        MistakesIn(fmt::format("{}      a.b: {}\n{}", database, from, kIdentities)),
        ElementsAre("FILE:6: databases.main.identity_settings.a.b: has no meaning without jwt; say "
                    "there how JSON Web Tokens are verified, or write identity"));
  }
  EXPECT_TRUE(LoadText(database + "      a.b: identity\n" + kIdentities).ok());
}

}  // namespace
}  // namespace penstock::server
