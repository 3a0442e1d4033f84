// A queue in which the items of several tenants, and of each tenant's streams, have their turns one
// after the other.
#ifndef PENSTOCK_SERVER_RUNTIME_FAIR_QUEUE_H_
#define PENSTOCK_SERVER_RUNTIME_FAIR_QUEUE_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <unordered_map>

namespace penstock::server {

// The base of what waits in a FairQueue, with the links: waiting takes no memory of its own.
class FairQueueItem {
 public:
  // Whose item this is. The number means nothing to the queue; 0 is a tenant like any other. It
  // stays as it is while the item is in a queue.
  uint64_t tenant = 0;
  // Which of the tenant's streams has brought it. What stands by itself has 0: all of it together
  // is one stream. It stays as it is while the item is in a queue.
  uint64_t stream = 0;

 protected:
  ~FairQueueItem() = default;

 private:
  template <typename>
  friend class FairQueue;

  FairQueueItem* previous_ = nullptr;
  FairQueueItem* next_ = nullptr;
  // The FairQueue::Flow of the stream; null while the item is in no queue.
  void* flow_ = nullptr;
};

// The items of one stream leave in the order in which they came. Tenants that have items take
// turns, one item each, however many one of them has: deficit round robin, where each item costs
// the same. So an item waits for at most one item of each other tenant for each that its own tenant
// has put before it. When it is a tenant's turn, it is the turn of one of its streams, in the same
// way.
//
// Every function takes constant time, however many items and tenants there are. Items belong to the
// caller, and an item is in one queue at a time. Not thread-safe.
template <typename Item>
class FairQueue {
 public:
  FairQueue() = default;
  FairQueue(const FairQueue&) = delete;
  FairQueue& operator=(const FairQueue&) = delete;

  bool empty() const { return size_ == 0; }
  size_t size() const { return size_; }

  // Adds an item behind all others of its stream.
  void PushBack(Item* item) {
    Flow* const flow = FlowOf(item);
    Lane* const lane = flow->lane;
    if (lane->flows.first == nullptr) ring_.Append(lane);
    if (flow->items.first == nullptr) lane->flows.Append(flow);
    flow->items.Append(Base(item));
    OnAdded(item, flow);
  }

  // Puts an item back that was taken out: its turn is the next, and so is its stream's and its
  // tenant's. Whoever puts several back begins with the last of them.
  void PushFront(Item* item) {
    Flow* const flow = FlowOf(item);
    Lane* const lane = flow->lane;
    if (lane->flows.first != nullptr) ring_.Remove(lane);
    ring_.Prepend(lane);
    if (flow->items.first != nullptr) lane->flows.Remove(flow);
    lane->flows.Prepend(flow);
    flow->items.Prepend(Base(item));
    OnAdded(item, flow);
  }

  // Takes out the item whose turn it is, after which it is the turn of the next tenant, and of the
  // next stream of this one. The queue must not be empty.
  Item* PopFront() {
    Lane* const lane = ring_.first;
    Item* const item = First();
    if (lane->size > 1) ring_.Rotate();
    if (item->next_ != nullptr) lane->flows.Rotate();
    Remove(item);
    return item;
  }

  // Takes out an item, which must be in this queue.
  void Remove(Item* item) {
    Flow* const flow = static_cast<Flow*>(item->flow_);
    Lane* const lane = flow->lane;
    flow->items.Remove(Base(item));
    --lane->size;
    --size_;
    item->flow_ = nullptr;
    if (flow->items.first == nullptr) {
      lane->flows.Remove(flow);
      Forget(flow);
    }
    if (lane->size != 0) return;
    ring_.Remove(lane);
    --waiting_lanes_;
    // A tenant that comes back soon costs no memory, and tenants that never come back not much.
    if (lanes_.size() <= kMostKept) return;
    if (last_ == lane) last_ = nullptr;
    const uint64_t tenant = lane->tenant;
    lanes_.erase(tenant);
  }

  // Walks through all items, each tenant's and each stream's together: First is null if there is
  // none, and Next after the last. Whoever removes an item on the way asks for the next before.
  Item* First() const { return empty() ? nullptr : Derived(ring_.first->flows.first->items.first); }
  Item* Next(const Item* item) const {
    if (item->next_ != nullptr) return Derived(item->next_);
    const Flow* const flow = static_cast<const Flow*>(item->flow_);
    if (flow->next_ != nullptr) return Derived(flow->next_->items.first);
    const Lane* const lane = flow->lane->next_;
    return lane != nullptr ? Derived(lane->flows.first->items.first) : nullptr;
  }

  // Tells whether another item of the tenant may wait, where `most` may. A queue that is full still
  // has room for whoever has less than an equal share of it, so that one tenant cannot keep others
  // out; it never has more than twice `most`.
  bool HasRoom(uint64_t tenant, size_t most) const {
    if (size_ < most) return true;
    const auto found = lanes_.find(tenant);
    const size_t own = found != lanes_.end() ? found->second.size : 0;
    return own < most / std::max<size_t>(waiting_lanes_ + (own == 0 ? 1 : 0), 1);
  }

 private:
  // So many tenants' lanes are kept, with or without items, and so many streams of each tenant.
  static constexpr size_t kMostKept = 1024;
  static constexpr size_t kMostFlows = 64;

  // A list linked by the members previous_ and next_ of its nodes.
  template <typename Node>
  struct List {
    Node* first = nullptr;
    Node* last = nullptr;

    void Append(Node* node) {
      node->previous_ = last;
      node->next_ = nullptr;
      (last != nullptr ? last->next_ : first) = node;
      last = node;
    }
    void Prepend(Node* node) {
      node->previous_ = nullptr;
      node->next_ = first;
      (first != nullptr ? first->previous_ : last) = node;
      first = node;
    }
    void Remove(Node* node) {
      (node->previous_ != nullptr ? node->previous_->next_ : first) = node->next_;
      (node->next_ != nullptr ? node->next_->previous_ : last) = node->previous_;
    }
    // Makes the first the last.
    void Rotate() {
      if (first == last) return;
      Node* const node = first;
      Remove(node);
      Append(node);
    }
  };

  struct Lane;

  // The items of one stream.
  struct Flow {
    Lane* lane = nullptr;
    uint64_t stream = 0;
    List<FairQueueItem> items;
    // Of the lane's ring, in which a flow is while it has items.
    Flow* previous_ = nullptr;
    Flow* next_ = nullptr;
  };

  // The items of one tenant.
  struct Lane {
    uint64_t tenant = 0;
    size_t size = 0;
    // The flows with items; it is the first one's turn.
    List<Flow> flows;
    // What stands by itself, and the other streams.
    Flow alone;
    std::unordered_map<uint64_t, Flow> streams;
    // Of the ring, in which a lane is while it has items.
    Lane* previous_ = nullptr;
    Lane* next_ = nullptr;
  };

  static FairQueueItem* Base(Item* item) { return item; }
  static Item* Derived(FairQueueItem* item) { return static_cast<Item*>(item); }

  Lane* LaneOf(uint64_t tenant) {
    // One tenant alone, and one who pushes several items, is not looked up.
    if (last_ == nullptr || last_->tenant != tenant) {
      last_ = &lanes_.try_emplace(tenant).first->second;
      last_->tenant = tenant;
    }
    return last_;
  }

  Flow* FlowOf(const Item* item) {
    Lane* const lane = LaneOf(item->tenant);
    Flow* const flow =
        item->stream == 0 ? &lane->alone : &lane->streams.try_emplace(item->stream).first->second;
    flow->lane = lane;
    flow->stream = item->stream;
    return flow;
  }

  // A stream that comes back soon costs no memory, and streams that have ended not much.
  void Forget(Flow* flow) {
    if (flow->lane->streams.size() <= kMostFlows || flow->stream == 0) return;
    const uint64_t stream = flow->stream;
    flow->lane->streams.erase(stream);
  }

  void OnAdded(Item* item, Flow* flow) {
    Lane* const lane = flow->lane;
    item->flow_ = flow;
    if (lane->size++ == 0) ++waiting_lanes_;
    ++size_;
  }

  std::unordered_map<uint64_t, Lane> lanes_;
  // The lane that was used last; null if it is gone.
  Lane* last_ = nullptr;
  // The lanes with items; it is the first one's turn.
  List<Lane> ring_;
  size_t waiting_lanes_ = 0;
  size_t size_ = 0;
};

}  // namespace penstock::server

#endif  // PENSTOCK_SERVER_RUNTIME_FAIR_QUEUE_H_
