#include "server/config/token_section.h"

#include <algorithm>
#include <cstddef>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/time/time.h"
#include "fmt/format.h"
#include "server/config/keys.h"
#include "server/config/required.h"
#include "server/config/words.h"

namespace penstock::server {
namespace {

// One is in use, and its successor is there already.
constexpr int kMostLiveTokens = 2;

// The secret of a token has 43 characters, so that no id is one, or a whole token.
constexpr size_t kLongestId = 40;
constexpr char kTokenBegin[] = "pst_";

// SHA-256's length in hexadecimal digits.
constexpr size_t kDigits = 64;
constexpr char kDigestAdvice[] = "write the one that 'penstock token new' prints";

}  // namespace

std::vector<TokenConfig> TokenReader::Read(YamlMap* identity) {
  std::vector<TokenConfig> tokens;
  for (YamlMap& map : identity->MapList("tokens")) tokens.push_back(ReadToken(&map));
  const auto live = std::count_if(tokens.begin(), tokens.end(),
                                  [this](const auto& token) { return token.expires > now_; });
  if (live > kMostLiveTokens) {
    problems_->Add(identity->WhereIs("tokens"),
                   fmt::format("has {} tokens that have not expired; keep at most {}, the one in "
                               "use and its successor",
                               live, kMostLiveTokens));
  }
  return tokens;
}

TokenConfig TokenReader::ReadToken(YamlMap* map) {
  TokenConfig token;
  ReadKeys(TokenKeys(), map, &token);
  token.id = ReadId(map);
  token.sha256 = ReadDigest(map);
  if (const auto end = ReadEnd(map)) token.expires = *end;
  map->Finish();
  return token;
}

std::string TokenReader::ReadId(YamlMap* map) {
  const std::optional<Setting> id = RequiredText(
      map, "id", "write the part of the token between 'pst_' and its secret", problems_);
  if (!id) return {};
  // It is not shown: it may be the token itself.
  if (!IsWord(id->value) || id->value.size() > kLongestId || id->value.starts_with(kTokenBegin)) {
    problems_->Add(id->where,
                   fmt::format("is not a token's id; write the part of the token between '{}' and "
                               "its secret, which has letters, digits, '_' and '-', at most {}",
                               kTokenBegin, kLongestId));
    return {};
  }
  if (const auto line = EarlierLine("id " + id->value, id->where)) {
    problems_->Add(id->where,
                   fmt::format("{} is the id of another token, in line {}; give each its own",
                               Quoted(id->value), *line));
  }
  return id->value;
}

std::string TokenReader::ReadDigest(YamlMap* map) {
  const std::optional<Setting> digest = RequiredText(map, "sha256", kDigestAdvice, problems_);
  if (!digest) return {};
  const std::string& hex = digest->value;
  // It is not shown: it may be the token itself.
  if (hex.size() != kDigits) {
    problems_->Add(digest->where,
                   fmt::format("has {} characters, and a SHA-256 has {} hexadecimal digits; {}",
                               hex.size(), kDigits, kDigestAdvice));
    return {};
  }
  if (!std::all_of(hex.begin(), hex.end(), absl::ascii_isxdigit)) {
    problems_->Add(digest->where,
                   fmt::format("has a character that is no hexadecimal digit; {}", kDigestAdvice));
    return {};
  }
  std::string bytes = absl::HexStringToBytes(hex);
  if (const auto line = EarlierLine("sha256 " + bytes, digest->where)) {
    problems_->Add(digest->where,
                   fmt::format("is the SHA-256 of another token, in line {}; make a new token with "
                               "'penstock token new'",
                               *line));
  }
  return bytes;
}

std::optional<std::chrono::system_clock::time_point> TokenReader::ReadEnd(YamlMap* map) {
  const std::optional<Setting> end = RequiredText(
      map, "expires", "write when the token ends, as in 2027-03-01T00:00:00Z", problems_);
  if (!end) return std::nullopt;
  absl::Time time;
  std::string error;
  const bool is_time = absl::ParseTime(absl::RFC3339_full, end->value, &time, &error);
  // Abseil has words for times without end, which no token may have.
  if (!is_time || time == absl::InfiniteFuture() || time == absl::InfinitePast()) {
    problems_->Add(end->where, fmt::format("{} is not a time; write one as in 2027-03-01T00:00:00Z",
                                           Quoted(end->value)));
    return std::nullopt;
  }
  return absl::ToChronoTime(time);
}

std::optional<int> TokenReader::EarlierLine(const std::string& what, const Where& where) {
  const auto [earlier, is_new] = lines_.try_emplace(what, where.line);
  if (is_new) return std::nullopt;
  return earlier->second;
}

}  // namespace penstock::server
