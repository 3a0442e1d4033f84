#include "client/src/token_source.h"

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <system_error>
#include <utility>

#include "client/src/format.h"
#include "client/src/read_file.h"
#include "client/src/refusal.h"
#include "client/src/target.h"

namespace penstock::internal {
namespace {

// gRPC takes 8 KiB of metadata for a call. The other metadata needs less than the rest of that.
constexpr size_t kMaxToken = size_t{7} << 10;

absl::Status Invalid(std::string_view message, std::string_view hint) {
  return Refusal(absl::StatusCode::kInvalidArgument, message, "INVALID_PARAMETER", hint);
}

absl::Status NoToken(std::string_view message, std::string_view hint) {
  return Refusal(absl::StatusCode::kUnauthenticated, message, "UNAUTHENTICATED", hint);
}

// Returns true for the characters of bearer tokens (RFC 6750). Any other one might end the header
// or begin another.
bool IsTokenCharacter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         std::string_view("-._~+/=").find(c) != std::string_view::npos;
}

bool IsToken(std::string_view text) {
  return !text.empty() && text.size() <= kMaxToken &&
         std::all_of(text.begin(), text.end(), IsTokenCharacter);
}

std::string Bearer(std::string_view token) { return Format("Bearer {}", token); }

}  // namespace

absl::Status CheckTokenConfig(const Config& config) {
  if (config.token.empty() && config.token_file.empty()) return absl::OkStatus();
  if (!config.token.empty() && !config.token_file.empty()) {
    return Invalid("Config.token and Config.token_file are both set", "set one of them");
  }
  if (!config.token.empty() && !IsToken(config.token)) {
    return Invalid("Config.token is not a bearer token",
                   "set it to the token alone, without \"Bearer\" and without an end of line");
  }
  if (config.tls.enabled() || IsLocalTarget(config.target)) return absl::OkStatus();
  return Invalid(
      Format("a token would be sent to \"{}\" without encryption, where others can read it",
             config.target),
      "use TLS, or reach the daemon by a unix socket or a loopback address");
}

std::string_view FirstLine(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r";
  std::string_view line = text.substr(0, text.find('\n'));
  line.remove_prefix(std::min(line.find_first_not_of(kSpace), line.size()));
  const size_t last = line.find_last_not_of(kSpace);
  return last == std::string_view::npos ? std::string_view() : line.substr(0, last + 1);
}

absl::StatusOr<std::string> ReadToken(const std::string& path) {
  const absl::StatusOr<std::string> content = ReadFile(path);
  if (!content.ok()) {
    return NoToken(Format("there is no token: {}", content.status().message()),
                   "write the token into this file, or name another one");
  }
  const std::string_view token = FirstLine(*content);
  if (IsToken(token)) return std::string(token);
  return NoToken(Format("the first line of \"{}\" is not a bearer token", path),
                 "write the token alone into the first line, without \"Bearer\"");
}

TokenSource::TokenSource(const Config& config) : file_(config.token_file) {
  if (!config.token.empty()) current_ = std::make_shared<const std::string>(Bearer(config.token));
}

absl::Status TokenSource::Refresh(absl::Time now) {
  if (file_.empty()) return absl::OkStatus();
  const std::lock_guard lock(mutex_);
  const absl::Duration age = now - read_at_;
  // The age is negative if the clock was set back.
  if (age >= absl::ZeroDuration() && age < kBelieved) return read_;
  read_at_ = now;
  Read();
  return read_;
}

Authorization TokenSource::Current() const {
  const std::lock_guard lock(mutex_);
  return current_;
}

void TokenSource::Read() {
  std::error_code unknown;
  // A pipe, which a shell makes for <(command), gives its content once.
  if (current_ != nullptr && std::filesystem::is_fifo(file_, unknown)) return;
  const absl::StatusOr<std::string> token = ReadToken(file_);
  read_ = token.status();
  if (!token.ok()) return;
  std::string value = Bearer(*token);
  if (current_ != nullptr && *current_ == value) return;
  current_ = std::make_shared<const std::string>(std::move(value));
}

}  // namespace penstock::internal
