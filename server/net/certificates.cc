#include "server/net/certificates.h"

#include <utility>
#include <vector>

#include "fmt/format.h"
#include "server/log/log.h"

namespace penstock::server {
namespace {

constexpr std::chrono::hours kDay{24};

std::string Line(const TlsProblem& problem) {
  return fmt::format("server.tls.{}: {}", problem.key, problem.text);
}

std::string Lines(const std::vector<TlsProblem>& problems) {
  std::string lines;
  for (const TlsProblem& problem : problems) {
    lines += fmt::format("{}{}", lines.empty() ? "" : "\n", Line(problem));
  }
  return lines;
}

}  // namespace

absl::StatusOr<std::shared_ptr<const TlsFiles>> Certificates::Read(const TlsConfig& config) {
  std::vector<TlsProblem> problems;
  std::shared_ptr<const TlsFiles> files = ReadTlsFiles(config, &problems);
  if (files != nullptr) return files;
  return absl::InvalidArgumentError(Lines(problems));
}

Certificates::Certificates(const TlsConfig& config, std::shared_ptr<const TlsFiles> files)
    : config_(config), latest_(std::move(files)) {}

void Certificates::Take(const TlsConfig& config, std::shared_ptr<const TlsFiles> files) {
  std::lock_guard look(look_mutex_);
  config_ = config;
  // Handshakes need not begin anew with what they have.
  if (files->HasSameText(*Latest())) files = Latest();
  Replace(std::move(files), "");
}

void Certificates::Look(Time now) {
  std::lock_guard look(look_mutex_);
  const std::shared_ptr<const TlsFiles> before = Latest();
  std::vector<TlsProblem> problems;
  std::shared_ptr<const TlsFiles> files = ReadTlsFiles(config_, &problems);
  if (files == nullptr) {
    std::string lines = Lines(problems);
    for (const TlsProblem& problem : problems) {
      if (lines == problem_) break;
      Log(Level::kWarn, "new certificates cannot be used, the old ones stay",
          {{"reason", Line(problem)}});
    }
    Replace(before, std::move(lines));
  } else if (files->HasSameText(*before)) {
    Replace(before, "");
  } else {
    Log(Level::kInfo, "certificates were replaced: new connections use them",
        {{"cert_file", config_.cert_file}, {"client_ca_file", config_.client_ca_file}});
    // What is new is told of at once if it does not last.
    warned_ = {};
    Replace(std::move(files), "");
  }
  if (now - warned_ < kDay && warned_ <= now) return;
  const std::shared_ptr<const TlsFiles> latest = Latest();
  WarnOfExpiry("cert_file", config_.cert_file, latest->certificate_expires, now);
  WarnOfExpiry("client_ca_file", config_.client_ca_file, latest->authority_expires, now);
  warned_ = now;
}

void Certificates::WarnOfExpiry(const char* key, const std::string& path, Time expires, Time now) {
  if (expires - now >= kEarly) return;
  const auto left = std::chrono::floor<std::chrono::hours>(expires - now);
  Log(Level::kWarn, "a certificate expires soon; replace it",
      {{"key", key}, {"file", path}, {"hours_left", static_cast<int64_t>(left.count())}});
}

void Certificates::Replace(std::shared_ptr<const TlsFiles> files, std::string problem) {
  problem_ = std::move(problem);
  std::lock_guard lock(mutex_);
  latest_ = std::move(files);
  has_problem_ = !problem_.empty();
}

std::shared_ptr<const TlsFiles> Certificates::Latest() const {
  std::lock_guard lock(mutex_);
  return latest_;
}

bool Certificates::has_problem() const {
  std::lock_guard lock(mutex_);
  return has_problem_;
}

}  // namespace penstock::server
