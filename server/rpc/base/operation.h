// What one request asks for, and the answer to it, whichever way the two travel.
#ifndef PENSTOCK_SERVER_RPC_BASE_OPERATION_H_
#define PENSTOCK_SERVER_RPC_BASE_OPERATION_H_

#include <cstddef>
#include <string>

#include "drivers/api/driver.h"
#include "server/auth/quota.h"

namespace penstock::server {

// A statement or a key-value operation of a client. A call of its own, or one of many on a stream,
// takes it through these steps:
//
//   Start -> submit -> OnRun -> CallRun::EndBatch -> TakePart … -> fetch -> EndBatch …
//
// A subclass has a function
//
//   absl::Status Start(Call& call, const Request& request, CallRun* run);
//
// which finds the request's database, checks what the caller may do and what the request says, and
// fills the run, whose rows then come into the operation. It borrows the request. An operation may
// be started again once its run has ended, and keeps some of its memory for that. One thread at a
// time.
class Operation {
 public:
  Operation() = default;
  Operation(const Operation&) = delete;
  Operation& operator=(const Operation&) = delete;
  virtual ~Operation() = default;

  // A batch of rows was written without an error; it is the last one if `run` has no cursor.
  virtual void EndBatch(const driver::StatementRun& run) = 0;

  // Returns the size of the rows that were written since Start, taken or not.
  virtual ResultSize Written() const { return {}; }

  // Returns about how many bytes of memory it holds for messages that were not taken.
  virtual size_t Held() const { return 0; }

  // Moves the next message of the answer, serialized, into `part`. Returns false if all that were
  // ended by EndBatch are taken.
  virtual bool TakePart(std::string* part) = 0;
  // Tells whether TakePart would find one. The last message of the answer is the one after which
  // there is none, and no cursor.
  virtual bool has_part() const { return false; }
};

}  // namespace penstock::server

#endif  // PENSTOCK_SERVER_RPC_BASE_OPERATION_H_
