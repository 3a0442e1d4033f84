#include "tests/support/wire.h"

#include <utility>

#include "fmt/format.h"
#include "grpcpp/create_channel.h"
#include "grpcpp/security/credentials.h"
#include "tests/support/pipeline_stream.h"

namespace penstock::testing {

using v1::Value;

Value Null() {
  Value value;
  value.set_null(google::protobuf::NULL_VALUE);
  return value;
}

#define PENSTOCK_MAKE(Name, Type, field) \
  Value Name(Type content) {             \
    Value value;                         \
    value.set_##field(content);          \
    return value;                        \
  }
PENSTOCK_MAKE(Bool, bool, boolean)
PENSTOCK_MAKE(Int, int64_t, integer)
PENSTOCK_MAKE(Real, double, real)
PENSTOCK_MAKE(Text, std::string, text)
PENSTOCK_MAKE(Blob, std::string, blob)
PENSTOCK_MAKE(Decimal, std::string, decimal)
PENSTOCK_MAKE(Date, std::string, date)
PENSTOCK_MAKE(Time, std::string, time)
PENSTOCK_MAKE(Interval, std::string, interval)
PENSTOCK_MAKE(Uuid, std::string, uuid)
PENSTOCK_MAKE(Json, std::string, json)
#undef PENSTOCK_MAKE

Value Timestamp(int64_t seconds, int32_t nanos) {
  Value value;
  value.mutable_timestamp()->set_seconds(seconds);
  value.mutable_timestamp()->set_nanos(nanos);
  return value;
}

std::string ToText(const Value& value) {
  switch (value.kind_case()) {
    case Value::kNull: return "NULL";
    case Value::kBoolean: return value.boolean() ? "true" : "false";
    case Value::kInteger: return fmt::format("{}", value.integer());
    case Value::kReal: return fmt::format("real:{}", value.real());
    case Value::kText: return fmt::format("'{}'", value.text());
    case Value::kBlob: return fmt::format("blob:{}", value.blob());
    case Value::kDecimal: return "decimal:" + value.decimal();
    case Value::kTimestamp:
      return fmt::format("@{}.{:09}", value.timestamp().seconds(), value.timestamp().nanos());
    case Value::kDate: return "date:" + value.date();
    case Value::kTime: return "time:" + value.time();
    case Value::kInterval: return "interval:" + value.interval();
    case Value::kUuid: return "uuid:" + value.uuid();
    case Value::kJson: return "json:" + value.json();
    case Value::kArray: return fmt::format("array[{}]", value.array().values_size());
    case Value::KIND_NOT_SET: break;
  }
  return "?";
}

std::string ToText(const v1::Row& row) {
  std::string text;
  for (const Value& value : row.values()) text += (text.empty() ? "" : "|") + ToText(value);
  return text;
}

v1::ErrorDetail DetailOf(const grpc::Status& status) {
  v1::StatusDetails details;
  v1::ErrorDetail detail;
  if (details.ParseFromString(status.error_details()) && details.details_size() == 1) {
    details.details(0).UnpackTo(&detail);
  }
  return detail;
}

std::string Outcome::text() const {
  std::string text;
  for (const v1::Row& row : rows) text += (text.empty() ? "" : "; ") + ToText(row);
  return text;
}

void Outcome::Add(const v1::QueryResponse& part) {
  ++messages;
  columns.insert(columns.end(), part.columns().begin(), part.columns().end());
  rows.insert(rows.end(), part.rows().begin(), part.rows().end());
  for (v1::Row& row : Decode(part)) rows.push_back(std::move(row));
  if (part.has_summary()) {
    summary = part.summary();
    has_summary = true;
  }
}

namespace {

Value ValueAt(const v1::ColumnData& column, int row) {
  const auto byte = static_cast<size_t>(row / 8);
  if (byte < column.nulls().size() && ((column.nulls()[byte] >> (row % 8)) & 1) != 0) return Null();
  switch (column.kind()) {
    case v1::KIND_BOOLEAN: return Bool(column.booleans(row));
    case v1::KIND_INTEGER: return Int(column.integers(row));
    case v1::KIND_REAL: return Real(column.reals(row));
    case v1::KIND_TIMESTAMP:
      return Timestamp(column.integers(row), static_cast<int32_t>(column.nanos(row)));
    case v1::KIND_ARRAY:
    case v1::KIND_UNSPECIFIED: return column.values(row);
    default: break;
  }
  const uint32_t begin = row == 0 ? 0 : column.ends(row - 1);
  const std::string bytes = column.data().substr(begin, column.ends(row) - begin);
  switch (column.kind()) {
    case v1::KIND_BLOB: return Blob(bytes);
    case v1::KIND_DECIMAL: return Decimal(bytes);
    case v1::KIND_DATE: return Date(bytes);
    case v1::KIND_TIME: return Time(bytes);
    case v1::KIND_INTERVAL: return Interval(bytes);
    case v1::KIND_UUID: return Uuid(bytes);
    case v1::KIND_JSON: return Json(bytes);
    default: return Text(bytes);
  }
}

void Receive(grpc::ClientReaderInterface<v1::QueryResponse>& reader, Outcome* outcome) {
  v1::QueryResponse part;
  while (reader.Read(&part)) outcome->Add(part);
  outcome->status = reader.Finish();
  outcome->detail = DetailOf(outcome->status);
}

void SetError(const v1::Error& error, Outcome* outcome) {
  outcome->status = grpc::Status(static_cast<grpc::StatusCode>(error.code()), error.message());
  outcome->detail = error.detail();
}

}  // namespace

std::vector<v1::Row> Decode(const v1::QueryResponse& part) {
  std::vector<v1::Row> rows(part.row_count());
  for (int i = 0; i < static_cast<int>(rows.size()); ++i) {
    for (const v1::ColumnData& column : part.data()) {
      *rows[static_cast<size_t>(i)].add_values() = ValueAt(column, i);
    }
  }
  return rows;
}

void Assign(google::protobuf::RepeatedPtrField<Value>* to, const Values& from) {
  to->Assign(from.begin(), from.end());
}

Wire::Wire(const std::string& target, const std::string& token, Transport transport)
    : authorization_(token.empty() ? "" : "Bearer " + token), transport_(transport) {
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(-1);
  arguments.SetMaxSendMessageSize(-1);
  // Does not share a connection that is backing off after a failed attempt.
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  channel_ = grpc::CreateCustomChannel(target, grpc::InsecureChannelCredentials(), arguments);
  stub_ = v1::DatabaseService::NewStub(channel_);
}

grpc::ClientContext* Wire::Authorized(grpc::ClientContext* context) const {
  if (!authorization_.empty()) context->AddMetadata("authorization", authorization_);
  return context;
}

Outcome Wire::Query(const v1::QueryRequest& request) {
  if (transport_ == Transport::kPipeline) {
    PipelineStream::Call call;
    call.set_id(1);
    *call.mutable_query() = request;
    return PipelineStream(*this).Do(call);
  }
  grpc::ClientContext context;
  Outcome outcome;
  Receive(*stub_->Query(Authorized(&context), request), &outcome);
  return outcome;
}

Outcome Wire::Query(const std::string& sql, const Values& args) {
  v1::QueryRequest request;
  request.set_sql(sql);
  Assign(request.mutable_args(), args);
  return Query(request);
}

Outcome Wire::Exec(const std::string& sql, const Values& args) {
  v1::ExecRequest request;
  request.set_sql(sql);
  Assign(request.mutable_args(), args);
  if (transport_ == Transport::kPipeline) {
    return PipelineStream(*this).Do(PipelineStream::Exec(1, sql, args));
  }
  Outcome outcome;
  const std::vector<v1::ExecResponse> answers = ExecAll({request}, &outcome.status);
  outcome.detail = DetailOf(outcome.status);
  if (!answers.empty()) outcome.summary = answers[0].summary();
  outcome.has_summary = !answers.empty();
  return outcome;
}

std::vector<v1::ExecResponse> Wire::ExecAll(const std::vector<v1::ExecRequest>& requests,
                                            grpc::Status* status) {
  grpc::ClientContext context;
  auto stream = stub_->Exec(Authorized(&context));
  for (const v1::ExecRequest& request : requests) {
    if (!stream->Write(request)) break;
  }
  stream->WritesDone();
  std::vector<v1::ExecResponse> answers;
  for (v1::ExecResponse answer; stream->Read(&answer);) answers.push_back(answer);
  *status = stream->Finish();
  return answers;
}

PrepareStream::PrepareStream(Wire& wire, const std::string& sql, v1::Format format)
    : stream_(wire.stub().Prepare(wire.Authorized(&context_))) {
  v1::PrepareRequest request;
  request.set_sql(sql);
  request.set_format(format);
  stream_->Write(request);
  v1::PrepareResponse response;
  if (stream_->Read(&response)) prepared_ = response.prepared();
}

PrepareStream::~PrepareStream() {
  if (!finished_) context_.TryCancel();
}

void PrepareStream::Send(const Values& args) {
  v1::PrepareRequest request;
  Assign(request.mutable_args(), args);
  stream_->Write(request);
}

Outcome PrepareStream::Receive() {
  Outcome outcome;
  v1::PrepareResponse response;
  while (!outcome.has_summary) {
    if (!stream_->Read(&response)) {
      outcome.status = Finish();
      outcome.detail = DetailOf(outcome.status);
      return outcome;
    }
    if (response.has_error()) {
      SetError(response.error(), &outcome);
      return outcome;
    }
    outcome.Add(response.result());
  }
  return outcome;
}

Outcome PrepareStream::Run(const Values& args) {
  Send(args);
  return Receive();
}

grpc::Status PrepareStream::Finish() {
  stream_->WritesDone();
  return WaitForEnd();
}

grpc::Status PrepareStream::WaitForEnd() {
  finished_ = true;
  v1::PrepareResponse rest;
  while (stream_->Read(&rest)) {
  }
  return stream_->Finish();
}

TransactionStream::TransactionStream(Wire& wire)
    : stream_(wire.stub().Transaction(wire.Authorized(&context_))) {}

TransactionStream::~TransactionStream() {
  if (!finished_) context_.TryCancel();
}

TransactionStream::Response TransactionStream::Step(const Request& request) {
  Response response;
  stream_->Write(request);
  stream_->Read(&response);
  return response;
}

TransactionStream::Response TransactionStream::Begin(bool read_only) {
  Request request;
  request.mutable_begin()->set_read_only(read_only);
  return Step(request);
}

Outcome TransactionStream::Query(const std::string& sql, const Values& args) {
  Request request;
  request.mutable_query()->set_sql(sql);
  Assign(request.mutable_query()->mutable_args(), args);
  Outcome outcome;
  Response response = Step(request);
  for (;;) {
    if (response.has_error()) {
      SetError(response.error(), &outcome);
      return outcome;
    }
    if (!response.has_result()) {
      outcome.status = grpc::Status(grpc::StatusCode::UNKNOWN, "the stream has ended");
      return outcome;
    }
    outcome.Add(response.result());
    if (outcome.has_summary) return outcome;
    response.Clear();
    stream_->Read(&response);
  }
}

TransactionStream::Response TransactionStream::Exec(const std::string& sql, const Values& args) {
  Request request;
  request.mutable_exec()->set_sql(sql);
  Assign(request.mutable_exec()->mutable_args(), args);
  return Step(request);
}

TransactionStream::Response TransactionStream::Savepoint(const std::string& name) {
  Request request;
  request.mutable_savepoint()->set_name(name);
  return Step(request);
}

TransactionStream::Response TransactionStream::RollbackTo(const std::string& name) {
  Request request;
  request.mutable_rollback_to()->set_name(name);
  return Step(request);
}

TransactionStream::Response TransactionStream::Release(const std::string& name) {
  Request request;
  request.mutable_release()->set_name(name);
  return Step(request);
}

TransactionStream::Response TransactionStream::Commit() {
  Request request;
  request.mutable_commit();
  return Step(request);
}

TransactionStream::Response TransactionStream::Rollback() {
  Request request;
  request.mutable_rollback();
  return Step(request);
}

grpc::Status TransactionStream::Finish() {
  finished_ = true;
  stream_->WritesDone();
  Response rest;
  while (stream_->Read(&rest)) {
  }
  return stream_->Finish();
}

}  // namespace penstock::testing
