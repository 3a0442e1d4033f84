#include "tests/bench/streams.h"

#include <fmt/format.h>
#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>

#include <algorithm>
#include <chrono>
#include <thread>
#include <vector>

#include "penstock/v1/database.grpc.pb.h"
#include "penstock/v1/key_value.grpc.pb.h"
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

// Counts the values of a column that are not NULL by looking at each of `rows`.
int64_t ValuesOf(const v1::ColumnData& column, int64_t rows) {
  const int64_t present =
      std::max({column.integers_size(), column.reals_size(), column.ends_size()});
  int64_t count = 0;
  for (int64_t i = 0; i < rows && i < present; ++i) {
    const bool null = !column.nulls().empty() && (column.nulls()[i / 8] >> (i % 8) & 1) != 0;
    if (!null) ++count;
  }
  return count;
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

absl::Status ReadLargeResult(const std::shared_ptr<grpc::Channel>& channel, const std::string& sql,
                             int64_t rows, const std::function<void()>& look) {
  v1::QueryRequest request;
  request.set_sql(sql);
  request.add_args()->set_integer(rows);
  request.set_format(v1::FORMAT_COLUMNS);

  grpc::ClientContext context;
  const auto reader = v1::DatabaseService::NewStub(channel)->Query(&context, request);
  v1::QueryResponse part;
  int64_t received = 0;
  int64_t values = 0;
  int64_t next_pause = rows / 10;
  while (reader->Read(&part)) {
    received += part.row_count();
    for (const v1::ColumnData& column : part.data()) values += ValuesOf(column, part.row_count());
    if (look == nullptr) continue;
    look();
    if (received < next_pause) continue;
    // Gives the server time to read ahead, so that its memory shows that.
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
    look();
    next_pause += rows / 10;
  }
  const grpc::Status status = reader->Finish();
  if (!status.ok()) return Failed("Query", status);
  if (received != rows || values != rows * 4 || part.summary().rows_returned() != rows) {
    return absl::InternalError(fmt::format("{} of {} rows arrived", received, rows));
  }
  return absl::OkStatus();
}

absl::Status InsertManyRows(const std::shared_ptr<grpc::Channel>& channel, const std::string& sql,
                            int64_t rows) {
  constexpr int64_t kRowsARequest = 20'000;
  constexpr int64_t kRequestsAhead = 2;
  grpc::ClientContext context;
  const auto stub = v1::DatabaseService::NewStub(channel);
  const auto stream = stub->Exec(&context);
  int64_t sent = 0;
  int64_t acknowledged = 0;
  int64_t outstanding = 0;
  v1::ExecResponse answer;
  while (acknowledged < rows) {
    if (sent < rows && outstanding < kRequestsAhead) {
      v1::ExecRequest request;
      request.set_sql(sql);
      for (int64_t i = 0; i < kRowsARequest && sent < rows; ++i, ++sent) {
        v1::Row* row = request.add_rows();
        row->add_values()->set_integer(sent);
        row->add_values()->set_text("item " + std::to_string(sent));
        row->add_values()->set_real(static_cast<double>(sent) * 0.25);
      }
      if (!stream->Write(request)) break;
      ++outstanding;
      continue;
    }
    if (!stream->Read(&answer)) break;
    --outstanding;
    acknowledged += answer.summary().rows_affected();
  }
  stream->WritesDone();
  const grpc::Status status = stream->Finish();
  if (!status.ok()) return Failed("Exec", status);
  if (acknowledged == rows) return absl::OkStatus();
  return absl::InternalError(fmt::format("{} of {} rows were inserted", acknowledged, rows));
}

absl::Status PutEntries(const std::shared_ptr<grpc::Channel>& channel, int64_t entries) {
  v1::WriteRequest request;
  for (int64_t id = 1; id <= entries; ++id) {
    v1::Entry* put = request.add_mutations()->mutable_put();
    put->set_key(KeyOf(id));
    put->set_value(ValueOf(id));
  }
  grpc::ClientContext context;
  v1::WriteResponse response;
  const grpc::Status status =
      v1::KeyValueService::NewStub(channel)->Write(&context, request, &response);
  return status.ok() ? absl::OkStatus() : Failed("Write", status);
}

absl::Status ReadScan(const std::shared_ptr<grpc::Channel>& channel, int64_t entries,
                      const std::function<void()>& look) {
  grpc::ClientContext context;
  const auto reader = v1::KeyValueService::NewStub(channel)->Scan(&context, v1::ScanRequest());
  v1::ScanResponse part;
  int64_t received = 0;
  size_t bytes = 0;
  int64_t next_pause = entries / 10;
  while (reader->Read(&part)) {
    received += part.entries_size();
    for (const v1::Entry& entry : part.entries())
      bytes += entry.key().size() + entry.value().size();
    if (look == nullptr) continue;
    look();
    if (received < next_pause) continue;
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
    look();
    next_pause += entries / 10;
  }
  const grpc::Status status = reader->Finish();
  if (!status.ok()) return Failed("Scan", status);
  if (received == entries && bytes == static_cast<size_t>(entries) * kEntryBytes) {
    return absl::OkStatus();
  }
  return absl::InternalError(fmt::format("{} of {} entries arrived", received, entries));
}

}  // namespace penstock::bench
