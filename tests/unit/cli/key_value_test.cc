#include "client/cli/key_value.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <sstream>

#include "client/cli/commands.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "penstock/mocks.h"

namespace penstock::cli {
namespace {

using ::testing::_;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::NiceMock;
using ::testing::Return;

// What `penstock` does with these words, on a mocked keyspace.
class KeyValueCommandTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_EQ(pipe(pipe_), 0);
    fcntl(pipe_[0], F_SETFL, O_NONBLOCK);
  }
  void TearDown() override {
    close(pipe_[0]);
    close(pipe_[1]);
  }

  ExitCode Run(std::vector<std::string> words, const std::string& input = "") {
    words.insert(words.begin(), "kv");
    const auto parsed = ParseOptions(words);
    errors_ = std::string(parsed.status().message());
    if (!parsed.ok()) return kExitUsage;
    EXPECT_CALL(db_, KeyValue(std::string_view(parsed->options.keyspace))).WillOnce([this](auto) {
      return std::move(kv_);
    });
    const int in = memfd_create("input", 0);
    EXPECT_EQ(pwrite(in, input.data(), input.size(), 0), static_cast<ssize_t>(input.size()));
    std::ostringstream err;
    Output out(pipe_[1]);
    const ExitCode code = RunCommand(parsed->options, &db_, {.in = in, .out = &out, .err = &err});
    close(in);
    errors_ = err.str();
    char bytes[4096];
    const ssize_t count = read(pipe_[0], bytes, sizeof(bytes));
    output_ = count < 0 ? "" : std::string(bytes, count);
    return code;
  }

  NiceMock<MockProvider> db_;
  std::unique_ptr<MockKeyValue> kv_ = std::make_unique<MockKeyValue>();
  int pipe_[2] = {-1, -1};
  std::string output_;
  std::string errors_;
};

TEST_F(KeyValueCommandTest, GetPrintsTheValue) {
  EXPECT_CALL(*kv_, Get(_, "a")).WillOnce(Return(std::optional<std::string>("text")));
  EXPECT_EQ(Run({"get", "a"}), kExitOk);
  EXPECT_EQ(output_, "text\n");
}

TEST_F(KeyValueCommandTest, AKeyThatIsNotThereIsAFailure) {
  EXPECT_CALL(*kv_, Get(_, "a")).WillOnce(Return(std::optional<std::string>()));
  EXPECT_EQ(Run({"get", "a"}), kExitFailed);
  EXPECT_EQ(output_, "");
  EXPECT_THAT(errors_, HasSubstr("does not exist"));
}

TEST_F(KeyValueCommandTest, PutTakesBytesAndStandardInput) {
  EXPECT_CALL(*kv_, Put(_, std::string_view("\0\xff", 2), "line\n"))
      .WillOnce(Return(absl::OkStatus()));
  EXPECT_EQ(Run({"-k", "users", "put", "blob:00ff", "-"}, "line\n"), kExitOk) << errors_;
}

TEST_F(KeyValueCommandTest, DeleteDeletes) {
  EXPECT_CALL(*kv_, Delete(_, "7")).WillOnce(Return(absl::OkStatus()));
  EXPECT_EQ(Run({"delete", "7"}), kExitOk);
}

TEST_F(KeyValueCommandTest, ScanPrintsEntries) {
  const ScanOptions wanted{.prefix = "u/", .reverse = true, .limit = 5};
  EXPECT_CALL(*kv_, Scan(_, wanted)).WillOnce([](auto&&...) {
    return MakeEntries({{"u/2", "b"}, {"u/1", "\xff"}});
  });
  EXPECT_EQ(Run({"scan", "u/", "--reverse", "--limit", "5", "--format", "json"}), kExitOk);
  EXPECT_EQ(output_,
            "[\n {\"key\": \"u/2\", \"value\": \"b\"},\n {\"key\": \"u/1\", \"value\": "
            "\"blob:ff\"}\n]\n");
}

// What a scan writes for programs is read back as the same bytes, and no two of them are
// written alike.
TEST_F(KeyValueCommandTest, AScanSaysWhichBytesItWas) {
  const std::vector<std::string> keys = {"/w==", "\xff", "blob:ff", "-", "\\xff", "a\xff", "[a]"};
  for (const char* format : {"csv", "json"}) {
    std::vector<Entry> entries;
    for (const std::string& key : keys) entries.push_back({key, ""});
    kv_ = std::make_unique<MockKeyValue>();
    EXPECT_CALL(*kv_, Scan).WillOnce([&](auto&&...) { return MakeEntries(entries); });
    EXPECT_EQ(Run({"scan", "--keys-only", "--format", format}), kExitOk);
    for (const char* shown :
         {"/w==", "blob:ff", "blob:626c6f623a6666", "blob:2d", "xff", "blob:61ff", "[a]"}) {
      EXPECT_THAT(output_, HasSubstr(shown)) << format;
    }
  }
}

TEST_F(KeyValueCommandTest, WordsAreBytes) {
  EXPECT_CALL(*kv_, Put(_, "[\"a\"]", "[\"b\",01]")).WillOnce(Return(absl::OkStatus()));
  EXPECT_EQ(Run({"put", "[\"a\"]", "[\"b\",01]"}), kExitOk) << errors_;
}

TEST_F(KeyValueCommandTest, RawWordsAreWhatTheyRead) {
  EXPECT_CALL(*kv_, Put(_, "blob:zz", "-")).WillOnce(Return(absl::OkStatus()));
  EXPECT_EQ(Run({"put", "--raw", "blob:zz", "-"}, "input"), kExitOk) << errors_;
  kv_ = std::make_unique<MockKeyValue>();
  EXPECT_CALL(*kv_, Get(_, "blob:00")).WillOnce(Return(std::optional<std::string>("text")));
  EXPECT_EQ(Run({"get", "blob:00", "--raw"}), kExitOk) << errors_;
  EXPECT_EQ(output_, "text");
}

TEST_F(KeyValueCommandTest, AScanThatBreaksOffIsAFailure) {
  EXPECT_CALL(*kv_, Scan(_, ScanOptions{.keys_only = true})).WillOnce([](auto&&...) {
    return MakeEntries({{"a", ""}}, absl::DataLossError("damaged"));
  });
  EXPECT_EQ(Run({"scan", "--keys-only", "--format", "csv"}), kExitFailed);
  EXPECT_THAT(errors_, HasSubstr("damaged"));
}

TEST_F(KeyValueCommandTest, WordsThatMakeNoCommandAreRefused) {
  for (const std::vector<std::string>& words :
       std::vector<std::vector<std::string>>{{},
                                             {"fetch"},
                                             {"get"},
                                             {"get", "a", "b"},
                                             {"put", "a"},
                                             {"delete"},
                                             {"scan", "a", "b"},
                                             {"get", "blob:xyz"},
                                             {"scan", "--limit", "-1"}}) {
    EXPECT_EQ(Run(words), kExitUsage) << ::testing::PrintToString(words);
    EXPECT_FALSE(errors_.empty());
  }
}

}  // namespace
}  // namespace penstock::cli
