// Calls with one request and one answer.
#ifndef PENSTOCK_CLIENT_SRC_UNARY_H_
#define PENSTOCK_CLIENT_SRC_UNARY_H_

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "client/src/cancellation.h"
#include "client/src/channel.h"
#include "client/src/status.h"
#include "grpcpp/client_context.h"

namespace penstock::internal {

// One attempt at a call: `invoke(stubs, call)` makes it, until `give_up`. `writes`: it may
// have an effect. `*again`: see Channel::Call.
template <typename Invoke>
absl::Status TryUnary(const Channel& channel, const Stubs& stubs, const Context& ctx,
                      absl::Time give_up, bool writes, Invoke invoke, Again* again) {
  grpc::ClientContext call;
  channel.SetUp(ctx, &call);
  if (give_up != absl::InfiniteFuture()) call.set_deadline(ToDeadline(give_up));
  const CancelScope provider_scope(channel.open, &call);
  const CancelScope scope(ctx, &call);
  const absl::Status end = channel.Explain(ToStatus(invoke(stubs, &call)), ctx, /*gave_up=*/false);
  const Reach reach = !stubs.MaybeSent(call) ? Reach::kNotSent
                      : writes               ? Reach::kMaybeSent
                                             : Reach::kHarmless;
  return Settle(end, reach, again);
}

}  // namespace penstock::internal

#endif  // PENSTOCK_CLIENT_SRC_UNARY_H_
