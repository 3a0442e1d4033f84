// Calls with one request. They are made as streams are, because those tell whether the
// request has left.
#ifndef PENSTOCK_CLIENT_SRC_UNARY_H_
#define PENSTOCK_CLIENT_SRC_UNARY_H_

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "client/src/cancellation.h"
#include "client/src/channel.h"
#include "client/src/status.h"
#include "client/src/stream.h"
#include "grpcpp/client_context.h"
#include "grpcpp/completion_queue.h"
#include "grpcpp/generic/generic_stub.h"

namespace penstock::internal {

// A call of `method` ("/package.Service/Method") that is to be sent its one request. It ends
// at `deadline`.
template <typename Request, typename Response>
std::unique_ptr<Stream<Request, Response>> OpenCall(const std::shared_ptr<Channel>& channel,
                                                    const Stubs& stubs, const Context& ctx,
                                                    absl::Time deadline,
                                                    const std::string& method) {
  return std::make_unique<Stream<Request, Response>>(
      channel, ctx,
      [&](grpc::ClientContext* call, grpc::CompletionQueue* queue) {
        return grpc::TemplatedGenericStub<Request, Response>(stubs.link)
            .PrepareCall(call, method, queue);
      },
      deadline);
}

// One attempt at a call with one answer. `writes`: it may have an effect. `*again`: see
// Channel::Call.
template <typename Request, typename Response>
absl::Status TryUnary(const std::shared_ptr<Channel>& channel, const Stubs& stubs,
                      const Context& ctx, absl::Time deadline, bool writes,
                      const std::string& method, const Request& request, Response* response,
                      Again* again) {
  const auto call = OpenCall<Request, Response>(channel, stubs, ctx, deadline, method);
  if (call->SendLast(request) && call->Receive(response) && call->EndedWell()) {
    return absl::OkStatus();
  }
  const absl::Status end = call->End();
  return Settle(end, call->HowFar(writes), again);
}

}  // namespace penstock::internal

#endif  // PENSTOCK_CLIENT_SRC_UNARY_H_
