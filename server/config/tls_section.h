// `server.tls`.
#ifndef PENSTOCK_SERVER_CONFIG_TLS_SECTION_H_
#define PENSTOCK_SERVER_CONFIG_TLS_SECTION_H_

#include "server/config/config.h"
#include "server/config/problems.h"
#include "server/config/yaml_map.h"

namespace penstock::server {

// Reads the names of the files, and tries them: the certificates and the key can be read, and the
// key is the certificate's. gRPC would only fail to listen, and not say why.
void ReadTls(YamlMap map, TlsConfig* tls, Problems* problems);

}  // namespace penstock::server

#endif  // PENSTOCK_SERVER_CONFIG_TLS_SECTION_H_
