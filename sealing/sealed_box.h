// Sealed secrets: whoever has the public key seals one, and only who has the secret key opens it.
// They are libsodium's sealed boxes (crypto_box_seal).
#ifndef PENSTOCK_SEALING_SEALED_BOX_H_
#define PENSTOCK_SEALING_SEALED_BOX_H_

#include <array>
#include <cstddef>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace penstock::sealing {

// Every sealed text begins with it.
inline constexpr std::string_view kSealedPrefix = "sealed:";

inline constexpr size_t kKeyBytes = 32;

// May be known to everybody. Copyable; thread-safe once it is made.
class PublicKey {
 public:
  // Reads what Text returns; an end of line behind it is ignored. INVALID_ARGUMENT if it is
  // anything else; the message shows nothing of the text, which may be a secret key.
  static absl::StatusOr<PublicKey> Parse(std::string_view text);

  // Returns "penstock-public-key:" and base64.
  std::string Text() const;

  // Returns "sealed:" and base64: another text at each call. `secret` may have any bytes.
  std::string Seal(std::string_view secret) const;

 private:
  friend class SecretKey;
  PublicKey() = default;

  std::array<unsigned char, kKeyBytes> bytes_{};
};

// A secret. Each object wipes its own copy when it ends. Copyable; thread-safe once it is made.
class SecretKey {
 public:
  // Makes a new key of the system's randomness; ends the process if there is none.
  static SecretKey Generate();

  // Reads what Text returns; an end of line behind it is ignored. INVALID_ARGUMENT if it is
  // anything else; the message shows nothing of the text.
  static absl::StatusOr<SecretKey> Parse(std::string_view text);

  ~SecretKey();
  SecretKey(const SecretKey&) = default;
  SecretKey& operator=(const SecretKey&) = default;

  // Returns "penstock-secret-key:" and base64, which is what a key file has. The caller wipes it.
  std::string Text() const;

  PublicKey public_key() const;

  // Returns the secret, which the caller wipes. INVALID_ARGUMENT: `sealed` is no sealed text.
  // FAILED_PRECONDITION: it was sealed for another key, or has been changed. No message shows
  // anything of it.
  absl::StatusOr<std::string> Open(std::string_view sealed) const;

 private:
  SecretKey() = default;

  std::array<unsigned char, kKeyBytes> bytes_{};
};

}  // namespace penstock::sealing

#endif  // PENSTOCK_SEALING_SEALED_BOX_H_
