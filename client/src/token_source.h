// The bearer token that a Provider's calls carry.
#ifndef PENSTOCK_CLIENT_SRC_TOKEN_SOURCE_H_
#define PENSTOCK_CLIENT_SRC_TOKEN_SOURCE_H_

#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "penstock/config.h"

namespace penstock::internal {

// Checks Config::token, Config::token_file and whether a token may be sent to Config::target.
// INVALID_ARGUMENT says what is wrong, and has no part of the token.
absl::Status CheckTokenConfig(const Config& config);

// Returns the first line of `text` without the white space around it.
std::string_view FirstLine(std::string_view text);

// Returns the token in the first line of the file at `path`. UNAUTHENTICATED if the file cannot be
// read or its first line is not a token; the error names the file and has nothing of its content.
absl::StatusOr<std::string> ReadToken(const std::string& path);

// The value of the metadata `authorization` of a call; null if calls carry no token. Calls with
// the same token share one object, so comparing the pointers tells whether the token has changed.
using Authorization = std::shared_ptr<const std::string>;

// Gives the token of a Config, and reads Config::token_file again when it may have changed.
// Thread-safe.
class TokenSource {
 public:
  // How long the content of the file is believed.
  static constexpr absl::Duration kBelieved = absl::Seconds(1);

  // `config` has passed CheckTokenConfig. Reads no file yet.
  explicit TokenSource(const Config& config);

  // Reads the file unless it was read less than kBelieved before `now`. Returns the error of
  // ReadToken if there is no token in it, and then does so until the next reading. OK without a
  // file.
  absl::Status Refresh(absl::Time now);

  // Returns what a call carries now: the last token that could be read.
  Authorization Current() const;

 private:
  // Requires mutex_.
  void Read();

  const std::string file_;
  mutable std::mutex mutex_;
  absl::Time read_at_ = absl::InfinitePast();
  // The outcome of the last reading.
  absl::Status read_;
  Authorization current_;
};

}  // namespace penstock::internal

#endif  // PENSTOCK_CLIENT_SRC_TOKEN_SOURCE_H_
