// Query: what arrives, what breaks off, what is given up.
#include <future>
#include <thread>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/unit/client/fake_daemon.h"

namespace penstock {
namespace {

v1::QueryResponse Part(int64_t value, bool first, bool last) {
  v1::QueryResponse part;
  if (first) part.add_columns()->set_name("n");
  part.set_row_count(1);
  part.add_data()->set_kind(v1::KIND_INTEGER);
  part.mutable_data(0)->add_integers(value);
  if (last) part.mutable_summary()->set_rows_affected(5);
  return part;
}

class QueryTest : public ::testing::Test {
 protected:
  FakeDaemon daemon_;
  const Context ctx_;
};

TEST_F(QueryTest, SendsWhatItIsGivenAndReadsPartByPart) {
  v1::QueryRequest seen;
  daemon_.on_query = [&](auto*, const v1::QueryRequest& request, QueryWriter* writer) {
    seen = request;
    writer->Write(Part(1, true, false));
    writer->Write(Part(2, false, true));
    return grpc::Status::OK;
  };
  const auto db = daemon_.Connect({.database = "other"});
  const auto rows = db->Query(ctx_.WithTimeout(absl::Seconds(60)), "SELECT $1", 7);
  ASSERT_TRUE(rows.ok()) << rows.status();
  int64_t sum = 0;
  for (int64_t n; (*rows)->Next() && (*rows)->Scan(&n).ok();) sum += n;
  EXPECT_EQ(sum, 3);
  EXPECT_EQ((*rows)->Err(), absl::OkStatus());
  EXPECT_EQ((*rows)->RowsAffected(), 5);
  EXPECT_EQ(seen.database(), "other");
  EXPECT_EQ(seen.format(), v1::FORMAT_COLUMNS);
  EXPECT_EQ(seen.args(0).integer(), 7);
  EXPECT_NEAR(static_cast<double>(seen.timeout().seconds()), 59, 1);
}

TEST_F(QueryTest, AResultWithoutASummaryIsNotWhole) {
  daemon_.on_query = [](auto*, auto&, QueryWriter* writer) {
    writer->Write(Part(1, true, false));
    return grpc::Status::OK;
  };
  const auto db = daemon_.Connect();
  const auto rows = db->Query(ctx_, "SELECT 1");
  ASSERT_TRUE(rows.ok());
  EXPECT_TRUE((*rows)->Next());
  EXPECT_FALSE((*rows)->Next());
  EXPECT_TRUE(absl::IsInternal((*rows)->Err())) << (*rows)->Err();
}

TEST_F(QueryTest, AFailureAfterRowsIsTold) {
  daemon_.on_query = [](auto*, auto&, QueryWriter* writer) {
    writer->Write(Part(1, true, false));
    return grpc::Status(grpc::StatusCode::DATA_LOSS, "damaged");
  };
  const auto db = daemon_.Connect();
  const auto rows = db->Query(ctx_, "SELECT 1");
  ASSERT_TRUE((*rows)->Next());
  EXPECT_FALSE((*rows)->Next());
  EXPECT_TRUE(absl::IsDataLoss((*rows)->Err()));
}

TEST_F(QueryTest, DestroyedEarlyItCancels) {
  std::promise<void> cancelled;
  daemon_.on_query = [&](grpc::ServerContext* call, auto&, QueryWriter* writer) {
    for (bool first = true; writer->Write(Part(1, first, false)); first = false) {
    }
    while (!call->IsCancelled()) std::this_thread::yield();
    cancelled.set_value();
    return grpc::Status::CANCELLED;
  };
  const auto db = daemon_.Connect();
  {
    const auto rows = db->Query(ctx_, "SELECT 1");
    ASSERT_TRUE((*rows)->Next());
  }
  // gRPC may return the daemon's last write only when the client's socket is read, which an
  // idle client does every five seconds. The test's own limit is ctest's.
  cancelled.get_future().wait();
}

TEST_F(QueryTest, AHungDaemonDoesNotHangTheCaller) {
  daemon_.on_query = [](grpc::ServerContext* call, auto&, auto*) {
    while (!call->IsCancelled()) std::this_thread::yield();
    return grpc::Status::OK;
  };
  const auto db = daemon_.Connect();
  const absl::Status status =
      db->Query(ctx_.WithTimeout(absl::Milliseconds(50)), "SELECT 1").status();
  EXPECT_TRUE(IsTimeout(status)) << status;
  EXPECT_TRUE(IsCommitOutcomeUnknown(status)) << "it may write: " << status;
}

TEST_F(QueryTest, CancelledFromAnotherThread) {
  std::promise<void> arrived;
  daemon_.on_query = [&](grpc::ServerContext* call, auto&, auto*) {
    arrived.set_value();
    while (!call->IsCancelled()) std::this_thread::yield();
    return grpc::Status::OK;
  };
  const auto db = daemon_.Connect();
  std::thread canceller([&] {
    arrived.get_future().wait();
    ctx_.Cancel();
  });
  const absl::Status status = db->Query(ctx_, "SELECT 1").status();
  canceller.join();
  EXPECT_TRUE(IsCancelled(status)) << status;
  EXPECT_TRUE(IsCancelled(db->Ping(ctx_))) << "for good";
}

TEST_F(QueryTest, WhatCannotBeSentIsRefusedHere) {
  daemon_.on_query = [](auto*, auto&, auto*) {
    ADD_FAILURE() << "it was sent";
    return grpc::Status::OK;
  };
  const auto db = daemon_.Connect({.max_message_bytes = 1024});
  EXPECT_TRUE(absl::IsInvalidArgument(db->Query(ctx_, "SELECT $1", UINT64_MAX).status()));
  EXPECT_TRUE(absl::IsInvalidArgument(db->Query(ctx_, "SELECT $1", "\xff").status()));
  EXPECT_TRUE(absl::IsInvalidArgument(db->Query(ctx_, "").status()));
  EXPECT_TRUE(
      absl::IsResourceExhausted(db->Query(ctx_, "SELECT $1", std::string(2000, 'x')).status()));
  EXPECT_TRUE(IsTimeout(db->Query(ctx_.WithTimeout(-absl::Seconds(1)), "SELECT 1").status()));
  EXPECT_TRUE(absl::IsNotFound(db->Migrate(ctx_, "/nonexistent/migrations")));
}

TEST_F(QueryTest, AClosedProviderRefuses) {
  const auto db = daemon_.Connect();
  EXPECT_EQ(db->Connect(ctx_), absl::OkStatus());
  EXPECT_EQ(db->Inspect(ctx_)->driver, "fake");
  EXPECT_EQ(db->Close(), absl::OkStatus());
  EXPECT_TRUE(absl::IsFailedPrecondition(db->Ping(ctx_)));
  EXPECT_TRUE(absl::IsFailedPrecondition(db->Exec(ctx_, "x").status()));
}

TEST_F(QueryTest, NobodyThere) {
  daemon_.Stop();
  const auto db = daemon_.Connect();
  const absl::Status status = db->Ping(ctx_);
  EXPECT_TRUE(IsUnavailable(status)) << status;
  EXPECT_TRUE(IsRetryable(status)) << "nothing can have happened";
  EXPECT_THAT(std::string(status.message()), ::testing::HasSubstr("No such file or directory"));
  const absl::Status timed = db->Connect(ctx_.WithTimeout(absl::Milliseconds(50)));
  EXPECT_TRUE(IsTimeout(timed)) << timed;
  EXPECT_TRUE(IsRetryable(timed)) << timed;
  EXPECT_THAT(std::string(timed.message()), ::testing::HasSubstr("No such file or directory"));
}

// What gRPC's server and every proxy say of a result that nobody reads.
TEST_F(QueryTest, AResultThatTheDaemonCutsOffSaysSo) {
  daemon_.on_query = [](auto*, auto&, QueryWriter* writer) {
    writer->Write(Part(1, true, false));
    return grpc::Status::CANCELLED;
  };
  const auto db = daemon_.Connect();
  const auto rows = db->Query(ctx_, "SELECT 1");
  ASSERT_TRUE((*rows)->Next());
  EXPECT_FALSE((*rows)->Next());
  EXPECT_TRUE(IsCancelled((*rows)->Err())) << (*rows)->Err();
  EXPECT_THAT(std::string((*rows)->Err().message()), ::testing::HasSubstr("stall_timeout"));
}

TEST(NewTest, RefusesConfigurationsWithoutSense) {
  for (const std::string target : {"", "localhost", "localhost:", "localhost:0", "localhost:70000",
                                   "localhost:http", ":7420", "::1", "::1:7420", "[::1]", "a b:1",
                                   "http://localhost:7420", "dns:///localhost", "unix:"}) {
    const absl::Status refused = New({.target = target}).status();
    EXPECT_TRUE(absl::IsInvalidArgument(refused)) << target << ": " << refused;
    EXPECT_THAT(std::string(refused.message()), ::testing::HasSubstr("Config.target")) << target;
  }
  EXPECT_TRUE(absl::IsInvalidArgument(New({.target = "unix:/" + std::string(107, 'x')}).status()));
  for (const std::string target :
       {"localhost:7420", "127.0.0.1:7420", "[::1]:7420", "dns:///localhost:7420", "unix:a.sock",
        "unix:/tmp/a%b#c?d", "ipv4:127.0.0.1:7420"}) {
    EXPECT_EQ(New({.target = target}).status(), absl::OkStatus()) << target;
  }
  EXPECT_TRUE(absl::IsInvalidArgument(New({.keepalive = absl::ZeroDuration()}).status()));
  EXPECT_TRUE(absl::IsInvalidArgument(New({.max_message_bytes = 10}).status()));
  EXPECT_TRUE(absl::IsInvalidArgument(New({.tls = {.cert_file = "a"}}).status()));
  EXPECT_TRUE(absl::IsNotFound(New({.tls = {.ca_file = "/nowhere/ca.pem"}}).status()));
}

}  // namespace
}  // namespace penstock
