// The connection to the daemon, shared by everything that a Provider makes.
#ifndef PENSTOCK_CLIENT_SRC_CHANNEL_H_
#define PENSTOCK_CLIENT_SRC_CHANNEL_H_

#include <sys/types.h>
#include <unistd.h>

#include <atomic>
#include <memory>
#include <mutex>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "client/src/idle_streams.h"
#include "client/src/status.h"
#include "client/src/token_source.h"
#include "google/protobuf/message_lite.h"
#include "grpcpp/channel.h"
#include "grpcpp/client_context.h"
#include "grpcpp/completion_queue.h"
#include "grpcpp/security/credentials.h"
#include "penstock/config.h"
#include "penstock/context.h"

namespace penstock::internal {

// How many times gRPC's sockets are polled before their state counts as known; see
// Channel::Current.
inline constexpr int kLooks = 3;

inline constexpr int kUnknownDialect = -1;

// One gRPC connection to the daemon. Thread-safe.
struct Connection {
  const std::shared_ptr<grpc::Channel> channel;
  // True once a call was made over it. A used connection may still be in a back-off pause after an
  // attempt that failed, or lead to a daemon that has gone.
  std::atomic<bool> used{false};
  // The dialect of the daemon's database as an sql::Dialect, or kUnknownDialect if the daemon has
  // not been asked since it was last reached.
  std::atomic<int> dialect{kUnknownDialect};
  // True if the daemon does not know Pipeline. Forgotten when the daemon has to be reached again.
  std::atomic<bool> lacks_pipeline{false};
};

// Makes calls to the daemon and repeats those that had no effect. Thread-safe.
class Channel {
 public:
  // Fails with INVALID_ARGUMENT or NOT_FOUND as New does.
  static absl::StatusOr<std::shared_ptr<Channel>> Make(const Config& config);

  // True in a fork of the process that made this. gRPC's objects must then be neither used nor
  // destroyed: gRPC's threads do not exist in the fork, and its locks may stay locked.
  bool forked() const { return getpid() != pid_; }

  // Returns the error of a call that must not begin: the provider is closed, the process has
  // forked, the context has ended or has a staleness, which most calls refuse, or the file of the
  // token cannot be read.
  absl::Status Check(const Context& ctx) const;
  // Does the same, and refuses settings of the session as well. For calls that have no use for
  // them.
  absl::Status CheckWithoutSettings(const Context& ctx) const;
  // Only refuses settings of the session. For a call that is checked when it begins.
  static absl::Status RefuseSettings(const Context& ctx);
  // Does what Check does, but allows a staleness. For queries, and for calls that read no data.
  absl::Status CheckQuery(const Context& ctx) const;
  // Does what Check does, but needs no token. For a step on a stream that carries one already.
  absl::Status CheckStep(const Context& ctx) const;

  // Returns RESOURCE_EXHAUSTED if the message is larger than max_message_bytes.
  absl::Status CheckSize(const google::protobuf::MessageLite& message) const;

  // Adds the token, the trace parent of `ctx` and the client's settings to a call's metadata. Does
  // not set the deadline. Returns the token, for IsCurrent.
  Authorization SetUp(const Context& ctx, grpc::ClientContext* call) const;
  // Returns true if a call that is made now would carry this token, too.
  bool IsCurrent(const Authorization& token) const { return tokens_->Current() == token; }

  // Turns the status with which a call ended into the error for the caller. `gave_up` means that
  // this client cancelled the call because its deadline had passed.
  absl::Status Explain(const absl::Status& end, const Context& ctx, bool gave_up) const;

  // Makes a call by `attempt(connection, &again)`. If the attempt sets `again`, the call certainly
  // had no effect; it is then repeated once over a new connection, because the daemon may be back.
  // (If the first connection was new and found no daemon, it is not repeated.) A call for which the
  // daemon has no room is repeated a few times, after ending idle streams.
  template <typename Attempt>
  auto Call(const Context& ctx, Attempt attempt) {
    std::shared_ptr<Connection> connection = Current();
    bool was_new = !connection->used.exchange(true);
    for (int round = 1;; ++round) {
      Again again = Again::kNo;
      auto outcome = attempt(connection, &again);
      if (again == Again::kElsewhere && was_new) again = Again::kNo;
      if (!MayGoAgain(ctx, again, round)) return outcome;
      if (again != Again::kWithRoom) connection = Renew(connection);
      was_new = true;
      connection->used = true;
    }
  }

  // Returns the connection for the next call. First lets gRPC process what has arrived on its
  // sockets, so that no call is sent to a daemon that has gone.
  std::shared_ptr<Connection> Current();
  // Makes the next call of this thread skip that check if it comes at once. The check is most of
  // the cost of a call when many threads make calls.
  void KeepLook() const;

  // Returns a connection other than `old`. A new connection has its own attempts and pauses, and
  // resolves the daemon's name again.
  std::shared_ptr<Connection> Renew(const std::shared_ptr<Connection>& old);

  // Stops later calls from using this connection, because it does not carry any bytes.
  void Avoid(const Connection& stuck);

  // Returns true if the next call would use this connection, unless it has been lost.
  bool Uses(const Connection& connection) const;
  // Returns true if the current connection's daemon is known not to know Pipeline.
  bool LacksPipeline() const;

  // Ends idle streams, so that the daemon has room for another session.
  void EndIdle() const;

  // Sets the idle streams, which are ended when the daemon has no room for another session.
  void Keep(const std::shared_ptr<IdleStreams>& idle) { idle_ = idle; }

  const Config config;
  // Provider::Close cancels it, and with it every call.
  const Context open;

 private:
  Channel(const Config& config, std::shared_ptr<grpc::ChannelCredentials> credentials);

  std::shared_ptr<Connection> Connect() const;
  // The part of Check that every call and step needs.
  absl::Status CheckOpen(const Context& ctx) const;
  // Returns true once if KeepLook was called on this thread a moment ago.
  bool TakeLook() const;
  // Decides after attempt `round` whether the call is repeated. Pauses where that helps.
  bool MayGoAgain(const Context& ctx, Again again, int round) const;

  const pid_t pid_ = getpid();
  const std::shared_ptr<grpc::ChannelCredentials> credentials_;
  const std::unique_ptr<TokenSource> tokens_;
  // No event ever arrives on it. Polling it makes gRPC poll its sockets.
  grpc::CompletionQueue looker_;
  // Weak, because the streams refer to this channel.
  std::weak_ptr<IdleStreams> idle_;
  mutable std::mutex mutex_;
  std::shared_ptr<Connection> connection_;
};

}  // namespace penstock::internal

#endif  // PENSTOCK_CLIENT_SRC_CHANNEL_H_
