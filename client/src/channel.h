// The way to the daemon, shared by everything that a Provider makes.
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
#include "google/protobuf/message_lite.h"
#include "grpcpp/channel.h"
#include "grpcpp/client_context.h"
#include "grpcpp/completion_queue.h"
#include "grpcpp/security/credentials.h"
#include "penstock/config.h"
#include "penstock/context.h"

namespace penstock::internal {

// How often what gRPC's sockets have is looked at before it is taken for all.
inline constexpr int kLooks = 3;

inline constexpr int kUnknownDialect = -1;

// A connection to the daemon. Thread-safe.
struct Connection {
  const std::shared_ptr<grpc::Channel> channel;
  // A call was made over it, so that it may remember a daemon that was not there.
  std::atomic<bool> used{false};
  // That of the daemon's database, an sql::Dialect, or kUnknownDialect: it has not been asked
  // since the daemon was last reached.
  std::atomic<int> dialect{kUnknownDialect};
};

// Thread-safe.
class Channel {
 public:
  // INVALID_ARGUMENT or NOT_FOUND; see New.
  static absl::StatusOr<std::shared_ptr<Channel>> Make(const Config& config);

  // The process is a fork of the one that made this. Nothing of gRPC's may be used here, and
  // nothing of it destroyed: its threads are not there, and its locks may be held for ever.
  bool forked() const { return getpid() != pid_; }

  // The error of a call that need not begin, else OK: the provider is closed, the process
  // has forked, the context has ended, or has a staleness, which this call cannot have.
  absl::Status Check(const Context& ctx) const;
  // The same for a query, which may have a staleness, and for what reads no data.
  absl::Status CheckQuery(const Context& ctx) const;

  // RESOURCE_EXHAUSTED for a message that is larger than may be sent.
  absl::Status CheckSize(const google::protobuf::MessageLite& message) const;

  // Gives a call the trace parent of `ctx` and the program's name. Its deadline is not
  // set.
  void SetUp(const Context& ctx, grpc::ClientContext* call) const;

  // What a caller is to know about a call that ended with `end`. `gave_up`: this
  // side cancelled it because its deadline had passed.
  absl::Status Explain(const absl::Status& end, const Context& ctx, bool gave_up) const;

  // Makes a call by `attempt(connection, &again)`, which sets `again` if the call certainly
  // had no effect. Then it is made once more, over a new connection: the daemon may be
  // back. (A connection that was new is believed.) What the daemon has no room for is
  // tried again a few times, once idle streams have ended.
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

  // The connection for the next call. What has happened to it while nobody looked is
  // found out first, so that no call is sent to a daemon that has gone.
  std::shared_ptr<Connection> Current();
  // What this thread has found out just now holds for its next call as well, if that comes at
  // once. Looking is most of what a call costs when many threads do so.
  void KeepLook() const;

  // A connection that is not `old`: each has attempts and pauses of its own, and finds
  // the daemon's address anew.
  std::shared_ptr<Connection> Renew(const std::shared_ptr<Connection>& old);

  // Later calls do not use this connection: nothing comes through it.
  void Avoid(const Connection& stuck);

  // Where streams wait for their next use; they are ended when the daemon lacks room.
  void Keep(const std::shared_ptr<IdleStreams>& idle) { idle_ = idle; }

  const Config config;
  // Provider::Close cancels it, and with it every call.
  const Context open;

 private:
  Channel(const Config& config, std::shared_ptr<grpc::ChannelCredentials> credentials);

  std::shared_ptr<Connection> Connect() const;
  // Whether KeepLook was just called on this thread; true once.
  bool TakeLook() const;
  // After attempt `round`. Waits a moment where that is what helps.
  bool MayGoAgain(const Context& ctx, Again again, int round) const;

  const pid_t pid_ = getpid();
  const std::shared_ptr<grpc::ChannelCredentials> credentials_;
  // Nothing arrives on it; looking at it makes gRPC look at its sockets.
  grpc::CompletionQueue looker_;
  // Its streams refer to this.
  std::weak_ptr<IdleStreams> idle_;
  std::mutex mutex_;
  std::shared_ptr<Connection> connection_;
};

}  // namespace penstock::internal

#endif  // PENSTOCK_CLIENT_SRC_CHANNEL_H_
