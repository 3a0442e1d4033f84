// `identities.*.tokens`.
#ifndef PENSTOCK_SERVER_CONFIG_TOKEN_SECTION_H_
#define PENSTOCK_SERVER_CONFIG_TOKEN_SECTION_H_

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "server/config/identity.h"
#include "server/config/problems.h"
#include "server/config/yaml_map.h"

namespace penstock::server {

// Reads the tokens of one identity after the other. Not thread-safe.
class TokenReader {
 public:
  // Tokens whose end is after `now` are live. `problems` outlives the object.
  TokenReader(std::chrono::system_clock::time_point now, Problems* problems)
      : now_(now), problems_(problems) {}

  // Reads the tokens of the identity. It reports more than two that are live, and a token that has
  // been read before, of whichever identity. An expired token is no mistake, see IdentityNotes. No
  // message shows what may be a token by mistake.
  std::vector<TokenConfig> Read(YamlMap* identity);

 private:
  TokenConfig ReadToken(YamlMap* map);
  std::string ReadId(YamlMap* map);
  std::string ReadDigest(YamlMap* map);
  std::optional<std::chrono::system_clock::time_point> ReadEnd(YamlMap* map);
  // Returns the line in which the same was said before, or nothing and remembers it.
  std::optional<int> EarlierLine(const std::string& what, const Where& where);

  const std::chrono::system_clock::time_point now_;
  Problems* const problems_;
  // The lines of the ids and of the digests that were read.
  std::map<std::string, int> lines_;
};

}  // namespace penstock::server

#endif  // PENSTOCK_SERVER_CONFIG_TOKEN_SECTION_H_
