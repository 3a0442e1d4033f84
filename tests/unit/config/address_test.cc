#include "server/config/address.h"

#include <string>
#include <tuple>

#include "gtest/gtest.h"

namespace penstock::server {
namespace {

Address Parsed(std::string_view text) {
  const auto address = ParseAddress(text);
  EXPECT_TRUE(address.ok()) << text << ": " << address.status();
  return address.ok() ? *address : Address{};
}

TEST(AddressTest, EveryFormIsRead) {
  EXPECT_EQ(Parsed("127.0.0.1:7420").host, "127.0.0.1");
  EXPECT_EQ(Parsed("127.0.0.1:7420").port, 7420);
  EXPECT_EQ(Parsed("db-1.example.org:0").host, "db-1.example.org");
  EXPECT_EQ(Parsed("[::1]:65535").host, "::1");
  EXPECT_EQ(Parsed("[::1]:65535").port, 65535);
  EXPECT_EQ(Parsed("unix:/run/p.sock").path, "/run/p.sock");
  EXPECT_EQ(Parsed("unix:///run/p.sock").path, "/run/p.sock");
  EXPECT_EQ(Parsed("unix:/a%41#b?c d").path, "/a%41#b?c d");
  EXPECT_EQ(Parsed("unix:data/p.sock").path, "data/p.sock");
  EXPECT_TRUE(Parsed("unix:" + std::string(107, 'a')).is_unix());
}

TEST(AddressTest, WrongOnesSayWhatToWrite) {
  const std::string no_port = " has no port from 0 to 65535 after its last colon; write host:port";
  const std::string no_path = " has no path; write unix:/path/of/the.sock";
  const std::tuple<const char*, std::string> table[] = {
      {"", " has no port; write host:port or unix:/path"},
      {"localhost", " has no port; write host:port or unix:/path"},
      {"localhost:", no_port},
      {"localhost:65536", no_port},
      {"localhost:-1", no_port},
      {"localhost:74x", no_port},
      {"localhost: 7420", no_port},
      {":7420", " names no host; write 127.0.0.1:7420, or 0.0.0.0:7420 for every interface"},
      {"*:7420", " names no host; write 127.0.0.1:7420, or 0.0.0.0:7420 for every interface"},
      {"::1:7420", " is not host:port; an IPv6 address stands in brackets, as in [::1]:7420"},
      {"[1.2.3.4]:7420", " has no IPv6 address in its brackets; write [::1]:port"},
      {"http//x:7420", " is not host:port; a host has letters, digits, '.' and '-'"},
      {"unix:/a,b",
       " has a comma, which gRPC's clients do not support in a socket's path; rename it"},
      {"unix:/a/", " is a folder; write unix:/path/of/the.sock"},
      {"unix:", no_path},
      {"unix://", no_path},
      {"unix://run/p.sock", no_path},
  };
  for (const auto& [text, expected] : table) {
    EXPECT_EQ(ParseAddress(text).status().message(), "'" + std::string(text) + "'" + expected);
  }
}

TEST(AddressTest, ASocketsPathHasALimit) {
  const std::string message(ParseAddress("unix:/" + std::string(107, 'a')).status().message());
  EXPECT_NE(message.find("has a path of 108 bytes, but a socket's path has at most 107"),
            std::string::npos)
      << message;
}

TEST(AddressTest, KnowsWhatOnlyThisMachineReaches) {
  for (const char* text : {"127.0.0.1:1", "127.9.9.9:1", "localhost:1", "LocalHost:1", "[::1]:1",
                           "[0:0:0:0:0:0:0:1]:1", "unix:/p"}) {
    EXPECT_TRUE(IsLoopback(Parsed(text))) << text;
  }
  for (const char* text : {"0.0.0.0:1", "10.0.0.1:1", "128.0.0.1:1", "[::]:1", "example.org:1",
                           "127.0.0.1.example.org:1", "localhost.example.org:1"}) {
    EXPECT_FALSE(IsLoopback(Parsed(text))) << text;
  }
}

TEST(AddressTest, OneAddressHasOneKey) {
  const auto key = [](std::string_view text) { return AddressKey(Parsed(text)); };
  EXPECT_EQ(key("localhost:1"), key("127.0.0.1:1"));
  EXPECT_EQ(key("Example.org:1"), key("example.ORG:1"));
  EXPECT_EQ(key("[::1]:1"), key("[0:0::1]:1"));
  EXPECT_EQ(key("unix:a/../b"), key("unix:./b"));
  EXPECT_NE(key("127.0.0.1:1"), key("127.0.0.1:2"));
  EXPECT_NE(key("[::1]:1"), key("127.0.0.1:1"));
  EXPECT_EQ(key("127.0.0.1:0"), "");
}

}  // namespace
}  // namespace penstock::server
