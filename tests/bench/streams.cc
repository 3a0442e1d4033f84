#include "tests/bench/streams.h"

#include <fmt/format.h>
#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>

#include <chrono>
#include <thread>
#include <vector>

#include "penstock/v1/database.grpc.pb.h"
#include "tests/bench/load.h"

namespace penstock::bench {
namespace {

using PrepareStream = grpc::ClientReaderWriter<v1::PrepareRequest, v1::PrepareResponse>;

struct IdleStream {
  grpc::ClientContext context;
  std::unique_ptr<PrepareStream> stream;
};

absl::Status Failed(const char* what, const grpc::Status& status) {
  return absl::InternalError(fmt::format("{}: {}", what, status.error_message()));
}

}  // namespace

absl::Status WithIdleStreams(const std::shared_ptr<grpc::Channel>& channel, int count,
                             const std::function<void()>& look) {
  const std::unique_ptr<v1::DatabaseService::Stub> stub = v1::DatabaseService::NewStub(channel);
  v1::PrepareRequest request;
  request.set_sql(kSelectSql);
  request.set_format(v1::FORMAT_COLUMNS);
  std::vector<std::unique_ptr<IdleStream>> streams;
  for (int i = 0; i < count; ++i) {
    auto& idle = streams.emplace_back(std::make_unique<IdleStream>());
    idle->stream = stub->Prepare(&idle->context);
    v1::PrepareResponse answer;
    if (!idle->stream->Write(request) || !idle->stream->Read(&answer) || !answer.has_prepared()) {
      idle->context.TryCancel();
      return Failed("Prepare", idle->stream->Finish());
    }
  }
  look();
  for (auto& idle : streams) {
    idle->stream->WritesDone();
    const grpc::Status status = idle->stream->Finish();
    if (!status.ok()) return Failed("Prepare", status);
  }
  return absl::OkStatus();
}

absl::Status ReadLargeResult(const std::shared_ptr<grpc::Channel>& channel, int64_t rows,
                             const std::function<void()>& look) {
  v1::QueryRequest request;
  request.set_sql(
      "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < $1) "
      "SELECT i, i * 0.5, 'row ' || i, i % 7 FROM n");
  request.add_args()->set_integer(rows);
  request.set_format(v1::FORMAT_COLUMNS);

  grpc::ClientContext context;
  const auto reader = v1::DatabaseService::NewStub(channel)->Query(&context, request);
  v1::QueryResponse part;
  int64_t received = 0;
  int64_t next_pause = rows / 10;
  while (reader->Read(&part)) {
    received += part.row_count();
    look();
    if (received < next_pause) continue;
    // What the server reads ahead while nobody takes it shows here.
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
    look();
    next_pause += rows / 10;
  }
  const grpc::Status status = reader->Finish();
  if (!status.ok()) return Failed("Query", status);
  if (received != rows || part.summary().rows_returned() != rows) {
    return absl::InternalError(fmt::format("{} of {} rows arrived", received, rows));
  }
  return absl::OkStatus();
}

}  // namespace penstock::bench
