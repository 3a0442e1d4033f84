// The daemon's certificates, whose files are replaced while it runs.
#ifndef PENSTOCK_SERVER_NET_CERTIFICATES_H_
#define PENSTOCK_SERVER_NET_CERTIFICATES_H_

#include <chrono>
#include <memory>
#include <mutex>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "server/config/config.h"
#include "server/config/tls_files.h"

namespace penstock::server {

// Follows the files of `server.tls`, however they are replaced: written anew, renamed, or mounted
// by a link that leads elsewhere, of which only reading them tells reliably. What they hold is
// taken as a whole, once certificate and key belong together: files that are missing, half written
// or expired change nothing, and are tried again at the next look. Thread-safe.
class Certificates {
 public:
  using Time = TlsFiles::Time;

  // How often to look.
  static constexpr std::chrono::seconds kPause{5};
  // How long before a certificate expires the log says so, once a day.
  static constexpr std::chrono::hours kEarly{14 * 24};

  // Reads the files. The error, kInvalidArgument, has a line for each that is wrong.
  static absl::StatusOr<std::shared_ptr<const TlsFiles>> Read(const TlsConfig& config);

  Certificates(const TlsConfig& config, std::shared_ptr<const TlsFiles> files);
  Certificates(const Certificates&) = delete;
  Certificates& operator=(const Certificates&) = delete;

  // Follows the files of `config` from now on, which held `files`.
  void Take(const TlsConfig& config, std::shared_ptr<const TlsFiles> files);

  // Reads the files again, and takes what they hold if that is good and has changed. Logs that, the
  // first time that something is wrong with them, and what expires soon. May wait for a disk.
  void Look(Time now);

  // Returns what to use: another object whenever it has changed.
  std::shared_ptr<const TlsFiles> Latest() const;

  // Tells whether the files could not be used at the last look, so that older content goes on.
  bool has_problem() const;

 private:
  // look_mutex_ is held.
  void Replace(std::shared_ptr<const TlsFiles> files, std::string problem);
  void WarnOfExpiry(const char* key, const std::string& path, Time expires, Time now);

  std::mutex look_mutex_;
  TlsConfig config_;
  std::string problem_;
  Time warned_;

  mutable std::mutex mutex_;
  std::shared_ptr<const TlsFiles> latest_;
  bool has_problem_ = false;
};

}  // namespace penstock::server

#endif  // PENSTOCK_SERVER_NET_CERTIFICATES_H_
