#include "client/cli/token.h"

#include <openssl/evp.h>
#include <openssl/rand.h>

#include <algorithm>
#include <cstddef>
#include <ostream>

#include "CLI/App.hpp"
#include "CLI/Config.hpp"
#include "CLI/Formatter.hpp"
#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/time/clock.h"
#include "fmt/format.h"
#include "text/string_views.h"

namespace penstock::cli {
namespace {

constexpr std::string_view kPrefix = "pst_";
constexpr size_t kSecretBytes = 32;
// What base64url makes of them, without padding.
constexpr size_t kSecretCharacters = 43;
// As the daemon's configuration has it.
constexpr size_t kMaxId = 40;
constexpr int kMaxDays = 36'500;

constexpr const char* kFooter =
    R"(A token proves to the daemon who its caller is. `new` prints the token alone to standard
output, and to standard error the lines that the daemon's configuration needs. These
are no secret, because nobody can make the token of them:
  umask 077; penstock token new --id app-2027 > token
  penstock --token-file token ping)";

bool IsWordCharacter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '-';
}

bool IsWord(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), IsWordCharacter);
}

// An id that begins like a token may be one that was pasted, and is not shown.
bool IsId(std::string_view text) {
  return IsWord(text) && text.size() <= kMaxId && !text.starts_with(kPrefix);
}

std::string Sha256(std::string_view text) {
  std::string digest(EVP_MAX_MD_SIZE, '\0');
  unsigned size = 0;
  EVP_Digest(text.data(), text.size(), reinterpret_cast<unsigned char*>(digest.data()), &size,
             EVP_sha256(), nullptr);
  digest.resize(size);
  return absl::BytesToHexString(digest);
}

std::string CheckId(const std::string& id) {
  if (IsId(id)) return "";
  return fmt::format(
      "this is not an id; write 1 to {} letters, digits, - and _ that do not begin with {}", kMaxId,
      kPrefix);
}

std::string CheckExpiry(const std::string& text) {
  return std::string(ParseExpiry(text, absl::Now()).status().message());
}

CLI::App* Add(CLI::App* token, const std::string& name, const std::string& description,
              Command command, Options* options) {
  CLI::App* added = token->add_subcommand(name, description);
  added->fallthrough();
  added->final_callback([options, command] { options->command = command; });
  return added;
}

}  // namespace

void AddToken(CLI::App* app, Options* options) {
  TokenCommand* wanted = &options->new_token;
  CLI::App* token = app->add_subcommand("token", "Make a bearer token, or check one");
  token->fallthrough();
  token->require_subcommand(1);
  token->footer(kFooter);
  CLI::App* made = Add(token, "new", "Print a new token", Command::kNewToken, options);
  made->add_option("--id", wanted->id, "Its name in the configuration, such as app-2027")
      ->required()
      ->type_name("ID")
      ->check(CheckId);
  made->add_option("--expires", wanted->expires,
                   "When it expires: days from now, or a time such as 2027-03-01T00:00:00Z")
      ->type_name("DAYS|TIME")
      ->default_str(wanted->expires)
      ->check(CheckExpiry);
  Add(token, "check", "Read a token from standard input, and print its id and its SHA-256",
      Command::kCheckToken, options);
}

absl::StatusOr<absl::Time> ParseExpiry(std::string_view text, absl::Time now) {
  int days = 0;
  absl::Time time;
  const bool digits = text.find_first_not_of("0123456789") == std::string_view::npos;
  if (digits && absl::SimpleAtoi(ToAbsl(text), &days) && days > 0 && days <= kMaxDays) {
    return now + days * absl::Hours(24);
  }
  const absl::Time latest = now + kMaxDays * absl::Hours(24);
  if (digits || !absl::ParseTime(absl::RFC3339_full, ToAbsl(text), &time, nullptr) ||
      time > latest) {
    return absl::InvalidArgumentError(
        fmt::format("\"{}\" is not when a token expires; write 1 to {} days, or a time such as "
                    "2027-03-01T00:00:00Z",
                    text, kMaxDays));
  }
  if (time > now) return time;
  return absl::InvalidArgumentError(fmt::format("\"{}\" has passed; write a later time", text));
}

absl::StatusOr<std::string> MakeToken(std::string_view id) {
  unsigned char secret[kSecretBytes];
  if (RAND_bytes(secret, sizeof(secret)) != 1) {
    return absl::InternalError("the system has no random bytes");
  }
  std::string text;
  absl::WebSafeBase64Escape({reinterpret_cast<const char*>(secret), sizeof(secret)}, &text);
  return fmt::format("{}{}_{}", kPrefix, id, text);
}

absl::StatusOr<TokenDigest> DigestToken(std::string_view token) {
  // The id and the secret may have underscores, too, but the secret has a fixed length.
  constexpr size_t kTail = 1 + kSecretCharacters;
  const size_t head = token.size() < kTail ? 0 : token.size() - kTail;
  const std::string_view id = token.substr(0, head).starts_with(kPrefix)
                                  ? token.substr(0, head).substr(kPrefix.size())
                                  : "";
  if (!IsId(id) || token[head] != '_' || !IsWord(token.substr(head + 1))) {
    return absl::InvalidArgumentError(
        fmt::format("this is not a token; a token is {}ID_ and {} letters, digits, - and _",
                    kPrefix, kSecretCharacters));
  }
  return TokenDigest{.id = std::string(id), .sha256 = Sha256(token)};
}

absl::Status RunNewToken(const TokenCommand& command, absl::Time now, Output* out,
                         std::ostream* err) {
  const absl::StatusOr<absl::Time> expires = ParseExpiry(command.expires, now);
  if (!expires.ok()) return expires.status();
  const absl::StatusOr<std::string> token = MakeToken(command.id);
  if (!token.ok()) return token.status();
  const absl::StatusOr<TokenDigest> digest = DigestToken(*token);
  if (!digest.ok()) return digest.status();
  *out->buffer() += *token + "\n";
  if (absl::Status written = out->Flush(); !written.ok()) return written;
  // An id in quotes is text also where it looks like null.
  *err << fmt::format("- id: \"{}\"\n  sha256: {}\n  expires: {}\n", digest->id, digest->sha256,
                      absl::FormatTime("%Y-%m-%dT%H:%M:%SZ", *expires, absl::UTCTimeZone()));
  return absl::OkStatus();
}

}  // namespace penstock::cli
