// A token goes through jwt/token.h (its parts), jwt/key_file.h and jwt/key_set.h (the key),
// jwt/signature.h, and jwt/token.h again (its claims). The outcome is kept in jwt/outcomes.h; only
// the times are compared anew at each call.
#include "server/auth/jwt.h"

#include <utility>

#include "fmt/format.h"
#include "server/auth/jwt/key_file.h"
#include "server/auth/jwt/outcomes.h"
#include "server/auth/jwt/refusal.h"
#include "server/auth/jwt/signature.h"
#include "server/auth/jwt/token.h"

namespace penstock::server {
namespace {

using jwt::Refused;
using jwt::Shown;

absl::StatusOr<std::vector<const jwt::Algorithm*>> FindAlgorithms(const JwtConfig& config) {
  std::vector<const jwt::Algorithm*> algorithms;
  for (const std::string& name : config.algorithms) {
    const jwt::Algorithm* const algorithm = jwt::FindAlgorithm(name);
    if (algorithm == nullptr) {
      return absl::InvalidArgumentError(
          fmt::format("algorithms has {}, which is not accepted; use one of {}", Shown(name),
                      jwt::AlgorithmNames()));
    }
    algorithms.push_back(algorithm);
  }
  if (algorithms.empty()) {
    return absl::InvalidArgumentError(
        fmt::format("algorithms is empty; name one of {}", jwt::AlgorithmNames()));
  }
  return algorithms;
}

absl::Status CheckTime(const VerifiedToken& token, JwtVerifier::Time now) {
  if (now < token.valid_from) {
    return Refused("the token is not valid yet", "set the clocks right, or wait");
  }
  if (now >= token.expires) return Refused("the token has expired", "get a new token");
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::unique_ptr<JwtVerifier>> JwtVerifier::Open(const JwtConfig& config) {
  absl::StatusOr<std::vector<const jwt::Algorithm*>> algorithms = FindAlgorithms(config);
  if (!algorithms.ok()) return algorithms.status();
  if (config.audience.empty()) {
    return absl::InvalidArgumentError("audience is empty; write what `aud` has to be");
  }
  absl::StatusOr<std::unique_ptr<jwt::KeyFile>> file = jwt::KeyFile::Open(config.jwks_file);
  if (!file.ok()) return file.status();
  return std::unique_ptr<JwtVerifier>(
      new JwtVerifier(config, *std::move(algorithms), *std::move(file)));
}

JwtVerifier::JwtVerifier(const JwtConfig& config, std::vector<const jwt::Algorithm*> algorithms,
                         std::unique_ptr<jwt::KeyFile> file)
    : config_(config), algorithms_(std::move(algorithms)), file_(std::move(file)) {}

JwtVerifier::~JwtVerifier() = default;

bool JwtVerifier::key_set_has_problem() const { return file_->has_problem(); }

absl::StatusOr<VerifiedToken> JwtVerifier::Verify(std::string_view token, Time now) {
  if (token.size() > kLongestToken) {
    return Refused(fmt::format("the token has {} bytes, more than {}", token.size(), kLongestToken),
                   "get a token with fewer claims");
  }
  const jwt::Digest digest = jwt::DigestOf(token);
  std::shared_ptr<jwt::Generation> generation = file_->Current(now);
  std::shared_ptr<const jwt::Outcome> outcome = generation->outcomes.Find(digest);
  if (outcome == nullptr) {
    outcome = std::make_shared<const jwt::Outcome>(Examine(token, now, &generation));
    generation->outcomes.Put(digest, outcome);
  }
  if (!outcome->ok()) return outcome->status();
  absl::Status in_time = CheckTime(**outcome, now);
  if (!in_time.ok()) return in_time;
  return *outcome;
}

absl::StatusOr<VerifiedToken> JwtVerifier::Examine(std::string_view token, Time now,
                                                   std::shared_ptr<jwt::Generation>* generation) {
  const absl::StatusOr<jwt::SignedToken> parsed = jwt::ParseToken(token);
  if (!parsed.ok()) return parsed.status();
  const absl::StatusOr<const jwt::Algorithm*> algorithm = FindAccepted(parsed->algorithm);
  if (!algorithm.ok()) return algorithm.status();
  absl::Status verified = CheckSignature(*parsed, **algorithm, **generation);
  if (!verified.ok()) {
    std::shared_ptr<jwt::Generation> next = file_->After(*generation, now);
    if (next == *generation) return verified;
    *generation = std::move(next);
    verified = CheckSignature(*parsed, **algorithm, **generation);
  }
  if (!verified.ok()) return verified;
  return jwt::ReadClaims(parsed->payload, config_);
}

absl::StatusOr<const jwt::Algorithm*> JwtVerifier::FindAccepted(const std::string& name) const {
  std::string accepted;
  for (const jwt::Algorithm* algorithm : algorithms_) {
    if (algorithm->name == name) return algorithm;
    accepted += fmt::format("{}{}", accepted.empty() ? "" : ", ", algorithm->name);
  }
  return Refused(fmt::format("the token's alg {} is not accepted", Shown(name)),
                 fmt::format("get a token that is signed with {}", accepted));
}

absl::Status JwtVerifier::CheckSignature(const jwt::SignedToken& token,
                                         const jwt::Algorithm& algorithm,
                                         const jwt::Generation& generation) {
  const absl::StatusOr<EVP_PKEY*> key = generation.keys.Find(token.key_id, algorithm);
  if (!key.ok()) return key.status();
  signatures_.fetch_add(1, std::memory_order_relaxed);
  if (jwt::IsSignature(algorithm, *key, token.message, token.signature)) return absl::OkStatus();
  return Refused(
      token.key_id.has_value()
          ? fmt::format("the token is not signed by the key of its kid {}", Shown(*token.key_id))
          : "the token is not signed by the daemon's key",
      "get a token that is signed with a key of the daemon's key set");
}

}  // namespace penstock::server
