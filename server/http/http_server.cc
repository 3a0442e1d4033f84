#include "server/http/http_server.h"

#include <microhttpd.h>
#include <netinet/in.h>
#include <strings.h>
#include <sys/socket.h>

#include <cstdarg>
#include <cstdio>
#include <cstring>
#include <mutex>
#include <optional>
#include <string_view>
#include <thread>
#include <utility>

#include "fmt/format.h"
#include "server/http/answers.h"
#include "server/http/peers.h"
#include "server/http/worker.h"
#include "server/log/log.h"
#include "server/net/acceptor.h"
#include "server/net/listener.h"
#include "text/wipe.h"

namespace penstock::server {
namespace {

using Clock = std::chrono::steady_clock;

struct HostPort {
  std::string host;
  int port;
};

// The configuration has checked the form.
HostPort Split(const std::string& listen) {
  const size_t colon = listen.rfind(':');
  std::string host = listen.substr(0, colon);
  if (host.starts_with('[')) host = host.substr(1, host.size() - 2);
  return {std::move(host), std::stoi(listen.substr(colon + 1))};
}

// A request, from the library's first call for it until it is completed.
struct Request {
  ~Request() {
    for (std::string& secret : caller.authorizations) Wipe(&secret);
  }

  // Who asks a handler for what, if one is asked.
  std::optional<HttpPath> path;
  HttpCaller caller;
  std::optional<HttpAnswer> answer;
};

MHD_Result Queue(MHD_Connection* connection, const HttpAnswer& answer) {
  // MHD only reads what it copies.
  MHD_Response* response = MHD_create_response_from_buffer(
      answer.body.size(), const_cast<char*>(answer.body.data()), MHD_RESPMEM_MUST_COPY);
  if (response == nullptr) return MHD_NO;
  MHD_add_response_header(response, "Content-Type", std::string(answer.content_type).c_str());
  if (const auto& [name, value] = answer.header; !name.empty()) {
    MHD_add_response_header(response, std::string(name).c_str(), std::string(value).c_str());
  }
  const MHD_Result queued = MHD_queue_response(connection, answer.status, response);
  MHD_destroy_response(response);
  return queued;
}

MHD_Result ReadHeader(void* request, MHD_ValueKind, const char* key, const char* value) {
  auto* const read = static_cast<HttpRequest*>(request);
  const std::string_view text = value == nullptr ? "" : value;
  // Names of headers are compared without their case, by MHD as well.
  if (strcasecmp(key, "host") == 0) read->hosts.push_back(text);
  if (strcasecmp(key, "authorization") == 0) read->authorizations.push_back(text);
  if (strcasecmp(key, "content-length") == 0 && text != "0") read->has_body = true;
  if (strcasecmp(key, "transfer-encoding") == 0) read->has_body = true;
  return MHD_YES;
}

// Paths are compared as they are sent: an escape would only be another name for one.
size_t KeepEscapes(void*, MHD_Connection*, char* text) { return std::string_view(text).size(); }

void LogLibrary(void*, const char* format, va_list arguments) {
  char text[512];
  std::vsnprintf(text, sizeof(text), format, arguments);
  std::string_view line = text;
  if (line.ends_with('\n')) line.remove_suffix(1);
  Log(Level::kDebug, "HTTP library message", {{"text", line}});
}

}  // namespace

class HttpServer::Impl {
 public:
  Impl(HttpHandlers handlers, const HttpLimits& limits)
      : handlers_(std::move(handlers)), limits_(limits), peers_(limits) {}
  ~Impl() { Stop(); }

  absl::Status Start(const std::string& listen) {
    const HostPort address = Split(listen);
    absl::StatusOr<std::vector<UniqueFd>> listeners = ListenTcp(address.host, address.port);
    if (!listeners.ok()) {
      return absl::UnavailableError(
          fmt::format("cannot listen for HTTP on {}: {}; choose another address with http_listen",
                      listen, std::string(listeners.status().message())));
    }
    port_ = LocalPort(listeners->front().get());
    if (!StartLibrary()) return absl::UnavailableError("cannot start the HTTP server");
    worker_.emplace();
    acceptor_.emplace("HTTP", *std::move(listeners),
                      Acceptor::Handlers{.accept = [this](Accepted it) { Take(std::move(it)); },
                                         .tick = [this] { peers_.Tick(Clock::now()); }});
    return absl::OkStatus();
  }

  int port() const { return port_; }
  absl::Status Health() const { return acceptor_->Health(); }

  void Stop() {
    if (library_ == nullptr) return;
    acceptor_->Stop();
    // The acceptor's tick, which would end connections whose time is over, has stopped.
    const auto until = Clock::now() + limits_.request_time;
    while (peers_.active() > 0 && Clock::now() < until) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    // None may be suspended when the library stops: from now on nothing is.
    {
      std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    worker_.reset();
    MHD_stop_daemon(library_);
    library_ = nullptr;
  }

 private:
  bool StartLibrary() {
    library_ = MHD_start_daemon(MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_NO_LISTEN_SOCKET |
                                    MHD_USE_ITC | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG,
                                0, nullptr, nullptr, &Impl::OnRequest, this,       //
                                MHD_OPTION_EXTERNAL_LOGGER, &LogLibrary, nullptr,  //
                                MHD_OPTION_CONNECTION_MEMORY_LIMIT, limits_.header_bytes,
                                // Never met: our own limits close the oldest, not the newest.
                                MHD_OPTION_CONNECTION_LIMIT,
                                static_cast<unsigned int>(HttpPeers::MostOpen(limits_) + 1),
                                MHD_OPTION_STRICT_FOR_CLIENT, 1,                          //
                                MHD_OPTION_UNESCAPE_CALLBACK, &KeepEscapes, nullptr,      //
                                MHD_OPTION_URI_LOG_CALLBACK, &Impl::OnFirstLine, this,    //
                                MHD_OPTION_NOTIFY_COMPLETED, &Impl::OnCompleted, this,    //
                                MHD_OPTION_NOTIFY_CONNECTION, &Impl::OnConnection, this,  //
                                MHD_OPTION_END);
    return library_ != nullptr;
  }

  void Take(Accepted accepted) {
    const int fd = accepted.fd.get();
    if (!peers_.Add(fd, PeerName(accepted.peer), Clock::now())) return;
    // The library closes the socket if it does not take it.
    if (MHD_add_connection(library_, accepted.fd.Release(),
                           reinterpret_cast<const sockaddr*>(&accepted.peer),
                           accepted.peer_size) != MHD_YES) {
      peers_.Remove(fd);
    }
  }

  static int Descriptor(MHD_Connection* connection) {
    return MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
  }

  static void OnConnection(void* self, MHD_Connection* connection, void**,
                           MHD_ConnectionNotificationCode code) {
    if (code != MHD_CONNECTION_NOTIFY_CLOSED) return;
    static_cast<Impl*>(self)->peers_.Remove(Descriptor(connection));
  }

  static void* OnFirstLine(void* self, const char*, MHD_Connection* connection) {
    static_cast<Impl*>(self)->peers_.Began(Descriptor(connection), Clock::now());
    return nullptr;
  }

  static void OnCompleted(void* self, MHD_Connection* connection, void** state,
                          MHD_RequestTerminationCode) {
    delete static_cast<Request*>(*state);
    *state = nullptr;
    static_cast<Impl*>(self)->peers_.Completed(Descriptor(connection), Clock::now());
  }

  static MHD_Result OnRequest(void* self, MHD_Connection* connection, const char* path,
                              const char* method, const char* version, const char*, size_t* size,
                              void** state) {
    // The answer to the body of a request that was refused is to close the connection.
    if (*size != 0) return MHD_NO;
    auto* const known = static_cast<Request*>(*state);
    if (known == nullptr)
      return First(connection, {.method = method, .path = path, .version = version}, state);
    if (known->answer) return Queue(connection, *known->answer);
    return static_cast<Impl*>(self)->Ask(known, connection);
  }

  // The library calls when the headers are there, and again when the body is. After an
  // answer to the first call it closes the connection: that is for bodies, which nobody reads.
  static MHD_Result First(MHD_Connection* connection, HttpRequest request, void** state) {
    MHD_get_connection_values(connection, MHD_HEADER_KIND, &ReadHeader, &request);
    if (request.has_body) return Queue(connection, OtherAnswer(request));
    auto* const kept = new Request{.path = HandlerPath(request), .caller = {}, .answer = {}};
    *state = kept;
    if (kept->path) {
      kept->caller = {
          .peer = PeerOf(connection),
          .authorizations = {request.authorizations.begin(), request.authorizations.end()}};
    } else {
      kept->answer = OtherAnswer(request);
    }
    return MHD_YES;
  }

  static std::string PeerOf(MHD_Connection* connection) {
    const auto* const info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    sockaddr_storage peer{};
    const bool is_v6 = info->client_addr->sa_family == AF_INET6;
    std::memcpy(&peer, info->client_addr, is_v6 ? sizeof(sockaddr_in6) : sizeof(sockaddr_in));
    return PeerName(peer);
  }

  // Suspends the connection until the handler has answered, and the library calls again.
  MHD_Result Ask(Request* request, MHD_Connection* connection) {
    std::lock_guard lock(mutex_);
    if (stopping_) return MHD_NO;
    MHD_suspend_connection(connection);
    worker_->Enqueue([this, request, connection] {
      request->answer = HandlerAnswer(*request->path, request->caller, handlers_);
      MHD_resume_connection(connection);
    });
    return MHD_YES;
  }

  const HttpHandlers handlers_;
  const HttpLimits limits_;
  HttpPeers peers_;
  int port_ = 0;
  std::mutex mutex_;
  bool stopping_ = false;
  MHD_Daemon* library_ = nullptr;
  std::optional<HttpWorker> worker_;
  std::optional<Acceptor> acceptor_;
};

absl::StatusOr<std::unique_ptr<HttpServer>> HttpServer::Start(const std::string& listen,
                                                              HttpHandlers handlers,
                                                              const HttpLimits& limits) {
  auto impl = std::make_unique<Impl>(std::move(handlers), limits);
  absl::Status started = impl->Start(listen);
  if (!started.ok()) return started;
  return std::unique_ptr<HttpServer>(new HttpServer(std::move(impl)));
}

HttpServer::HttpServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
HttpServer::~HttpServer() = default;

int HttpServer::port() const { return impl_->port(); }
absl::Status HttpServer::Health() const { return impl_->Health(); }
void HttpServer::Stop() { impl_->Stop(); }

}  // namespace penstock::server
