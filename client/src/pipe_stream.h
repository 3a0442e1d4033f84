// A Pipeline stream: gRPC's operations on it, and which calls are on it.
#ifndef PENSTOCK_CLIENT_SRC_PIPE_STREAM_H_
#define PENSTOCK_CLIENT_SRC_PIPE_STREAM_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "absl/time/time.h"
#include "client/src/channel.h"
#include "grpcpp/client_context.h"
#include "grpcpp/completion_queue.h"
#include "grpcpp/generic/generic_stub.h"
#include "grpcpp/support/byte_buffer.h"
#include "grpcpp/support/slice.h"
#include "grpcpp/support/status.h"

namespace penstock::internal {

class PipeCall;

// Not thread-safe: PipeLoop uses all of it under its lock, except where a function says otherwise.
// Must not be destroyed while an operation is outstanding.
class PipeStream {
 public:
  // The operations of a stream. At most one of each is outstanding.
  enum Operation : uint8_t { kWrite, kRead, kFinish, kOperations };
  // What the queue returns when an operation is done.
  struct Tag {
    PipeStream* stream = nullptr;
    Operation operation = kOperations;
  };

  // Starts nothing. `was_new` says that nothing had been sent over the connection before. The
  // channel and the queue must outlive this.
  PipeStream(Channel& channel, std::shared_ptr<Connection> connection, bool was_new,
             grpc::CompletionQueue* queue);
  PipeStream(const PipeStream&) = delete;
  PipeStream& operator=(const PipeStream&) = delete;

  // The number of the message that is sent next, from 1.
  uint64_t next_message() const { return begun_ + 1; }
  bool started() const { return begun_ > 0; }
  // Notes that a message is about to be sent.
  void BeginWrite(absl::Time now);
  // Sends it. The first one starts the call and the reading. Needs no lock.
  void Write(const std::string& message);
  // Reads the next message. Needs no lock.
  void Read();
  // Returns the message that was read.
  grpc::Slice Taken();
  // Asks for the status of the stream, after a read has failed.
  void Finish();
  // Cancels the call, so that the outstanding operations fail soon.
  void Cancel(absl::Time now);
  // Records the end of an operation.
  void Note(Operation operation, bool ok);

  bool pending(Operation operation) const { return pending_[operation]; }
  // True when gRPC refers to this no longer.
  bool quiet() const { return finished_ && !pending_[kWrite] && !pending_[kRead]; }
  // The status of the stream, once quiet() is true.
  const grpc::Status& end() const { return end_; }
  absl::Time write_began() const { return write_began_; }
  // InfiniteFuture unless Cancel was called.
  absl::Time cancelled_at() const { return cancelled_at_; }
  const std::shared_ptr<Connection>& connection() const { return connection_; }
  bool was_new() const { return was_new_; }
  const Authorization& token() const { return token_; }

  // Returns true if message `number` has left as a whole, as far as is known.
  bool Sent(uint64_t number) const {
    return number <= written_ || (abandoned && number == written_ + 1);
  }

  // A place for a call, whose id is the place's index + 1.
  struct Slot {
    // Null if nobody waits for the answer (any more).
    std::shared_ptr<PipeCall> call = nullptr;
    // The number of the message that it left with; 0 if the place is free.
    uint64_t message = 0;
    size_t bytes = 0;
    // The number of the statement that it prepares, or 0.
    uint32_t prepares = 0;
  };
  // Returns the id of a place that is taken with this.
  uint64_t Put(Slot slot);
  // Returns null if the id is not that of a taken place.
  Slot* Find(uint64_t id);
  void Free(uint64_t id);
  size_t taken() const { return slots.size() - free_.size(); }

  std::vector<Slot> slots;
  // The bytes of the requests in all places and of the prepared statements.
  size_t bytes = 0;
  // The statements that are prepared on it, or on their way, with the bytes that they take.
  std::unordered_map<uint32_t, size_t> statements;
  // The ids of results whose next part is wanted, and of calls to cancel, that have to be sent.
  std::vector<uint64_t> nexts;
  std::vector<uint64_t> cancels;
  // The statements to close.
  std::vector<uint32_t> closes;
  // What the daemon accepts; until its first message has come, what any daemon should.
  size_t max_calls = 64;
  size_t max_bytes = size_t{1} << 20;
  // The daemon has answered, so it knows Pipeline.
  bool established = false;
  // It takes no further calls.
  bool retired = false;
  // Nothing can be sent or read any more.
  bool failed = false;
  // It was cancelled and does not end, because its connection takes no bytes.
  bool abandoned = false;
  // An answer of the daemon violated the protocol.
  bool malformed = false;
  // When its last call was answered.
  absl::Time idle_since = absl::InfiniteFuture();

 private:
  const std::shared_ptr<Connection> connection_;
  const bool was_new_;
  grpc::ClientContext call_;
  const Authorization token_;
  std::unique_ptr<grpc::GenericClientAsyncReaderWriter> stream_;
  std::array<Tag, kOperations> tags_;
  std::array<bool, kOperations> pending_ = {};
  grpc::ByteBuffer incoming_;
  grpc::Status end_;
  bool finished_ = false;
  uint64_t begun_ = 0;
  uint64_t written_ = 0;
  absl::Time write_began_ = absl::InfinitePast();
  absl::Time cancelled_at_ = absl::InfiniteFuture();
  std::vector<uint32_t> free_;
};

}  // namespace penstock::internal

#endif  // PENSTOCK_CLIENT_SRC_PIPE_STREAM_H_
