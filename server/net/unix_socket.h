// The name of a unix socket that listens, which is only ever this daemon's.
#ifndef PENSTOCK_SERVER_NET_UNIX_SOCKET_H_
#define PENSTOCK_SERVER_NET_UNIX_SOCKET_H_

#include <sys/types.h>

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace penstock::server {

// The socket is bound to another name in the same folder, which is never used again, and
// is moved to `path` when it listens: a name that is found is one that answers, and two
// daemons that start at once do not take each other's. Not thread-safe.
class UnixSocket {
 public:
  // Opens the folder of `path`. Fails with INVALID_ARGUMENT for a path that no socket can have, and
  // with ALREADY_EXISTS if somebody listens on it or it is no socket.
  static absl::StatusOr<std::unique_ptr<UnixSocket>> Prepare(const std::string& path);
  // Does not withdraw the name; removes a socket that was bound and not published.
  ~UnixSocket();
  UnixSocket(const UnixSocket&) = delete;
  UnixSocket& operator=(const UnixSocket&) = delete;

  // Returns the path to bind.
  std::string bound_path() const;

  // Gives the socket, once it listens, this mode and its name, in place of one that nobody listens
  // on. Fails like Prepare, and with INTERNAL and the reason.
  absl::Status Publish(mode_t mode);

  // Removes the name, unless it is another socket's by now. Called before it stops listening, while
  // nobody else takes the name for free.
  void Withdraw();

 private:
  UnixSocket(std::string path, int folder);
  // Returns ALREADY_EXISTS unless nobody listens on the path.
  absl::Status CheckFree() const;

  const std::string path_;
  // The last part of the path.
  const std::string name_;
  const std::string hidden_name_;
  const int folder_;
  // The device of the socket that Publish has put there; 0 if there is none.
  dev_t device_ = 0;
  ino_t inode_ = 0;
};

}  // namespace penstock::server

#endif  // PENSTOCK_SERVER_NET_UNIX_SOCKET_H_
