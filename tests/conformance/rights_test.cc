// Who may make which call: every method of the protos, by callers with each right.
#include <algorithm>
#include <chrono>

#include "fmt/format.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/message.h"
#include "grpc/health/v1/health.grpc.pb.h"
#include "grpc/reflection/v1alpha/reflection.grpc.pb.h"
#include "grpcpp/generic/generic_stub.h"
#include "penstock/v1/key_value.grpc.pb.h"
#include "penstock/v1/migration.grpc.pb.h"
#include "server/metrics/methods.h"
#include "tests/conformance/backend.h"
#include "tests/conformance/identities.h"
#include "tests/support/pipeline_stream.h"

namespace penstock::testing {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::MethodDescriptor;
using google::protobuf::ServiceDescriptor;
using server::Need;
using server::Right;
using server::Rights;

// The callers: by name, with one right each.
const std::map<std::string, Right>& OneRight() {
  static const auto* const rights = new std::map<std::string, Right>{{"reader", Right::kRead},
                                                                     {"writer", Right::kWrite},
                                                                     {"migrator", Right::kMigrate},
                                                                     {"admin", Right::kAdmin}};
  return *rights;
}

std::vector<const MethodDescriptor*> Methods() {
  std::vector<const MethodDescriptor*> methods;
  for (const std::string& name :
       {std::string(v1::DatabaseService::service_full_name()),
        std::string(v1::KeyValueService::service_full_name()),
        std::string(v1::MigrationService::service_full_name()),
        std::string(v1::AdminService::service_full_name()),
        std::string(grpc::health::v1::Health::service_full_name()),
        std::string(grpc::reflection::v1alpha::ServerReflection::service_full_name())}) {
    const ServiceDescriptor* const service =
        google::protobuf::DescriptorPool::generated_pool()->FindServiceByName(name);
    for (int i = 0; i < service->method_count(); ++i) methods.push_back(service->method(i));
  }
  return methods;
}

Need NeedOf(const MethodDescriptor& method) {
  const auto found = std::find(server::kRpcNames.begin(), server::kRpcNames.end(), method.name());
  EXPECT_NE(found, server::kRpcNames.end()) << method.full_name();
  return server::kRpcNeeds[found - server::kRpcNames.begin()];
}

void SetDatabase(Message* message, const std::string& database) {
  const Descriptor* const type = message->GetDescriptor();
  if (const FieldDescriptor* const field = type->FindFieldByName("database")) {
    message->GetReflection()->SetString(message, field, database);
  }
  for (const char* first : {"begin", "start"}) {
    const FieldDescriptor* const field = type->FindFieldByName(first);
    if (field == nullptr) continue;
    SetDatabase(message->GetReflection()->MutableMessage(message, field), database);
  }
}

grpc::ByteBuffer RequestOf(const MethodDescriptor& method, const std::string& database) {
  const std::unique_ptr<Message> message(google::protobuf::MessageFactory::generated_factory()
                                             ->GetPrototype(method.input_type())
                                             ->New());
  SetDatabase(message.get(), database);
  const grpc::Slice slice(message->SerializeAsString());
  return {&slice, 1};
}

class Authorization : public Conformance {
 protected:
  Authorization() {
    config().server.listen = {"127.0.0.1:0"};
    for (const auto& [name, right] : OneRight()) {
      config().identities.emplace(name, Identity(name, "main", Rights().With(right)));
    }
    config().identities.emplace("stranger", Identity("stranger", "other", Rights::All()));
    config().identities.emplace("root", Identity("root", "*", Rights::All()));
  }

  // Makes a call with a request for the database and returns how it ends.
  grpc::Status Call(const MethodDescriptor& method, const std::string& authorization,
                    const std::string& database = "main") {
    grpc::ClientContext context;
    // Watch and reflection streams go on for ever.
    context.set_deadline(std::chrono::system_clock::now() +
                         std::chrono::milliseconds(method.name() == "Watch" ? 300 : 20'000));
    if (!authorization.empty()) context.AddMetadata("authorization", authorization);
    grpc::CompletionQueue queue;
    grpc::GenericStub stub(wire().channel());
    const std::string path = fmt::format("/{}/{}", method.service()->full_name(), method.name());
    const auto call = stub.PrepareCall(&context, path, &queue);
    const auto next = [&queue] {
      void* tag = nullptr;
      bool ok = false;
      return queue.Next(&tag, &ok) && ok;
    };
    call->StartCall(nullptr);
    grpc::Status status;
    if (next()) {
      call->WriteLast(RequestOf(method, database), {}, nullptr);
      next();
      grpc::ByteBuffer answer;
      do call->Read(&answer, nullptr);
      while (next());
    }
    call->Finish(&status, nullptr);
    next();
    return status;
  }

  // The call was refused because its caller has not proved who he is. After ten such calls an
  // address is told so in other words.
  static bool IsUnknown(const grpc::Status& status) {
    return status.error_code() == grpc::StatusCode::UNAUTHENTICATED ||
           (status.error_code() == grpc::StatusCode::RESOURCE_EXHAUSTED &&
            DetailOf(status).hint().find("present right credentials") == 0);
  }
  static bool IsAllowed(const grpc::Status& status) {
    return status.error_code() != grpc::StatusCode::UNAUTHENTICATED &&
           status.error_code() != grpc::StatusCode::PERMISSION_DENIED;
  }
};
PENSTOCK_CONFORMANCE_ON(Authorization, KeyValueBackends());

bool Suffices(Right right, Need need) {
  switch (need) {
    case Need::kNothing:
    case Need::kIdentity: return true;
    case Need::kRead: return right == Right::kRead || right == Right::kWrite;
    case Need::kWrite: return right == Right::kWrite;
    case Need::kMigrate: return right == Right::kMigrate;
    case Need::kAdmin: return right == Right::kAdmin;
    case Need::kMetrics: break;  // HTTP's
  }
  return false;
}

TEST_P(Authorization, EveryMethodNeedsWhatTheTableSays) {
  for (const MethodDescriptor* method : Methods()) {
    SCOPED_TRACE(method->full_name());
    const Need need = NeedOf(*method);
    const bool open = need == Need::kNothing;
    for (const std::string& wrong :
         {std::string(), "Bearer " + TokenOf("nobody"), std::string("Basic cm9vdDpyb290")}) {
      const grpc::Status status = Call(*method, wrong);
      if (open) {
        EXPECT_TRUE(IsAllowed(status)) << status.error_message();
      } else {
        EXPECT_TRUE(IsUnknown(status)) << status.error_message();
      }
    }
    for (const auto& [name, right] : OneRight()) {
      const grpc::Status status = Call(*method, "Bearer " + TokenOf(name));
      EXPECT_EQ(IsAllowed(status), Suffices(right, need)) << name << ": " << status.error_message();
    }
    EXPECT_TRUE(IsAllowed(Call(*method, "Bearer " + TokenOf("root"))));
    const bool needs_database = !open && need != Need::kIdentity;
    const grpc::Status other = Call(*method, "Bearer " + TokenOf("stranger"));
    EXPECT_EQ(IsAllowed(other), !needs_database) << other.error_message();
  }
}

// The method that a call within a Pipeline stands for: the one that has its request.
const MethodDescriptor* MethodOf(const FieldDescriptor& call) {
  if (call.name() == "prepare")
    return v1::PipelineRequest::descriptor()
        ->file()
        ->FindServiceByName("DatabaseService")
        ->FindMethodByName("Prepare");
  for (const MethodDescriptor* method : Methods()) {
    if (method->input_type() == call.message_type()) return method;
  }
  return nullptr;
}

// Every call that the protos have within a Pipeline.
TEST_P(Authorization, EachCallWithinAPipelineNeedsWhatItsMethodNeeds) {
  const auto* const calls = v1::PipelineRequest::Call::descriptor()->FindOneofByName("call");
  int asked = 0;
  for (int i = 0; i < calls->field_count(); ++i) {
    const FieldDescriptor& field = *calls->field(i);
    // These name a statement that was prepared, for which the right was asked.
    if (field.name() == "run" || field.name() == "close_statement") continue;
    SCOPED_TRACE(field.name());
    const MethodDescriptor* const method = MethodOf(field);
    ASSERT_NE(method, nullptr) << "no method has such a request";
    const auto allowed = [&](const std::string& who) {
      PipelineStream stream(Wire(gateway().target(), TokenOf(who)));
      PipelineStream::Call call;
      call.set_id(1);
      SetDatabase(call.GetReflection()->MutableMessage(&call, &field), "main");
      stream.Send({call});
      const v1::Error error = stream.Receive(1).error();
      EXPECT_TRUE(stream.Finish().ok());
      return error.code() != grpc::StatusCode::PERMISSION_DENIED;
    };
    for (const auto& [name, right] : OneRight()) {
      EXPECT_EQ(allowed(name), Suffices(right, NeedOf(*method))) << name;
    }
    EXPECT_TRUE(allowed("root"));
    EXPECT_FALSE(allowed("stranger"));
    ++asked;
  }
  EXPECT_EQ(asked, calls->field_count() - 2);
}

TEST_P(Authorization, AReaderDoesNotWriteByAPipeline) {
  PipelineStream stream(Wire(gateway().target(), TokenOf("reader")));
  const std::string table = backend().table_of("kv");
  stream.Send({PipelineStream::Prepare(1, 1, "DELETE FROM " + table), PipelineStream::Run(2, 1),
               PipelineStream::Query(3, "DELETE FROM " + table)});
  for (const uint64_t id : {2, 3}) {
    const v1::Error error = stream.Receive(id).error();
    EXPECT_NE(error.code(), grpc::StatusCode::OK);
  }
}

// Calls that come after a credential was taken away are refused, those before are answered, and
// the stream ends.
TEST_P(Authorization, ARevokedCredentialEndsAPipeline) {
  PipelineStream stream(Wire(gateway().target(), TokenOf("reader")));
  PipelineStream::Call slow = PipelineStream::Query(1, backend().endless_query());
  slow.mutable_query()->mutable_timeout()->set_nanos(500'000'000);
  stream.Send({slow});
  EXPECT_EQ(stream.Do(PipelineStream::Query(2, "SELECT 1")).text(), "1");
  config().identities.erase("reader");
  ASSERT_TRUE(gateway().daemon().Reload(config()).ok());
  EXPECT_EQ(stream.Do(PipelineStream::Query(3, "SELECT 1")).status.error_code(),
            grpc::StatusCode::UNAUTHENTICATED);
  EXPECT_EQ(stream.Receive(1).error().detail().reason(), v1::REASON_REQUEST_TIMEOUT);
  EXPECT_EQ(stream.WaitForEnd().error_code(), grpc::StatusCode::UNAUTHENTICATED);
  EXPECT_TRUE(stream.draining());
}

// Whoever may not use a database does not learn whether it is there.
TEST_P(Authorization, ADatabaseThatIsNotThereIsAsOneThatMayNotBeUsed) {
  for (const MethodDescriptor* method : Methods()) {
    const Need need = NeedOf(*method);
    if (need == Need::kNothing || need == Need::kIdentity) continue;
    SCOPED_TRACE(method->full_name());
    const grpc::Status there = Call(*method, "Bearer " + TokenOf("stranger"), "main");
    const grpc::Status absent = Call(*method, "Bearer " + TokenOf("stranger"), "absent");
    EXPECT_EQ(there.error_code(), grpc::StatusCode::PERMISSION_DENIED);
    EXPECT_EQ(absent.error_code(), there.error_code());
    EXPECT_EQ(DetailOf(absent).reason(), v1::REASON_NOT_ALLOWED);
  }
}

}  // namespace
}  // namespace penstock::testing
