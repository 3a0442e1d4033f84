// The file of a key set, which is replaced while the daemon runs.
#ifndef PENSTOCK_SERVER_AUTH_JWT_KEY_FILE_H_
#define PENSTOCK_SERVER_AUTH_JWT_KEY_FILE_H_

#include <atomic>
#include <chrono>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "server/auth/jwt/key_set.h"
#include "server/auth/jwt/outcomes.h"

namespace penstock::server::jwt {

// A key set and what was found out with it: a new set begins without.
struct Generation {
  explicit Generation(KeySet set) : keys(std::move(set)) {}

  const KeySet keys;
  Outcomes outcomes;
};

// Follows a file of at most 1 MiB. Keys come from its last good content: a file that is missing,
// half written or without a key that can be used changes nothing, is logged once, and is tried
// again at the next look. Thread-safe.
class KeyFile {
 public:
  using Time = std::chrono::system_clock::time_point;

  // The least time between two looks of one sort.
  static constexpr std::chrono::seconds kPause{5};

  // Reads the file. The error's message is "jwks_file '…': " and what is wrong with it.
  static absl::StatusOr<std::unique_ptr<KeyFile>> Open(std::string path);

  KeyFile(const KeyFile&) = delete;
  KeyFile& operator=(const KeyFile&) = delete;

  // Returns the generation to use now. Looks at the file first if the last such look was kPause
  // ago: so a key that was taken out is refused soon, and one that was added early is known when it
  // is needed. A look of another thread is not waited for.
  std::shared_ptr<Generation> Current(Time now);

  // Returns the generation after `seen`, with which a token could not be verified, or `seen` if
  // there is none. Looks at the file unless the last such look was within kPause, and waits for the
  // look of another thread, so that no token with a new key is refused meanwhile.
  std::shared_ptr<Generation> After(const std::shared_ptr<Generation>& seen, Time now);

  // Tells whether the file could not be used at the last look.
  bool has_problem() const { return has_problem_.load(std::memory_order_relaxed); }

 private:
  explicit KeyFile(std::string path) : path_(std::move(path)) {}

  // Reads the file, and makes a new generation if it is good and has changed. look_mutex_ is held.
  absl::Status Look();
  // Logs what has changed with a look. look_mutex_ is held.
  void LookAgain();
  std::shared_ptr<Generation> Latest() const;

  const std::string path_;

  std::mutex look_mutex_;
  std::optional<std::string> content_;      // of the last generation
  std::string problem_;                     // of the last look; empty if it was good
  std::atomic<bool> has_problem_{false};    // the same, for who does not hold the mutex
  Time after_look_;                         // the last look of After
  std::atomic<Time> current_look_{Time()};  // the last look of Current

  mutable std::mutex mutex_;
  std::shared_ptr<Generation> latest_;
};

}  // namespace penstock::server::jwt

#endif  // PENSTOCK_SERVER_AUTH_JWT_KEY_FILE_H_
