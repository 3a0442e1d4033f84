#include "sealing/sealed_box.h"

#include <sodium.h>

#include <cstdlib>
#include <optional>

#include "absl/status/status.h"
#include "text/wipe.h"

namespace penstock::sealing {
namespace {

static_assert(kKeyBytes == crypto_box_PUBLICKEYBYTES && kKeyBytes == crypto_box_SECRETKEYBYTES);

using Key = std::array<unsigned char, kKeyBytes>;

constexpr std::string_view kPublicPrefix = "penstock-public-key:";
constexpr std::string_view kSecretPrefix = "penstock-secret-key:";
constexpr int kBase64 = sodium_base64_VARIANT_ORIGINAL;

// Without randomness no key and no sealed text would be safe, so there is nothing to go on with.
void RequireSodium() {
  if (sodium_init() < 0) std::abort();
}

const unsigned char* Bytes(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

unsigned char* Bytes(std::string* text) { return reinterpret_cast<unsigned char*>(text->data()); }

// Returns the prefix and the bytes in base64.
std::string Encode(std::string_view prefix, std::string_view bytes) {
  std::string base64(sodium_base64_encoded_len(bytes.size(), kBase64), '\0');
  sodium_bin2base64(base64.data(), base64.size(), Bytes(bytes), bytes.size(), kBase64);
  base64.pop_back();  // the NUL behind the text
  std::string text(prefix);
  text += base64;
  Wipe(&base64);
  return text;
}

// Returns the bytes behind the prefix, or nothing if the text is none of Encode's.
std::optional<std::string> Decode(std::string_view prefix, std::string_view text) {
  if (!text.starts_with(prefix)) return std::nullopt;
  text.remove_prefix(prefix.size());
  std::string bytes(text.size(), '\0');
  size_t size = 0;
  // Without a pointer for the end it refuses whatever follows the base64.
  if (sodium_base642bin(Bytes(&bytes), bytes.size(), text.data(), text.size(), nullptr, &size,
                        nullptr, kBase64) != 0) {
    Wipe(&bytes);
    return std::nullopt;
  }
  bytes.resize(size);
  return bytes;
}

bool DecodeKey(std::string_view prefix, std::string_view text, Key* key) {
  if (text.ends_with('\n')) text.remove_suffix(1);
  if (text.ends_with('\r')) text.remove_suffix(1);
  std::optional<std::string> bytes = Decode(prefix, text);
  if (!bytes) return false;
  const bool fits = bytes->size() == key->size();
  if (fits) bytes->copy(reinterpret_cast<char*>(key->data()), key->size());
  Wipe(&*bytes);
  return fits;
}

// Tells whether anything can be sealed for the key: a few numbers share no secret with any key.
bool CanSeal(const Key& key) {
  RequireSodium();
  std::array<unsigned char, crypto_box_SEALBYTES> box;
  return crypto_box_seal(box.data(), Bytes(std::string_view("")), 0, key.data()) == 0;
}

std::string EncodeKey(std::string_view prefix, const Key& key) {
  return Encode(prefix, {reinterpret_cast<const char*>(key.data()), key.size()});
}

}  // namespace

absl::StatusOr<PublicKey> PublicKey::Parse(std::string_view text) {
  PublicKey key;
  if (DecodeKey(kPublicPrefix, text, &key.bytes_) && CanSeal(key.bytes_)) return key;
  return absl::InvalidArgumentError(
      "the public key cannot be read; write what `penstock secret public` prints");
}

std::string PublicKey::Text() const { return EncodeKey(kPublicPrefix, bytes_); }

std::string PublicKey::Seal(std::string_view secret) const {
  RequireSodium();
  std::string sealed(crypto_box_SEALBYTES + secret.size(), '\0');
  // Parse has refused the keys for which it fails.
  if (crypto_box_seal(Bytes(&sealed), Bytes(secret), secret.size(), bytes_.data()) != 0) {
    std::abort();
  }
  return Encode(kSealedPrefix, sealed);
}

SecretKey SecretKey::Generate() {
  RequireSodium();
  SecretKey key;
  Key public_key;
  crypto_box_keypair(public_key.data(), key.bytes_.data());
  return key;
}

absl::StatusOr<SecretKey> SecretKey::Parse(std::string_view text) {
  SecretKey key;
  if (DecodeKey(kSecretPrefix, text, &key.bytes_)) return key;
  return absl::InvalidArgumentError(
      "the secret key cannot be read; name a file that `penstock secret keygen` has made");
}

SecretKey::~SecretKey() { sodium_memzero(bytes_.data(), bytes_.size()); }

std::string SecretKey::Text() const { return EncodeKey(kSecretPrefix, bytes_); }

PublicKey SecretKey::public_key() const {
  RequireSodium();
  PublicKey key;
  crypto_scalarmult_base(key.bytes_.data(), bytes_.data());
  return key;
}

absl::StatusOr<std::string> SecretKey::Open(std::string_view sealed) const {
  RequireSodium();
  const std::optional<std::string> box = Decode(kSealedPrefix, sealed);
  if (!box || box->size() < crypto_box_SEALBYTES) {
    return absl::InvalidArgumentError(
        "the sealed text cannot be read; write what `penstock secret seal` prints");
  }
  std::string secret(box->size() - crypto_box_SEALBYTES, '\0');
  const PublicKey own = public_key();
  if (crypto_box_seal_open(Bytes(&secret), Bytes(*box), box->size(), own.bytes_.data(),
                           bytes_.data()) != 0) {
    return absl::FailedPreconditionError(
        "the text was sealed for another key, or has been changed; seal the secret again");
  }
  return secret;
}

}  // namespace penstock::sealing
