// Bearer tokens: where they come from, where they may go, and that every call carries one.
#include <sys/stat.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <map>
#include <mutex>
#include <thread>

#include "client/src/token_source.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/eventually.h"
#include "tests/support/temp_dir.h"
#include "tests/unit/client/fake_daemon.h"

namespace penstock {
namespace {

using internal::CheckTokenConfig;
using internal::FirstLine;
using internal::TokenSource;
using ::testing::AllOf;
using testing::Eventually;
using ::testing::HasSubstr;
using ::testing::Not;
using testing::TempDir;

const std::string kOld = "pst_app_" + std::string(43, 'o');
const std::string kNew = "pst_app_" + std::string(43, 'n');

std::string MessageOf(const absl::Status& status) { return std::string(status.message()); }

class TokenFileTest : public ::testing::Test {
 protected:
  std::string file() const { return folder_.path() + "/token"; }
  void Write(const std::string& content) const { std::ofstream(file()) << content; }

  static std::string Value(const TokenSource& source) {
    const internal::Authorization value = source.Current();
    return value == nullptr ? "" : *value;
  }

  const TempDir folder_;
  const absl::Time begin_ = absl::UnixEpoch() + absl::Hours(1);
};

TEST_F(TokenFileTest, ItsFirstLineIsReadAgainAfterASecond) {
  Write(kOld + "\r\nanything\n");
  TokenSource source(Config{.token_file = file()});
  EXPECT_EQ(source.Current(), nullptr);
  ASSERT_EQ(source.Refresh(begin_), absl::OkStatus());
  const internal::Authorization old = source.Current();
  EXPECT_EQ(*old, "Bearer " + kOld);

  Write("  " + kNew);
  ASSERT_EQ(source.Refresh(begin_ + absl::Milliseconds(999)), absl::OkStatus());
  EXPECT_EQ(source.Current(), old);
  ASSERT_EQ(source.Refresh(begin_ + absl::Seconds(1)), absl::OkStatus());
  EXPECT_EQ(Value(source), "Bearer " + kNew);

  const internal::Authorization now = source.Current();
  ASSERT_EQ(source.Refresh(begin_ + absl::Seconds(2)), absl::OkStatus());
  EXPECT_EQ(source.Current(), now) << "an unchanged token is the same object";
}

TEST_F(TokenFileTest, ItIsReadAlsoWhenTheClockWasSetBack) {
  Write(kOld);
  TokenSource source(Config{.token_file = file()});
  ASSERT_EQ(source.Refresh(begin_), absl::OkStatus());
  Write(kNew);
  ASSERT_EQ(source.Refresh(begin_ - absl::Minutes(30)), absl::OkStatus());
  EXPECT_EQ(Value(source), "Bearer " + kNew);
}

TEST_F(TokenFileTest, AFileThatCannotBeReadIsNamed) {
  TokenSource source(Config{.token_file = file()});
  const absl::Status missing = source.Refresh(begin_);
  EXPECT_EQ(missing.code(), absl::StatusCode::kUnauthenticated);
  EXPECT_EQ(MessageOf(missing),
            "there is no token: cannot read " + file() + ": No such file or directory");
  EXPECT_EQ(GetErrorDetails(missing).reason, "UNAUTHENTICATED");
  EXPECT_NE(GetErrorDetails(missing).hint, "");

  Write(kOld);
  EXPECT_EQ(source.Refresh(begin_ + absl::Milliseconds(500)), missing) << "not looked at yet";
  EXPECT_EQ(source.Refresh(begin_ + absl::Seconds(1)), absl::OkStatus());
}

TEST_F(TokenFileTest, AFileWithoutATokenIsNamedAndNotQuoted) {
  TokenSource source(Config{.token_file = file()});
  absl::Time now = begin_;
  for (const std::string& content :
       {std::string(), std::string("\n" + kOld), "Bearer " + kOld, kOld + "\x01", kOld + " two",
        std::string(7169, 'a'), std::string("pst_app_\0", 9)}) {
    Write(content);
    const absl::Status status = source.Refresh(now += absl::Seconds(1));
    EXPECT_EQ(status.code(), absl::StatusCode::kUnauthenticated) << content;
    EXPECT_EQ(MessageOf(status), "the first line of \"" + file() + "\" is not a bearer token");
  }
}

// As a shell makes one for <(command).
TEST_F(TokenFileTest, APipeIsReadOnce) {
  ASSERT_EQ(mkfifo(file().c_str(), 0600), 0);
  std::thread writer([this] { Write(kOld + "\n"); });
  TokenSource source(Config{.token_file = file()});
  EXPECT_EQ(source.Refresh(begin_), absl::OkStatus());
  EXPECT_EQ(source.Refresh(begin_ + absl::Hours(1)), absl::OkStatus());
  EXPECT_EQ(Value(source), "Bearer " + kOld);
  writer.join();
}

TEST(TokenText, TheFirstLineHasNoSpaceAroundIt) {
  EXPECT_EQ(FirstLine(""), "");
  EXPECT_EQ(FirstLine(" \t\r\nx"), "");
  EXPECT_EQ(FirstLine("a"), "a");
  EXPECT_EQ(FirstLine("\ta b\r\nc"), "a b");
}

TEST(TokenConfig, ATokenIsNotSentInPlainTextToAnotherMachine) {
  for (const char* target : {"10.0.0.1:7420", "db.internal:7420", "[2001:db8::1]:7420",
                             "0.0.0.0:7420", "dns:///db.internal:7420", "localhost.evil:7420"}) {
    for (const Config& config : {Config{.target = target, .token = kOld},
                                 Config{.target = target, .token_file = "/run/token"}}) {
      const absl::Status status = New(config).status();
      EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << target;
      EXPECT_THAT(MessageOf(status), AllOf(HasSubstr(target), Not(HasSubstr(kOld))));
      EXPECT_THAT(GetErrorDetails(status).hint, HasSubstr("TLS"));
    }
    EXPECT_EQ(New({.target = target}).status(), absl::OkStatus()) << target;
    const Config with_tls{.target = target, .tls = {.ca_file = "ca.pem"}, .token = kOld};
    EXPECT_EQ(CheckTokenConfig(with_tls), absl::OkStatus()) << target;
  }
  for (const char* target : {"127.0.0.1:7420", "127.8.9.1:1", "[::1]:7420", "localhost:7420",
                             "ipv4:127.0.0.1:7420", "unix:/run/penstock.sock", "unix:p.sock"}) {
    EXPECT_EQ(New({.target = target, .token = kOld}).status(), absl::OkStatus()) << target;
  }
}

TEST(TokenConfig, WhatIsNoTokenIsRefusedAndNotQuoted) {
  const absl::Status both = New({.token = kOld, .token_file = "/run/token"}).status();
  EXPECT_EQ(both.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(MessageOf(both), Not(HasSubstr(kOld)));
  for (const std::string& token :
       {kOld + "\n", "Bearer " + kOld, kOld + "\xc3\xa9", "\"x\"" + kOld, std::string(7169, 'a')}) {
    const absl::Status status = New({.token = token}).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << token;
    EXPECT_EQ(MessageOf(status), "Config.token is not a bearer token");
  }
}

// The tokens of the calls that a daemon gets.
class TokenCallsTest : public TokenFileTest {
 protected:
  TokenCallsTest() {
    daemon_.on_query = [this](grpc::ServerContext* call, const v1::QueryRequest&,
                              QueryWriter* writer) {
      Note("Query", *call);
      v1::QueryResponse response;
      response.mutable_summary();
      writer->Write(response);
      return grpc::Status::OK;
    };
    daemon_.on_exec = [this](grpc::ServerContext* call, ExecCall* stream) {
      Note("Exec", *call);
      v1::ExecRequest request;
      v1::ExecResponse response;
      response.mutable_summary()->set_rows_affected(1);
      while (stream->Read(&request)) stream->Write(response);
      return grpc::Status::OK;
    };
    daemon_.on_prepare = [this](grpc::ServerContext* call, PrepareCall* stream) {
      Note("Prepare", *call);
      return Prepared(stream);
    };
    daemon_.on_transaction = [this](grpc::ServerContext* call, TransactionCall* stream) {
      Note("Transaction", *call);
      return Stepped(stream);
    };
  }
  // The daemon's calls refer to this object.
  ~TokenCallsTest() override { daemon_.Stop(); }

  static grpc::Status Prepared(PrepareCall* stream) {
    v1::PrepareRequest request;
    stream->Read(&request);
    v1::PrepareResponse response;
    response.mutable_prepared();
    stream->Write(response);
    response.mutable_result()->mutable_summary();
    while (stream->Read(&request)) stream->Write(response);
    return grpc::Status::OK;
  }

  static grpc::Status Stepped(TransactionCall* stream) {
    v1::TransactionRequest request;
    while (stream->Read(&request)) {
      v1::TransactionResponse response;
      if (request.has_begin()) response.mutable_begun();
      if (request.has_exec()) response.mutable_executed();
      if (request.has_commit()) response.mutable_committed();
      stream->Write(response);
      if (request.has_commit()) break;
    }
    return grpc::Status::OK;
  }

  void Note(const std::string& method, const grpc::ServerContext& call) {
    std::string value;
    for (auto [at, end] = call.client_metadata().equal_range("authorization"); at != end; ++at) {
      value += (value.empty() ? "" : ", ") + std::string(at->second.data(), at->second.size());
    }
    const std::lock_guard lock(mutex_);
    last_[method] = value;
  }
  // The metadata `authorization` of the last call of `method`.
  std::string Last(const std::string& method) {
    const std::lock_guard lock(mutex_);
    return last_[method];
  }

  FakeDaemon daemon_;
  const Context ctx_;
  std::mutex mutex_;
  std::map<std::string, std::string> last_;
};

TEST_F(TokenCallsTest, EveryCallCarriesTheToken) {
  const std::unique_ptr<Provider> db = daemon_.Connect({.token = kOld});
  EXPECT_TRUE(db->Query(ctx_, "x").ok());
  EXPECT_TRUE(db->Exec(ctx_, "x").ok());
  EXPECT_TRUE(db->Prepare(ctx_, "x").ok());
  EXPECT_TRUE(db->Transaction(ctx_).ok());
  for (const char* method : {"Query", "Exec", "Prepare", "Transaction"}) {
    EXPECT_EQ(Last(method), "Bearer " + kOld) << method;
  }
}

TEST_F(TokenCallsTest, WithoutATokenThereIsNoSuchMetadata) {
  const std::unique_ptr<Provider> db = daemon_.Connect();
  EXPECT_TRUE(db->Exec(ctx_, "x").ok());
  EXPECT_EQ(Last("Exec"), "");
}

TEST_F(TokenCallsTest, ANewTokenIsUsedWithoutARestartAndNoCallIsLost) {
  Write(kOld);
  const std::unique_ptr<Provider> db = daemon_.Connect({.token_file = file()});
  const auto statement = db->Prepare(ctx_, "x");
  ASSERT_TRUE(statement.ok()) << statement.status();
  ASSERT_TRUE(db->Exec(ctx_, "x").ok());
  ASSERT_TRUE((*statement)->Exec(ctx_).ok());
  EXPECT_EQ(Last("Exec"), "Bearer " + kOld);
  EXPECT_EQ(daemon_.prepares, 1);

  std::ofstream(file() + ".new") << kNew << "\n";
  std::filesystem::rename(file() + ".new", file());
  Eventually([&] {
    EXPECT_EQ(db->Exec(ctx_, "x").status(), absl::OkStatus());
    return Last("Exec") == "Bearer " + kNew;
  });
  EXPECT_EQ((*statement)->Exec(ctx_).status(), absl::OkStatus());
  EXPECT_EQ(Last("Prepare"), "Bearer " + kNew);
  EXPECT_EQ(daemon_.execs, 2) << "one stream for each token";
  EXPECT_EQ(daemon_.prepares, 2);
}

TEST_F(TokenCallsTest, WithoutItsFileNoCallBeginsAndAnOpenTransactionGoesOn) {
  Write(kOld);
  const std::unique_ptr<Provider> db = daemon_.Connect({.token_file = file()});
  const auto tx = db->Transaction(ctx_);
  ASSERT_TRUE(tx.ok()) << tx.status();
  std::filesystem::remove(file());
  absl::Status refused;
  Eventually([&] {
    refused = db->Exec(ctx_, "x").status();
    return !refused.ok();
  });
  EXPECT_EQ(refused.code(), absl::StatusCode::kUnauthenticated);
  EXPECT_THAT(MessageOf(refused), HasSubstr(file()));
  EXPECT_FALSE(IsCommitOutcomeUnknown(refused)) << "nothing was sent";
  EXPECT_EQ(db->Ping(ctx_), refused);
  EXPECT_EQ(db->Connect(ctx_), refused);
  EXPECT_EQ(db->Transaction(ctx_).status(), refused);
  EXPECT_EQ(db->ExecBatch(ctx_, {{.sql = "x"}})[0].status(), refused);
  EXPECT_EQ((*tx)->Exec(ctx_, "x").status(), absl::OkStatus());
  EXPECT_EQ((*tx)->Commit(ctx_), absl::OkStatus());
}

// Nothing is repeated, and no outcome is unknown: the daemon looks at the token before all else.
TEST_F(TokenCallsTest, WhatTheDaemonSaysOfTheCallerComesThrough) {
  const std::unique_ptr<Provider> db = daemon_.Connect({.token = kOld});
  std::atomic<int> calls = 0;
  for (const grpc::StatusCode code :
       {grpc::StatusCode::UNAUTHENTICATED, grpc::StatusCode::PERMISSION_DENIED}) {
    const auto refuse = [&calls, code](auto&&...) {
      ++calls;
      return grpc::Status(code, "not you");
    };
    calls = 0;
    daemon_.on_query = refuse;
    daemon_.on_exec = refuse;
    daemon_.on_prepare = refuse;
    daemon_.on_transaction = refuse;
    for (const absl::Status& status :
         {db->Query(ctx_, "x").status(), db->Exec(ctx_, "x").status(),
          db->Prepare(ctx_, "x").status(), db->Transaction(ctx_).status()}) {
      EXPECT_EQ(status, absl::Status(static_cast<absl::StatusCode>(code), "not you"));
    }
    EXPECT_EQ(calls, 4);
  }
}

}  // namespace
}  // namespace penstock
