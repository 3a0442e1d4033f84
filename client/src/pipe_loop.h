// Carries the calls of a Provider over Pipeline streams.
//
// One completion queue serves all streams. Who reads from it is the poller: as a rule a thread of
// this object's own. A blocking caller that is the only one is the poller itself, which saves two
// changes of thread; it stops as soon as there is another call.
#ifndef PENSTOCK_CLIENT_SRC_PIPE_LOOP_H_
#define PENSTOCK_CLIENT_SRC_PIPE_LOOP_H_

#include <array>
#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/time/time.h"
#include "client/src/cancellation.h"
#include "client/src/channel.h"
#include "client/src/pipe_call.h"
#include "client/src/pipe_stream.h"
#include "grpcpp/alarm.h"
#include "grpcpp/completion_queue.h"

namespace penstock::internal {

// A place where one thread waits. Thread-safe.
class Parking {
 public:
  // Waits until Wake was called since the last Wait.
  void Wait();
  void Wake();
  // Returns true, once, if Wake was called since the last Wait.
  bool TryWait();

 private:
  std::atomic<uint32_t> state_{0};
};

// Thread-safe. Must be held by a shared_ptr. Whoever has made it calls End before dropping it.
class PipeLoop final : public std::enable_shared_from_this<PipeLoop>, private Cancellable {
 public:
  // A larger request is large: it holds up only others like it, and a message of small ones ends
  // before it has more bytes. Every daemon takes messages of 64 KiB, so only a large request can be
  // one for which gRPC ends the stream that it came on.
  static constexpr size_t kLarge = size_t{60} << 10;
  static size_t SizeOf(const PipeRequest& request);

  explicit PipeLoop(std::shared_ptr<Channel> channel);
  ~PipeLoop();

  // Returns the error of a call that must not begin; see Channel::Check and CheckQuery.
  absl::Status Check(const Context& ctx, bool queries) const {
    return queries ? channel_->CheckQuery(ctx) : channel_->Check(ctx);
  }

  // Takes a call, which has passed Check, to its end. The call then gets
  // answers from the loop's thread.
  void Submit(std::shared_ptr<PipeCall> call);
  // Does the same for a call whose caller waits for it in `parking`, and calls Wait next.
  void SubmitBlocking(std::shared_ptr<PipeCall> call);
  // Waits until somebody, most likely this thread in here, has called parking->Wake(). Must not be
  // called by the loop's own thread.
  void Wait(Parking* parking);

  // Asks for the next part of the answer.
  void Next(PipeCall* call);
  // Gives a call up: it is cancelled, and gets nothing any more but what is being delivered.
  void Drop(PipeCall* call);
  // Releases a statement on all streams.
  void Forget(uint32_t statement);
  // Runs a task on the loop's thread.
  void Post(absl::AnyInvocable<void()> task);

  // Returns a number for a statement.
  uint32_t NewStatement() { return ++statements_; }
  // Returns true in the loop's own thread.
  bool IsOwnThread() const;
  // Ends the streams that have no calls.
  void EndIdle();

  // Ends all calls and the thread. Waits for the thread for about a second at most, and not at all
  // in the thread itself; it may go on for longer where a connection takes no bytes.
  void End();

 private:
  friend class PipeCall;
  using Lock = std::unique_lock<std::mutex>;

  // How long a stream without calls is kept.
  static constexpr absl::Duration kIdleAge = IdleStreams::kAge;
  // How long a cancelled call may take to be answered, and a cancelled stream to end; see stream.h.
  static constexpr absl::Duration kCancelTime = absl::Seconds(1);

  enum class Poller : uint8_t { kNobody, kCaller, kThread };
  struct Event {
    void* tag = nullptr;
    bool ok = false;
  };
  // Calls that are alike in size share a stream, so that a large one holds up no small ones.
  struct Lane {
    std::deque<std::shared_ptr<PipeCall>> queue;
    // Null, or the stream that takes calls.
    std::shared_ptr<PipeStream> stream;
    // A thread is making a stream.
    bool opening = false;
    // A thread is about to flush, and lets others add to what it sends.
    bool gathering = false;
    // The next stream goes over another connection than this one.
    std::shared_ptr<Connection> avoid;
  };
  // A message that is being put together.
  struct Outgoing {
    struct Part {
      // Keeps `bytes` alive.
      std::shared_ptr<const void> owner;
      std::string_view bytes;
      uint64_t id = 0;
    };
    std::string message = {};
    std::vector<Part> parts = {};
  };
  // Something to tell a call, under no lock.
  struct Delivery {
    std::shared_ptr<PipeCall> call;
    std::string answer = {};
    bool more = false;
    // Not OK if there is no answer.
    absl::Status end = absl::OkStatus();
    bool lacking = false;
    // How the call may be repeated, unless kNo, and what is known of the stream that it was on.
    Again again = Again::kNo;
    bool established = false;
    bool was_new = false;
    std::shared_ptr<Connection> connection = nullptr;
  };

  // Cancellation of Channel::open.
  void Cancelled() override;
  void CallCancelled(PipeCall* call);

  Lane& LaneOf(const PipeCall& call) { return lanes_[SizeOf(call.request_) > kLarge ? 1 : 0]; }

  // All of these need the lock; those that take it as an argument may release it meanwhile.
  void Enqueue(std::shared_ptr<PipeCall> call);
  void Unqueue(PipeCall* call);
  void Leave(PipeCall* call);
  void LookAt(absl::Time time);
  void Attend();
  void StartThread();
  void NeedThread();
  void FlushAll(Lock& lock);
  void Flush(Lock& lock, Lane& lane);
  bool Usable(const PipeStream& stream) const;
  static bool CanWrite(const PipeStream& stream);
  bool Open(Lock& lock, Lane& lane);
  // Collects what is to be sent as message number `message`. Returns false if that is nothing.
  bool Gather(Lane* lane, PipeStream& stream, uint64_t message, Outgoing* out);
  // Sends what waits for the stream, and of `lane`, which may be null, what the limits allow.
  void Write(Lock& lock, Lane* lane, const std::shared_ptr<PipeStream>& stream);
  // Waits for an event until `until` and records it.
  bool Turn(Lock& lock, absl::Time until, Event* event);
  void Handle(Lock& lock, Event event);
  void OnRead(Lock& lock, const std::shared_ptr<PipeStream>& stream);
  void OnOver(Lock& lock, const std::shared_ptr<PipeStream>& stream);
  void CutOffCalls(PipeStream* stream, std::vector<Delivery>* out);
  void Deliver(Lock& lock, std::vector<Delivery> deliveries);
  bool MayRepeat(Delivery* delivery);
  // Does what the time demands: gives up calls, abandons streams, ends idle ones.
  void Look(Lock& lock);
  void GiveUp(PipeCall* call, absl::Time now, std::vector<Delivery>* out);
  // The errors of calls when the provider is closed, and when the daemon does not know Pipeline.
  static absl::Status Closed();
  static absl::Status Lacking();
  absl::Status Cause(const PipeCall& call) const;
  std::shared_ptr<PipeStream> Share(PipeStream* stream) const;
  bool Due(absl::Time now) const { return now >= next_look_ || !cancelled_.empty(); }
  void Run();

  const std::shared_ptr<Channel> channel_;
  grpc::CompletionQueue queue_;
  std::atomic<uint32_t> statements_{0};

  std::mutex mutex_;
  std::condition_variable wake_;
  std::condition_variable over_;
  Poller poller_ = Poller::kNobody;
  // The poller waits in the queue.
  bool in_queue_ = false;
  // The thread is to become the poller.
  bool need_thread_ = false;
  // How many threads wait for others to read. Raised under the lock.
  std::atomic<int> waiting_{0};
  // How many blocking calls in a row found no other one.
  int alone_ = 0;
  // Events that a caller has taken from the queue for the thread.
  std::deque<Event> handed_;
  std::array<Lane, 2> lanes_;
  // All streams that gRPC refers to.
  std::vector<std::shared_ptr<PipeStream>> streams_;
  // The calls that are queued, paused or on a stream.
  size_t live_ = 0;
  std::vector<std::shared_ptr<PipeCall>> paused_;
  std::vector<std::shared_ptr<PipeCall>> cancelled_;
  std::deque<absl::AnyInvocable<void()>> tasks_;
  absl::Time next_look_ = absl::InfiniteFuture();
  absl::Time last_poll_ = absl::InfinitePast();
  grpc::Alarm alarm_;
  bool kicking_ = false;
  // The thread is telling calls their answers; what they submit is sent together afterwards.
  bool delivering_ = false;
  bool closed_ = false;
  bool ending_ = false;
  bool started_ = false;
  bool ended_ = false;
  std::thread thread_;
  std::atomic<std::thread::id> thread_id_{};
  std::optional<Listening> listening_;
};

}  // namespace penstock::internal

#endif  // PENSTOCK_CLIENT_SRC_PIPE_LOOP_H_
