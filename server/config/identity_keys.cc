// The keys of `identities` and `jwt`. The sections' own code reads nearly all of them, because it
// has to know the place of each text of a list.
#include <string>

#include "server/config/keys.h"

namespace penstock::server {

const Keys<IdentityConfig>& IdentityKeys() {
  static const auto* const keys = new Keys<IdentityConfig>{
      {.name = "tokens",
       .help = "bearer tokens, see below; at most two that have not expired, so that they can be "
               "replaced one after the other",
       .otherwise = "none"},
      {.name = "certificates",
       .help = "names in certificates of `server.tls.client_ca_file`: a URI as in "
               "`spiffe://example.org/app`, `dns:NAME` or `cn:NAME`; one or a list",
       .otherwise = "none"},
      {.name = "unix_users",
       .help = "the users whose processes come by a unix socket: names, which are looked up when "
               "the file is read, or numbers; one or a list",
       .otherwise = "none"},
      {.name = "unix_groups",
       .help = "the groups whose processes come by a unix socket: names or numbers; one or a list",
       .otherwise = "none"},
      {.name = "jwt_subjects",
       .help = "what `sub` is in JSON Web Tokens, which `jwt` verifies; one or a list",
       .otherwise = "none"},
      {.name = "grants",
       .help = "what the identity may do with databases, see below; required unless `metrics` is "
               "true"},
      {.name = "metrics",
       .type = BoolKey{&IdentityConfig::metrics},
       .help = "whether the identity may read `/metrics`, which tells of all databases and "
               "identities"},
      {.name = "limits",
       .help = "how much the identity may use of the daemon, see below",
       .otherwise = "none"},
  };
  return *keys;
}

const Keys<TokenConfig>& TokenKeys() {
  static const auto* const keys = new Keys<TokenConfig>{
      {.name = "id",
       .help = "the part of the token between `pst_` and its secret: letters, digits, `_` and `-`, "
               "at most 40; unique among all identities; required"},
      {.name = "sha256",
       .help = "the SHA-256 of the whole token, in 64 hexadecimal digits, as `penstock token new` "
               "prints it; required"},
      {.name = "expires",
       .help = "when the token ends, as in `2027-03-01T00:00:00Z`; required. An expired token is a "
               "line in the log, and no mistake"},
  };
  return *keys;
}

const Keys<GrantConfig>& GrantKeys() {
  static const auto* const keys = new Keys<GrantConfig>{
      {.name = "database", .help = "the database, a list of them, or `*` for every one; required"},
      {.name = "rights",
       .help = "some of `read`, `write`, `migrate` and `admin`, of which `write` alone implies "
               "another, `read`; "
               "required"},
      {.name = "keyspaces",
       .help = "limits the grant to calls on keys and values of these keyspaces; one or a list. "
               "Not with `migrate` and `admin`",
       .otherwise = "all, and SQL"},
      {.name = "key_prefix",
       .help = "limits the grant to calls on keys that begin with this. Not with `migrate` and "
               "`admin`",
       .otherwise = "all keys, and SQL"},
  };
  return *keys;
}

const Keys<JwtConfig>& JwtKeys() {
  static const auto* const keys = new Keys<JwtConfig>{
      {.name = "jwks_file",
       .help = "a JSON Web Key Set with the public keys of the issuer, to which not everybody can "
               "write; required"},
      {.name = "algorithms",
       .help = "the algorithms that are accepted, some of `RS256`, `RS384`, `RS512`, `PS256`, "
               "`PS384`, `PS512`, `ES256`, `ES384` and `EdDSA`; required"},
      {.name = "audience", .help = "what `aud` must be, or have in its list; required"},
      {.name = "issuer",
       .type = TextKey{&JwtConfig::issuer},
       .help = "what `iss` must be",
       .otherwise = "any"},
  };
  return *keys;
}

}  // namespace penstock::server
