// What a program that has used the client does when it ends.
#include <openssl/crypto.h>
#include <unistd.h>

#include <cstdlib>

#include "gtest/gtest.h"
#include "penstock/provider.h"

namespace penstock {
namespace {

// gRPC's threads may be in the middle of a handshake then.
TEST(ExitDeathTest, LeavesOpenSslToGrpcsThreads) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(
      {
        const bool made = New({.target = "127.0.0.1:1"}).ok();
        // As a handshake of gRPC's would begin.
        OPENSSL_init_crypto(OPENSSL_INIT_LOAD_CRYPTO_STRINGS, nullptr);
        // Called by OpenSSL's cleanup.
        OPENSSL_atexit([] { _exit(77); });
        std::exit(made ? 0 : 1);
      },
      ::testing::ExitedWithCode(0), "");
}

}  // namespace
}  // namespace penstock
