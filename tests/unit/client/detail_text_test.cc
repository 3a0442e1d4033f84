// ErrorDetail as text. protobuf's own text format, which has the descriptor, is the judge.
#include "client/src/detail_text.h"

#include <string>

#include "google/protobuf/descriptor.h"
#include "google/protobuf/text_format.h"
#include "gtest/gtest.h"
#include "penstock/internal/v1/error.pb.h"
#include "penstock/v1/error.pb.h"

namespace penstock::internal {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::TextFormat;

// The message of the client's that has the same form.
v1::ErrorDetail OfTheClient(const penstock::v1::ErrorDetail& detail) {
  v1::ErrorDetail own;
  EXPECT_TRUE(own.ParseFromString(detail.SerializeAsString()));
  return own;
}

void ExpectSurvives(const penstock::v1::ErrorDetail& detail) {
  const std::string text = ToText(OfTheClient(detail));
  penstock::v1::ErrorDetail judged;
  EXPECT_TRUE(TextFormat::ParseFromString(text, &judged)) << text;
  EXPECT_EQ(judged.SerializeAsString(), detail.SerializeAsString()) << text;
  v1::ErrorDetail read;
  EXPECT_TRUE(FromText(text, &read)) << text;
  EXPECT_EQ(read.SerializeAsString(), detail.SerializeAsString()) << text;
  EXPECT_EQ(text.find('\n'), std::string::npos);
}

// A field that is added to the message is missing here until detail_text.cc knows it.
TEST(DetailTextTest, HasEveryField) {
  penstock::v1::ErrorDetail all;
  const auto* descriptor = penstock::v1::ErrorDetail::descriptor();
  for (int i = 0; i < descriptor->field_count(); ++i) {
    const FieldDescriptor* field = descriptor->field(i);
    penstock::v1::ErrorDetail one;
    for (penstock::v1::ErrorDetail* detail : {&one, &all}) {
      const auto* fields = detail->GetReflection();
      switch (field->cpp_type()) {
        case FieldDescriptor::CPPTYPE_ENUM: fields->SetEnumValue(detail, field, 2); break;
        case FieldDescriptor::CPPTYPE_INT32: fields->SetInt32(detail, field, -2147483648); break;
        default: fields->SetString(detail, field, "a \"b\" \\ 'c'\n\x01 \xc3\xa9 sqlstate: \"x\"");
      }
    }
    ExpectSurvives(one);
  }
  ExpectSurvives(all);
  ExpectSurvives({});
}

TEST(DetailTextTest, KeepsValuesOfANewerDaemon) {
  penstock::v1::ErrorDetail detail;
  detail.set_reason(static_cast<penstock::v1::Reason>(4711));
  detail.set_retry(static_cast<penstock::v1::Retry>(99));
  EXPECT_EQ(ToText(OfTheClient(detail)), "reason: 4711 retry: 99");
  ExpectSurvives(detail);
}

TEST(DetailTextTest, RefusesWhatItDidNotMake) {
  for (const char* text :
       {"reason", "reason: ", "reason: NO_SUCH", "reason: 1x", "retry: \"RETRY_NEVER\"",
        "sqlstate: 42601", "sqlstate: \"42601", "sqlstate: \"42601\\", "sqlstate: \"\\q\"",
        "position: x", "position: 99999999999", "colour: 3", ": ", "  "}) {
    v1::ErrorDetail detail;
    EXPECT_FALSE(FromText(text, &detail)) << text;
  }
}

}  // namespace
}  // namespace penstock::internal
