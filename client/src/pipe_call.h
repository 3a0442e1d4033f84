// A call that goes over a Pipeline stream.
#ifndef PENSTOCK_CLIENT_SRC_PIPE_CALL_H_
#define PENSTOCK_CLIENT_SRC_PIPE_CALL_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "client/src/cancellation.h"
#include "penstock/context.h"

namespace penstock::internal {

class PipeLoop;
class PipeStream;

// A statement that each stream prepares when a run of it is first sent over that stream.
struct PipeStatement {
  // Unique within a Provider.
  uint32_t number = 0;
  // The call that prepares it: a PipelineRequest.Call without an id.
  std::string prepare = {};
};

// What a call asks for.
struct PipeRequest {
  // A PipelineRequest.Call without an id.
  std::string bytes = {};
  // It may have an effect.
  bool writes = false;
  // Set for a run, which needs the statement on its stream, and for a `prepare`.
  std::shared_ptr<const PipeStatement> statement = nullptr;
  // This is the call that prepares `statement`.
  bool prepares = false;
  // It is a query, which takes a context with a staleness.
  bool queries = false;
};

// Base of all calls. PipeLoop owns its private part.
class PipeCall : public std::enable_shared_from_this<PipeCall>, private Cancellable {
 public:
  PipeCall(std::shared_ptr<PipeLoop> loop, const Context& ctx, PipeRequest request)
      : loop_(std::move(loop)),
        request_(std::move(request)),
        ctx_(ctx),
        give_up_(GiveUpTime(ctx)) {}

 protected:
  virtual ~PipeCall() = default;

  // Both are called under no lock, by whoever reads from the daemon at the moment. After an OnEnd,
  // or an OnAnswer without `more`, nothing comes any more.
  //
  // `answer` is a serialized PipelineResponse.Answer. After one with `more` the next one comes when
  // PipeLoop::Next has been called.
  virtual void OnAnswer(std::string answer, bool more) = 0;
  // The call has ended without an answer. `status` is never OK. `lacking` says that the daemon does
  // not know Pipeline, so that the call has to take another way.
  virtual void OnEnd(absl::Status status, bool lacking) = 0;

  const PipeRequest& request() const { return request_; }
  const Context& ctx() const { return ctx_; }

  const std::shared_ptr<PipeLoop> loop_;

 private:
  friend class PipeLoop;

  enum class Place : uint8_t { kNone, kQueue, kPause, kStream };

  void Cancelled() override;
  void Listen() { listening_.emplace(ctx_, static_cast<Cancellable*>(this)); }

  const PipeRequest request_;
  const Context ctx_;
  std::optional<Listening> listening_;

  // The rest is under the lock of the loop.
  Place place_ = Place::kNone;
  PipeStream* stream_ = nullptr;
  uint64_t id_ = 0;
  absl::Time give_up_;
  absl::Time pause_end_;
  bool cancelled_ = false;
  // It has given up, and its stream is being ended to find out whether it was sent.
  bool gave_up_ = false;
  // A part of its answer was delivered, so it cannot be repeated.
  bool answered_ = false;
  // How many times it was repeated: after a stream that had worked before, and otherwise.
  int stale_rounds_ = 0;
  int rounds_ = 0;
};

}  // namespace penstock::internal

#endif  // PENSTOCK_CLIENT_SRC_PIPE_CALL_H_
