// Wrong settings of `server` and `log`, and every message about them in full.
#include <tuple>

#include "gmock/gmock.h"
#include "tests/unit/config/fixture.h"
#include "tests/unit/config/pem.h"

namespace penstock::server {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class ServerMistakesTest : public ConfigTest {
 protected:
  ServerMistakesTest() {
    Write("a.pem", kPem);
    Write("not.pem", "hello");
    Write("broken.pem", "-----BEGIN CERTIFICATE-----\n");
    Write("other.key", kOtherKey);
    Write("locked.key", kLockedKey);
  }
};

TEST_F(ServerMistakesTest, OfOneSetting) {
  const std::tuple<const char*, const char*> table[] = {
      {"listen: 7420", "listen: '7420' has no port; write host:port or unix:/path"},
      {"listen: []", "listen: is an empty list; write at least one, or remove the key"},
      {"listen: [[a]]", "listen: is a list; write a single value"},
      {"listen: {a: 1}", "listen: is a map; write a single value"},
      {"listen: [127.0.0.1:1, localhost:1]",
       "listen: duplicate address 'localhost:1'; remove one of them or change its port"},
      {"listen: [unix:p.sock, unix:./p.sock]",
       "listen: duplicate address 'unix:./p.sock'; remove one of them or change its port"},
      {"listen: 127.0.0.1:9420",
       "the default HTTP address: duplicate address '127.0.0.1:9420'; remove one of them or change "
       "its port"},
      {"listen: 0.0.0.0:7420",
       "listen: '0.0.0.0:7420' can be reached from other machines; set identities and server.tls "
       "so that only your callers get in, or use --insecure (server.insecure: true) if the network "
       "is trusted"},
      {"http_listen: 0.0.0.0:9420",
       "http_listen: '0.0.0.0:9420' shows metrics to other machines; use 127.0.0.1:9420, or "
       "--insecure (server.insecure: true) if the network is trusted"},
      {"http_listen: unix:/p",
       "http_listen: is a unix socket, which HTTP does not support; use host:port, or off"},
      {"insecure: yes", "insecure: 'yes' is not true or false; use one of them"},
      {"max_message_bytes: 4", "max_message_bytes: '4' is out of range; write 64KiB to 1GiB"},
      {"batch_bytes: 65MiB",
       "batch_bytes: exceeds max_message_bytes; lower it, or raise max_message_bytes"},
      {"stall_timeout: 0", "stall_timeout: '0' is out of range; write 1ms to 24h"},
      {"max_sessions: 1.5",
       "max_sessions: '1.5' is not a whole number; write one from 1 to 1000000"},
      {"drain_grace: forever",
       "drain_grace: 'forever' is not a duration; write one like 500ms, 10s, 5m or 1h"},
      {"tls: {cert_file: @/a.pem}", "tls: has no key_file; TLS needs both cert_file and key_file"},
      {"tls: {key_file: @/a.pem}", "tls: has no cert_file; TLS needs both cert_file and key_file"},
      {"tls: {cert_file: @/a.pem, key_file: @/not.pem}",
       "tls.key_file: '@/not.pem' contains nothing in PEM form; name a PEM file"},
      {"tls: {cert_file: @/none.pem, key_file: @/a.pem}",
       "tls.cert_file: '@/none.pem' cannot be read: No such file or directory; name a PEM file "
       "that this user can read"},
      {"tls: {cert_file: @/broken.pem, key_file: @/a.pem}",
       "tls.cert_file: '@/broken.pem' contains no readable certificate; name a PEM file with a "
       "CERTIFICATE block"},
      {"tls: {cert_file: @/a.pem, key_file: @/broken.pem}",
       "tls.key_file: '@/broken.pem' contains no readable private key; name a PEM file with a "
       "PRIVATE KEY block and no password"},
      {"tls: {cert_file: @/a.pem, key_file: @/locked.key}",
       "tls.key_file: '@/locked.key' contains no readable private key; name a PEM file with a "
       "PRIVATE KEY block and no password"},
      {"tls: {cert_file: @/a.pem, key_file: @/other.key}",
       "tls.key_file: '@/other.key' is not the key of the certificate in cert_file; name two files "
       "that belong together"},
      {"tls: {cert_file: @/a.pem, key_file: @/a.pem, client_ca_file: @/other.key}",
       "tls.client_ca_file: '@/other.key' contains no readable certificate; name a PEM file with a "
       "CERTIFICATE block"},
      {"tls: {cert_file: @/a.pem, key_file: @/a.pem, ca: @/a.pem}",
       "tls: unknown key 'ca'; use one of cert_file, key_file, client_ca_file, "
       "require_client_cert"},
      {"tls: {cert_file: @/a.pem, key_file: @/a.pem, require_client_cert: true}",
       "tls.require_client_cert: needs the authority of client certificates; name it in "
       "client_ca_file, or remove the key"},
  };
  for (const auto& [setting, expected] : table) {
    const std::string where =
        std::string_view(expected).starts_with("the default") ? "" : "FILE:2: server.";
    EXPECT_THAT(MistakesIn("server:\n  " + std::string(setting) + "\n"),
                ElementsAre(where + expected));
  }
}

TEST_F(ServerMistakesTest, EachAddressOfAListHasItsLine) {
  EXPECT_THAT(
      MistakesIn("server:\n  listen:\n    - 127.0.0.1:1\n    - nowhere\n"),
      ElementsAre("FILE:4: server.listen: 'nowhere' has no port; write host:port or unix:/path"));
}

TEST_F(ServerMistakesTest, BatchesThatContradict) {
  EXPECT_THAT(
      MistakesIn("server:\n  first_batch_bytes: 2MiB\n  batch_bytes: 1MiB\n"),
      ElementsAre(
          "FILE:2: server.first_batch_bytes: exceeds batch_bytes; lower it, or raise batch_bytes"));
}

// TLS is gRPC's: it secures no metrics.
TEST_F(ServerMistakesTest, AnOpenHttpAddressNeedsTheWordEvenWithTls) {
  const std::string yaml =
      "server:\n  http_listen: 0.0.0.0:9420\n"
      "  tls: {cert_file: @/a.pem, key_file: @/a.pem, client_ca_file: @/a.pem}\n";
  EXPECT_THAT(MistakesIn(yaml),
              ElementsAre(HasSubstr("'0.0.0.0:9420' shows metrics to other machines")));
  EXPECT_THAT(MistakesIn(yaml + "  insecure: true\n"), IsEmpty());
}

TEST_F(ServerMistakesTest, OfTheLog) {
  EXPECT_THAT(
      MistakesIn("log:\n  level: warning\n"),
      ElementsAre(
          "FILE:2: log.level: 'warning' is not one of trace, debug, info, warn, error, off; "
          "did you mean 'warn'?"));
  EXPECT_THAT(
      MistakesIn("log:\n  format: jsn\n"),
      ElementsAre("FILE:2: log.format: 'jsn' is not one of text, json; did you mean 'json'?"));
  EXPECT_THAT(MistakesIn("log:\n  slow_statement: 100\n"),
              ElementsAre("FILE:2: log.slow_statement: '100' has no unit; write 100s or 100ms"));
  EXPECT_THAT(
      MistakesIn("log:\n  parameter_values: 1\n"),
      ElementsAre("FILE:2: log.parameter_values: '1' is not true or false; use one of them"));
}

}  // namespace
}  // namespace penstock::server
