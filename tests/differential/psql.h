// psql as a process that is fed one statement after the other.
#ifndef PENSTOCK_TESTS_DIFFERENTIAL_PSQL_H_
#define PENSTOCK_TESTS_DIFFERENTIAL_PSQL_H_

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace penstock::differential {

// What psql said of one statement.
struct PsqlReply {
  // "00000" if it succeeded.
  std::string sqlstate;
  std::string message;
  // As the server's command tag counts them.
  int64_t row_count = 0;
  // Without a result there is none; a result may have no columns, and no rows.
  bool has_result = false;
  std::vector<std::string> columns;
  // Each value as the server's text; none: NULL.
  std::vector<std::vector<std::optional<std::string>>> rows;
};

// One session of psql -X, unaligned, with the settings of a session that the gateway has: UTC,
// ISO dates and intervals, bytea in hex. Used by one thread. psql ends with the object.
class Psql {
 public:
  // Files of its own are put into `folder`. The error says why psql could not be started.
  static absl::StatusOr<std::unique_ptr<Psql>> Start(const std::string& connection,
                                                     const std::string& folder);
  ~Psql();
  Psql(const Psql&) = delete;
  Psql& operator=(const Psql&) = delete;

  // Runs one statement. None: psql has ended, as it does when it loses its session, or did not
  // answer for a minute; the object is then good for nothing else.
  std::optional<PsqlReply> Run(const std::string& sql);

 private:
  Psql(pid_t pid, int socket, std::string folder);
  bool Send(const std::string& lines);
  // What psql writes up to its next end mark, without the mark.
  std::optional<std::string> Receive();

  const pid_t pid_;
  const int socket_;
  const std::string statement_path_;
  std::string received_;
};

}  // namespace penstock::differential

#endif  // PENSTOCK_TESTS_DIFFERENTIAL_PSQL_H_
