#include "sealing/sealed_box.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "text/wipe.h"

namespace penstock::sealing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

TEST(SealedBoxTest, WhatIsSealedIsOpened) {
  const SecretKey key = SecretKey::Generate();
  for (const std::string& secret : {std::string("hunter2"), std::string(),
                                    std::string("a\0b\xff", 4), std::string(60'000, 'x')}) {
    const std::string sealed = key.public_key().Seal(secret);
    EXPECT_THAT(sealed, StartsWith("sealed:"));
    EXPECT_THAT(sealed, Not(HasSubstr("hunter2")));
    EXPECT_NE(key.public_key().Seal(secret), sealed);
    const auto opened = key.Open(sealed);
    ASSERT_TRUE(opened.ok()) << opened.status();
    EXPECT_EQ(*opened, secret);
  }
}

TEST(SealedBoxTest, KeysAreTexts) {
  const SecretKey key = SecretKey::Generate();
  const auto same = SecretKey::Parse(key.Text() + "\r\n");
  const auto public_key = PublicKey::Parse(key.public_key().Text() + "\n");
  ASSERT_TRUE(same.ok() && public_key.ok()) << same.status() << public_key.status();
  EXPECT_EQ(same->Text(), key.Text());
  const auto opened = same->Open(public_key->Seal("hunter2"));
  ASSERT_TRUE(opened.ok()) << opened.status();
  EXPECT_EQ(*opened, "hunter2");
  EXPECT_NE(SecretKey::Generate().Text(), key.Text());
}

TEST(SealedBoxTest, AnotherKeyOpensNothing) {
  const std::string sealed = SecretKey::Generate().public_key().Seal("hunter2");
  EXPECT_TRUE(absl::IsFailedPrecondition(SecretKey::Generate().Open(sealed).status()));
}

TEST(SealedBoxTest, AChangedTextIsNotOpened) {
  const SecretKey key = SecretKey::Generate();
  const std::string sealed = key.public_key().Seal("hunter2");
  for (size_t i = 0; i < sealed.size(); ++i) {
    std::string changed = sealed;
    changed[i] = changed[i] == 'A' ? 'B' : 'A';
    EXPECT_FALSE(key.Open(changed).ok()) << changed;
  }
  for (const std::string& text :
       {std::string(), std::string("sealed:"), std::string("sealed:AAAA"), sealed + "\n",
        sealed.substr(0, sealed.size() - 4), "x" + sealed}) {
    EXPECT_FALSE(key.Open(text).ok()) << text;
  }
}

TEST(SealedBoxTest, WhatIsNoKeyIsRefusedAndNotShown) {
  const SecretKey key = SecretKey::Generate();
  const std::string zeros = "penstock-public-key:" + std::string(43, 'A') + "=";
  for (const std::string& text : {std::string(), std::string("hunter2"), key.Text(),
                                  key.public_key().Text() + " hunter2", zeros}) {
    const absl::Status status = PublicKey::Parse(text).status();
    EXPECT_TRUE(absl::IsInvalidArgument(status)) << text;
    EXPECT_THAT(std::string(status.message()), Not(HasSubstr("hunter2")));
  }
  for (const std::string& text : {std::string(), std::string("hunter2"), key.public_key().Text(),
                                  key.Text().substr(0, 40), key.Text() + "hunter2"}) {
    const absl::Status status = SecretKey::Parse(text).status();
    EXPECT_TRUE(absl::IsInvalidArgument(status)) << text;
    EXPECT_THAT(std::string(status.message()), Not(HasSubstr("hunter2")));
  }
}

TEST(SealedBoxTest, Wipes) {
  std::string text = "hunter2";
  const char* const bytes = text.data();
  Wipe(&text);
  EXPECT_TRUE(text.empty());
  for (int i = 0; i < 7; ++i) EXPECT_EQ(bytes[i], '\0');
}

}  // namespace
}  // namespace penstock::sealing
