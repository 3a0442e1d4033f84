// What may be asked for at all.
#include <gtest/gtest.h>

#include "drivers/api/error.h"
#include "tests/unit/key_value/fixture.h"

namespace penstock::driver {
namespace {

absl::Status Check(const OperationPtr& operation) { return CheckKeyValue(operation->operation); }

TEST(KeyspaceName, IsAnIdentifierOnEveryBackend) {
  for (const char* good : {"a", "kv", "users_2", "z_"})
    EXPECT_TRUE(CheckKeyspace(good).ok()) << good;
  EXPECT_TRUE(CheckKeyspace(std::string(kMaxKeyspaceBytes, 'a')).ok());
  EXPECT_FALSE(CheckKeyspace(std::string(kMaxKeyspaceBytes + 1, 'a')).ok());
  for (const char* bad : {"", "1a", "_a", "A", "a-b", "a b", "a;drop", "\xc3\xa9"}) {
    const absl::Status status = CheckKeyspace(bad);
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << bad;
    EXPECT_FALSE(GetErrorInfo(status).hint.empty());
  }
}

TEST(KeyLimits, NameTheKeyAndTheLimit) {
  const std::string longest(kMaxKeyBytes, 'k');
  const std::string longer = longest + "k";
  EXPECT_TRUE(Check(MakeGet({longest, "a"})).ok());
  EXPECT_EQ(Check(MakeGet({"a", longer})).message(),
            "key 2: the key exceeds the limit of 65536 bytes (it has 65537)");
  EXPECT_EQ(Check(MakeGet({""})).message(), "key 1: the key is empty");
  EXPECT_EQ(Check(MakeWrite({Put("a", ""), Delete("")})).message(), "mutation 2: the key is empty");
  EXPECT_EQ(Check(MakeWrite({}, {Absent("")})).message(), "condition 1: the key is empty");
  EXPECT_TRUE(Check(MakeWrite({DeleteRange("", std::nullopt)})).ok());
  EXPECT_FALSE(Check(MakeGet(std::vector<std::string_view>(kMaxGetKeys + 1, "k"))).ok());
  EXPECT_EQ(GetErrorInfo(Check(MakeGet({""}))).reason, Reason::kInvalidParameter);
}

TEST(PrefixEnd, IsTheFirstThatDoesNotBeginSo) {
  EXPECT_EQ(PrefixEnd("a"), "b");
  EXPECT_EQ(PrefixEnd("a\xff\xff"), "b");
  EXPECT_EQ(PrefixEnd(std::string_view("a\0", 2)), "a\x01");
  EXPECT_EQ(PrefixEnd("\x7f"), "\x80");
  EXPECT_EQ(PrefixEnd("\xff\xff"), std::nullopt);
  EXPECT_EQ(PrefixEnd(""), std::nullopt);
}

}  // namespace
}  // namespace penstock::driver
