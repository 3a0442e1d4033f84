// Who may have what HTTP serves: every path of the table, by callers with each right.
#include <openssl/sha.h>

#include <chrono>
#include <map>
#include <string>

#include "fmt/format.h"
#include "gmock/gmock.h"
#include "server/auth/authenticator.h"
#include "server/auth/failed_attempts.h"
#include "server/http/guard.h"
#include "server/metrics/methods.h"
#include "server/metrics/metrics.h"
#include "tests/conformance/identities.h"
#include "tests/unit/http/fixture.h"

namespace penstock::server {
namespace {

using penstock::testing::Identity;
using penstock::testing::TokenOf;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

// A server whose address other machines could reach, as far as its guard knows.
class HttpRights : public HttpServerTest {
 protected:
  HttpRights() {
    const std::map<std::string, Right> rights = {{"reader", Right::kRead},
                                                 {"writer", Right::kWrite},
                                                 {"migrator", Right::kMigrate},
                                                 {"admin", Right::kAdmin}};
    for (const auto& [name, right] : rights) {
      identities_.emplace(name, Identity(name, "*", Rights().With(right)));
    }
    identities_.emplace("root", Identity("root", "*", Rights::All()));
    IdentityConfig prometheus = Identity("prometheus", "*", Rights());
    prometheus.grants.clear();
    prometheus.metrics = true;
    identities_.emplace("prometheus", prometheus);
    Load();
  }

  void Load() { ASSERT_TRUE(authenticator_.Load(identities_, {}).ok()); }

  void Begin() {
    admit_ = [this](HttpPath path, const HttpCaller& caller) { return guard_.Admit(path, caller); };
    Start();
  }

  static std::string Bearer(const std::string& identity) {
    return "Authorization: Bearer " + TokenOf(identity) + "\r\n";
  }
  // The code of the answer.
  std::string Code(HttpPath path, const std::string& headers) const {
    return Ask("GET", std::string(RowOf(path).path), headers).substr(9, 3);
  }

  IdentityConfigs identities_;
  Authenticator authenticator_;
  FailedAttempts failed_attempts_;
  ServerMetrics counts_;
  const HttpGuard guard_{&authenticator_, &failed_attempts_, &counts_, /*is_open=*/false};
};

TEST_F(HttpRights, EveryPathNeedsWhatTheTableSays) {
  Begin();
  for (size_t i = 0; i < kHttpRows.size(); ++i) {
    const auto path = static_cast<HttpPath>(i);
    const Need need = RowOf(path).need;
    SCOPED_TRACE(RowOf(path).path);
    ASSERT_TRUE(need == Need::kNothing || need == Need::kMetrics) << "a case is missing below";
    const std::string unknown = need == Need::kNothing ? "200" : "401";
    for (const std::string& wrong :
         {std::string(), Bearer("nobody"), std::string("Authorization: Basic cm9vdDpyb290\r\n"),
          Bearer("prometheus") + Bearer("prometheus")}) {
      EXPECT_EQ(Code(path, wrong), unknown) << wrong;
    }
    for (const auto& [name, identity] : identities_) {
      const bool allowed = need == Need::kNothing || name == "prometheus";
      EXPECT_EQ(Code(path, Bearer(name)), allowed ? "200" : "403") << name;
    }
  }
}

TEST_F(HttpRights, ARefusalSaysWhatIsMissing) {
  Begin();
  EXPECT_THAT(Ask("GET", "/metrics"),
              AllOf(StartsWith("HTTP/1.1 401 "),
                    HasSubstr("WWW-Authenticate: Bearer realm=\"penstock\"\r\n"),
                    Not(HasSubstr("penstock_up"))));
  EXPECT_THAT(
      Ask("GET", "/metrics", Bearer("nobody")),
      AllOf(HasSubstr("WWW-Authenticate: Bearer realm=\"penstock\", error=\"invalid_token\"\r\n"),
            HasSubstr("the token is not valid"), Not(HasSubstr("xxxx"))));
  EXPECT_THAT(Ask("GET", "/metrics", Bearer("admin")),
              AllOf(StartsWith("HTTP/1.1 403 "),
                    HasSubstr("identity 'admin' may not read metrics\nset 'metrics: true'"),
                    Not(HasSubstr("penstock_up"))));
  EXPECT_THAT(Ask("HEAD", "/metrics"), StartsWith("HTTP/1.1 401 "));
  EXPECT_THAT(Ask("GET", "/metrics", Bearer("prometheus")), HasSubstr("penstock_up 1\n"));
}

// They count together with calls of gRPC, whose guard has the same objects.
TEST_F(HttpRights, WhoKeepsFailingIsNotToldWhy) {
  Begin();
  for (int i = 0; i < FailedAttempts::kMost; ++i) {
    EXPECT_EQ(Code(HttpPath::kMetrics, Bearer("nobody")), "401");
  }
  EXPECT_EQ(counts_.calls_throttled.value(), 0);
  EXPECT_THAT(Ask("GET", "/metrics", Bearer("nobody")),
              AllOf(StartsWith("HTTP/1.1 429 "), HasSubstr("present right credentials, or wait"),
                    Not(HasSubstr("the token is not valid"))));
  EXPECT_EQ(counts_.calls_refused.value(), FailedAttempts::kMost + 1);
  EXPECT_EQ(counts_.calls_throttled.value(), 1);
  EXPECT_EQ(Code(HttpPath::kMetrics, Bearer("prometheus")), "200");
  EXPECT_EQ(Code(HttpPath::kReady, ""), "200");
}

// HTTP has no TLS.
TEST_F(HttpRights, ATokenOfAnotherMachineIsRefused) {
  const HttpCaller near{.peer = "127.0.0.1", .authorizations = {"Bearer " + TokenOf("prometheus")}};
  EXPECT_TRUE(guard_.Admit(HttpPath::kMetrics, near).ok());
  HttpCaller far = near;
  far.peer = "192.0.2.1";
  const absl::Status refused = guard_.Admit(HttpPath::kMetrics, far);
  EXPECT_THAT(std::string(refused.message()), HasSubstr("came over a network without TLS"));
  EXPECT_TRUE(guard_.Admit(HttpPath::kReady, far).ok());
}

TEST_F(HttpRights, WithoutIdentitiesOrWhereItIsOpenEverybodyMayHaveAll) {
  const HttpCaller anybody{.peer = "192.0.2.1", .authorizations = {}};
  const HttpGuard open(&authenticator_, &failed_attempts_, &counts_, /*is_open=*/true);
  EXPECT_TRUE(open.Admit(HttpPath::kMetrics, anybody).ok());
  EXPECT_FALSE(guard_.Admit(HttpPath::kMetrics, anybody).ok());
  identities_.clear();
  Load();
  EXPECT_TRUE(guard_.Admit(HttpPath::kMetrics, anybody).ok());
}

TEST_F(HttpRights, AnIdentityThatLosesTheRightIsRefused) {
  Begin();
  EXPECT_EQ(Code(HttpPath::kMetrics, Bearer("prometheus")), "200");
  identities_["prometheus"].metrics = false;
  Load();
  EXPECT_EQ(Code(HttpPath::kMetrics, Bearer("prometheus")), "403");
}

}  // namespace
}  // namespace penstock::server
