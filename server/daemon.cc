#include "server/daemon.h"

#include <atomic>
#include <chrono>
#include <optional>
#include <utility>

#include "fmt/format.h"
#include "server/auth/authenticator.h"
#include "server/auth/failed_attempts.h"
#include "server/config/address.h"
#include "server/database/startup_migrations.h"
#include "server/descriptors.h"
#include "server/http/guard.h"
#include "server/http/http_server.h"
#include "server/log/log.h"
#include "server/metrics_text.h"
#include "server/net/certificates.h"
#include "server/rpc/grpc_server.h"
#include "server/rpc/library_log.h"
#include "server/runtime/ticker.h"

namespace penstock::server {
namespace {

// The precision of the limits that no driver enforces: waiting, idle, stall.
constexpr auto kTick = std::chrono::milliseconds(10);

// A quarter of the sessions is left to other peers, unless the configuration says otherwise.
int SessionsByPeer(const ServerConfig& config) {
  if (config.max_sessions_by_peer > 0) return config.max_sessions_by_peer;
  return config.max_sessions - config.max_sessions / 4;
}

// Tells whether HTTP is for whoever reaches it: the users of this machine, or all by the word of
// the configuration.
bool HttpIsOpen(const ServerConfig& config) {
  const absl::StatusOr<Address> address = ParseAddress(config.http_listen);
  return config.public_metrics || !address.ok() || IsLoopback(*address);
}

}  // namespace

class Daemon::Impl {
 public:
  explicit Impl(const Config& config)
      : config_(config),
        http_guard_(&authenticator_, &failed_attempts_, &metrics_, HttpIsOpen(config.server)),
        registry_(config.server.max_sessions, SessionsByPeer(config.server)) {}

  absl::Status Start(driver::Cancellation* cancellation) {
    TakeLibraryLogs();
    absl::Status loaded = LoadCertificates();
    if (loaded.ok()) loaded = LoadIdentities(config_);
    if (!loaded.ok()) return loaded;
    absl::StatusOr<std::unique_ptr<Databases>> databases = Databases::Open(config_);
    if (!databases.ok()) return databases.status();
    databases_ = *std::move(databases);
    LogWhoMayCall();
    const RpcContext context{.databases = databases_.get(),
                             .registry = &registry_,
                             .metrics = &metrics_,
                             .config = &config_,
                             .authenticator = &authenticator_,
                             .failed_attempts = &failed_attempts_,
                             .certificates = certificates_.get()};
    ticker_ = std::make_unique<Ticker>(kTick, [this](TimePoint now) {
      registry_.Tick(now);
      databases_->Tick(now);
    });
    const absl::StatusOr<DescriptorShares> shares = ShareDescriptors(config_);
    if (!shares.ok()) return shares.status();
    // HTTP starts before the migrations, so that a long one does not look like a daemon that hangs.
    absl::Status status = StartHttp(shares->http);
    if (status.ok()) status = MigrateOnStart(config_, databases_.get(), cancellation);
    if (!status.ok()) return status;
    absl::StatusOr<std::unique_ptr<GrpcServer>> grpc = GrpcServer::Start(context, shares->grpc);
    if (!grpc.ok()) return grpc.status();
    grpc_ = *std::move(grpc);
    serving_.store(true);
    return absl::OkStatus();
  }

  ~Impl() {
    http_.reset();
    grpc_.reset();
    ticker_.reset();
    certificate_ticker_.reset();
  }

  // All that can fail comes before anything changes.
  absl::Status Reload(const Config& config) {
    const std::optional<TlsConfig>& tls = config.server.tls;
    const bool has_certificates =
        tls && certificates_ != nullptr &&
        tls->client_ca_file.empty() == config_.server.tls->client_ca_file.empty();
    std::shared_ptr<const TlsFiles> files;
    if (has_certificates) {
      absl::StatusOr<std::shared_ptr<const TlsFiles>> read = Certificates::Read(*tls);
      if (!read.ok()) return read.status();
      files = *std::move(read);
    }
    absl::Status loaded = LoadIdentities(config);
    if (!loaded.ok()) return loaded;
    if (files != nullptr) certificates_->Take(*tls, std::move(files));
    return absl::OkStatus();
  }
  void Drain() { grpc_->Drain(config_.server.drain_grace); }

  const std::vector<std::string>& grpc_addresses() const { return grpc_->addresses(); }
  const std::string& http_address() const { return http_address_; }

 private:
  absl::Status LoadIdentities(const Config& config) {
    absl::Status loaded = authenticator_.Load(config.identities, config.jwt);
    if (!loaded.ok()) return loaded;
    const auto now = std::chrono::system_clock::now();
    for (const std::string& note : IdentityNotes(config.identities, now)) {
      Log(Level::kWarn, "identities", {{"note", note}});
    }
    return absl::OkStatus();
  }

  absl::Status LoadCertificates() {
    const std::optional<TlsConfig>& tls = config_.server.tls;
    if (!tls) return absl::OkStatus();
    absl::StatusOr<std::shared_ptr<const TlsFiles>> files = Certificates::Read(*tls);
    if (!files.ok()) return files.status();
    certificates_ = std::make_unique<Certificates>(*tls, *std::move(files));
    const auto look = [this] { certificates_->Look(std::chrono::system_clock::now()); };
    look();  // tells what expires soon
    certificate_ticker_ =
        std::make_unique<Ticker>(Certificates::kPause, [look](TimePoint) { look(); });
    return absl::OkStatus();
  }

  absl::Status Ready() const {
    if (!serving_.load()) return absl::UnavailableError("starting");
    if (registry_.draining()) return absl::UnavailableError("draining");
    const absl::Status accepting = grpc_->Ready();
    return accepting.ok() ? databases_->Ready() : accepting;
  }

  void LogWhoMayCall() const {
    if (config_.identities.empty()) {
      Log(Level::kInfo, "there are no identities: whoever reaches the daemon may do everything");
    } else {
      Log(Level::kInfo, "calls need an identity", {{"identities", config_.identities.size()}});
    }
  }

  absl::Status StartHttp(int connections) {
    const std::string& listen = config_.server.http_listen;
    if (listen.empty()) return absl::OkStatus();
    HttpHandlers handlers;
    handlers.metrics = [this] {
      return MetricsText(metrics_, *databases_, &authenticator_, certificates_.get());
    };
    handlers.ready = [this] { return Ready(); };
    handlers.admit = [this](HttpPath path, const HttpCaller& caller) {
      return http_guard_.Admit(path, caller);
    };
    const HttpLimits limits{.connections = connections, .connections_by_peer = connections / 2};
    absl::StatusOr<std::unique_ptr<HttpServer>> http =
        HttpServer::Start(listen, std::move(handlers), limits);
    if (!http.ok()) return http.status();
    http_ = *std::move(http);
    http_address_ = fmt::format("{}:{}", listen.substr(0, listen.rfind(':')), http_->port());
    return absl::OkStatus();
  }

  const Config config_;
  ServerMetrics metrics_;
  Authenticator authenticator_;
  // Null: there is no TLS.
  std::unique_ptr<Certificates> certificates_;
  FailedAttempts failed_attempts_;
  const HttpGuard http_guard_;
  CallRegistry registry_;
  std::atomic<bool> serving_{false};
  std::unique_ptr<Databases> databases_;
  std::unique_ptr<Ticker> ticker_;
  std::unique_ptr<Ticker> certificate_ticker_;
  std::unique_ptr<GrpcServer> grpc_;
  std::unique_ptr<HttpServer> http_;
  std::string http_address_;
};

Daemon::Daemon(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Daemon::~Daemon() = default;

absl::StatusOr<std::unique_ptr<Daemon>> Daemon::Start(const Config& config,
                                                      driver::Cancellation* cancellation) {
  driver::Cancellation never;
  auto impl = std::make_unique<Impl>(config);
  absl::Status started = impl->Start(cancellation != nullptr ? cancellation : &never);
  if (!started.ok()) return started;
  return std::unique_ptr<Daemon>(new Daemon(std::move(impl)));
}

const std::vector<std::string>& Daemon::grpc_addresses() const { return impl_->grpc_addresses(); }
std::string Daemon::http_address() const { return impl_->http_address(); }
absl::Status Daemon::Reload(const Config& config) { return impl_->Reload(config); }
void Daemon::Drain() { impl_->Drain(); }

}  // namespace penstock::server
