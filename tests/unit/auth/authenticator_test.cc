#include "server/auth/authenticator.h"

#include <openssl/sha.h>
#include <unistd.h>

#include <chrono>
#include <string>

#include "drivers/api/error.h"
#include "fmt/format.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace penstock::server {
namespace {

using driver::Reason;
using std::chrono::hours;
using ::testing::HasSubstr;
using ::testing::Not;

const Authenticator::Time kNow = std::chrono::system_clock::now();

std::string Token(const std::string& id, char fill = 'A') {
  return fmt::format("pst_{}_{}", id, std::string(43, fill));
}

TokenConfig Known(const std::string& id, Authenticator::Time expires, char fill = 'A') {
  const std::string token = Token(id, fill);
  std::string digest(SHA256_DIGEST_LENGTH, '\0');
  SHA256(reinterpret_cast<const unsigned char*>(token.data()), token.size(),
         reinterpret_cast<unsigned char*>(digest.data()));
  return {.id = id, .sha256 = digest, .expires = expires};
}

GrantConfig Everything() {
  return {.database = "*", .rights = Rights::All(), .keyspaces = {}, .key_prefix = {}};
}

IdentityConfigs TwoIdentities() {
  IdentityConfigs identities;
  IdentityConfig& app = identities["app"];
  app.tokens = {Known("app-1", kNow + hours(1)), Known("app_2", kNow + hours(2), '_')};
  app.certificates = {"spiffe://example.org/app", "dns:app.internal", "cn:app"};
  app.unix_users = {4711};
  app.grants = {Everything()};
  IdentityConfig& other = identities["other"];
  other.tokens = {Known("other", kNow + hours(1), 'B')};
  other.unix_groups = {4712};
  other.grants = {Everything()};
  return identities;
}

class Authentication : public ::testing::Test {
 protected:
  Authentication() { Load(TwoIdentities()); }

  void Load(const IdentityConfigs& identities) {
    ASSERT_TRUE(authenticator_.Load(identities, {}).ok());
  }
  absl::StatusOr<Access> Ask(const Presented& presented) const {
    return authenticator_.Authenticate(presented, kNow);
  }
  absl::StatusOr<Access> ByToken(const std::string& value) const {
    return Ask({.process = {}, .certificate_names = {}, .authorizations = {value}});
  }
  absl::StatusOr<Access> ByNames(const std::vector<std::string>& names) const {
    return Ask({.process = {}, .certificate_names = names, .authorizations = {}});
  }
  absl::StatusOr<Access> ByProcess(uid_t uid, std::vector<gid_t> groups = {}) const {
    return Ask({.process = PeerProcess{.uid = uid, .groups = std::move(groups)},
                .certificate_names = {},
                .authorizations = {}});
  }
  static std::string NameOf(const absl::StatusOr<Access>& access) {
    return access.ok() ? access->principal->name() : std::string(access.status().message());
  }
  static bool IsRefused(const absl::StatusOr<Access>& access) {
    return driver::GetErrorInfo(access.status()).reason == Reason::kUnauthenticated;
  }

  Authenticator authenticator_;
};

TEST_F(Authentication, WithoutIdentitiesEverybodyIsLocal) {
  Load({});
  EXPECT_FALSE(authenticator_.configured());
  EXPECT_EQ(NameOf(Ask({})), "local");
}

// Who came in before there were identities does not stay for ever; who then proves to be the
// daemon's own user does.
TEST_F(Authentication, IdentitiesThatAreAddedRevokeWhoeverCameWithout) {
  Load({});
  const absl::StatusOr<Access> anybody = Ask({});
  Load({});
  EXPECT_TRUE(anybody->Check(kNow).ok()) << "nothing has changed";
  Load(TwoIdentities());
  EXPECT_FALSE(anybody->Check(kNow).ok());
  const absl::StatusOr<Access> own = ByProcess(geteuid());
  Load(TwoIdentities());
  EXPECT_TRUE(own->Check(kNow).ok());
  Load({});
  EXPECT_TRUE(Ask({})->Check(kNow).ok());
}

TEST_F(Authentication, ByToken) {
  EXPECT_EQ(NameOf(ByToken("Bearer " + Token("app-1"))), "app");
  EXPECT_EQ(NameOf(ByToken("bearer " + Token("app-1"))), "app") << "the scheme has no case";
  EXPECT_EQ(NameOf(ByToken("Bearer " + Token("app_2", '_'))), "app") << "underscores everywhere";
  EXPECT_EQ(NameOf(ByToken("Bearer " + Token("other", 'B'))), "other");
  EXPECT_EQ(ByToken("Bearer " + Token("app-1"))->until, kNow + hours(1));
}

TEST_F(Authentication, AWrongTokenIsRefusedAndNotShown) {
  const std::vector<std::string> wrong = {"Bearer " + Token("app-1", 'B'),
                                          "Bearer " + Token("unknown"),
                                          "Bearer " + Token("APP-1"),
                                          "Bearer PST_app-1_" + std::string(43, 'A'),
                                          "Bearer " + Token("app-1") + "A",
                                          "Bearer  " + Token("app-1"),
                                          "Bearer " + Token("app-1") + " ",
                                          Token("app-1"),
                                          "Bearer",
                                          "Bearer ",
                                          "",
                                          "Basic dXNlcjpwYXNz",
                                          "Bearer pst_",
                                          "Bearer pst__" + std::string(43, 'A'),
                                          "Bearer " + std::string(20'000, 'A')};
  for (const std::string& value : wrong) {
    const absl::StatusOr<Access> refused = ByToken(value);
    EXPECT_TRUE(IsRefused(refused)) << value;
    EXPECT_THAT(std::string(refused.status().message()), Not(HasSubstr("AAAA")));
  }
}

TEST_F(Authentication, AnExpiredTokenSaysSo) {
  const std::string token = "Bearer " + Token("app-1");
  const auto refused = authenticator_.Authenticate(
      {.process = {}, .certificate_names = {}, .authorizations = {token}}, kNow + hours(1));
  EXPECT_TRUE(IsRefused(refused));
  EXPECT_EQ(refused.status().message(), "the token of identity 'app' has expired");
}

TEST_F(Authentication, TwoTokensAreRefused) {
  const std::string token = "Bearer " + Token("app-1");
  EXPECT_TRUE(
      IsRefused(Ask({.process = {}, .certificate_names = {}, .authorizations = {token, token}})));
}

TEST_F(Authentication, ATokenThatOthersMayHaveReadIsRefused) {
  const std::string token = "Bearer " + Token("app-1");
  EXPECT_TRUE(IsRefused(
      Ask({.process = {}, .certificate_names = {}, .authorizations = {token}, .overheard = true})));
}

TEST_F(Authentication, ByCertificate) {
  EXPECT_EQ(NameOf(ByNames({"uri:spiffe://example.org/app"})), "app");
  EXPECT_EQ(NameOf(ByNames({"uri:unknown", "dns:app.internal"})), "app");
  EXPECT_EQ(NameOf(ByNames({"cn:app"})), "app");
  EXPECT_TRUE(IsRefused(ByNames({"cn:unknown"})));
  EXPECT_TRUE(IsRefused(ByNames({})));
  // A name of one kind is none of another.
  EXPECT_TRUE(IsRefused(ByNames({"cn:app.internal"})));
  EXPECT_TRUE(IsRefused(ByNames({"uri:dns:app.internal"})));
  EXPECT_TRUE(IsRefused(ByNames({"dns:spiffe://example.org/app"})));
}

TEST_F(Authentication, ByProcess) {
  EXPECT_EQ(NameOf(ByProcess(4711)), "app");
  EXPECT_EQ(NameOf(ByProcess(1, {5, 4712})), "other");
  EXPECT_TRUE(IsRefused(ByProcess(4713, {4713})));
  EXPECT_EQ(NameOf(ByProcess(geteuid())), "local");
  EXPECT_EQ(NameOf(ByProcess(0)), "local");
}

TEST_F(Authentication, ProofsOfTwoIdentitiesAreRefused) {
  const std::string token = "Bearer " + Token("other", 'B');
  const absl::StatusOr<Access> refused =
      Ask({.process = {}, .certificate_names = {"cn:app"}, .authorizations = {token}});
  EXPECT_TRUE(IsRefused(refused));
  EXPECT_THAT(std::string(refused.status().message()), HasSubstr("'other'"));
  EXPECT_TRUE(IsRefused(Ask({.process = PeerProcess{.uid = 4711, .groups = {}},
                             .certificate_names = {},
                             .authorizations = {token}})));
  // The daemon's own user is no identity of the configuration, and may use anybody's token.
  EXPECT_EQ(NameOf(Ask({.process = PeerProcess{.uid = geteuid(), .groups = {}},
                        .certificate_names = {},
                        .authorizations = {token}})),
            "other");
}

TEST_F(Authentication, AWrongTokenIsNotMadeGoodByAnotherProof) {
  const std::string token = "Bearer " + Token("app-1", 'B');
  EXPECT_TRUE(
      IsRefused(Ask({.process = {}, .certificate_names = {"cn:app"}, .authorizations = {token}})));
}

// A call that goes on is asked again at each request.
TEST_F(Authentication, AReloadRevokesWhatHasChangedAndNothingElse) {
  const absl::StatusOr<Access> first = ByToken("Bearer " + Token("app-1"));
  const absl::StatusOr<Access> second = ByToken("Bearer " + Token("app_2", '_'));
  const absl::StatusOr<Access> other = ByToken("Bearer " + Token("other", 'B'));
  IdentityConfigs identities = TwoIdentities();
  identities["app"].tokens = {identities["app"].tokens[1], Known("app-3", kNow + hours(3), 'C')};
  identities["other"].grants[0].rights = Rights().With(Right::kRead);
  Load(identities);
  EXPECT_FALSE(first->Check(kNow).ok());
  EXPECT_TRUE(second->Check(kNow).ok());
  EXPECT_FALSE(other->Check(kNow).ok()) << "it has other rights";
  EXPECT_TRUE(IsRefused(ByToken("Bearer " + Token("app-1"))));
  EXPECT_EQ(NameOf(ByToken("Bearer " + Token("app-3", 'C'))), "app");
  EXPECT_FALSE(second->Check(kNow + hours(2)).ok()) << "it has expired meanwhile";
}

TEST_F(Authentication, AnIdentityHasOneQuotaForAllCredentialsAndOverReloads) {
  const absl::StatusOr<Access> by_token = ByToken("Bearer " + Token("app-1"));
  const absl::StatusOr<Access> by_name = ByNames({"cn:app"});
  const absl::StatusOr<Access> other = ByToken("Bearer " + Token("other", 'B'));
  ASSERT_TRUE(by_token.ok() && by_name.ok() && other.ok());
  Quota* const quota = &by_token->principal->quota();
  EXPECT_EQ(&by_name->principal->quota(), quota);
  EXPECT_NE(&other->principal->quota(), quota);
  EXPECT_EQ(quota->name(), "app");
  const auto share = quota->Admit(/*transaction=*/false, {});
  IdentityConfigs identities = TwoIdentities();
  identities["app"].grants[0].rights = Rights().With(Right::kRead);
  identities["app"].limits.max_calls = 1;
  Load(identities);
  EXPECT_EQ(&ByNames({"cn:app"})->principal->quota(), quota) << "although it has other rights";
  EXPECT_FALSE(quota->Admit(/*transaction=*/false, {}).ok()) << "what is under way counts";
  const auto quotas = authenticator_.quotas();
  ASSERT_EQ(quotas.size(), 3u);
  EXPECT_EQ(quotas[0]->name(), "local");
  EXPECT_EQ(quotas[1].get(), quota);
  EXPECT_EQ(quotas[2]->name(), "other");
}

}  // namespace
}  // namespace penstock::server
