// KeyValue over the wire.
#ifndef PENSTOCK_CLIENT_SRC_KEY_VALUE_H_
#define PENSTOCK_CLIENT_SRC_KEY_VALUE_H_

#include <memory>
#include <string>

#include "client/src/channel.h"
#include "penstock/key_value.h"

namespace penstock::internal {

std::unique_ptr<KeyValue> MakeKeyValue(std::shared_ptr<Channel> channel, std::string keyspace);

}  // namespace penstock::internal

#endif  // PENSTOCK_CLIENT_SRC_KEY_VALUE_H_
