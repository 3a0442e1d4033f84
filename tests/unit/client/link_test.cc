// What is known of a call whose daemon is not there, goes, hangs or comes back.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <future>
#include <mutex>
#include <set>
#include <thread>

#include "absl/time/clock.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "penstock/v1/key_value.grpc.pb.h"
#include "tests/support/link_proxy.h"
#include "tests/unit/client/fake_daemon.h"

namespace penstock {
namespace {

using testing::LinkProxy;

// Every way to write, by name.
struct Write {
  std::string name;
  std::function<absl::Status(Provider&, const Context&)> run;
};

std::vector<Write> Writes() {
  return {
      {"Exec", [](Provider& db, const Context& ctx) { return db.Exec(ctx, "x").status(); }},
      {"ExecRows",
       [](Provider& db, const Context& ctx) { return db.ExecRows(ctx, "x", {{1}}).status(); }},
      {"ExecBatch",
       [](Provider& db, const Context& ctx) {
         return db.ExecBatch(ctx, {{.sql = "x"}, {.sql = "y"}})[0].status();
       }},
      {"Query", [](Provider& db, const Context& ctx) { return db.Query(ctx, "x").status(); }},
      {"Put", [](Provider& db, const Context& ctx) { return db.KeyValue("")->Put(ctx, "a", "b"); }},
      {"Delete",
       [](Provider& db, const Context& ctx) { return db.KeyValue("")->Delete(ctx, "a"); }},
      {"DeleteRange",
       [](Provider& db, const Context& ctx) {
         return db.KeyValue("")->DeletePrefix(ctx, "a").status();
       }},
      {"Write",
       [](Provider& db, const Context& ctx) {
         return db.KeyValue("")->Write(ctx, {}, {Mutation::Put("a", "b")}).status();
       }},
      {"Migrate",
       [](Provider& db, const Context& ctx) {
         MigrateOptions options;
         options.code.push_back(
             {.version = 1, .name = "n", .up = [](Transaction*) { return absl::OkStatus(); }});
         return db.Migrate(ctx, "", options).status();
       }},
  };
}

// Calls that change nothing.
std::vector<Write> Reads() {
  return {
      {"Ping", [](Provider& db, const Context& ctx) { return db.Ping(ctx); }},
      {"Get",
       [](Provider& db, const Context& ctx) { return db.KeyValue("")->Get(ctx, "a").status(); }},
      {"Scan",
       [](Provider& db, const Context& ctx) { return db.KeyValue("")->Scan(ctx).status(); }},
      {"Prepare", [](Provider& db, const Context& ctx) { return db.Prepare(ctx, "x").status(); }},
      {"Transaction",
       [](Provider& db, const Context& ctx) { return db.Transaction(ctx).status(); }},
      {"ListDatabases",
       [](Provider& db, const Context& ctx) { return db.ListDatabases(ctx).status(); }},
  };
}

std::vector<Write> All() {
  std::vector<Write> all = Writes();
  for (Write& read : Reads()) all.push_back(std::move(read));
  return all;
}

void ExpectNeverSent(const absl::Status& status, const std::string& what) {
  EXPECT_TRUE(IsUnavailable(status)) << what << ": " << status;
  EXPECT_EQ(GetErrorDetails(status).reason, "CONNECTION_FAILED") << what << ": " << status;
  EXPECT_TRUE(IsRetryable(status)) << what << ": " << status;
}

std::string FreePort() {
  const int probe = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  bind(probe, reinterpret_cast<sockaddr*>(&address), size);
  getsockname(probe, reinterpret_cast<sockaddr*>(&address), &size);
  close(probe);
  return "127.0.0.1:" + std::to_string(ntohs(address.sin_port));
}

TEST(NeverSentTest, WhereNobodyListens) {
  const std::string missing = "unix:/tmp/penstock-no-such-folder/socket";
  for (const std::string& target :
       {missing, FreePort(), std::string("no-such-host.invalid:7420")}) {
    const auto db = *New({.target = target});
    for (const Write& call : All()) {
      ExpectNeverSent(call.run(*db, Context()), call.name + " to " + target);
    }
  }
}

TEST(NeverSentTest, OverTlsWhoseServerDoesNotSpeakIt) {
  FakeDaemon daemon;
  const LinkProxy proxy(daemon.target());
  const auto db =
      *New({.target = proxy.target(), .tls = {.ca_file = "/etc/ssl/certs/ca-certificates.crt"}});
  ExpectNeverSent(db->Exec(Context(), "x").status(), "Exec");
  ExpectNeverSent(db->KeyValue("")->Put(Context(), "a", "b"), "Put");
}

// A listener that takes connections and says nothing: HTTP/2 never begins.
TEST(NeverSentTest, WhileTheConnectionIsBeingMade) {
  FakeDaemon daemon;
  LinkProxy proxy(daemon.target());
  proxy.Swallow();
  const auto db = *New({.target = proxy.target()});
  for (const Write& call : All()) {
    const absl::Status status = call.run(*db, Context().WithTimeout(absl::Milliseconds(30)));
    EXPECT_TRUE(IsTimeout(status)) << call.name << ": " << status;
    EXPECT_FALSE(IsCommitOutcomeUnknown(status)) << call.name << ": " << status;
  }
}

// Connect tells what is in the way.
TEST(ConnectTest, TellsTheCause) {
  const auto cause = [](const std::string& target) {
    const auto db = *New({.target = target});
    return std::string(db->Connect(Context().WithTimeout(absl::Milliseconds(200))).message());
  };
  EXPECT_THAT(cause(FreePort()), ::testing::HasSubstr("Connection refused"));
  EXPECT_THAT(cause("unix:/tmp/penstock-none"), ::testing::HasSubstr("No such file or directory"));
  EXPECT_THAT((*New({.target = "no-such-host.invalid:7420"}))
                  ->Connect(Context().WithTimeout(absl::Seconds(3)))
                  .message(),
              ::testing::HasSubstr("no-such-host.invalid"));
}

// Holds requests until it is told to let go of the links.
class Held final : public v1::KeyValueService::Service {
 public:
  grpc::Status Put(grpc::ServerContext* call, const v1::PutRequest*, v1::PutResponse*) override {
    return Hold(call);
  }
  grpc::Status Delete(grpc::ServerContext* call, const v1::DeleteRequest*,
                      v1::DeleteResponse*) override {
    return Hold(call);
  }
  grpc::Status DeleteRange(grpc::ServerContext* call, const v1::DeleteRangeRequest*,
                           v1::DeleteRangeResponse*) override {
    return Hold(call);
  }
  grpc::Status Write(grpc::ServerContext* call, const v1::WriteRequest*,
                     v1::WriteResponse*) override {
    return Hold(call);
  }
  grpc::Status Get(grpc::ServerContext* call, const v1::GetRequest*, v1::GetResponse*) override {
    return Hold(call);
  }

  grpc::Status Hold(grpc::ServerContext* call) {
    ++held;
    while (!call->IsCancelled()) std::this_thread::yield();
    return grpc::Status::CANCELLED;
  }

  std::atomic<int> held{0};
};

class SentTest : public ::testing::Test {
 protected:
  SentTest() {
    daemon_.Also(&held_);
    daemon_.on_exec = [this](grpc::ServerContext* call, ExecCall* stream) {
      v1::ExecRequest request;
      return stream->Read(&request) ? held_.Hold(call) : grpc::Status::OK;
    };
    daemon_.on_query = [this](grpc::ServerContext* call, auto&, auto*) { return held_.Hold(call); };
  }

  // Those that the fake daemon has a handler for.
  static std::vector<Write> Handled() {
    std::vector<Write> writes = Writes();
    writes.pop_back();  // Migrate
    return writes;
  }

  // Runs `call`, and `then` when it has reached the daemon.
  absl::Status While(const Write& call, Provider* db, const Context& ctx,
                     const std::function<void()>& then) {
    const int before = held_.held;
    std::thread other([&] {
      while (held_.held == before) std::this_thread::yield();
      then();
    });
    const absl::Status status = call.run(*db, ctx);
    other.join();
    return status;
  }

  Held held_;
  FakeDaemon daemon_;
};

TEST_F(SentTest, ABrokenLinkIsAnUnknownOutcome) {
  LinkProxy proxy(daemon_.target());
  for (const Write& call : Handled()) {
    const auto db = *New({.target = proxy.target()});
    const absl::Status status = While(call, db.get(), Context(), [&] { proxy.Cut(); });
    EXPECT_TRUE(IsCommitOutcomeUnknown(status)) << call.name << ": " << status;
    EXPECT_EQ(status.code(), absl::StatusCode::kUnknown) << call.name;
    EXPECT_FALSE(IsTransactionRetryable(status)) << call.name;
  }
}

TEST_F(SentTest, ACancelledWriteIsAnUnknownOutcome) {
  const auto db = daemon_.Connect();
  for (const Write& call : Handled()) {
    const Context ctx;
    const absl::Status status = While(call, db.get(), ctx, [&] { ctx.Cancel(); });
    EXPECT_TRUE(IsCommitOutcomeUnknown(status)) << call.name << ": " << status;
    EXPECT_TRUE(IsCancelled(status)) << call.name << ": " << status;
    EXPECT_THAT(std::string(status.message()), ::testing::HasSubstr("cancelled")) << call.name;
  }
}

TEST_F(SentTest, ADeadlineIsAnUnknownOutcome) {
  const auto db = daemon_.Connect();
  for (const Write& call : Handled()) {
    const absl::Status status = call.run(*db, Context().WithTimeout(absl::Milliseconds(50)));
    EXPECT_TRUE(IsCommitOutcomeUnknown(status)) << call.name << ": " << status;
    EXPECT_TRUE(IsTimeout(status)) << call.name << ": " << status;
  }
}

TEST_F(SentTest, AClosedProviderIsAnUnknownOutcome) {
  for (const Write& call : Handled()) {
    const auto db = daemon_.Connect();
    const absl::Status status =
        While(call, db.get(), Context(), [&] { EXPECT_TRUE(db->Close().ok()); });
    EXPECT_TRUE(IsCommitOutcomeUnknown(status)) << call.name << ": " << status;
  }
}

// It changes nothing, so it goes once more, and finds the same.
TEST_F(SentTest, ABrokenReadIsRetryable) {
  LinkProxy proxy(daemon_.target());
  const auto db = *New({.target = proxy.target()});
  const Write get = Reads()[1];
  std::thread cutter([&] {
    for (int cuts = 1; cuts <= 2; ++cuts) {
      while (held_.held < cuts) std::this_thread::yield();
      proxy.Cut();
    }
  });
  const absl::Status status = get.run(*db, Context());
  ExpectNeverSent(status, "Get");
  // A connection that was new is believed, so that there may have been no second attempt.
  if (held_.held < 2) {
    EXPECT_FALSE(get.run(*db, Context().WithTimeout(absl::Seconds(5))).ok());
  }
  cutter.join();
}

// Counts what was run.
grpc::Status Count(ExecCall* stream, std::atomic<int>* runs) {
  v1::ExecRequest request;
  while (stream->Read(&request)) {
    ++*runs;
    v1::ExecResponse response;
    response.mutable_summary()->set_rows_affected(1);
    stream->Write(response);
  }
  return grpc::Status::OK;
}

class RestartTest : public ::testing::Test {
 protected:
  RestartTest() {
    daemon_.on_exec = [this](auto*, ExecCall* stream) { return Count(stream, &runs_); };
  }
  void Restart() {
    daemon_.Stop();
    daemon_.Start();
  }

  std::atomic<int> runs_ = 0;
  FakeDaemon daemon_;
  std::unique_ptr<Provider> db_ = daemon_.Connect();
  const Context ctx_;
};

TEST_F(RestartTest, TheFirstCallFindsTheNewDaemon) {
  for (int i = 1; i <= 10; ++i) {
    ASSERT_EQ(db_->Exec(ctx_, "x").status(), absl::OkStatus()) << i;
    ASSERT_EQ(db_->Ping(ctx_), absl::OkStatus()) << i;
    Restart();
  }
  EXPECT_EQ(runs_, 10);
}

TEST_F(RestartTest, ADaemonThatWasAwayIsFoundByTheFirstCallToo) {
  ASSERT_EQ(db_->Exec(ctx_, "x").status(), absl::OkStatus());
  daemon_.Stop();
  // gRPC now waits before it looks again.
  for (int i = 0; i < 5; ++i) ExpectNeverSent(db_->Exec(ctx_, "x").status(), "Exec");
  daemon_.Start();
  EXPECT_EQ(db_->Exec(ctx_, "x").status(), absl::OkStatus());
  EXPECT_EQ(runs_, 2);
}

v1::Error Refusal(v1::Reason reason, grpc::StatusCode code) {
  v1::Error error;
  error.set_code(code);
  error.mutable_detail()->set_reason(reason);
  error.mutable_detail()->set_retry(v1::RETRY_STATEMENT);
  return error;
}

grpc::Status AsEnd(const v1::Error& error) {
  v1::StatusDetails details;
  details.add_details()->PackFrom(error.detail());
  return {static_cast<grpc::StatusCode>(error.code()), "refused", details.SerializeAsString()};
}

// In an answer, as the end of the stream, and where the daemon only ends the stream.
TEST_F(RestartTest, WhatADrainingDaemonRefusesGoesOnceMore) {
  const v1::Error draining = Refusal(v1::REASON_DRAINING, grpc::StatusCode::UNAVAILABLE);
  for (const std::string how : {"answer", "end", "well"}) {
    std::atomic<bool> refused = false;
    FakeDaemon daemon;
    daemon.on_exec = [&](auto*, ExecCall* stream) {
      if (refused.exchange(true)) return Count(stream, &runs_);
      v1::ExecRequest request;
      stream->Read(&request);
      v1::ExecResponse response;
      *response.mutable_error() = draining;
      if (how == "answer") stream->Write(response);
      if (how == "answer") stream->Read(&request);
      return how == "end" ? AsEnd(draining) : grpc::Status::OK;
    };
    const auto db = daemon.Connect();
    runs_ = 0;
    EXPECT_EQ(db->Exec(ctx_, "x").status(), absl::OkStatus()) << how;
    EXPECT_EQ(runs_, 1) << how;
  }
}

TEST_F(RestartTest, AStreamThatDrainedWhileItWasIdleIsReplaced) {
  const v1::Error draining = Refusal(v1::REASON_DRAINING, grpc::StatusCode::UNAVAILABLE);
  std::promise<void> drain;
  std::atomic<bool> first = true;
  daemon_.on_exec = [&](auto*, ExecCall* stream) {
    if (!first.exchange(false)) return Count(stream, &runs_);
    v1::ExecRequest request;
    stream->Read(&request);
    v1::ExecResponse response;
    response.mutable_summary()->set_rows_affected(1);
    stream->Write(response);
    drain.get_future().wait();
    return AsEnd(draining);
  };
  ASSERT_EQ(db_->Exec(ctx_, "x").status(), absl::OkStatus());
  drain.set_value();
  Restart();
  EXPECT_EQ(db_->Exec(ctx_, "x").status(), absl::OkStatus());
  EXPECT_EQ(runs_, 1);
}

TEST_F(RestartTest, ADaemonThatHasNoRoomIsAskedAgainWhenIdleStreamsHaveEnded) {
  std::atomic<int> open = 0;
  daemon_.on_exec = [&](auto*, ExecCall* stream) {
    if (open.fetch_add(1) >= 3) {
      --open;
      return AsEnd(Refusal(v1::REASON_LIMIT_EXCEEDED, grpc::StatusCode::RESOURCE_EXHAUSTED));
    }
    const grpc::Status end = Count(stream, &runs_);
    --open;
    return end;
  };
  daemon_.on_transaction = [&](auto*, TransactionCall* stream) {
    if (open >= 3) {
      return AsEnd(Refusal(v1::REASON_LIMIT_EXCEEDED, grpc::StatusCode::RESOURCE_EXHAUSTED));
    }
    v1::TransactionRequest request;
    v1::TransactionResponse response;
    response.mutable_begun();
    while (stream->Read(&request)) stream->Write(response);
    return grpc::Status::OK;
  };
  std::vector<std::thread> callers;
  for (int i = 0; i < 3; ++i)
    callers.emplace_back([&] { db_->Exec(Context(), "x").IgnoreError(); });
  for (std::thread& caller : callers) caller.join();
  EXPECT_EQ(db_->Transaction(ctx_).status(), absl::OkStatus());
  daemon_.Stop();
}

TEST(SlowLinkTest, MayBeSlowerThanATenthOfASecond) {
  std::atomic<int> runs = 0;
  FakeDaemon daemon;
  daemon.on_exec = [&](auto*, ExecCall* stream) { return Count(stream, &runs); };
  const LinkProxy proxy(daemon.target(), std::chrono::milliseconds(120));
  const auto db = *New({.target = proxy.target()});
  EXPECT_EQ(db->Exec(Context().WithTimeout(absl::Seconds(10)), "x").status(), absl::OkStatus());
  EXPECT_EQ(db->Connect(Context()), absl::OkStatus());
  EXPECT_EQ(proxy.accepted(), 1);
}

// What becomes of an Exec without a deadline that hangs in the daemon, on a link that
// swallows everything once `then` has returned.
absl::Status CutSilently(const std::function<void(LinkProxy*)>& then) {
  FakeDaemon daemon;
  std::promise<void> arrived;
  daemon.on_exec = [&](auto*, ExecCall* stream) {
    v1::ExecRequest request;
    stream->Read(&request);
    arrived.set_value();
    return Hang(stream, &request);
  };
  LinkProxy proxy(daemon.target());
  const auto db = *New({.target = proxy.target(), .keepalive = absl::Seconds(1)});
  std::thread cutter([&] {
    arrived.get_future().wait();
    then(&proxy);
    proxy.Swallow();
  });
  const absl::Status status = db->Exec(Context(), "x").status();
  cutter.join();
  return status;
}

// A call without a deadline ends when nothing has come for the sum of the two limits.
TEST(SilentCutTest, IsNoticed) {
  const absl::Time began = absl::Now();
  const absl::Status status = CutSilently([](LinkProxy*) {});
  EXPECT_TRUE(IsCommitOutcomeUnknown(status)) << status;
  EXPECT_LT(absl::Now() - began, absl::Seconds(20));
}

// The pings go on for as long as the call waits: gRPC's own limit is two.
TEST(SilentCutTest, IsNoticedAfterALongWaitToo) {
  const absl::Status status = CutSilently([](LinkProxy* proxy) {
    // A ping and its acknowledgement have 17 bytes each, and come every second.
    for (int64_t pings = 0, seen = proxy->passed(); pings < 4;) {
      if (proxy->passed() > seen) ++pings;
      seen = proxy->passed();
      std::this_thread::yield();
    }
  });
  EXPECT_TRUE(IsCommitOutcomeUnknown(status)) << status;
}

}  // namespace
}  // namespace penstock
