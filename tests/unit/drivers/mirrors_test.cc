// Enums that stand in several places: the wire's, the drivers' and the client's have the same
// names and numbers, none more and none less.
#include <fstream>
#include <map>
#include <regex>
#include <sstream>
#include <string>

#include "drivers/api/driver.h"
#include "google/protobuf/descriptor.h"
#include "gtest/gtest.h"
#include "penstock/v1/database.pb.h"
#include "penstock/v1/error.pb.h"
#include "penstock/v1/value.pb.h"

namespace penstock {
namespace {

using Members = std::map<std::string, int>;

// The members of an enum class of a header, numbered as C++ does.
Members OfHeader(const std::string& header, const std::string& name) {
  std::ostringstream read;
  read << std::ifstream(PENSTOCK_SOURCE_DIR "/" + header).rdbuf();
  const std::string text = std::regex_replace(read.str(), std::regex("//[^\n]*"), "");
  std::smatch body;
  Members members;
  if (!std::regex_search(text, body, std::regex("enum class " + name + "\\b[^{]*\\{([^}]*)\\}"))) {
    return members;
  }
  const std::string list = body[1];
  const std::regex member("k(\\w+)(?:\\s*=\\s*(\\d+))?");
  int next = 0;
  for (std::sregex_iterator it(list.begin(), list.end(), member), end; it != end; ++it) {
    if ((*it)[2].matched) next = std::stoi((*it)[2]);
    members[(*it)[1]] = next++;
  }
  return members;
}

// Those of the wire, as C++ writes them: KIND_REAL is "Real".
Members OfWire(const google::protobuf::EnumDescriptor* wire, const std::string& prefix) {
  Members members;
  for (int i = 0; i < wire->value_count(); ++i) {
    std::string name;
    bool capital = true;
    for (const char c : wire->value(i)->name().substr(prefix.size())) {
      if (c != '_') name += static_cast<char>(capital ? c : std::tolower(c));
      capital = c == '_';
    }
    members[name] = wire->value(i)->number();
  }
  return members;
}

// Two members of the wire's that stand for nothing may have another name here.
Members Renamed(Members members, const std::string& from, const std::string& to) {
  members[to] = members.at(from);
  members.erase(from);
  return members;
}

TEST(MirrorsTest, Kinds) {
  const Members wire = OfWire(v1::Kind_descriptor(), "KIND_");
  EXPECT_GT(wire.size(), 10u);
  EXPECT_EQ(OfHeader("drivers/api/value.h", "Kind"), wire);
  EXPECT_EQ(OfHeader("client/include/penstock/value.h", "Kind"), wire);
}

TEST(MirrorsTest, KindsHaveTheNamesOfTheValuesFields) {
  const auto* const fields = v1::Value::descriptor();
  for (const auto& [name, number] : OfWire(v1::Kind_descriptor(), "KIND_")) {
    const std::string said(driver::KindName(static_cast<driver::Kind>(number)));
    EXPECT_NE(fields->FindFieldByName(said), nullptr) << name << " is called " << said;
  }
}

TEST(MirrorsTest, Reasons) {
  const Members wire = OfWire(v1::Reason_descriptor(), "REASON_");
  EXPECT_GT(wire.size(), 40u);
  EXPECT_EQ(OfHeader("drivers/api/error.h", "Reason"), wire);
}

TEST(MirrorsTest, Retries) {
  EXPECT_EQ(OfHeader("drivers/api/error.h", "Retry"), OfWire(v1::Retry_descriptor(), "RETRY_"));
}

TEST(MirrorsTest, Isolations) {
  const Members wire = Renamed(OfWire(v1::IsolationLevel_descriptor(), "ISOLATION_LEVEL_"),
                               "Unspecified", "Default");
  EXPECT_EQ(OfHeader("drivers/api/driver.h", "Isolation"), wire);
  EXPECT_EQ(OfHeader("client/include/penstock/provider.h", "Isolation"), wire);
}

}  // namespace
}  // namespace penstock
