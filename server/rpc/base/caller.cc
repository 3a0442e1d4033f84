#include "server/rpc/base/caller.h"

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "absl/strings/ascii.h"
#include "fmt/format.h"
#include "grpc/grpc_security_constants.h"
#include "server/net/acceptor.h"
#include "server/net/peer_processes.h"
#include "server/rpc/base/peer.h"

namespace penstock::server {
namespace {

constexpr Need NeedOf(Rpc rpc) { return kRpcNeeds[static_cast<size_t>(rpc)]; }

// The right that a method needs on the database of its request.
std::optional<Right> RightOf(Rpc rpc) {
  switch (NeedOf(rpc)) {
    case Need::kNothing:
    case Need::kIdentity: return std::nullopt;
    case Need::kRead: return Right::kRead;
    case Need::kWrite: return Right::kWrite;
    case Need::kMigrate: return Right::kMigrate;
    case Need::kAdmin: return Right::kAdmin;
    case Need::kMetrics: break;  // HTTP's
  }
  return Right::kAdmin;
}

bool IsEncrypted(const grpc::AuthContext& auth) {
  const auto types = auth.FindPropertyValues(GRPC_TRANSPORT_SECURITY_TYPE_PROPERTY_NAME);
  return !types.empty() && types.front() == GRPC_SSL_TRANSPORT_SECURITY_TYPE;
}

// Returns the names of a verified certificate, in the order in which they are preferred. A kind of
// name has a prefix of its own, so that no name of one kind passes for one of another.
std::vector<std::string> CertificateNames(const grpc::AuthContext& auth) {
  std::vector<std::string> names;
  if (!auth.IsPeerAuthenticated()) return names;
  const auto add = [&](const char* property, std::string_view prefix) {
    for (const grpc::string_ref& value : auth.FindPropertyValues(property)) {
      names.push_back(fmt::format("{}{}", prefix, std::string_view(value.data(), value.size())));
    }
  };
  add(GRPC_PEER_URI_PROPERTY_NAME, "uri:");
  const size_t first_host = names.size();
  add(GRPC_PEER_DNS_PROPERTY_NAME, "dns:");
  for (size_t i = first_host; i < names.size(); ++i) absl::AsciiStrToLower(&names[i]);
  add(GRPC_X509_CN_PROPERTY_NAME, "cn:");
  return names;
}

Presented PresentedBy(const RpcContext& context, const grpc::ServerContext& call) {
  Presented presented;
  const std::string peer = call.peer();
  presented.process = context.peer_processes->Find(peer);
  const auto auth = call.auth_context();
  presented.certificate_names = CertificateNames(*auth);
  const auto [begin, end] = call.client_metadata().equal_range("authorization");
  for (auto it = begin; it != end; ++it) {
    presented.authorizations.emplace_back(it->second.data(), it->second.size());
  }
  presented.overheard = !IsEncrypted(*auth) && !IsLocalPeer(PeerOf(peer));
  return presented;
}

}  // namespace

absl::StatusOr<Access> Authenticate(const RpcContext& context, Rpc rpc,
                                    const grpc::ServerContext& call) {
  if (NeedOf(rpc) == Need::kNothing) return Access{.principal = Principal::Local()};
  // Without identities nobody looks at what is presented, and it need not be gathered.
  const Authenticator& authenticator = *context.authenticator;
  return authenticator.Authenticate(
      authenticator.configured() ? PresentedBy(context, call) : Presented{},
      std::chrono::system_clock::now());
}

absl::StatusOr<Database*> FindDatabase(const RpcContext& context, Rpc rpc,
                                       const Principal& principal, std::string_view name) {
  const std::string_view wanted = name.empty() ? context.databases->default_name() : name;
  if (const std::optional<Right> right = RightOf(rpc)) {
    absl::Status allowed = principal.Check(*right, wanted);
    if (!allowed.ok()) return allowed;
  }
  return context.databases->Find(name);
}

}  // namespace penstock::server
