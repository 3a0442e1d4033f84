#include "server/config/jwt_section.h"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "fmt/format.h"
#include "nlohmann/json.hpp"
#include "server/config/file.h"
#include "server/config/keys.h"
#include "server/config/required.h"
#include "server/config/words.h"

namespace penstock::server {
namespace {

constexpr size_t kLargestKeySet = size_t{1} << 20;

// All of them sign with a private key, so that the file need not be a secret.
const std::vector<std::string>& Algorithms() {
  static const auto* const names = new std::vector<std::string>{
      "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "EdDSA"};
  return *names;
}

// Returns why the algorithm is refused, with what to do, or nothing if it is not.
std::string Refusal(const std::string& algorithm) {
  const std::vector<std::string>& known = Algorithms();
  if (std::find(known.begin(), known.end(), algorithm) != known.end()) return {};
  if (absl::EqualsIgnoreCase(algorithm, "none")) {
    return fmt::format("{} would let in tokens that nobody has signed; use one of {}",
                       Quoted(algorithm), fmt::join(known, ", "));
  }
  if (absl::StartsWithIgnoreCase(algorithm, "HS")) {
    return fmt::format(
        "{} has one secret for signing and for verifying, so that whoever verifies "
        "can sign as well; use one of {}",
        Quoted(algorithm), fmt::join(known, ", "));
  }
  return NotAChoice(algorithm, known);
}

std::vector<std::string> ReadAlgorithms(YamlMap* map, Problems* problems) {
  std::vector<std::string> algorithms;
  for (Setting& algorithm : RequiredTexts(
           map, "algorithms", "list those with which the issuer signs, as in [RS256]", problems)) {
    const std::string refusal = Refusal(algorithm.value);
    if (refusal.empty()) {
      algorithms.push_back(std::move(algorithm.value));
    } else {
      problems->Add(algorithm.where, refusal);
    }
  }
  return algorithms;
}

// Returns what is wrong with the content of a key set, with what to do, or nothing.
std::string_view WrongKeySet(const std::string& content) {
  const auto json = nlohmann::json::parse(content, nullptr, /*allow_exceptions=*/false);
  if (json.is_discarded()) return "is not JSON; put a JSON Web Key Set there";
  const auto keys = json.find("keys");
  if (keys == json.end() || !keys->is_array()) {
    return "has no list 'keys'; put a JSON Web Key Set there";
  }
  return {};
}

std::string ReadKeySet(YamlMap* map, Problems* problems) {
  const std::optional<Setting> file =
      RequiredText(map, "jwks_file", "name the JSON Web Key Set of the issuer", problems);
  if (!file) return {};
  const auto add = [&](std::string_view what) {
    problems->Add(file->where, fmt::format("{} {}", Quoted(file->value), what));
  };
  const absl::StatusOr<std::string> content = ReadSmallFile(file->value, kLargestKeySet);
  if (!content.ok()) {
    add(fmt::format("cannot be read: {}; name a JSON Web Key Set that this user may read",
                    std::string(content.status().message())));
    return file->value;
  }
  if (IsWorldWritable(file->value)) {
    add("is a file that everybody can write to, and so let themselves in; run chmod o-w on it");
  }
  if (const std::string_view wrong = WrongKeySet(*content); !wrong.empty()) add(wrong);
  return file->value;
}

}  // namespace

JwtConfig ReadJwt(YamlMap map, Problems* problems) {
  JwtConfig jwt;
  ReadKeys(JwtKeys(), &map, &jwt);
  jwt.jwks_file = ReadKeySet(&map, problems);
  jwt.algorithms = ReadAlgorithms(&map, problems);
  if (auto audience = RequiredText(&map, "audience",
                                   "write what `aud` is in the tokens for this "
                                   "daemon",
                                   problems)) {
    jwt.audience = std::move(audience->value);
  }
  map.Finish();
  return jwt;
}

}  // namespace penstock::server
