// Calls with one request and one answer. They are made as streams, because a stream tells whether
// the request has left this process.
#ifndef PENSTOCK_CLIENT_SRC_UNARY_H_
#define PENSTOCK_CLIENT_SRC_UNARY_H_

#include <memory>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "client/src/channel.h"
#include "client/src/status.h"
#include "client/src/stream.h"

namespace penstock::internal {

// Makes one attempt at a call. `writes` says that the call may have an effect. `*again` is
// explained at Channel::Call.
template <typename Request, typename Response>
absl::Status TryUnary(const std::shared_ptr<Channel>& channel, const Connection& connection,
                      const Context& ctx, absl::Time deadline, bool writes, const char* method,
                      const Request& request, Response* response, Again* again) {
  Stream<Request, Response> call(channel, connection, ctx, method, deadline);
  if (call.SendLast(request) && call.Receive(response) && call.EndedWell()) {
    return absl::OkStatus();
  }
  const absl::Status end = call.End();
  return Settle(end, call.HowFar(writes), again);
}

}  // namespace penstock::internal

#endif  // PENSTOCK_CLIENT_SRC_UNARY_H_
