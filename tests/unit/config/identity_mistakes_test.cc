// Wrong identities and settings of JSON Web Tokens, and every message about them in full.
#include <filesystem>
#include <string>
#include <tuple>

#include "gmock/gmock.h"
#include "tests/unit/config/fixture.h"

namespace penstock::server {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr char kGrants[] = "    grants: {database: main, rights: read}\n";

class IdentityMistakesTest : public ConfigTest {
 protected:
  IdentityMistakesTest() {
    Write("keys.json", R"({"keys": []})");
    Write("words.json", "{keys: []}");
    Write("cut.json", R"({"keys": [)");
    Write("other.json", R"(["keys"])");
    Write("one.json", R"({"keys": {}})");
    Write("open.json", R"({"keys": []})");
    std::filesystem::permissions(Path("open.json"), std::filesystem::perms(0666));
  }

  // The mistakes in one key of an identity, in line 3, with all else right.
  std::vector<std::string> MistakesOf(const std::string& key) {
    return MistakesIn("identities:\n  app:\n    " + key + "\n" + kGrants);
  }
};

// 64 hexadecimal digits, of a kind each.
std::string Digest(char digit) { return std::string(64, digit); }

std::string Token(const std::string& id, char digit,
                  const std::string& expires = "2099-01-01T00:00:00Z") {
  return "{id: " + id + ", sha256: " + Digest(digit) + ", expires: '" + expires + "'}";
}

TEST_F(IdentityMistakesTest, OfCredentials) {
  const std::string form =
      " is not a name in a certificate; write a URI as in spiffe://example.org/app, or dns:NAME, "
      "or cn:NAME";
  const std::tuple<std::string, std::string> table[] = {
      {"certificates: []", "certificates: is an empty list; write at least one, or remove the key"},
      {"certificates: {a: b}", "certificates: is a map; write a single value"},
      {"certificates: ''", "certificates: is empty; write something, or remove it"},
      {"certificates: app.internal", "certificates: 'app.internal'" + form},
      {"certificates: CN=app", "certificates: 'CN=app'" + form},
      {"certificates: 'cn:'", "certificates: 'cn:'" + form},
      {"certificates: 'dns:'", "certificates: 'dns:'" + form},
      {"certificates: 'dns:*.internal'", "certificates: 'dns:*.internal'" + form},
      {"certificates: 'DNS:app'", "certificates: 'DNS:app'" + form},
      {"certificates: 'ip:10.0.0.1'", "certificates: 'ip:10.0.0.1'" + form},
      {"certificates: 'spiffe://'", "certificates: 'spiffe://'" + form},
      {"certificates: '://app'", "certificates: '://app'" + form},
      {"certificates: '7a://app'", "certificates: '7a://app'" + form},
      {"certificates: 'spiffe://a b'", "certificates: 'spiffe://a b'" + form},
      {"unix_users: no-such-user",
       "unix_users: 'no-such-user' is not a user of this machine; write a name that 'getent "
       "passwd' lists, or a number"},
      {"unix_users: -1",
       "unix_users: '-1' is not a user of this machine; write a name that 'getent passwd' lists, "
       "or a number"},
      {"unix_users: 4294967295", "unix_users: '4294967295' is out of range; write 0 to 4294967294"},
      {"unix_users: 99999999999999999999",
       "unix_users: '99999999999999999999' is out of range; write 0 to 4294967294"},
      {"unix_groups: no-such-group",
       "unix_groups: 'no-such-group' is not a group of this machine; write a name that 'getent "
       "group' lists, or a number"},
      {"jwt_subjects: app",
       "jwt_subjects: has no meaning without jwt; say there how such tokens are verified, or "
       "remove the key"},
  };
  for (const auto& [key, expected] : table) {
    EXPECT_THAT(MistakesOf(key), ElementsAre("FILE:3: identities.app." + expected)) << key;
  }
}

TEST_F(IdentityMistakesTest, OfLimits) {
  const std::tuple<std::string, std::string> table[] = {
      {"{max_calls: -1}", "max_calls: '-1' is out of range; write 0 to 1000000"},
      {"{max_result_bytes: much}",
       "max_result_bytes: 'much' is not a size; write one like 4096 (bytes), 256KiB or 64MiB"},
      {"{max_result_rows: many}",
       "max_result_rows: 'many' is not a whole number; write one from 0 to 1000000000"},
      {"{enforce: perhaps}", "enforce: 'perhaps' is not true or false; use one of them"},
  };
  for (const auto& [limits, expected] : table) {
    EXPECT_THAT(MistakesOf("unix_users: 1001\n    limits: " + limits),
                ElementsAre("FILE:4: identities.app.limits." + expected))
        << limits;
  }
}

TEST_F(IdentityMistakesTest, OfTokens) {
  const std::string digest = "; write the one that 'penstock token new' prints";
  const std::string id =
      "is not a token's id; write the part of the token between 'pst_' and its secret, which has "
      "letters, digits, '_' and '-', at most 40";
  const std::string time = " is not a time; write one as in 2027-03-01T00:00:00Z";
  const std::string good = "sha256: " + Digest('0') + ", expires: 2099-01-01T00:00:00Z";
  const std::string end = "expires: 2099-01-01T00:00:00Z";
  const std::tuple<std::string, std::string> table[] = {
      {"word", ": is a single value; write a map of keys and values"},
      {"[]", ": is an empty list; write at least one, or remove the key"},
      {"[[]]", ": is a list; write a map of keys and values"},
      {"{" + good + "}", ": has no id; write the part of the token between 'pst_' and its secret"},
      {"{id: '', " + good + "}",
       ".id: is empty; write the part of the token between 'pst_' and its secret"},
      {"{id: a b, " + good + "}", ".id: " + id},
      {"{id: pst_a, " + good + "}", ".id: " + id},
      {"{id: " + std::string(41, 'a') + ", " + good + "}", ".id: " + id},
      {"{id: a, " + end + "}", ": has no sha256" + digest},
      {"{id: a, sha256: " + Digest('0') + "0, " + end + "}",
       ".sha256: has 65 characters, and a SHA-256 has 64 hexadecimal digits" + digest},
      {"{id: a, sha256: " + Digest('g') + ", " + end + "}",
       ".sha256: has a character that is no hexadecimal digit" + digest},
      {"{id: a, sha256: " + Digest('0') + "}",
       ": has no expires; write when the token ends, as in 2027-03-01T00:00:00Z"},
      {Token("a", '0', "2099-01-01"), ".expires: '2099-01-01'" + time},
      {Token("a", '0', "2099-01-01T00:00:00"), ".expires: '2099-01-01T00:00:00'" + time},
      {Token("a", '0', "2099-02-30T00:00:00Z"), ".expires: '2099-02-30T00:00:00Z'" + time},
      {Token("a", '0', "infinite-future"), ".expires: 'infinite-future'" + time},
      {"{id: a, token: b, " + good + "}", ": unknown key 'token'; use one of id, sha256, expires"},
  };
  for (const auto& [tokens, expected] : table) {
    EXPECT_THAT(MistakesOf("tokens: " + tokens),
                ElementsAre("FILE:3: identities.app.tokens" + expected))
        << tokens;
  }
}

// Whoever writes a token where something else of it belongs does not find it in the log.
TEST_F(IdentityMistakesTest, ATokenIsNotShown) {
  const std::string token = "pst_app_" + std::string(43, 'Z');
  const auto mistakes = MistakesOf("tokens: {id: " + token + ", sha256: " + token +
                                   ", expires: 2099-01-01T00:00:00Z}");
  EXPECT_EQ(mistakes.size(), 2u);
  EXPECT_THAT(mistakes, Each(Not(HasSubstr("ZZZ"))));
}

TEST_F(IdentityMistakesTest, ATokenIsThereOnce) {
  EXPECT_THAT(MistakesIn("identities:\n"
                         "  app:\n"
                         "    tokens:\n"
                         "      - " +
                         Token("a", '0') +
                         "\n"
                         "      - " +
                         Token("a", '1') + "\n" + kGrants +
                         "  dba:\n"
                         "    tokens: " +
                         Token("b", '0') + "\n" + kGrants),
              ElementsAre("FILE:5: identities.app.tokens.id: 'a' is the id of another token, in "
                          "line 4; give each its own",
                          "FILE:8: identities.dba.tokens.sha256: is the SHA-256 of another token, "
                          "in line 4; make a new token with 'penstock token new'"));
}

TEST_F(IdentityMistakesTest, TwoTokensAreLive) {
  const std::string two = "      - " + Token("a", '0') + "\n      - " + Token("b", '1') + "\n";
  const std::string old = "      - " + Token("c", '2', "2020-01-01T00:00:00Z") + "\n";
  const std::string third = "      - " + Token("d", '3') + "\n";
  EXPECT_THAT(MistakesOf("tokens:\n" + two + old), IsEmpty());
  EXPECT_THAT(MistakesOf("tokens:\n" + two + old + third),
              ElementsAre("FILE:3: identities.app.tokens: has 3 tokens that have not expired; "
                          "keep at most 2, the one in use and its successor"));
}

TEST_F(IdentityMistakesTest, OfGrants) {
  const std::string keyspace =
      " is not a keyspace's name; use a letter from a to z, then up to 47 letters, digits and "
      "underscores";
  const auto limits = [](const std::string& right) {
    return ": limits the grant to keys, and the right " + right +
           " is of the whole database; move " + right +
           " to a grant without keyspaces and key_prefix";
  };
  const std::tuple<std::string, std::string> table[] = {
      {"[]", ": is an empty list; write at least one, or remove the key"},
      {"{rights: read}", ": has no database; name one, a list of them, or '*' for every one"},
      {"{database: mian, rights: read}",
       ".database: 'mian' is not a database of this file; did you mean 'main'?"},
      {"{database: [main, '**'], rights: read}",
       ".database: '**' is not a database of this file; use one of main"},
      {"{database: main}", ": has no rights; list some of read, write, migrate, admin"},
      {"{database: main, rights: []}",
       ".rights: is an empty list; write at least one, or remove the key"},
      {"{database: main, rights: [read, wirte]}",
       ".rights: 'wirte' is not one of read, write, migrate, admin; did you mean 'write'?"},
      {"{database: main, rights: Read}",
       ".rights: 'Read' is not one of read, write, migrate, admin; did you mean 'read'?"},
      {"{database: main, rights: read, keyspaces: 'A'}", ".keyspaces: 'A'" + keyspace},
      {"{database: main, rights: read, keyspaces: ''}",
       ".keyspaces: is empty; write something, or remove it"},
      {"{database: main, rights: read, key_prefix: ''}",
       ".key_prefix: is empty; write one, or remove the key"},
      {"{database: main, rights: [read, migrate], keyspaces: a}", ".keyspaces" + limits("migrate")},
      {"{database: main, rights: admin, key_prefix: a}", ".key_prefix" + limits("admin")},
      {"{database: main, rights: read, keyspace: a}",
       ": unknown key 'keyspace'; did you mean 'keyspaces'?"},
  };
  for (const auto& [grants, expected] : table) {
    EXPECT_THAT(MistakesIn("identities:\n  app:\n    unix_users: 1\n    grants: " + grants + "\n"),
                ElementsAre("FILE:4: identities.app.grants" + expected))
        << grants;
  }
}

TEST_F(IdentityMistakesTest, OfNames) {
  const std::tuple<std::string, std::string> table[] = {
      {"a b", "is not an identity's name; write letters, digits, '_' and '-', at most 64"},
      {std::string(65, 'a'),
       "is not an identity's name; write letters, digits, '_' and '-', at most 64"},
      {"local", "is a name that the daemon gives to callers itself; choose another name"},
      {"anonymous", "is a name that the daemon gives to callers itself; choose another name"},
  };
  for (const auto& [name, expected] : table) {
    EXPECT_THAT(MistakesIn("identities:\n  " + name + ":\n    unix_users: 1\n" + kGrants),
                ElementsAre("FILE:2: identities." + name + ": " + expected));
  }
}

TEST_F(IdentityMistakesTest, AnIdentityHasCredentialsAndGrants) {
  const std::string credential =
      "FILE:2: identities.app: has no credential; add one of tokens, certificates, unix_users, "
      "unix_groups, jwt_subjects";
  const std::string grants = "FILE:2: identities.app: has no grants; say what it may do";
  EXPECT_THAT(MistakesIn("identities:\n  app:\n"), ElementsAre(credential, grants));
  EXPECT_THAT(MistakesIn("identities:\n  app:\n" + std::string(kGrants)), ElementsAre(credential));
  EXPECT_THAT(MistakesIn("identities:\n  app:\n    unix_users: 1\n"), ElementsAre(grants));
}

TEST_F(IdentityMistakesTest, ACredentialProvesOneIdentity) {
  EXPECT_THAT(
      MistakesIn("identities:\n"
                 "  app:\n"
                 "    certificates: ['spiffe://a/b', 'dns:app.internal']\n"
                 "    unix_users: root\n"
                 "    unix_groups: 0\n"
                 "    jwt_subjects: app\n" +
                 std::string(kGrants) +
                 "  dba:\n"
                 "    certificates: ['dns:APP.internal', 'spiffe://a/b', 'spiffe://A/b']\n"
                 "    unix_users: 0\n"
                 "    unix_groups: 0\n"
                 "    jwt_subjects: app\n" +
                 kGrants + "jwt: {jwks_file: @/keys.json, algorithms: RS256, audience: a}\n"),
      ElementsAre("FILE:9: identities.dba.certificates: 'dns:APP.internal' proves the identity "
                  "'app' as well, in line 3; keep it at one of them",
                  "FILE:9: identities.dba.certificates: 'spiffe://a/b' proves the identity 'app' "
                  "as well, in line 3; keep it at one of them",
                  "FILE:10: identities.dba.unix_users: '0' proves the identity 'app' as well, in "
                  "line 4; keep it at one of them",
                  "FILE:11: identities.dba.unix_groups: '0' proves the identity 'app' as well, in "
                  "line 5; keep it at one of them",
                  "FILE:12: identities.dba.jwt_subjects: 'app' proves the identity 'app' as well, "
                  "in line 6; keep it at one of them"));
}

TEST_F(IdentityMistakesTest, OfJwt) {
  const std::string all = "RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384, EdDSA";
  const std::string secret =
      " has one secret for signing and for verifying, so that whoever verifies can sign as well; "
      "use one of " +
      all;
  const std::string file = "jwks_file: @/keys.json";
  const std::string algorithms = "algorithms: [RS256]";
  const std::string audience = "audience: a";
  const std::tuple<std::string, std::string, std::string, std::string> table[] = {
      {"", algorithms, audience, ": has no jwks_file; name the JSON Web Key Set of the issuer"},
      {file, "", audience,
       ": has no algorithms; list those with which the issuer signs, as in [RS256]"},
      {file, algorithms, "",
       ": has no audience; write what `aud` is in the tokens for this daemon"},
      {file, algorithms, "audience: ''",
       ".audience: is empty; write what `aud` is in the tokens for this daemon"},
      {file, "algorithms: []", audience,
       ".algorithms: is an empty list; write at least one, or remove the key"},
      {file, "algorithms: [RS256, none]", audience,
       ".algorithms: 'none' would let in tokens that nobody has signed; use one of " + all},
      {file, "algorithms: HS256", audience, ".algorithms: 'HS256'" + secret},
      {file, "algorithms: hs512", audience, ".algorithms: 'hs512'" + secret},
      {file, "algorithms: rs256", audience,
       ".algorithms: 'rs256' is not one of " + all + "; did you mean 'RS256'?"},
      {file, "algorithms: ES512", audience,
       ".algorithms: 'ES512' is not one of " + all + "; did you mean 'RS512'?"},
      {"jwks_file: @/none.json", algorithms, audience,
       ".jwks_file: '@/none.json' cannot be read: No such file or directory; name a JSON Web Key "
       "Set that this user may read"},
      {"jwks_file: @/open.json", algorithms, audience,
       ".jwks_file: '@/open.json' is a file that everybody can write to, and so let themselves "
       "in; run chmod o-w on it"},
      {"jwks_file: @/words.json", algorithms, audience,
       ".jwks_file: '@/words.json' is not JSON; put a JSON Web Key Set there"},
      {"jwks_file: @/cut.json", algorithms, audience,
       ".jwks_file: '@/cut.json' is not JSON; put a JSON Web Key Set there"},
      {"jwks_file: @/other.json", algorithms, audience,
       ".jwks_file: '@/other.json' has no list 'keys'; put a JSON Web Key Set there"},
      {"jwks_file: @/one.json", algorithms, audience,
       ".jwks_file: '@/one.json' has no list 'keys'; put a JSON Web Key Set there"},
  };
  for (const auto& [one, two, three, expected] : table) {
    std::string keys;
    for (const std::string& key : {one, two, three}) {
      if (!key.empty()) keys += (keys.empty() ? "" : ", ") + key;
    }
    EXPECT_THAT(MistakesIn("jwt: {" + keys + "}\n"), ElementsAre("FILE:1: jwt" + expected)) << keys;
  }
}

TEST_F(IdentityMistakesTest, AllAreToldAtOnce) {
  EXPECT_THAT(MistakesIn("identities:\n"
                         "  local:\n"
                         "    unix_users: no-such-user\n"
                         "    grants:\n"
                         "      - database: mian\n"
                         "        rights: [raed]\n"
                         "jwt: {jwks_file: @/keys.json}\n"),
              ElementsAre(HasSubstr("FILE:2: identities.local: is a name"),
                          HasSubstr("FILE:3: identities.local.unix_users: 'no-such-user'"),
                          HasSubstr("FILE:5: identities.local.grants.database: 'mian'"),
                          HasSubstr("FILE:6: identities.local.grants.rights: 'raed'"),
                          HasSubstr("FILE:7: jwt: has no algorithms"),
                          HasSubstr("FILE:7: jwt: has no audience")));
}

}  // namespace
}  // namespace penstock::server
