// The file of the key set: what it may have, and that it may be replaced.
#include <atomic>
#include <filesystem>
#include <fstream>
#include <thread>
#include <vector>

#include "fmt/format.h"
#include "server/auth/jwt/key_set.h"
#include "tests/unit/auth/jwt_fixture.h"

namespace penstock::server {
namespace {

using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

class JwtKeyFileTest : public JwtTest {
 protected:
  // Returns what is wrong with the configuration, or "".
  std::string Problem() const {
    const absl::StatusOr<std::unique_ptr<JwtVerifier>> opened = JwtVerifier::Open(config_);
    if (opened.ok()) return "";
    EXPECT_EQ(opened.status().code(), absl::StatusCode::kInvalidArgument);
    return std::string(opened.status().message());
  }

  // Returns why this key by itself is of no use, or "".
  static std::string WhyNot(const Members& key) {
    const absl::StatusOr<jwt::KeySet> set = jwt::KeySet::Parse(KeySetText({key}));
    return set.ok() ? "" : std::string(set.status().message());
  }

  static std::string TokenOfKid(const char* kid) {
    Members header = Header();
    header["kid"] = fmt::format("\"{}\"", kid);
    return Token(header, Claims());
  }

  // A key set that has EcKey() under this name.
  void WriteKid(const char* kid) const {
    WriteKeys({EcKey().Jwk({{"kid", fmt::format("\"{}\"", kid)}})});
  }
};

TEST_F(JwtKeyFileTest, OpenNamesWhatIsWrong) {
  config_.algorithms.clear();
  EXPECT_THAT(Problem(), StartsWith("algorithms is empty; name one of RS256, RS384,"));
  config_.algorithms = {"rs256"};
  EXPECT_THAT(Problem(), StartsWith("algorithms has 'rs256', which is not accepted; use one of"));
  config_.algorithms = {"RS256"};
  config_.audience = "";
  EXPECT_EQ(Problem(), "audience is empty; write what `aud` has to be");
  config_.audience = "penstock";
  EXPECT_EQ(Problem(), "");
  const std::string name = fmt::format("jwks_file '{}': ", config_.jwks_file);
  for (const char* wrong : {"", "{", "[]", R"({"keys":[],"keys":[]})"}) {
    Write(wrong);
    EXPECT_EQ(Problem(), name +
                             "it is not a JSON object with each name once; write a JSON Web Key "
                             "Set")
        << wrong;
  }
  Write(R"({"keys":{}})");
  EXPECT_EQ(Problem(), name + "it has no list 'keys'; write a JSON Web Key Set");
  Write(R"({"keys":[]})");
  EXPECT_EQ(Problem(), name + "its list 'keys' is empty; add a public key");
  Write(R"({"keys":[1]})");
  EXPECT_EQ(Problem(),
            name + "none of its keys can be used, key 1: it is not a JSON object; write one");
  std::filesystem::remove(config_.jwks_file);
  EXPECT_EQ(Problem(), name +
                           "No such file or directory; name a JSON Web Key Set that this user "
                           "may read");
}

TEST_F(JwtKeyFileTest, AFileHasAtMost1MiB) {
  std::string text = KeySetText({EcKey().Jwk()});
  text.resize(size_t{1} << 20, ' ');
  Write(text);
  EXPECT_EQ(Problem(), "");
  Write(text + " ");
  EXPECT_THAT(Problem(), HasSubstr("it has more than 1048576 bytes; "));
}

TEST_F(JwtKeyFileTest, AKeyIsForVerifyingSignatures) {
  EXPECT_EQ(WhyNot(RsaKey().Jwk({{"use", R"("sig")"}, {"key_ops", R"(["sign","verify"])"}})), "");
  EXPECT_EQ(WhyNot(RsaKey().Jwk({{"kid", R"("x")"}, {"use", R"("enc")"}})),
            "none of its keys can be used, key 'x': its use is 'enc'; use one for 'sig'");
  EXPECT_THAT(WhyNot(RsaKey().Jwk({{"use", R"("")"}})), HasSubstr("its use is ''"));
  EXPECT_THAT(WhyNot(RsaKey().Jwk({{"use", "7"}})), HasSubstr("its use is not a text"));
  for (const char* operations : {R"(["sign"])", "[]", R"("verify")", "[7]"}) {
    EXPECT_THAT(WhyNot(RsaKey().Jwk({{"key_ops", operations}})),
                HasSubstr("its key_ops do not have 'verify'"));
  }
  EXPECT_THAT(WhyNot(RsaKey().Jwk({{"alg", R"("RSA-OAEP")"}})), HasSubstr("its alg is 'RSA-OAEP'"));
  EXPECT_THAT(WhyNot(RsaKey().Jwk({{"kid", "7"}})), HasSubstr("its kid is not a text"));
}

TEST_F(JwtKeyFileTest, AKeyIsPublicSoundAndStrong) {
  EXPECT_THAT(WhyNot({{"kty", R"("oct")"}, {"k", R"("c2VjcmV0")"}}),
              HasSubstr("its kty is 'oct'; use RSA, EC or OKP"));
  EXPECT_THAT(WhyNot({{"kid", R"("x")"}}), HasSubstr("it has no text 'kty'; give it one"));
  EXPECT_THAT(WhyNot(SigningKey("RSA", 1024).Jwk()),
              HasSubstr("it is an RSA key of 1024 bits; use one of 2048 to 16384"));
  EXPECT_THAT(WhyNot(RsaKey().Jwk({{"n", "7"}})), HasSubstr("it has no text 'n'"));
  EXPECT_THAT(WhyNot(RsaKey().Jwk({{"e", R"("AQAB=")"}})), HasSubstr("its 'e' is not base64url"));
  // With an exponent of 1 everybody can sign.
  EXPECT_THAT(WhyNot(RsaKey().Jwk({{"e", R"("AQ")"}})), HasSubstr("its numbers are no public key"));
  EXPECT_THAT(WhyNot(RsaKey().Jwk({{"e", R"("")"}})), HasSubstr("its numbers are no public key"));
  EXPECT_THAT(WhyNot(EcKey().Jwk({{"crv", R"("P-384")"}})),
              HasSubstr("its x and y have 32 and 32 bytes; write 48 for each"));
  EXPECT_THAT(WhyNot(EcKey().Jwk({{"crv", R"("secp256k1")"}})), HasSubstr("its crv is"));
  // A point that is not on the curve.
  EXPECT_THAT(WhyNot(EcKey().Jwk({{"y", EcKey().Jwk()["x"]}})),
              HasSubstr("its numbers are no public key"));
  EXPECT_THAT(WhyNot(SigningKey("Ed25519").Jwk({{"x", R"("AQAB")"}})),
              HasSubstr("its numbers are no public key"));
  EXPECT_THAT(WhyNot(SigningKey("Ed25519").Jwk({{"crv", R"("X25519")"}})),
              HasSubstr("its crv is 'X25519'; use Ed25519"));
}

TEST_F(JwtKeyFileTest, AKeyThatIsOfNoUseDoesNotSpoilTheOthers) {
  const absl::StatusOr<jwt::KeySet> set = jwt::KeySet::Parse(
      KeySetText({RsaKey().Jwk({{"kid", R"("x")"}, {"use", R"("enc")"}}), EcKey().Jwk()}));
  ASSERT_TRUE(set.ok()) << set.status();
  EXPECT_EQ(set->size(), 1u);
  EXPECT_THAT(set->left_out(), ElementsAre("key 'x': its use is 'enc'; use one for 'sig'"));
}

TEST_F(JwtKeyFileTest, AnUnknownKidReadsTheFileAgain) {
  EXPECT_EQ(Reason(TokenOfKid("e")), "");
  WriteKid("new");
  EXPECT_EQ(Reason(TokenOfKid("new"), kNow + seconds(1)), "");
  // Not so again within five seconds.
  WriteKid("newer");
  EXPECT_EQ(Reason(TokenOfKid("newer"), kNow + seconds(4)),
            "the token's kid 'newer' is no known key");
}

TEST_F(JwtKeyFileTest, AnUnknownKidReadsTheFileOnceInFiveSeconds) {
  EXPECT_EQ(Reason(TokenOfKid("e")), "");
  EXPECT_NE(Reason(TokenOfKid("new"), kNow + seconds(3)), "");
  // The file is looked at without a reason at kNow + 5 s, and for a reason at kNow + 8 s.
  EXPECT_EQ(Reason(TokenOfKid("e"), kNow + seconds(5)), "");
  WriteKid("new");
  EXPECT_NE(Reason(TokenOfKid("new"), kNow + seconds(7)), "");
  EXPECT_EQ(Reason(TokenOfKid("other"), kNow + seconds(8)),
            "the token's kid 'other' is no known key");
  EXPECT_EQ(Reason(TokenOfKid("new"), kNow + seconds(8)), "");
}

TEST_F(JwtKeyFileTest, AnotherKeyOfTheSameKidIsReadAtOnce) {
  EXPECT_EQ(Reason(TokenOfKid("e")), "");
  const SigningKey next("P-256");
  WriteKeys({next.Jwk({{"kid", R"("e")"}})});
  EXPECT_EQ(Reason(TokenBy(next, "ES256", Header(), Claims()), kNow + seconds(1)), "");
  EXPECT_EQ(Reason(TokenOfKid("e"), kNow + seconds(1)),
            "the token is not signed by the key of its kid 'e'");
}

TEST_F(JwtKeyFileTest, AKeyThatIsTakenOutIsRefusedSoon) {
  EXPECT_EQ(Reason(TokenOfKid("e")), "");
  WriteKid("new");
  EXPECT_EQ(Reason(TokenOfKid("e"), kNow + seconds(4)), "");
  EXPECT_EQ(Reason(TokenOfKid("e"), kNow + seconds(5)), "the token's kid 'e' is no known key");
  // A clock that is set back does not keep the file from being looked at.
  WriteKid("e");
  EXPECT_EQ(Reason(TokenOfKid("e"), kNow - seconds(60)), "");
}

TEST_F(JwtKeyFileTest, ABadFileKeepsTheLastKeys) {
  const std::string good =
      KeySetText({EcKey().Jwk({{"kid", R"("e")"}}), RsaKey().Jwk({{"kid", R"("r")"}})});
  Time now = kNow;
  for (const std::string& bad : {std::string(), good.substr(0, good.size() / 2),
                                 std::string(R"({"keys":[]})"), std::string("\0\0\0", 3)}) {
    Write(bad);
    EXPECT_EQ(Reason(TokenOfKid("e"), now += seconds(5)), "") << bad;
    EXPECT_EQ(Reason(TokenOfKid("new"), now), "the token's kid 'new' is no known key");
    EXPECT_TRUE(verifier_->key_set_has_problem());
  }
  std::filesystem::remove(config_.jwks_file);
  EXPECT_EQ(Reason(TokenOfKid("e"), now += seconds(5)), "");
  // The next look finds the file whole.
  WriteKid("new");
  EXPECT_EQ(Reason(TokenOfKid("new"), now += seconds(5)), "");
  EXPECT_FALSE(verifier_->key_set_has_problem());
}

TEST_F(JwtKeyFileTest, ThreadsVerifyWhileTheFileIsReplaced) {
  const Members stays = EcKey().Jwk({{"kid", R"("e")"}});
  const Members comes = EcKey().Jwk({{"kid", R"("new")"}});
  std::atomic<int> clock = 0;
  std::atomic<bool> done = false;
  std::atomic<int> rounds = 0;
  std::atomic<int> refused = 0;
  const std::string old_token = TokenOfKid("e");
  const std::string new_token = TokenOfKid("new");
  const auto verify = [&] {
    while (!done) {
      // Most threads look at the file for a reason of their own.
      const Time now = kNow + seconds(clock.fetch_add(1) % 3000);
      refused += Verify(old_token, now).ok() ? 0 : 1;
      const absl::Status status = Verify(new_token, now).status();
      EXPECT_TRUE(status.ok() || absl::IsUnauthenticated(status)) << status;
      ++rounds;
    }
  };
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) threads.emplace_back(verify);
  for (int i = 0; i < 50; ++i) {
    WriteKeys(i % 2 == 0 ? std::vector{stays, comes} : std::vector{stays});
    // In place, as one should not.
    if (i % 10 == 0) std::ofstream(config_.jwks_file) << R"({"keys":[)";
    const int before = rounds;
    while (rounds < before + 20) std::this_thread::yield();
  }
  done = true;
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(refused, 0);
  WriteKeys({comes});
  EXPECT_EQ(Reason(new_token, kNow + seconds(3010)), "");
  EXPECT_EQ(Reason(old_token, kNow + seconds(3010)), "the token's kid 'e' is no known key");
}

}  // namespace
}  // namespace penstock::server
