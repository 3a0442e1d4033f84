#include "server/auth/jwt/token.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <memory>
#include <utility>

#include "absl/strings/ascii.h"
#include "fmt/format.h"
#include "server/auth/jwt/encoding.h"
#include "server/auth/jwt/refusal.h"

namespace penstock::server::jwt {
namespace {

using nlohmann::json;
using Time = std::chrono::system_clock::time_point;

constexpr size_t kLongestSubject = 255;

std::optional<json> DecodeObject(std::string_view part) {
  const std::optional<std::string> text = DecodeBase64Url(part);
  if (!text.has_value()) return std::nullopt;
  return ParseObject(*text);
}

absl::Status ReadHeader(std::string_view part, SignedToken* token) {
  const std::optional<json> header = DecodeObject(part);
  if (!header.has_value()) {
    return Refused("the token's header is not a JSON object in base64url with each name once",
                   "send a signed JSON Web Token");
  }
  if (header->contains("crit")) {
    return Refused("the token's header has 'crit', and no extension is known here",
                   "get a token without extensions");
  }
  const std::string* const algorithm = FindText(*header, "alg");
  if (algorithm == nullptr) {
    return Refused("the token's header has no text 'alg'",
                   "get a token that says how it is signed");
  }
  token->algorithm = *algorithm;
  if (!header->contains("kid")) return absl::OkStatus();
  const std::string* const key_id = FindText(*header, "kid");
  if (key_id == nullptr) {
    return Refused("the token's kid is not a text", "get a token whose kid is a text");
  }
  token->key_id = *key_id;
  return absl::OkStatus();
}

bool IsFor(const json& claims, const std::string& audience) {
  const auto claim = claims.find("aud");
  if (claim == claims.end()) return false;
  // A list that has anything but texts is broken.
  const auto is_text = [](const json& value) { return value.is_string(); };
  if (claim->is_array()) {
    return std::all_of(claim->begin(), claim->end(), is_text) &&
           std::find(claim->begin(), claim->end(), audience) != claim->end();
  }
  return *claim == audience;
}

bool IsSubject(const std::string& text) {
  return !text.empty() && text.size() <= kLongestSubject &&
         std::all_of(text.begin(), text.end(), absl::ascii_isprint);
}

// Returns the time of a claim in seconds since 1970, which may have a fraction; or nothing if it is
// not a number.
std::optional<Time> FindTime(const json& claims, const char* name) {
  const auto claim = claims.find(name);
  if (claim == claims.end() || !claim->is_number()) return std::nullopt;
  // The year 2255, before the clock's type ends: later is as good as never.
  constexpr double kLatest = 9e9;
  const std::chrono::duration<double> since(std::clamp(claim->get<double>(), 0.0, kLatest));
  return Time(std::chrono::duration_cast<Time::duration>(since));
}

// Tells whether each number in it is the one that the token has.
bool IsExact(const json& value) {
  // Whole numbers of up to 64 bits are kept as such; a larger double is one of many numbers.
  constexpr double kBeyond = 0x1p53;
  if (value.is_number_float()) return std::abs(value.get<double>()) < kBeyond;
  return !value.is_structured() || std::all_of(value.begin(), value.end(), IsExact);
}

std::shared_ptr<const Claims> ClaimsOf(const json& object, std::string text) {
  auto claims = std::make_shared<Claims>();
  for (const auto& [name, value] : object.items()) {
    if (value.is_null() || !IsExact(value)) continue;
    claims->by_name.emplace(name, value.is_string() ? value.get<std::string>() : value.dump());
  }
  claims->json = std::move(text);
  return claims;
}

absl::Status CheckParties(const json& claims, const JwtConfig& config) {
  if (!IsFor(claims, config.audience)) {
    return Refused("the token's aud does not have this daemon's audience",
                   fmt::format("get a token for {}", Shown(config.audience)));
  }
  const std::string* const issuer = FindText(claims, "iss");
  if (!config.issuer.empty() && (issuer == nullptr || *issuer != config.issuer)) {
    return Refused("the token's iss is not this daemon's issuer",
                   fmt::format("get a token from {}", Shown(config.issuer)));
  }
  const std::string* const subject = FindText(claims, "sub");
  if (subject == nullptr || !IsSubject(*subject)) {
    return Refused(
        fmt::format("the token's sub is not 1 to {} printable ASCII characters", kLongestSubject),
        "get a token that says whom it is for");
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<SignedToken> ParseToken(std::string_view token) {
  const size_t first = token.find('.');
  const size_t second = first == token.npos ? token.npos : token.find('.', first + 1);
  if (second == token.npos || token.find('.', second + 1) != token.npos) {
    return Refused("the token does not have three parts", "send a signed JSON Web Token");
  }
  SignedToken parsed;
  absl::Status header = ReadHeader(token.substr(0, first), &parsed);
  if (!header.ok()) return header;
  std::optional<std::string> signature = DecodeBase64Url(token.substr(second + 1));
  if (!signature.has_value()) {
    return Refused("the token's signature is not base64url", "send a signed JSON Web Token");
  }
  parsed.message = token.substr(0, second);
  parsed.payload = token.substr(first + 1, second - first - 1);
  parsed.signature = *std::move(signature);
  return parsed;
}

Outcome ReadClaims(std::string_view payload, const JwtConfig& config) {
  std::optional<std::string> text = DecodeBase64Url(payload);
  const std::optional<json> claims = text.has_value() ? ParseObject(*text) : std::nullopt;
  if (!claims.has_value()) {
    return Refused("the token's payload is not a JSON object in base64url with each name once",
                   "get a token whose claims can be read");
  }
  absl::Status parties = CheckParties(*claims, config);
  if (!parties.ok()) return parties;
  const std::optional<Time> from = FindTime(*claims, "nbf");
  const std::optional<Time> until = FindTime(*claims, "exp");
  if (!from.has_value() || !until.has_value()) {
    return Refused("the token's nbf or exp is not a number",
                   "get a token that says from when until when it is valid");
  }
  return VerifiedToken{.subject = *FindText(*claims, "sub"),
                       .valid_from = *from - kTokenLeeway,
                       .expires = *until + kTokenLeeway,
                       .claims = ClaimsOf(*claims, *std::move(text))};
}

}  // namespace penstock::server::jwt
