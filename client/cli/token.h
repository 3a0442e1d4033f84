// `penstock token`: makes bearer tokens, and tells what the daemon's configuration has of them.
//
// A token is pst_ID_SECRET. Its secret is 32 random bytes in base64url, which are 43 characters.
// The configuration has the ID, the SHA-256 of the whole text, and when the token expires.
#ifndef PENSTOCK_CLIENT_CLI_TOKEN_H_
#define PENSTOCK_CLIENT_CLI_TOKEN_H_

#include <iosfwd>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "client/cli/options.h"
#include "client/cli/output.h"

namespace CLI {
class App;
}  // namespace CLI

namespace penstock::cli {

// What the configuration has of a token.
struct TokenDigest {
  std::string id;
  // 64 hexadecimal digits in lower case.
  std::string sha256;
};

// Adds `token` and its subcommands to `app`. Parsing stores what it finds in `options`, which must
// outlive it.
void AddToken(CLI::App* app, Options* options);

// Parses when a token expires: a number of days from `now`, as "90", or a time, as
// "2027-03-01T00:00:00Z". INVALID_ARGUMENT if `text` is neither, or not after `now`.
absl::StatusOr<absl::Time> ParseExpiry(std::string_view text, absl::Time now);

// Makes a token. `id` has 1 to 64 letters, digits, '-' and '_'. INTERNAL if the system has no
// random bytes.
absl::StatusOr<std::string> MakeToken(std::string_view id);

// INVALID_ARGUMENT if `token` is not a token; the error has no part of it.
absl::StatusOr<TokenDigest> DigestToken(std::string_view token);

// Does what `token new` does: writes a new token to `out` alone, so that it can go into a file, and
// to `err` the lines that the configuration needs. Returns the error of ParseExpiry, MakeToken or
// Output::Flush.
absl::Status RunNewToken(const TokenCommand& command, absl::Time now, Output* out,
                         std::ostream* err);

}  // namespace penstock::cli

#endif  // PENSTOCK_CLIENT_CLI_TOKEN_H_
