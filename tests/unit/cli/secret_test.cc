#include "client/cli/secret.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "client/cli/commands.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "penstock/mocks.h"

namespace penstock::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;
using ::testing::StrictMock;

// What `penstock secret` does with these words, without a daemon.
class SecretTest : public ::testing::Test {
 protected:
  SecretTest() {
    std::string pattern = (std::filesystem::temp_directory_path() / "penstock-XXXXXX").string();
    folder_ = mkdtemp(pattern.data());
  }
  ~SecretTest() override { std::filesystem::remove_all(folder_); }

  std::string Path(const std::string& name) const { return folder_ + "/" + name; }

  ExitCode Run(std::vector<std::string> words, const std::string& input = "") {
    words.insert(words.begin(), "secret");
    const auto parsed = ParseOptions(words);
    errors_ = std::string(parsed.status().message());
    if (!parsed.ok()) return kExitUsage;
    const int in = memfd_create("input", 0);
    const int to = memfd_create("output", 0);
    EXPECT_EQ(pwrite(in, input.data(), input.size(), 0), static_cast<ssize_t>(input.size()));
    std::ostringstream err;
    Output out(to);
    const ExitCode code = RunCommand(parsed->options, &db_, {.in = in, .out = &out, .err = &err});
    errors_ = err.str();
    char bytes[8192];
    const ssize_t count = pread(to, bytes, sizeof(bytes), 0);
    output_ = count < 0 ? "" : std::string(bytes, count);
    close(in);
    close(to);
    return code;
  }

  // Makes a key's file and returns the public key.
  std::string Keygen(const std::string& name) {
    EXPECT_EQ(Run({"keygen", Path(name)}), kExitOk) << errors_;
    return output_.substr(0, output_.size() - 1);
  }

  StrictMock<MockProvider> db_;
  std::string folder_;
  std::string output_;
  std::string errors_;
};

TEST_F(SecretTest, AKeyIsItsOwnersAlone) {
  const mode_t before = umask(0);
  const std::string public_key = Keygen("key");
  umask(before);
  EXPECT_THAT(public_key, StartsWith("penstock-public-key:"));
  EXPECT_EQ(std::filesystem::status(Path("key")).permissions(), std::filesystem::perms(0600));
  EXPECT_EQ(Run({"public", Path("key")}), kExitOk) << errors_;
  EXPECT_EQ(output_, public_key + "\n");
  EXPECT_EQ(Run({"keygen", Path("key")}), kExitFailed);
  EXPECT_THAT(errors_, HasSubstr("name a new file: what is sealed for that key needs it"));
  EXPECT_EQ(Run({"public", Path("key")}), kExitOk) << errors_;
  EXPECT_EQ(output_, public_key + "\n");
}

TEST_F(SecretTest, WhatIsSealedIsOpened) {
  const std::string public_key = Keygen("key");
  for (const std::vector<std::string>& how :
       {std::vector<std::string>{"--public-key", public_key}, {"--key", Path("key")}}) {
    EXPECT_EQ(Run({"seal", how[0], how[1]}, "hunter2\n"), kExitOk) << errors_;
    EXPECT_THAT(output_, StartsWith("sealed:"));
    EXPECT_EQ(Run({"open", "--key", Path("key")}, output_), kExitOk) << errors_;
    EXPECT_EQ(output_, "hunter2\n");
  }
}

TEST_F(SecretTest, AnotherKeyOpensNothing) {
  Keygen("key"), Keygen("other");
  ASSERT_EQ(Run({"seal", "--key", Path("key")}, "hunter2"), kExitOk);
  EXPECT_EQ(Run({"open", "--key", Path("other")}, output_), kExitFailed);
  EXPECT_THAT(errors_, HasSubstr("was sealed for another key"));
}

TEST_F(SecretTest, WrongInputsShowNothing) {
  Keygen("key");
  std::ofstream(Path("no_key")) << "hunter2\n";
  std::filesystem::permissions(Path("no_key"), std::filesystem::perms(0600));
  const struct {
    std::vector<std::string> words;
    std::string input;
    std::string why;
  } cases[] = {
      {{"seal", "--key", Path("none")}, "hunter2", "No such file"},
      {{"seal", "--key", Path("no_key")}, "hunter2", "the secret key cannot be read"},
      {{"seal", "--public-key", "hunter2"}, "hunter2", "the public key cannot be read"},
      {{"seal", "--key", Path("key")}, "\n", "standard input is empty"},
      {{"seal"}, "hunter2", "seal needs --public-key or --key"},
      {{"open"}, "hunter2", "--key is required"},
      {{"open", "--key", ""}, "hunter2", "key"},
      {{}, "", "A subcommand is required"},
  };
  for (const auto& c : cases) {
    EXPECT_EQ(Run(c.words, c.input), kExitUsage) << c.why;
    EXPECT_THAT(errors_, HasSubstr(c.why));
    EXPECT_THAT(errors_, Not(HasSubstr("hunter2")));
  }
  EXPECT_EQ(Run({"open", "--key", Path("key")}, "sealed:hunter2"), kExitFailed);
  EXPECT_THAT(errors_, HasSubstr("the sealed text cannot be read"));
  EXPECT_THAT(errors_, Not(HasSubstr("hunter2")));
}

TEST_F(SecretTest, AKeyThatOthersMayUseIsRefused) {
  Keygen("key");
  std::filesystem::permissions(Path("key"), std::filesystem::perms(0640));
  EXPECT_EQ(Run({"public", Path("key")}), kExitUsage);
  EXPECT_THAT(errors_, HasSubstr("chmod 600 it"));
}

}  // namespace
}  // namespace penstock::cli
