// Turns the requests of KeyValueService into operations of a driver.
#ifndef PENSTOCK_SERVER_RPC_KEY_VALUE_ARGUMENTS_H_
#define PENSTOCK_SERVER_RPC_KEY_VALUE_ARGUMENTS_H_

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "drivers/api/key_value.h"
#include "penstock/v1/key_value.pb.h"

namespace penstock::server {

// One operation, which borrows the request's bytes. Reusable.
class KeyValueArguments {
 public:
  KeyValueArguments() = default;
  KeyValueArguments(const KeyValueArguments&) = delete;
  KeyValueArguments& operator=(const KeyValueArguments&) = delete;

  // Checks the request. Fails with kInvalidParameter, which names the mistake.
  absl::Status Assign(const v1::GetRequest& request);
  absl::Status Assign(const v1::BatchGetRequest& request);
  absl::Status Assign(const v1::PutRequest& request);
  absl::Status Assign(const v1::DeleteRequest& request);
  absl::Status Assign(const v1::DeleteRangeRequest& request);
  absl::Status Assign(const v1::ScanRequest& request);
  absl::Status Assign(const v1::WriteRequest& request);

  driver::KeyValueRun* run() { return &run_; }

 private:
  using Kind = driver::KeyValueRun::Kind;

  void Start(Kind kind, const std::string& keyspace);
  absl::Status Finish();
  // Finishes an operation whose one mutation is mutation_.
  absl::Status FinishOne();
  absl::Status Range(const v1::KeyRange& from, driver::KeyRange* to) const;
  driver::KeyRange Prefix(std::string_view prefix);
  absl::Status Add(const v1::Condition& condition);
  absl::Status Add(const v1::Mutation& mutation);
  // Leaves out the keys that are not after `key` in the order of the scan.
  void ContinueAfter(std::string_view key);
  std::string_view Keep(std::string bytes);

  driver::KeyValueRun run_;
  // The key or the mutation of an operation with one, so that it allocates nothing.
  std::string_view key_;
  driver::KeyMutation mutation_;
  std::vector<std::string_view> keys_;
  std::vector<driver::KeyCondition> conditions_;
  std::vector<driver::KeyMutation> mutations_;
  // Bytes that the request does not have.
  std::vector<std::unique_ptr<std::string>> kept_;
};

// Writes the outcome of a kWrite.
void ToProto(const driver::KeyValueRun& from, v1::WriteResponse* to);

}  // namespace penstock::server

#endif  // PENSTOCK_SERVER_RPC_KEY_VALUE_ARGUMENTS_H_
