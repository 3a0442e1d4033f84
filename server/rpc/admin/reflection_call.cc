// grpc.reflection: describes the services, from the descriptors in this program.
#include <set>
#include <string>

#include "google/protobuf/descriptor.h"
#include "google/protobuf/descriptor.pb.h"
#include "server/rpc/base/call.h"
#include "server/rpc/base/calls.h"
#include "server/rpc/base/convert.h"
#include "server/rpc/base/service.h"

namespace penstock::server {
namespace {

using google::protobuf::DescriptorPool;
using google::protobuf::FileDescriptor;
using reflection::ServerReflectionRequest;
using reflection::ServerReflectionResponse;

// Adds the file and everything it imports, each once.
void AddFile(const FileDescriptor* file, std::set<const FileDescriptor*>* seen,
             reflection::FileDescriptorResponse* response) {
  if (!seen->insert(file).second) return;
  google::protobuf::FileDescriptorProto proto;
  file->CopyTo(&proto);
  proto.SerializeToString(response->add_file_descriptor_proto());
  for (int i = 0; i < file->dependency_count(); ++i) AddFile(file->dependency(i), seen, response);
}

void AnswerFile(const FileDescriptor* file, ServerReflectionResponse* response) {
  if (file == nullptr) {
    response->mutable_error_response()->set_error_code(grpc::StatusCode::NOT_FOUND);
    response->mutable_error_response()->set_error_message("unknown symbol, file or extension");
    return;
  }
  std::set<const FileDescriptor*> seen;
  AddFile(file, &seen, response->mutable_file_descriptor_response());
}

void Answer(const ServerReflectionRequest& request, ServerReflectionResponse* response) {
  const DescriptorPool* pool = DescriptorPool::generated_pool();
  response->set_valid_host(request.host());
  *response->mutable_original_request() = request;
  switch (request.message_request_case()) {
    case ServerReflectionRequest::kFileByFilename:
      return AnswerFile(pool->FindFileByName(request.file_by_filename()), response);
    case ServerReflectionRequest::kFileContainingSymbol:
      return AnswerFile(pool->FindFileContainingSymbol(request.file_containing_symbol()), response);
    case ServerReflectionRequest::kListServices:
      for (const char* name :
           {v1::DatabaseService::service_full_name(), v1::KeyValueService::service_full_name(),
            v1::MigrationService::service_full_name(), v1::AdminService::service_full_name(),
            health::Health::service_full_name(),
            reflection::ServerReflection::service_full_name()}) {
        response->mutable_list_services_response()->add_service()->set_name(name);
      }
      return;
    default:
      // proto3 messages have no extensions.
      return AnswerFile(nullptr, response);
  }
}

class ReflectionCall final : public BidiCall {
 public:
  ReflectionCall(const RpcContext& context, const CallSource& source)
      : BidiCall(context, source, Rpc::kServerReflectionInfo, WaitForServerReflectionInfo) {
    Listen(&source.services->reflection, &ReflectionMethods::RequestServerReflectionInfo);
  }
  void Tick(TimePoint now) override { CheckStall(now); }
  void Drain(bool now) override {
    if (now) server_context_.TryCancel();
  }

 private:
  void OnStart() override { StartRead(); }

  void OnRead(bool ok) override {
    ServerReflectionRequest request;
    const absl::Status parsed = ok ? Take(in(), &request) : absl::OkStatus();
    if (!ok || !parsed.ok()) {
      Finish(parsed);
      return;
    }
    ServerReflectionResponse response;
    Answer(request, &response);
    const absl::Status written = Write(response);
    if (!written.ok()) Finish(written);
  }

  void OnWritten(bool ok) override {
    if (ok) {
      StartRead();
    } else {
      Finish(GoneStatus());
    }
  }
};

}  // namespace

void WaitForServerReflectionInfo(const RpcContext& context, const CallSource& source) {
  new ReflectionCall(context, source);  // owns itself
}

}  // namespace penstock::server
