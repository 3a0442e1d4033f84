// Connection strings: what libpq would misread is refused, and nothing of them is told.
#include "drivers/postgres/options.h"

#include <string>

#include "drivers/api/error.h"
#include "drivers/postgres/postgres_driver.h"
#include "gtest/gtest.h"

namespace penstock::postgres {
namespace {

driver::Config ConfigOf(const std::string& connection_string) {
  driver::Config config;
  config.name = "main";
  config.driver = "postgres";
  config.connection_string = connection_string;
  return config;
}

std::string Everything(const absl::Status& status) {
  const driver::ErrorInfo info = driver::GetErrorInfo(status);
  return std::string(status.message()) + " | " + info.hint + " | " + info.detail;
}

TEST(ConnectionStringTest, WhatCannotBeMeantIsRefusedAndNotTold) {
  for (const char* text : {
           "postgresql://u:hunter/zebra@h:5432/d",
           "postgresql://u:123/zebra@h:5432/d",
           "postgresql://u:/zebra@h/d",
           "postgresql://u:hunter@zebra@h/d",
           "postgresql://u:hunter@zebra/giraffe@h/d",
           "postgresql://u:hunter,zebra/giraffe@h/d",
           "postgresql://u:5432,zebra/giraffe@h/d",
           "postgresql://u:hunter%zebra@h/d",
           "postgresql://u:zebra?giraffe@h:port/d",
           "postgresql://u:hunter@h:zebra/d",
           "postgresql://u:hunter@h/d?zebra=1",
           "postgresql://u:hunter@h/d?sslmode=zebra",
           "postgresql://u:hunter@h/d?target_session_attrs=zebra",
           "postgresql://u:hunter@h/d?channel_binding=zebra",
           "postgresql://u:hunter@h/d?connect_timeout=zebra",
           "postgresql://u:hunter@h/d?keepalives_idle=zebra",
           "postgresql://u:hunter@h/d?gssencmode=zebra",
           "postgresql://u:hunter@h/d?ssl_min_protocol_version=zebra",
           "postgresql://u:hunter@h/d?service=zebra",
           "postgresql://u:hunter@[zebra/d",
           "host=h password=hunter zebra",
           "host=h password=hunter zebra=1",
           "host=h password='hunter zebra",
           "host=h port=zebra",
           "host=h port=99999 password=zebra",
           "host=h port=5432,zebra",
           "host=zebra:5432",
           "host='zebra giraffe'",
           "host=u@zebra",
           "host=h sslmode=zebra",
           "zebra",
           "postgresql://zebra:giraffe",
       }) {
    const absl::StatusOr<Options> options = ParseOptions(ConfigOf(text));
    ASSERT_FALSE(options.ok()) << text;
    EXPECT_EQ(options.status().code(), absl::StatusCode::kInvalidArgument) << text;
    const std::string told = Everything(options.status());
    for (const char* part : {"zebra", "giraffe", "hunter", "99999"}) {
      EXPECT_EQ(told.find(part), std::string::npos) << text << ": " << told;
    }
    EXPECT_FALSE(driver::GetErrorInfo(options.status()).hint.empty()) << text;
    EXPECT_EQ(Check(ConfigOf(text)), options.status()) << text;
  }
}

TEST(ConnectionStringTest, WhatIsMeantIsTaken) {
  for (const char* text : {
           "postgresql://u:p%2Fq%40r@h:5432/d?sslmode=require",
           "postgresql://u:p?q#r:s@h/d",
           "postgresql:///d?host=/var/run/postgresql&user=me@server",
           "postgresql://%2Fvar%2Frun/d",
           "postgresql://u@h1:1,h2:2/d?target_session_attrs=prefer-standby",
           "postgres://u@[2001:db8::1]:5432/d%40e",
           "postgresql://u@h/d?keepalives=0&connect_timeout=3&options=-c%20geqo%3Doff",
           "host=h1,h2 port=5432 user=u password='a b@c/d' dbname=d sslmode=verify-full",
           "hostaddr=127.0.0.1 user=u",
           "host=/tmp dbname=d",
           "host=bücher.example",
           "dbname=d",
       }) {
    const absl::StatusOr<Options> options = ParseOptions(ConfigOf(text));
    EXPECT_TRUE(options.ok()) << text << ": " << options.status();
  }
}

TEST(ConnectionStringTest, FieldsAndOptionsAreCheckedAsWell) {
  for (const auto& [key, value] :
       {std::pair("tcp_user_timeout_ms", "soon"), std::pair("target_session_attrs", "best"),
        std::pair("cancel_grace_ms", "0")}) {
    driver::Config config = ConfigOf("host=h");
    config.options[key] = value;
    EXPECT_FALSE(Check(config).ok()) << key;
  }
  driver::Config config = ConfigOf("");
  config.host = "h:5432";
  EXPECT_FALSE(Check(config).ok());
}

// Nobody listens there, so that libpq tells whom it has looked for.
TEST(ConnectionStringTest, NothingOfItIsInAnErrorOfConnecting) {
  for (const char* text :
       {"postgresql://zebra:giraffe@localhost:1/lion?sslmode=disable",
        "host=127.0.0.1 port=1 user=zebra password=giraffe dbname=lion",
        "host=/nowhere/zebra port=1234 user=zebra", "host=localhost,127.0.0.1 port=1,2 user=zebra",
        "host=zebra.invalid port=1"}) {
    auto driver = Open(ConfigOf(text));
    ASSERT_TRUE(driver.ok()) << text << driver.status();
    const driver::Deadline deadline{.at = std::chrono::steady_clock::now() +
                                          std::chrono::seconds(20)};
    const auto connection = (*driver)->Connect(driver::Lane::kWrite, deadline);
    ASSERT_FALSE(connection.ok());
    const std::string told = Everything(connection.status());
    EXPECT_NE(told.find("cannot connect to the server of 'main'"), std::string::npos) << told;
    for (const char* part :
         {"zebra", "giraffe", "lion", "localhost", "127.0.0.1", "port 1", "1234", "nowhere"}) {
      EXPECT_EQ(told.find(part), std::string::npos) << text << ": " << told;
    }
  }
}

TEST(ConnectionStringTest, AHostOfTheFieldsIsNamed) {
  driver::Config config = ConfigOf("");
  config.host = "127.0.0.1";
  config.port = 1;
  auto driver = Open(config);
  ASSERT_TRUE(driver.ok());
  const auto connection = (*driver)->Connect(driver::Lane::kWrite, driver::Deadline::None());
  EXPECT_NE(Everything(connection.status()).find("cannot connect to 127.0.0.1:1"),
            std::string::npos)
      << connection.status();
}

}  // namespace
}  // namespace penstock::postgres
