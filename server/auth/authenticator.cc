// The table maps each credential, as a text ("token:<id>", "certificate:<name>", "user:<uid>"), to
// the principal that it proves. A principal stands for one credential, so that a reload revokes
// what has changed and nothing else; calls compare identities by name.
#include "server/auth/authenticator.h"

#include <openssl/crypto.h>
#include <openssl/sha.h>
#include <unistd.h>

#include <array>
#include <map>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "drivers/api/error.h"
#include "fmt/format.h"
#include "server/auth/jwt.h"
#include "text/string_views.h"

namespace penstock::server {
namespace {

using driver::MakeErrorWithHint;
using driver::Reason;
using Time = Authenticator::Time;

constexpr std::string_view kScheme = "Bearer ";
constexpr std::string_view kTokenPrefix = "pst_";
// 32 bytes in base64 without padding.
constexpr size_t kSecretChars = 43;
// A longer text is no token of anybody's.
constexpr size_t kMaxTokenBytes = kLongestToken;

absl::Status Unauthenticated(std::string_view what, std::string_view hint) {
  return MakeErrorWithHint(Reason::kUnauthenticated, what, hint);
}

// Returns the id of a token "pst_<id>_<secret>", or nothing if it has another form. The id may
// have underscores itself, and so may the secret, whose length is known.
std::optional<std::string_view> TokenId(std::string_view token) {
  if (!token.starts_with(kTokenPrefix)) return std::nullopt;
  token.remove_prefix(kTokenPrefix.size());
  if (token.size() < kSecretChars + 2) return std::nullopt;
  const size_t separator = token.size() - kSecretChars - 1;
  if (token[separator] != '_') return std::nullopt;
  return token.substr(0, separator);
}

// Returns a name of the configuration as Presented has it: a URI has no prefix there, and names of
// hosts have no case.
std::string CertificateName(std::string_view name) {
  if (name.starts_with("dns:")) return absl::AsciiStrToLower(ToAbsl(name));
  return name.starts_with("cn:") ? std::string(name) : fmt::format("uri:{}", name);
}

std::array<unsigned char, SHA256_DIGEST_LENGTH> Sha256(std::string_view text) {
  std::array<unsigned char, SHA256_DIGEST_LENGTH> digest{};
  SHA256(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data());
  return digest;
}

}  // namespace

absl::Status Access::Check(Time now) const {
  if (principal->revoked()) {
    return Unauthenticated(
        fmt::format("the rights of identity '{}' were changed", principal->name()),
        "make the call again");
  }
  if (now < until) return absl::OkStatus();
  return Unauthenticated(fmt::format("the token of identity '{}' has expired", principal->name()),
                         "make the call again with a new token");
}

struct Authenticator::Table {
  struct Credential {
    std::shared_ptr<const Principal> principal;
    // Of a token.
    std::string sha256;
    Time expires = Time::max();
  };

  absl::StatusOr<Access> ByToken(std::string_view token, Time now) const;
  absl::StatusOr<Access> ByJwt(std::string_view token, Time now) const;
  absl::StatusOr<Access> ByAuthorization(std::string_view value, Time now) const;
  std::optional<Access> ByProcess(const PeerProcess& process) const;
  std::optional<Access> ByCertificate(const std::vector<std::string>& names) const;
  std::optional<Access> Find(std::string_view credential) const;

  // Gives an identity the quota that it had before, or a new one.
  void AddQuota(const std::string& name, const Table& before);
  void Add(std::string credential, const std::string& name, const IdentityConfig& identity,
           const Table* before, const TokenConfig* token = nullptr);

  std::map<std::string, Credential, std::less<>> credentials;
  std::map<std::string, std::shared_ptr<Quota>> quotas;
  // Null: JSON Web Tokens are not accepted.
  std::shared_ptr<JwtVerifier> jwt;
  // Whoever calls while there are no identities; null if there are. It is not Principal::Local()
  // itself, so that it can be revoked once there are identities.
  std::shared_ptr<const Principal> anybody;
};

namespace {

std::shared_ptr<const Principal> MakeAnybody() {
  const Principal& local = *Principal::Local();
  return std::make_shared<const Principal>(local.name(), local.grants(),
                                           local.quota().shared_from_this(), local.metrics());
}

}  // namespace

void Authenticator::Table::AddQuota(const std::string& name, const Table& before) {
  const auto found = before.quotas.find(name);
  quotas.emplace(name, found != before.quotas.end() ? found->second : Quota::Make(name));
}

void Authenticator::Table::Add(std::string credential, const std::string& name,
                               const IdentityConfig& identity, const Table* before,
                               const TokenConfig* token) {
  Credential added;
  if (token != nullptr) {
    added.sha256 = token->sha256;
    added.expires = token->expires;
  }
  if (before != nullptr) {
    const auto found = before->credentials.find(credential);
    if (found != before->credentials.end()) {
      const Credential& old = found->second;
      const bool same = old.principal->name() == name &&
                        old.principal->grants() == identity.grants &&
                        old.principal->metrics() == identity.metrics &&
                        old.sha256 == added.sha256 && old.expires == added.expires;
      if (same) added.principal = old.principal;
    }
  }
  if (added.principal == nullptr) {
    added.principal =
        std::make_shared<const Principal>(name, identity.grants, quotas.at(name), identity.metrics);
  }
  credentials.emplace(std::move(credential), std::move(added));
}

std::optional<Access> Authenticator::Table::Find(std::string_view credential) const {
  const auto found = credentials.find(credential);
  if (found == credentials.end()) return std::nullopt;
  return Access{.principal = found->second.principal, .until = found->second.expires};
}

absl::StatusOr<Access> Authenticator::Table::ByToken(std::string_view token, Time now) const {
  const auto refused = [] {
    // Whether the id or the secret is wrong is nobody's business.
    return Unauthenticated("the token is not valid",
                           "present a token that the daemon's configuration knows");
  };
  const std::optional<std::string_view> id = TokenId(token);
  if (!id.has_value()) return refused();
  const auto found = credentials.find(fmt::format("token:{}", *id));
  if (found == credentials.end()) return refused();
  const Credential& known = found->second;
  const auto digest = Sha256(token);
  if (known.sha256.size() != digest.size() ||
      CRYPTO_memcmp(known.sha256.data(), digest.data(), digest.size()) != 0) {
    return refused();
  }
  Access access{.principal = known.principal, .until = known.expires};
  absl::Status valid = access.Check(now);
  if (!valid.ok()) return valid;
  return access;
}

absl::StatusOr<Access> Authenticator::Table::ByAuthorization(std::string_view value,
                                                             Time now) const {
  if (value.size() > kMaxTokenBytes) {
    return Unauthenticated("the token is longer than 16 KiB", "present a shorter one");
  }
  if (!absl::StartsWithIgnoreCase(ToAbsl(value), ToAbsl(kScheme))) {
    return Unauthenticated("the metadata 'authorization' has no Bearer token",
                           "send 'authorization: Bearer <token>'");
  }
  value.remove_prefix(kScheme.size());
  return jwt == nullptr || value.starts_with(kTokenPrefix) ? ByToken(value, now)
                                                           : ByJwt(value, now);
}

absl::StatusOr<Access> Authenticator::Table::ByJwt(std::string_view token, Time now) const {
  const absl::StatusOr<VerifiedToken> verified = jwt->Verify(token, now);
  if (!verified.ok()) return verified.status();
  std::optional<Access> access = Find(fmt::format("subject:{}", verified->subject));
  if (!access.has_value()) {
    return Unauthenticated(
        fmt::format("the subject '{}' of the token is no identity", verified->subject),
        "name it under jwt_subjects of an identity in the daemon's configuration");
  }
  access->until = verified->expires;
  access->claims = verified->claims;
  return *std::move(access);
}

std::optional<Access> Authenticator::Table::ByProcess(const PeerProcess& process) const {
  std::optional<Access> found = Find(fmt::format("user:{}", process.uid));
  for (const gid_t group : process.groups) {
    if (found.has_value()) break;
    found = Find(fmt::format("group:{}", group));
  }
  return found;
}

std::optional<Access> Authenticator::Table::ByCertificate(
    const std::vector<std::string>& names) const {
  for (const std::string& name : names) {
    std::optional<Access> found = Find(fmt::format("certificate:{}", name));
    if (found.has_value()) return found;
  }
  return std::nullopt;
}

Authenticator::Authenticator() {
  auto table = std::make_shared<Table>();
  table->anybody = MakeAnybody();
  table_ = std::move(table);
}
Authenticator::~Authenticator() = default;

std::shared_ptr<const Authenticator::Table> Authenticator::table() const {
  std::lock_guard lock(mutex_);
  return table_;
}

absl::Status Authenticator::Load(const IdentityConfigs& identities, const JwtConfig& jwt) {
  const std::shared_ptr<const Table> before = table();
  auto fresh = std::make_shared<Table>();
  if (!jwt.jwks_file.empty()) {
    absl::StatusOr<std::unique_ptr<JwtVerifier>> verifier = JwtVerifier::Open(jwt);
    if (!verifier.ok()) return verifier.status();
    fresh->jwt = *std::move(verifier);
  }
  for (const auto& [name, identity] : identities) {
    fresh->AddQuota(name, *before);
    const auto add = [&](std::string credential, const TokenConfig* token = nullptr) {
      fresh->Add(std::move(credential), name, identity, before.get(), token);
    };
    for (const TokenConfig& token : identity.tokens) add(fmt::format("token:{}", token.id), &token);
    for (const std::string& it : identity.certificates) {
      add(fmt::format("certificate:{}", CertificateName(it)));
    }
    for (const uid_t user : identity.unix_users) add(fmt::format("user:{}", user));
    for (const gid_t group : identity.unix_groups) add(fmt::format("group:{}", group));
    for (const std::string& it : identity.jwt_subjects) add(fmt::format("subject:{}", it));
  }
  for (const auto& [name, identity] : identities) {
    fresh->quotas.at(name)->SetLimits(identity.limits);
  }
  if (identities.empty()) {
    fresh->anybody = before->anybody != nullptr ? before->anybody : MakeAnybody();
  }
  {
    std::lock_guard lock(mutex_);
    table_ = fresh;
  }
  configured_.store(!identities.empty(), std::memory_order_release);
  if (before->anybody != nullptr && fresh->anybody == nullptr) before->anybody->Revoke();
  for (const auto& [credential, old] : before->credentials) {
    const std::optional<Access> now = fresh->Find(credential);
    if (!now.has_value() || now->principal != old.principal) old.principal->Revoke();
  }
  return absl::OkStatus();
}

std::vector<std::shared_ptr<const Quota>> Authenticator::quotas() const {
  std::vector<std::shared_ptr<const Quota>> quotas = {
      Principal::Local()->quota().shared_from_this()};
  for (const auto& [name, quota] : table()->quotas) quotas.push_back(quota);
  return quotas;
}

std::optional<bool> Authenticator::key_set_has_problem() const {
  const std::shared_ptr<const Table> table = this->table();
  if (table->jwt == nullptr) return std::nullopt;
  return table->jwt->key_set_has_problem();
}

absl::StatusOr<Access> Authenticator::Authenticate(const Presented& presented, Time now) const {
  const std::shared_ptr<const Table> table = this->table();
  if (table->anybody != nullptr) return Access{.principal = table->anybody};
  std::optional<Access> found;
  std::string_view proof;
  if (presented.authorizations.size() > 1) {
    return Unauthenticated("the metadata 'authorization' came more than once", "send one token");
  }
  if (!presented.authorizations.empty()) {
    if (presented.overheard) {
      return Unauthenticated(
          "a token came over a network without TLS, where others may have read it",
          "replace the token, and use TLS, a unix socket or a loopback address");
    }
    absl::StatusOr<Access> by_token = table->ByAuthorization(presented.authorizations[0], now);
    if (!by_token.ok()) return by_token.status();
    found = *std::move(by_token);
    proof = "token";
  }
  std::optional<Access> others[] = {
      table->ByCertificate(presented.certificate_names),
      presented.process.has_value() ? table->ByProcess(*presented.process) : std::nullopt};
  constexpr std::string_view kProofs[] = {"certificate", "process"};
  for (size_t i = 0; i < std::size(others); ++i) {
    if (!others[i].has_value()) continue;
    if (!found.has_value()) {
      found = std::move(others[i]);
      proof = kProofs[i];
    } else if (found->principal->name() != others[i]->principal->name()) {
      return Unauthenticated(
          fmt::format("the {} is identity '{}', but the {} is '{}'", proof,
                      found->principal->name(), kProofs[i], others[i]->principal->name()),
          "present credentials of one identity");
    }
  }
  if (found.has_value()) return *std::move(found);
  // Whoever has the daemon's user, or is root, has its files and its memory too.
  const bool own = presented.process.has_value() &&
                   (presented.process->uid == geteuid() || presented.process->uid == 0);
  if (own) return Access{.principal = Principal::Local()};
  return Unauthenticated("the call has no credentials that the daemon knows",
                         "present a token, a client certificate or, over the unix socket, a "
                         "user that the daemon's configuration names");
}

}  // namespace penstock::server
