// Verifies JSON Web Tokens (RFC 7519) against a file with a JSON Web Key Set (RFC 7517).
#ifndef PENSTOCK_SERVER_AUTH_JWT_H_
#define PENSTOCK_SERVER_AUTH_JWT_H_

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "server/config/identity.h"

namespace penstock::server {

namespace jwt {
struct Algorithm;
struct Generation;
struct SignedToken;
class KeyFile;
}  // namespace jwt

// How far the clock of who issues tokens may be from ours.
inline constexpr std::chrono::seconds kTokenLeeway{30};
// The longest token, with its signature. A longer one is refused before anything of it is read.
inline constexpr size_t kLongestToken = size_t{16} << 10;

// The claims of a token whose signature is right. They are UTF-8, of up to kLongestToken bytes
// together.
struct Claims {
  // By name: a text as it is, which may have any character, and anything else as JSON. Not among
  // them is a claim that is null, and one that has a number of more than 64 bits, which would not
  // be kept exactly: two people would have the same.
  std::map<std::string, std::string, std::less<>> by_name;
  // All of them: the JSON object that the token has.
  std::string json;
};

// What a token says whose signature, audience and issuer are right.
struct VerifiedToken {
  // `sub`: 1 to 255 printable ASCII characters.
  std::string subject;
  // The token is accepted from `valid_from` on and before `expires`: `nbf` and `exp`, with the
  // leeway on either side.
  std::chrono::system_clock::time_point valid_from;
  std::chrono::system_clock::time_point expires;
  // Never null; `sub` is among them.
  std::shared_ptr<const Claims> claims;
};

// Accepts tokens in compact form that are signed by a key of the file, with an algorithm of the
// configuration that the key is for. A key is chosen by `kid`; a token without needs to have one
// key only that it can be from. `aud` has to have the audience, `iss` to be the issuer if one is
// configured, and `sub`, `nbf` and `exp` have to be there. `crit`, a name that is there twice, and
// encodings that are not strict are refused.
//
// The file may be replaced at any time, best by a rename: see jwt/key_file.h. A token that no key
// verifies makes the verifier read it again at once, but not more often than every 5 seconds.
//
// Thread-safe.
class JwtVerifier {
 public:
  using Time = std::chrono::system_clock::time_point;

  // Reads the key set. The error, kInvalidArgument, names the member of `config` that is wrong, and
  // what to do.
  static absl::StatusOr<std::unique_ptr<JwtVerifier>> Open(const JwtConfig& config);

  ~JwtVerifier();
  JwtVerifier(const JwtVerifier&) = delete;
  JwtVerifier& operator=(const JwtVerifier&) = delete;

  // Returns what the token says, or kUnauthenticated with a reason and a hint, as driver::MakeError
  // makes them, which show nothing of the token but its `alg` and `kid`. A token that was seen
  // lately costs no signature, whether it is right or wrong. May read the file, and may wait for
  // another thread that does. `now` is the time at which the token has to be valid.
  absl::StatusOr<VerifiedToken> Verify(std::string_view token, Time now);

  // Tells whether the key set's file could not be used when it was looked at last, so that older
  // keys go on.
  bool key_set_has_problem() const;

  // How many signatures were computed.
  uint64_t signatures() const { return signatures_.load(std::memory_order_relaxed); }

 private:
  JwtVerifier(const JwtConfig& config, std::vector<const jwt::Algorithm*> algorithms,
              std::unique_ptr<jwt::KeyFile> file);

  // Returns the outcome of a token that has none, and the generation of keys that has led to it.
  absl::StatusOr<VerifiedToken> Examine(std::string_view token, Time now,
                                        std::shared_ptr<jwt::Generation>* generation);
  absl::StatusOr<const jwt::Algorithm*> FindAccepted(const std::string& name) const;
  absl::Status CheckSignature(const jwt::SignedToken& token, const jwt::Algorithm& algorithm,
                              const jwt::Generation& generation);

  const JwtConfig config_;
  const std::vector<const jwt::Algorithm*> algorithms_;
  const std::unique_ptr<jwt::KeyFile> file_;
  std::atomic<uint64_t> signatures_{0};
};

}  // namespace penstock::server

#endif  // PENSTOCK_SERVER_AUTH_JWT_H_
