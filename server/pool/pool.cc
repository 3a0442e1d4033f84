#include "server/pool/pool.h"

#include <algorithm>
#include <utility>

#include "drivers/api/error.h"
#include "fmt/format.h"

namespace penstock::server {
namespace {

int TransactionShare(const Pool::Options& options) {
  if (!options.reserve_for_statements || options.max_open < 2) return options.max_open;
  return options.max_open - std::max(1, options.max_open / 5);
}

}  // namespace

Lease::Lease(Lease&& other) noexcept
    : pool_(std::exchange(other.pool_, nullptr)),
      entry_(std::move(other.entry_)),
      transactional_(other.transactional_) {}

Lease& Lease::operator=(Lease&& other) noexcept {
  if (this != &other) {
    Release();
    pool_ = std::exchange(other.pool_, nullptr);
    entry_ = std::move(other.entry_);
    transactional_ = other.transactional_;
  }
  return *this;
}

absl::Status Lease::Connect(const driver::Deadline& deadline) {
  return pool_->Connect(entry_.get(), deadline);
}

void Lease::Release() {
  Pool* pool = std::exchange(pool_, nullptr);
  if (pool != nullptr) pool->GiveBack(std::move(entry_), transactional_);
}

void Pool::Queue::Append(Waiter* waiter) {
  waiter->previous_ = last;
  waiter->next_ = nullptr;
  (last != nullptr ? last->next_ : first) = waiter;
  last = waiter;
}

void Pool::Queue::Remove(Waiter* waiter) {
  (waiter->previous_ != nullptr ? waiter->previous_->next_ : first) = waiter->next_;
  (waiter->next_ != nullptr ? waiter->next_->previous_ : last) = waiter->previous_;
}

Pool::Pool(driver::Driver* driver, const Options& options, const Clock& clock)
    : driver_(driver),
      options_(options),
      clock_(clock),
      max_transactions_(TransactionShare(options)),
      random_(std::random_device{}()) {}

Pool::~Pool() = default;

bool Pool::MayGrantLocked(bool transactional) const {
  return in_use_ < options_.max_open && (!transactional || transactions_ < max_transactions_);
}

Lease Pool::MakeLeaseLocked(bool transactional) {
  std::unique_ptr<Entry> entry;
  if (idle_.empty()) {
    entry = std::make_unique<Entry>();
  } else {
    entry = std::move(idle_.back());
    idle_.pop_back();
  }
  ++in_use_;
  if (transactional) ++transactions_;
  return Lease(this, std::move(entry), transactional);
}

void Pool::Acquire(Waiter* waiter) {
  absl::StatusOr<Lease> outcome = absl::StatusOr<Lease>(Lease());
  {
    std::lock_guard lock(mutex_);
    // Nobody overtakes: a free connection goes to the caller only if no one of
    // its sort waits already.
    const Queue& ahead = waiter->transactional ? transaction_queue_ : statement_queue_;
    if (ahead.first == nullptr && MayGrantLocked(waiter->transactional)) {
      outcome = MakeLeaseLocked(waiter->transactional);
    } else if (waiting_ >= options_.max_waiters) {
      outcome = driver::MakeErrorWithHint(
          driver::Reason::kQueueFull,
          fmt::format("{} callers wait for a connection already", waiting_),
          "try again later, or raise max_waiters or max_open_connections of the database");
    } else {
      waiter->queued_ = true;
      waiter->sequence_ = next_sequence_++;
      waiter->since_ = clock_.Now();
      (waiter->transactional ? transaction_queue_ : statement_queue_).Append(waiter);
      ++waiting_;
      ++counts_.wait_count;
      return;
    }
  }
  waiter->OnLease(std::move(outcome));
}

void Pool::DequeueLocked(Waiter* waiter) {
  (waiter->transactional ? transaction_queue_ : statement_queue_).Remove(waiter);
  waiter->queued_ = false;
  --waiting_;
  counts_.wait_duration += clock_.Now() - waiter->since_;
}

bool Pool::Forget(Waiter* waiter) {
  std::lock_guard lock(mutex_);
  if (!waiter->queued_) return false;
  DequeueLocked(waiter);
  return true;
}

bool Pool::contended() const {
  std::lock_guard lock(mutex_);
  return waiting_ > 0;
}

Pool::Waiter* Pool::NextWaiterLocked() {
  Waiter* statement = MayGrantLocked(false) ? statement_queue_.first : nullptr;
  Waiter* transaction = MayGrantLocked(true) ? transaction_queue_.first : nullptr;
  if (statement == nullptr) return transaction;
  if (transaction == nullptr) return statement;
  return statement->sequence_ < transaction->sequence_ ? statement : transaction;
}

std::vector<Pool::Grant> Pool::GrantLocked() {
  std::vector<Grant> grants;
  while (Waiter* waiter = NextWaiterLocked()) {
    DequeueLocked(waiter);
    grants.push_back({waiter, MakeLeaseLocked(waiter->transactional)});
  }
  return grants;
}

TimePoint Pool::ExpiryFor(TimePoint now) {
  if (options_.max_lifetime == Duration::zero()) return TimePoint::max();
  // Up to a tenth earlier, so that connections opened together do not all
  // close, and reconnect, together.
  std::lock_guard lock(mutex_);
  const auto tenth = options_.max_lifetime.count() / 10;
  std::uniform_int_distribution<Duration::rep> jitter(0, tenth);
  return now + options_.max_lifetime - Duration(jitter(random_));
}

absl::Status Pool::Connect(Entry* entry, const driver::Deadline& deadline) {
  const TimePoint now = clock_.Now();
  if (entry->connection != nullptr) {
    const bool stale = options_.check_after_idle != Duration::zero() &&
                       now - entry->idle_since > options_.check_after_idle;
    if (entry->connection->healthy() && (!stale || entry->connection->Ping(deadline).ok())) {
      return absl::OkStatus();
    }
    entry->connection.reset();
  }
  absl::StatusOr<std::unique_ptr<driver::Connection>> connection =
      driver_->Connect(options_.lane, deadline);
  if (!connection.ok()) return connection.status();
  entry->connection = *std::move(connection);
  entry->expires = ExpiryFor(now);
  return absl::OkStatus();
}

void Pool::GiveBack(std::unique_ptr<Entry> entry, bool transactional) {
  const TimePoint now = clock_.Now();
  // A connection that cannot be proved clean is closed, never handed on. The
  // slot is freed either way.
  if (entry->connection != nullptr &&
      (!entry->connection->healthy() || !entry->connection->Reset().ok())) {
    entry->connection.reset();
  }
  std::unique_ptr<Entry> closed;  // destroyed outside the lock
  std::vector<Grant> grants;
  {
    std::lock_guard lock(mutex_);
    --in_use_;
    if (transactional) --transactions_;
    if (entry->connection != nullptr) {
      if (now >= entry->expires) {
        ++counts_.max_lifetime_closed;
        closed = std::move(entry);
      } else if (static_cast<int>(idle_.size()) >= options_.max_idle && waiting_ == 0) {
        ++counts_.max_idle_closed;
        closed = std::move(entry);
      } else {
        entry->idle_since = now;
        idle_.push_back(std::move(entry));
      }
    }
    grants = GrantLocked();
  }
  for (Grant& grant : grants) grant.waiter->OnLease(std::move(grant.lease));
}

void Pool::Tick(TimePoint now) {
  std::vector<Waiter*> expired;
  std::vector<std::unique_ptr<Entry>> closed;
  {
    std::lock_guard lock(mutex_);
    for (Queue* queue : {&statement_queue_, &transaction_queue_}) {
      for (Waiter* waiter = queue->first; waiter != nullptr;) {
        Waiter* next = waiter->next_;
        if (waiter->wait_until.passed(now)) {
          DequeueLocked(waiter);
          expired.push_back(waiter);
        }
        waiter = next;
      }
    }
    const auto too_old = [&](std::unique_ptr<Entry>& entry) {
      const bool idle = options_.max_idle_time != Duration::zero() &&
                        now - entry->idle_since >= options_.max_idle_time;
      if (!idle && now < entry->expires) return false;
      ++(idle ? counts_.max_idle_closed : counts_.max_lifetime_closed);
      closed.push_back(std::move(entry));
      return true;
    };
    std::erase_if(idle_, too_old);
  }
  for (Waiter* waiter : expired) waiter->OnLease(waiter->wait_until.Error());
}

PoolStats Pool::Stats() const {
  std::lock_guard lock(mutex_);
  PoolStats stats = counts_;
  stats.max_open = options_.max_open;
  stats.in_use = in_use_;
  stats.idle = static_cast<int>(idle_.size());
  stats.open = stats.in_use + stats.idle;
  stats.waiting = waiting_;
  return stats;
}

}  // namespace penstock::server
