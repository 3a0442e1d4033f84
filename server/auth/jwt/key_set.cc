#include "server/auth/jwt/key_set.h"

#include <algorithm>
#include <utility>

#include "fmt/format.h"
#include "server/auth/jwt/encoding.h"
#include "server/auth/jwt/refusal.h"

namespace penstock::server::jwt {
namespace {

using nlohmann::json;

absl::Status Unusable(std::string_view why) {
  return absl::InvalidArgumentError(absl::string_view(why.data(), why.size()));
}

// Reads a text that may be missing, and is empty then.
absl::Status ReadText(const json& key, const char* name, std::string* out) {
  if (!key.contains(name)) return absl::OkStatus();
  const std::string* const text = FindText(key, name);
  if (text == nullptr) return Unusable(fmt::format("its {} is not a text; write a text", name));
  *out = *text;
  return absl::OkStatus();
}

// Checks that the key is for verifying signatures, as far as it says what it is for.
absl::Status CheckPurpose(const json& key) {
  std::string use;
  absl::Status read = ReadText(key, "use", &use);
  if (!read.ok()) return read;
  if (key.contains("use") && use != "sig") {
    return Unusable(fmt::format("its use is {}; use one for 'sig'", Shown(use)));
  }
  const auto operations = key.find("key_ops");
  if (operations == key.end()) return absl::OkStatus();
  if (!operations->is_array() ||
      std::find(operations->begin(), operations->end(), "verify") == operations->end()) {
    return Unusable("its key_ops do not have 'verify'; use one that has");
  }
  return absl::OkStatus();
}

// Names a key of the file in a message.
std::string NameOf(const json& key, size_t position) {
  const std::string* const id = key.is_object() ? FindText(key, "kid") : nullptr;
  return id == nullptr ? fmt::format("key {}", position) : fmt::format("key {}", Shown(*id));
}

}  // namespace

bool KeySet::Key::Fits(const Algorithm& wanted) const {
  return type == wanted.key_type && curve == wanted.curve &&
         (algorithm.empty() || algorithm == wanted.name);
}

absl::StatusOr<KeySet::Key> KeySet::ParseKey(const json& member) {
  if (!member.is_object()) return Unusable("it is not a JSON object; write one");
  absl::Status sound = CheckPurpose(member);
  Key key;
  std::string id;
  if (sound.ok()) sound = ReadText(member, "kid", &id);
  if (sound.ok()) sound = ReadText(member, "alg", &key.algorithm);
  if (sound.ok()) sound = ReadText(member, "kty", &key.type);
  if (sound.ok()) sound = ReadText(member, "crv", &key.curve);
  if (!sound.ok()) return sound;
  if (member.contains("kid")) key.id = std::move(id);
  if (member.contains("alg") && FindAlgorithm(key.algorithm) == nullptr) {
    return Unusable(
        fmt::format("its alg is {}; use one of {}", Shown(key.algorithm), AlgorithmNames()));
  }
  absl::StatusOr<PublicKey> made = MakePublicKey(member);
  if (!made.ok()) return made.status();
  key.key = *std::move(made);
  return key;
}

absl::StatusOr<KeySet> KeySet::Parse(std::string_view text) {
  const std::optional<json> object = ParseObject(text);
  if (!object.has_value()) {
    return Unusable("it is not a JSON object with each name once; write a JSON Web Key Set");
  }
  const auto members = object->find("keys");
  if (members == object->end() || !members->is_array()) {
    return Unusable("it has no list 'keys'; write a JSON Web Key Set");
  }
  KeySet set;
  size_t position = 0;
  for (const json& member : *members) {
    ++position;
    absl::StatusOr<Key> key = ParseKey(member);
    if (key.ok()) {
      set.keys_.push_back(*std::move(key));
    } else {
      set.left_out_.push_back(
          fmt::format("{}: {}", NameOf(member, position), std::string(key.status().message())));
    }
  }
  if (!set.keys_.empty()) return set;
  return Unusable(set.left_out_.empty()
                      ? "its list 'keys' is empty; add a public key"
                      : fmt::format("none of its keys can be used, {}", set.left_out_.front()));
}

absl::StatusOr<EVP_PKEY*> KeySet::Find(const std::optional<std::string>& id,
                                       const Algorithm& algorithm) const {
  bool known = false;
  std::vector<EVP_PKEY*> fitting;
  for (const Key& key : keys_) {
    if (id.has_value() && key.id != id) continue;
    known = true;
    if (key.Fits(algorithm)) fitting.push_back(key.key.get());
  }
  if (fitting.size() == 1) return fitting.front();
  constexpr std::string_view kHint =
      "get a token that is signed with a key of the daemon's key set";
  if (!id.has_value()) {
    return Refused(fmt::format("the token has no kid, and {} keys are for its alg '{}'",
                               fitting.size(), algorithm.name),
                   kHint);
  }
  if (!known) return Refused(fmt::format("the token's kid {} is no known key", Shown(*id)), kHint);
  return Refused(fmt::format("{} keys with the token's kid {} are for its alg '{}', not 1",
                             fitting.size(), Shown(*id), algorithm.name),
                 kHint);
}

}  // namespace penstock::server::jwt
