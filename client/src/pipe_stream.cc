#include "client/src/pipe_stream.h"

#include <utility>

#include "client/src/methods.h"

namespace penstock::internal {

PipeStream::PipeStream(Channel& channel, std::shared_ptr<Connection> connection, bool was_new,
                       grpc::CompletionQueue* queue)
    : connection_(std::move(connection)),
      was_new_(was_new),
      token_(channel.SetUp(Context(), &call_)),
      stream_(
          grpc::GenericStub(connection_->channel).PrepareCall(&call_, method::kPipeline, queue)) {
  for (uint8_t i = 0; i < kOperations; ++i) tags_[i] = {this, static_cast<Operation>(i)};
  // The first message and the headers travel together.
  call_.set_initial_metadata_corked(true);
}

void PipeStream::BeginWrite(absl::Time now) {
  pending_[kWrite] = true;
  if (begun_ == 0) pending_[kRead] = true;
  write_began_ = now;
  ++begun_;
}

void PipeStream::Write(const std::string& message) {
  const grpc::Slice slice(message);
  const bool first = begun_ == 1;
  if (first) stream_->StartCall(nullptr);
  stream_->Write(grpc::ByteBuffer(&slice, 1), &tags_[kWrite]);
  if (first) stream_->Read(&incoming_, &tags_[kRead]);
}

void PipeStream::Read() { stream_->Read(&incoming_, &tags_[kRead]); }

grpc::Slice PipeStream::Taken() {
  grpc::Slice slice;
  if (!incoming_.TrySingleSlice(&slice).ok()) incoming_.DumpToSingleSlice(&slice).ok();
  incoming_.Clear();
  return slice;
}

void PipeStream::Finish() {
  pending_[kFinish] = true;
  stream_->Finish(&end_, &tags_[kFinish]);
}

void PipeStream::Cancel(absl::Time now) {
  if (cancelled_at_ != absl::InfiniteFuture()) return;
  cancelled_at_ = now;
  retired = true;
  call_.TryCancel();
}

void PipeStream::Note(Operation operation, bool ok) {
  // After a read that succeeded the next one follows at once.
  if (operation != kRead || !ok) pending_[operation] = false;
  if (operation == kWrite && ok) written_ = begun_;
  if (operation == kFinish) finished_ = true;
}

uint64_t PipeStream::Put(Slot slot) {
  bytes += slot.bytes;
  if (free_.empty()) {
    slots.push_back(std::move(slot));
    return slots.size();
  }
  const uint32_t index = free_.back();
  free_.pop_back();
  slots[index] = std::move(slot);
  return index + 1;
}

PipeStream::Slot* PipeStream::Find(uint64_t id) {
  if (id == 0 || id > slots.size() || slots[id - 1].message == 0) return nullptr;
  return &slots[id - 1];
}

void PipeStream::Free(uint64_t id) {
  bytes -= slots[id - 1].bytes;
  slots[id - 1] = {};
  // The id may be another call's next.
  std::erase(nexts, id);
  std::erase(cancels, id);
  free_.push_back(static_cast<uint32_t>(id - 1));
}

}  // namespace penstock::internal
