#include "server/auth/jwt/key_file.h"

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "fmt/format.h"
#include "server/config/file.h"
#include "server/log/log.h"

namespace penstock::server::jwt {
namespace {

constexpr size_t kLargestFile = size_t{1} << 20;

// A clock that was set back does not put the next look off. Threads that come at once have times a
// little before each other's.
bool IsDue(KeyFile::Time last, KeyFile::Time now) {
  return now - last >= KeyFile::kPause || last - now >= KeyFile::kPause;
}

}  // namespace

absl::StatusOr<std::unique_ptr<KeyFile>> KeyFile::Open(std::string path) {
  std::unique_ptr<KeyFile> file(new KeyFile(std::move(path)));
  std::lock_guard look(file->look_mutex_);
  absl::Status read = file->Look();
  if (!read.ok()) return read;
  return file;
}

std::shared_ptr<Generation> KeyFile::Latest() const {
  std::lock_guard lock(mutex_);
  return latest_;
}

std::shared_ptr<Generation> KeyFile::Current(Time now) {
  if (IsDue(current_look_.load(std::memory_order_relaxed), now)) {
    std::unique_lock look(look_mutex_, std::try_to_lock);
    if (look.owns_lock() && IsDue(current_look_.load(std::memory_order_relaxed), now)) {
      current_look_.store(now, std::memory_order_relaxed);
      LookAgain();
    }
  }
  return Latest();
}

std::shared_ptr<Generation> KeyFile::After(const std::shared_ptr<Generation>& seen, Time now) {
  std::lock_guard look(look_mutex_);
  // Another thread may have read it while this one waited.
  std::shared_ptr<Generation> latest = Latest();
  if (latest != seen || !IsDue(after_look_, now)) return latest;
  after_look_ = now;
  LookAgain();
  return Latest();
}

absl::Status KeyFile::Look() {
  const auto problem = [this](const absl::Status& status, std::string_view hint) {
    return absl::InvalidArgumentError(
        fmt::format("jwks_file '{}': {}{}", path_, std::string(status.message()), hint));
  };
  absl::StatusOr<std::string> content = ReadSmallFile(path_, kLargestFile);
  if (!content.ok()) {
    return problem(content.status(), "; name a JSON Web Key Set that this user may read");
  }
  if (*content == content_) return absl::OkStatus();
  absl::StatusOr<KeySet> keys = KeySet::Parse(*content);
  if (!keys.ok()) return problem(keys.status(), "");
  content_ = *std::move(content);
  Log(Level::kInfo, "keys for JSON Web Tokens read",
      {{"file", path_}, {"keys", static_cast<uint64_t>(keys->size())}});
  for (const std::string& reason : keys->left_out()) {
    Log(Level::kInfo, "key for JSON Web Tokens left out", {{"file", path_}, {"reason", reason}});
  }
  auto generation = std::make_shared<Generation>(*std::move(keys));
  std::lock_guard lock(mutex_);
  latest_ = std::move(generation);
  return absl::OkStatus();
}

void KeyFile::LookAgain() {
  std::string problem(Look().message());
  if (!problem.empty() && problem != problem_) {
    Log(Level::kWarn, "new keys for JSON Web Tokens cannot be used, the old ones stay",
        {{"reason", problem}});
  }
  problem_ = std::move(problem);
  has_problem_.store(!problem_.empty(), std::memory_order_relaxed);
}

}  // namespace penstock::server::jwt
