#include "server/pool/pool.h"

#include <algorithm>
#include <utility>

#include "drivers/api/error.h"
#include "fmt/format.h"

namespace penstock::server {
namespace {

int TransactionShare(int max_open) {
  return max_open < 2 ? max_open : max_open - std::max(1, max_open / 5);
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

Pool::Pool(driver::Driver* driver, const Options& options, const Clock& clock)
    : driver_(driver),
      options_(options),
      clock_(clock),
      max_transactions_(TransactionShare(options.config.max_open)),
      monitor_(options.patience, clock),
      backoff_(options.backoff),
      random_(options.seed != 0 ? options.seed : std::random_device{}()) {}

Pool::~Pool() = default;

// Idle connections have slots already: never more than max_open are open.
bool Pool::MayAnswerLocked(bool transactional) const {
  const int stuck = std::min(monitor_.stuck_transactions(), replaced());
  if (transactional && transactions_ - stuck >= max_transactions_) return false;
  if (HasSpareLocked()) return true;
  if (CountedLocked() >= options_.config.max_open) return false;
  if (!backoff_.failing()) return true;
  if (backoff_.full() && in_use_ > 0) return false;
  return backoff_.dead() || backoff_.MayStart(clock_.Now());
}

absl::StatusOr<Lease> Pool::AnswerLocked(bool transactional) {
  if (HasSpareLocked()) {
    std::unique_ptr<Entry> entry = std::move(idle_.back());
    idle_.pop_back();
    return LeaseLocked(std::move(entry), transactional);
  }
  const TimePoint now = backoff_.failing() ? clock_.Now() : TimePoint();
  const Backoff::Attempt attempt = backoff_.Start(now);
  if (attempt == Backoff::Attempt::kNone) return backoff_.Error(now);
  auto entry = std::make_unique<Entry>();
  entry->attempt = attempt;
  return LeaseLocked(std::move(entry), transactional);
}

Lease Pool::LeaseLocked(std::unique_ptr<Entry> entry, bool transactional) {
  ++in_use_;
  if (transactional) ++transactions_;
  return Lease(this, std::move(entry), transactional);
}

void Pool::Acquire(Waiter* waiter) {
  absl::StatusOr<Lease> outcome = absl::StatusOr<Lease>(Lease());
  {
    std::lock_guard lock(mutex_);
    // Nobody overtakes: the caller gets a free connection only if no caller of its kind waits
    // already.
    Queue& queue = QueueOf(waiter->transactional);
    const int most = options_.config.max_waiters;
    if (queue.empty() && MayAnswerLocked(waiter->transactional)) {
      outcome = AnswerLocked(waiter->transactional);
    } else if (waiting_ >= most && !queue.HasRoom(waiter->tenant, static_cast<size_t>(most))) {
      outcome = driver::MakeErrorWithHint(
          driver::Reason::kQueueFull,
          fmt::format("{} callers are already waiting for a connection", waiting_),
          "try again later, or raise max_waiters or max_open_connections of the database");
    } else {
      waiter->queued_ = true;
      waiter->since_ = clock_.Now();
      queue.PushBack(waiter);
      ++waiting_;
      ++counts_.wait_count;
      return;
    }
  }
  waiter->OnLease(std::move(outcome));
}

void Pool::OnDequeuedLocked(Waiter* waiter) {
  waiter->queued_ = false;
  --waiting_;
  counts_.wait_duration += clock_.Now() - waiter->since_;
}

bool Pool::Forget(Waiter* waiter) {
  std::lock_guard lock(mutex_);
  if (!waiter->queued_) return false;
  QueueOf(waiter->transactional).Remove(waiter);
  OnDequeuedLocked(waiter);
  return true;
}

bool Pool::contended() const {
  std::lock_guard lock(mutex_);
  return waiting_ > 0;
}

// A statement queue has one waiter for the statements of all tenants: it must not wait for all
// transactions that came before it.
Pool::Queue* Pool::NextQueueLocked() {
  const bool statement = !statement_queue_.empty() && MayAnswerLocked(false);
  const bool transaction = !transaction_queue_.empty() && MayAnswerLocked(true);
  if (!statement && !transaction) return nullptr;
  transaction_was_last_ = transaction && (!statement || !transaction_was_last_);
  return &QueueOf(transaction_was_last_);
}

std::vector<Pool::Grant> Pool::GrantLocked() {
  std::vector<Grant> grants;
  while (Queue* queue = NextQueueLocked()) {
    Waiter* const waiter = queue->PopFront();
    OnDequeuedLocked(waiter);
    grants.push_back({waiter, AnswerLocked(waiter->transactional)});
  }
  return grants;
}

void Pool::GiveBack(std::unique_ptr<Entry> entry, bool transactional) {
  const TimePoint now = clock_.Now();
  // A connection that is not kept is closed before its slot is freed, so that the backend never
  // sees more than max_open. The slot is freed whatever happens.
  int64_t PoolStats::*const why = WhyClose(*entry, now);
  if (why != nullptr) entry->connection.reset();
  std::vector<Grant> grants;
  {
    std::unique_lock lock(mutex_);
    if (why != nullptr) ++(counts_.*why);
    const int idle = static_cast<int>(idle_.size());
    // A connection that was stuck may have been replaced.
    const bool surplus = CountedLocked() + idle > options_.config.max_open;
    const bool needed = waiting_ > 0 || stranded_ > 0 || idle < options_.config.max_idle;
    if (entry->connection != nullptr && (surplus || !needed)) {
      ++counts_.max_idle_closed;
      lock.unlock();
      entry->connection.reset();
      lock.lock();
    }
    backoff_.Abandoned(entry->attempt);
    --in_use_;
    if (transactional) --transactions_;
    if (entry->connection != nullptr) {
      entry->ready = false;
      entry->idle_since = now;
      idle_.push_back(std::move(entry));
    }
    // A waiter that cannot use the connection passes it on to the next.
    if (stranded_ > 0) given_back_.notify_all();
    grants = GrantLocked();
  }
  for (Grant& grant : grants) grant.waiter->OnLease(std::move(grant.lease));
}

int Pool::replaced() const {
  return options_.replace_stuck ? std::min(monitor_.stuck(), options_.config.max_open) : 0;
}

std::vector<StuckCall> Pool::TakeStuckCalls() {
  std::lock_guard lock(mutex_);
  return std::exchange(stuck_calls_, {});
}

bool Pool::Tick(TimePoint now) {
  std::vector<StuckCall> stuck = monitor_.Tick(now);
  std::vector<Grant> answers;
  bool work = false;
  {
    std::lock_guard lock(mutex_);
    for (StuckCall& call : stuck) stuck_calls_.push_back(std::move(call));
    for (Queue* queue : {&statement_queue_, &transaction_queue_}) {
      for (Waiter* waiter = queue->First(); waiter != nullptr;) {
        Waiter* next = queue->Next(waiter);
        if (waiter->wait_until.passed(now)) {
          queue->Remove(waiter);
          OnDequeuedLocked(waiter);
          answers.push_back({waiter, waiter->wait_until.Error()});
        }
        waiter = next;
      }
    }
    for (Grant& grant : GrantLocked()) answers.push_back(std::move(grant));
    work = NeedsMaintenanceLocked(now);
  }
  for (Grant& answer : answers) answer.waiter->OnLease(std::move(answer.lease));
  return work;
}

PoolStats Pool::Stats() const {
  std::lock_guard lock(mutex_);
  PoolStats stats = counts_;
  stats.max_open = options_.config.max_open;
  stats.in_use = in_use_;
  stats.idle = static_cast<int>(idle_.size());
  stats.open = stats.in_use + stats.idle;
  stats.waiting = waiting_;
  stats.backing_off = backoff_.failing();
  stats.dead = backoff_.dead() && !backoff_.full();
  stats.stuck = monitor_.stuck();
  stats.stuck_total = monitor_.total();
  return stats;
}

}  // namespace penstock::server
