// Errors that are longer than gRPC's metadata may be: they arrive, and say that they were cut.
#include "fmt/format.h"
#include "tests/conformance/backend.h"

namespace penstock::testing {
namespace {

class LongErrors : public Conformance {
 protected:
  // A statement whose error quotes the text.
  std::string Failing(const std::string& text) const {
    // A name would be cut by PostgreSQL itself.
    return backend().name() == "sqlite" ? "SELECT " + text : "SELECT '" + text + "'::integer";
  }
  static std::string Repeated(const std::string& letter, int times) {
    std::string text;
    for (int i = 0; i < times; ++i) text += letter;
    return text;
  }
  void ExpectError(const std::string& message, const v1::ErrorDetail& detail, size_t length) {
    EXPECT_TRUE(detail.reason() == v1::REASON_SYNTAX ||
                detail.reason() == v1::REASON_DATA_EXCEPTION)
        << detail.ShortDebugString();
    const bool cut = message.find("… [cut, ") != std::string::npos;
    EXPECT_EQ(cut, message.size() < length) << message.size() << " of " << length;
  }
};
PENSTOCK_CONFORMANCE(LongErrors);

TEST_P(LongErrors, ArriveHoweverLong) {
  for (const std::string letter : {"x", "ж", "語", "\xF0\x9F\x8C\x8A"}) {
    for (const int times : {10, 300, 900, 2'000, 10'000, 200'000}) {
      const std::string text = Repeated(letter, times);
      const Outcome outcome = wire().Query(Failing(text));
      EXPECT_EQ(outcome.status.error_code(), grpc::StatusCode::INVALID_ARGUMENT)
          << letter << times << outcome.status.error_message();
      ExpectError(outcome.status.error_message(), outcome.detail, text.size());
    }
  }
}

TEST_P(LongErrors, ArriveInBandAsWell) {
  const std::string text = Repeated("ж", 5'000);
  TransactionStream transaction(wire());
  transaction.Begin();
  const auto answer = transaction.Exec(Failing(text));
  ExpectError(answer.error().message(), answer.error().detail(), text.size());
  EXPECT_TRUE(transaction.Rollback().has_rolled_back());
  v1::ExecRequest request;
  request.set_sql(Failing(text));
  request.set_on_error(v1::ON_ERROR_CONTINUE);
  grpc::Status status;
  const auto answers = wire().ExecAll({request, request}, &status);
  EXPECT_TRUE(status.ok());
  ASSERT_EQ(answers.size(), 2u);
  ExpectError(answers[1].error().message(), answers[1].error().detail(), text.size());
}

}  // namespace
}  // namespace penstock::testing
