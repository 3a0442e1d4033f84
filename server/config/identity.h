// The identities of the configuration: who may reach the daemon, and what each may do.
#ifndef PENSTOCK_SERVER_CONFIG_IDENTITY_H_
#define PENSTOCK_SERVER_CONFIG_IDENTITY_H_

#include <sys/types.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace penstock::server {

// What an identity may do with a database.
enum class Right : uint8_t {
  kRead,     // statements and operations that only read; the backend enforces it
  kWrite,    // statements and operations that write, too
  kMigrate,  // Migrate
  kAdmin,    // GetStats
};

// A set of rights, as the configuration has them: kWrite implies kRead where they are checked.
class Rights {
 public:
  constexpr Rights() = default;
  static constexpr Rights All() {
    return Rights()
        .With(Right::kRead)
        .With(Right::kWrite)
        .With(Right::kMigrate)
        .With(Right::kAdmin);
  }

  constexpr Rights With(Right right) const { return Rights(bits_ | Bit(right)); }
  constexpr bool Has(Right right) const { return (bits_ & Bit(right)) != 0; }
  constexpr bool empty() const { return bits_ == 0; }
  constexpr Rights operator|(Rights other) const { return Rights(bits_ | other.bits_); }
  constexpr bool operator==(const Rights&) const = default;

 private:
  explicit constexpr Rights(unsigned bits) : bits_(static_cast<uint8_t>(bits)) {}
  static constexpr unsigned Bit(Right right) { return 1U << static_cast<unsigned>(right); }

  uint8_t bits_ = 0;
};

// The name of a right in the configuration and in messages: "read".
std::string_view RightName(Right right);

// Returns the names of all rights, in the order of `Right`.
const std::vector<std::string>& RightNames();

// Returns the right with exactly this name, or nothing if there is none.
std::optional<Right> ParseRight(std::string_view name);

// What an identity may do with one database, or with all.
struct GrantConfig {
  // "*" stands for every database.
  std::string database;
  Rights rights;
  // If not empty, the grant is for key-value calls only, and for these keyspaces.
  std::vector<std::string> keyspaces;
  // If not empty, the grant is for key-value calls only, and for keys that begin with it.
  std::string key_prefix;

  bool only_keys() const { return !keyspaces.empty() || !key_prefix.empty(); }
  bool operator==(const GrantConfig&) const = default;
};

// A bearer token. The token itself is known to its owner alone.
struct TokenConfig {
  // The word between "pst_" and the secret part. Unique among all identities.
  std::string id;
  // The SHA-256 of the whole token: 32 bytes.
  std::string sha256;
  std::chrono::system_clock::time_point expires;
};

// What an identity may use of the daemon, by all of its credentials together. 0 is no limit.
struct IdentityLimits {
  // Calls and streams in flight, and those of Transaction among them.
  int max_calls = 0;
  int max_transactions = 0;
  // Calls and streams that begin, of which as many may come at once.
  int calls_per_second = 0;
  // The bytes and the rows of one result.
  size_t max_result_bytes = 0;
  size_t max_result_rows = 0;
  // If not, what exceeds a limit is counted and logged, and goes on.
  bool enforce = true;

  bool operator==(const IdentityLimits&) const = default;
};

// One identity. Any of its credentials proves it.
struct IdentityConfig {
  std::vector<TokenConfig> tokens;
  // Names in client certificates, as the file has them: "spiffe://example.org/app" or another URI,
  // "dns:app.internal", "cn:app".
  std::vector<std::string> certificates;
  // Processes that come by a unix socket.
  std::vector<uid_t> unix_users;
  std::vector<gid_t> unix_groups;
  // The `sub` of verified JSON Web Tokens.
  std::vector<std::string> jwt_subjects;
  std::vector<GrantConfig> grants;
  // It may read the metrics of the daemon, which are of all databases and identities.
  bool metrics = false;
  IdentityLimits limits;
};

// How JSON Web Tokens are verified. Without a file none is accepted.
struct JwtConfig {
  // A JSON Web Key Set.
  std::string jwks_file;
  // The algorithms that are accepted, as in "RS256".
  std::vector<std::string> algorithms;
  // `aud` must be, or contain, this.
  std::string audience;
  // If not empty, `iss` must be this.
  std::string issuer;
};

// By name. If it is empty, whoever reaches the daemon may do everything.
using IdentityConfigs = std::map<std::string, IdentityConfig>;

// Returns what an operator should know of identities that are right: a line for the log for each
// token that has expired by `now`, in the order of the identities' names. It shows no secret.
std::vector<std::string> IdentityNotes(const IdentityConfigs& identities,
                                       std::chrono::system_clock::time_point now);

}  // namespace penstock::server

#endif  // PENSTOCK_SERVER_CONFIG_IDENTITY_H_
