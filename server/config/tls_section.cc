#include "server/config/tls_section.h"

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "fmt/format.h"
#include "server/config/keys.h"
#include "server/config/tls_files.h"

namespace penstock::server {
namespace {

void CheckClients(const YamlMap& map, const TlsConfig& tls, Problems* problems) {
  const char* const key = "require_client_cert";
  if (!map.Has(key) || !tls.require_client_cert || map.Has("client_ca_file")) return;
  problems->Add(map.WhereIs(key),
                "needs the authority of client certificates; name it in client_ca_file, or remove "
                "the key");
}

void ReadPath(YamlMap* map, const std::string& key, std::string* path, Problems* problems) {
  std::optional<Setting> setting = map->Text(key);
  if (!setting) return;
  if (setting->value.empty()) problems->Add(setting->where, "is empty; name a PEM file");
  *path = std::move(setting->value);
}

}  // namespace

void ReadTls(YamlMap map, TlsConfig* tls, Problems* problems) {
  ReadKeys(TlsKeys(), &map, tls);
  ReadPath(&map, "cert_file", &tls->cert_file, problems);
  ReadPath(&map, "key_file", &tls->key_file, problems);
  ReadPath(&map, "client_ca_file", &tls->client_ca_file, problems);
  map.Finish();
  CheckClients(map, *tls, problems);
  for (const char* key : {"cert_file", "key_file"}) {
    if (map.Has(key)) continue;
    problems->Add(map.WhereIs(key),
                  fmt::format("has no {}; TLS needs both cert_file and key_file", key));
  }
  std::vector<TlsProblem> wrong;
  ReadTlsFiles(*tls, &wrong);
  for (const TlsProblem& problem : wrong) problems->Add(map.WhereIs(problem.key), problem.text);
}

}  // namespace penstock::server
