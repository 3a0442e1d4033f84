// Makes KeyValues that talk to the daemon.
#ifndef PENSTOCK_CLIENT_SRC_KEY_VALUE_H_
#define PENSTOCK_CLIENT_SRC_KEY_VALUE_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "client/src/channel.h"
#include "client/src/pipes.h"
#include "client/src/transaction_stream.h"
#include "penstock/internal/v1/key_value.pb.h"
#include "penstock/key_value.h"

namespace penstock::internal {

std::unique_ptr<KeyValue> MakeKeyValue(std::shared_ptr<Channel> channel,
                                       std::shared_ptr<Pipes> pipes, std::string keyspace);
// Makes a keyspace within a transaction.
std::unique_ptr<KeyValue> MakeKeyValue(std::shared_ptr<TransactionStream> stream,
                                       std::string keyspace);

// Convert requests, except for the fields that every request has (database, keyspace, timeout).
void ToProto(const KeyRange& from, v1::KeyRange* to);
absl::Status ToProto(const ScanOptions& from, v1::ScanRequest* to);
void ToProto(const std::vector<Condition>& conditions, const std::vector<Mutation>& mutations,
             v1::WriteRequest* to);
WriteResult FromProto(const v1::WriteResponse& from);

}  // namespace penstock::internal

#endif  // PENSTOCK_CLIENT_SRC_KEY_VALUE_H_
