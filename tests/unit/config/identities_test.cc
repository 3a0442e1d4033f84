// Identities and JSON Web Tokens that are right, and what is told of them.
#include <grp.h>
#include <pwd.h>
#include <unistd.h>

#include <filesystem>

#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "server/config/keys.h"
#include "tests/unit/config/fixture.h"

namespace penstock::server {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr char kYaml[] = R"(
databases: {main: {}, cache: {}, logs: {}}
identities:
  app:
    tokens:
      - id: app-2026a
        sha256: 00112233445566778899aabbccddeeffFFEEDDCCBBAA99887766554433221100
        expires: 2099-03-01T00:00:00Z
      - {id: app_2026b, expires: "2099-04-01T02:00:00+02:00",
         sha256: 0000000000000000000000000000000000000000000000000000000000000001}
    certificates: ["spiffe://example.org/app", "dns:app.internal", "cn:An app", "urn:uuid:7"]
    unix_users: [root, 1001]
    unix_groups: "4294967294"
    jwt_subjects: ["apps/app"]
    grants:
      - database: main
        rights: [read, write]
      - {database: cache, rights: read, keyspaces: [sessions], key_prefix: "app/"}
  operator:
    unix_users: 1002
    grants: {database: [main, logs], rights: [migrate, admin]}
  reader:
    certificates: cn:reader
    grants: {database: "*", rights: [read]}
    limits:
      {max_calls: 20, max_transactions: 2, calls_per_second: 100, max_result_bytes: 64MiB,
       max_result_rows: 1000000, enforce: false}
jwt:
  jwks_file: @/keys.json
  algorithms: [RS256, EdDSA]
  audience: penstock
  issuer: https://issuer.example.org
)";

class IdentitiesTest : public ConfigTest {
 protected:
  IdentitiesTest() { Write("keys.json", R"({"keys": [{"kty": "OKP"}]})"); }

  // The configuration of kYaml; the test fails if it is wrong.
  Config LoadGood() {
    absl::StatusOr<Config> config = LoadText(kYaml);
    EXPECT_TRUE(config.ok()) << config.status();
    return config.ok() ? *std::move(config) : Config();
  }
};

TEST_F(IdentitiesTest, Tokens) {
  const Config config = LoadGood();
  const std::vector<TokenConfig>& tokens = config.identities.at("app").tokens;
  ASSERT_EQ(tokens.size(), 2u);
  EXPECT_EQ(tokens[0].id, "app-2026a");
  EXPECT_EQ(tokens[0].sha256,
            std::string("\x00\x11\x22\x33\x44\x55\x66\x77\x88\x99\xaa\xbb\xcc\xdd\xee\xff"
                        "\xff\xee\xdd\xcc\xbb\xaa\x99\x88\x77\x66\x55\x44\x33\x22\x11\x00",
                        32));
  EXPECT_EQ(tokens[1].id, "app_2026b");
  EXPECT_EQ(tokens[1].sha256, std::string(31, '\0') + '\1');
  const absl::Time april = absl::FromCivil(absl::CivilDay(2099, 4, 1), absl::UTCTimeZone());
  EXPECT_EQ(tokens[1].expires, absl::ToChronoTime(april));
}

TEST_F(IdentitiesTest, WhoReadsMetricsNeedsNoGrants) {
  const auto config = LoadText(
      "identities:\n  prometheus: {unix_users: 1001, metrics: true}\n"
      "  both: {unix_users: 1002, metrics: true, grants: {database: main, rights: read}}\n");
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_TRUE(config->identities.at("prometheus").metrics);
  EXPECT_THAT(config->identities.at("prometheus").grants, IsEmpty());
  EXPECT_TRUE(config->identities.at("both").metrics);
  EXPECT_EQ(config->identities.at("both").grants.size(), 1u);
  EXPECT_FALSE(LoadGood().identities.at("operator").metrics);
}

TEST_F(IdentitiesTest, OtherCredentials) {
  const Config config = LoadGood();
  const IdentityConfig& app = config.identities.at("app");
  EXPECT_THAT(app.certificates, ElementsAre("spiffe://example.org/app", "dns:app.internal",
                                            "cn:An app", "urn:uuid:7"));
  EXPECT_THAT(app.unix_users, ElementsAre(0u, 1001u));
  EXPECT_THAT(app.unix_groups, ElementsAre(4294967294u));
  EXPECT_THAT(app.jwt_subjects, ElementsAre("apps/app"));
  EXPECT_THAT(config.identities.at("operator").unix_users, ElementsAre(1002u));
}

TEST_F(IdentitiesTest, GrantsAreOneForEachDatabase) {
  const Config config = LoadGood();
  const std::vector<GrantConfig>& app = config.identities.at("app").grants;
  ASSERT_EQ(app.size(), 2u);
  EXPECT_EQ(app[0].database, "main");
  EXPECT_EQ(app[0].rights, Rights().With(Right::kRead).With(Right::kWrite));
  EXPECT_FALSE(app[0].only_keys());
  EXPECT_EQ(app[1].database, "cache");
  EXPECT_EQ(app[1].rights, Rights().With(Right::kRead));
  EXPECT_THAT(app[1].keyspaces, ElementsAre("sessions"));
  EXPECT_EQ(app[1].key_prefix, "app/");
  const std::vector<GrantConfig>& both = config.identities.at("operator").grants;
  ASSERT_EQ(both.size(), 2u);
  EXPECT_EQ(both[0].database, "main");
  EXPECT_EQ(both[1].database, "logs");
  EXPECT_EQ(both[1].rights, Rights().With(Right::kMigrate).With(Right::kAdmin));
  EXPECT_EQ(config.identities.at("reader").grants.at(0).database, "*");
}

TEST_F(IdentitiesTest, Limits) {
  const Config config = LoadGood();
  EXPECT_EQ(config.identities.at("app").limits, IdentityLimits());
  EXPECT_EQ(config.identities.at("reader").limits,
            (IdentityLimits{.max_calls = 20,
                            .max_transactions = 2,
                            .calls_per_second = 100,
                            .max_result_bytes = size_t{64} << 20,
                            .max_result_rows = 1'000'000,
                            .enforce = false}));
}

TEST_F(IdentitiesTest, Jwt) {
  const JwtConfig jwt = LoadGood().jwt;
  EXPECT_EQ(jwt.jwks_file, Path("keys.json"));
  EXPECT_THAT(jwt.algorithms, ElementsAre("RS256", "EdDSA"));
  EXPECT_EQ(jwt.audience, "penstock");
  EXPECT_EQ(jwt.issuer, "https://issuer.example.org");
}

TEST_F(IdentitiesTest, NoneAreNeeded) {
  for (const char* yaml : {"", "identities:\n", "identities: {}\n"}) {
    const auto config = LoadText(yaml);
    ASSERT_TRUE(config.ok()) << config.status();
    EXPECT_THAT(config->identities, IsEmpty());
    EXPECT_EQ(config->jwt.jwks_file, "");
  }
}

// Names are looked up, of groups too.
TEST_F(IdentitiesTest, NamesOfAccounts) {
  const passwd* const user = getpwuid(1);
  const group* const users_group = getgrgid(1);
  ASSERT_TRUE(user != nullptr && users_group != nullptr);
  const auto config = LoadText("identities: {a: {unix_users: " + std::string(user->pw_name) +
                               ", unix_groups: " + std::string(users_group->gr_name) +
                               ", grants: {database: main, rights: read}}}\n");
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_THAT(config->identities.at("a").unix_users, ElementsAre(1u));
  EXPECT_THAT(config->identities.at("a").unix_groups, ElementsAre(1u));
}

// It is one identity's own affair how often it names a user.
TEST_F(IdentitiesTest, ACredentialMayBeSaidTwiceOfOneIdentity) {
  EXPECT_THAT(MistakesIn("identities: {a: {unix_users: [root, 0, root], grants: "
                         "{database: main, rights: read}}}\n"),
              IsEmpty());
}

// The daemon starts, and says what has ended.
TEST_F(IdentitiesTest, AnExpiredTokenIsANoteAndNoMistake) {
  const auto config = LoadText(
      "identities:\n  app:\n"
      "    tokens:\n"
      "      - {id: a, sha256: " +
      std::string(64, 'a') +
      ", expires: 2020-01-01T00:00:00Z}\n"
      "      - {id: b, sha256: " +
      std::string(64, 'b') +
      ", expires: 2021-01-01T00:00:00Z}\n"
      "      - {id: c, sha256: " +
      std::string(64, 'c') +
      ", expires: 2099-01-01T00:00:00Z}\n"
      "      - {id: d, sha256: " +
      std::string(64, 'd') +
      ", expires: 2099-01-01T00:00:00Z}\n"
      "    grants: {database: main, rights: read}\n");
  ASSERT_TRUE(config.ok()) << config.status();
  const auto at = [](int year) {
    return absl::ToChronoTime(absl::FromCivil(absl::CivilYear(year), absl::UTCTimeZone()));
  };
  EXPECT_THAT(IdentityNotes(config->identities, at(2019)), IsEmpty());
  EXPECT_THAT(IdentityNotes(config->identities, at(2021)),
              ElementsAre("the token 'a' of the identity 'app' expired at "
                          "2020-01-01T00:00:00+00:00; remove it, or put a new one there",
                          "the token 'b' of the identity 'app' expired at "
                          "2021-01-01T00:00:00+00:00; remove it, or put a new one there"));
}

TEST_F(IdentitiesTest, RightsHaveNames) {
  ASSERT_THAT(RightNames(), ElementsAre("read", "write", "migrate", "admin"));
  for (const std::string& name : RightNames()) EXPECT_EQ(RightName(*ParseRight(name)), name);
  EXPECT_EQ(ParseRight("Read"), std::nullopt);
  EXPECT_EQ(ParseRight(""), std::nullopt);
}

// SIGHUP applies all of them, whatever is added, removed or changed.
TEST_F(IdentitiesTest, AllKeysReload) {
  const Config config = LoadGood();
  int reloaded = 0;
  for (const auto& [path, text] : config.said) {
    const bool of_callers = path.starts_with("identities.") || path.starts_with("jwt.");
    EXPECT_EQ(ReloadsKey(path), of_callers) << path;
    reloaded += of_callers ? 1 : 0;
  }
  EXPECT_GT(reloaded, 30);
  EXPECT_TRUE(ReloadsKey("jwt"));
  EXPECT_FALSE(ReloadsKey("server.tls.require_client_cert"));
  EXPECT_FALSE(ReloadsKey("identities_of_others"));
}

}  // namespace
}  // namespace penstock::server
