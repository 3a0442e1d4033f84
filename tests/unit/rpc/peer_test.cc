#include "server/rpc/base/peer.h"

#include "gtest/gtest.h"

namespace penstock::server {
namespace {

TEST(PeerOf, IsTheHostWithoutThePort) {
  EXPECT_EQ(PeerOf("ipv4:192.0.2.1:4711"), "192.0.2.1");
  EXPECT_EQ(PeerOf("ipv6:[::1]:4711"), "::1");
  EXPECT_EQ(PeerOf("ipv6:%5B::1%5D:4711"), "::1");
  EXPECT_EQ(PeerOf("ipv6:%5B::ffff:192.0.2.1%5D:4711"), "192.0.2.1");
  // An address of IPv6 is its network, of which one peer has all; the zone is no part of it.
  EXPECT_EQ(PeerOf("ipv6:%5B2001:db8::1%5D:1"), PeerOf("ipv6:[2001:db8::2]:2"));
  EXPECT_NE(PeerOf("ipv6:%5B2001:db8::1%5D:1"), PeerOf("ipv6:[2001:db9::1]:1"));
  EXPECT_EQ(PeerOf("ipv6:%5Bfe80::1%25eth0%5D:4711"), PeerOf("ipv6:[fe80::1]:1"));
}

TEST(PeerOf, IsUnixOtherwise) {
  for (const char* uri : {"unix:", "unix:/run/s", "unix-abstract:x", "", "ipv4:", "ipv4:x:1",
                          "ipv4:1.2.3", "ipv6:", "ipv6:[::1", "ipv6:::1", "ipv6:[x]:1"}) {
    const bool cut = std::string(uri) == "ipv6:[::1";
    EXPECT_EQ(PeerOf(uri), cut ? "::1" : "unix") << uri;
  }
}

}  // namespace
}  // namespace penstock::server
