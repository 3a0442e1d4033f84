#include "drivers/postgres/binary.h"

#include <cmath>
#include <limits>

#include "fmt/format.h"
#include "gtest/gtest.h"

namespace penstock::postgres {
namespace {

using driver::Kind;
using driver::Value;

std::string Hex(std::string_view bytes) {
  std::string hex;
  for (const char c : bytes) hex += fmt::format("{:02x}", static_cast<unsigned char>(c));
  return hex;
}

// As the server's own send functions write them, with the length in front.
TEST(BinaryTest, ValuesHaveTheServersForm) {
  const TypeRegistry types;
  struct Case {
    uint32_t type;
    Value value;
    const char* bytes;
  };
  for (const Case& test : {
           Case{oid::kBool, Value::Boolean(true), "0000000101"},
           Case{oid::kInt2, Value::Integer(-2), "00000002fffe"},
           Case{oid::kInt4, Value::Integer(258), "0000000400000102"},
           Case{oid::kInt8, Value::Integer(std::numeric_limits<int64_t>::min()),
                "000000088000000000000000"},
           Case{oid::kFloat4, Value::Real(-1.5), "00000004bfc00000"},
           Case{oid::kFloat8, Value::Real(1), "000000083ff0000000000000"},
           Case{oid::kText, Value::Text("a\xC3\xA9"), "0000000361c3a9"},
           Case{oid::kVarchar, Value::Text(""), "00000000"},
           Case{oid::kBytea, Value::Blob(std::string_view("\0\xFF", 2)), "0000000200ff"},
           Case{oid::kDate, Value::Of(Kind::kDate, "2000-01-02"), "0000000400000001"},
           Case{oid::kDate, Value::Of(Kind::kDate, "1999-12-31"), "00000004ffffffff"},
           Case{oid::kTimestamptz, Value::Timestamp(946'684'800, 1000), "000000080000000000000001"},
           Case{oid::kTimestamp, Value::Timestamp(946'684'799, 999'999'000),
                "00000008ffffffffffffffff"},
           Case{oid::kUuid, Value::Of(Kind::kUuid, "00112233-4455-6677-8899-AABBCCDDEEFF"),
                "0000001000112233445566778899aabbccddeeff"},
           Case{oid::kJson, Value::Of(Kind::kJson, "1"), "0000000131"},
           Case{oid::kJsonb, Value::Of(Kind::kJson, "1"), "000000020131"},
           // digits, weight, sign, scale
           Case{oid::kNumeric, Value::Of(Kind::kDecimal, "0"), "000000080000000000000000"},
           Case{oid::kNumeric, Value::Of(Kind::kDecimal, "-0.00"), "000000080000000000000002"},
           Case{oid::kNumeric, Value::Of(Kind::kDecimal, "12345.678"),
                "0000000e0003000100000003000109291a7c"},
           Case{oid::kNumeric, Value::Of(Kind::kDecimal, "-10000"), "0000000a00010001400000000001"},
           Case{oid::kNumeric, Value::Of(Kind::kDecimal, ".0005"), "0000000a0001ffff000000040005"},
           Case{oid::kNumeric, Value::Of(Kind::kDecimal, "+7."), "0000000a00010000000000000007"},
       }) {
    std::string bytes;
    EXPECT_TRUE(HasBinaryForm(*types.Find(test.type)));
    EXPECT_TRUE(PutBinary(test.value, *types.Find(test.type), &bytes)) << test.bytes;
    EXPECT_EQ(Hex(bytes), test.bytes);
  }
}

TEST(BinaryTest, WhatIsNotExactGoesAnotherWay) {
  const TypeRegistry types;
  for (const auto& [type, value] : {
           std::pair{oid::kInt2, Value::Integer(32768)},
           std::pair{oid::kInt4, Value::Integer(-2147483649)},
           std::pair{oid::kInt8, Value::Real(1)},
           std::pair{oid::kInt8, Value::Text("1")},
           std::pair{oid::kBool, Value::Integer(1)},
           std::pair{oid::kFloat4, Value::Real(0.1)},
           std::pair{oid::kFloat8, Value::Integer(1)},
           std::pair{oid::kText, Value::Integer(1)},
           std::pair{oid::kText, Value::Of(Kind::kJson, "1")},
           std::pair{oid::kBytea, Value::Text("x")},
           std::pair{oid::kDate, Value::Of(Kind::kDate, "2023-02-29")},
           std::pair{oid::kTimestamp, Value::Timestamp(0, 1)},
           std::pair{oid::kTimestamp, Value::Timestamp(253'402'300'800, 0)},
           std::pair{oid::kUuid, Value::Of(Kind::kUuid, "00112233445566778899aabbccddeeff")},
           std::pair{oid::kNumeric, Value::Of(Kind::kDecimal, "NaN")},
           std::pair{oid::kNumeric, Value::Of(Kind::kDecimal, "1e5")},
           std::pair{oid::kNumeric, Value::Of(Kind::kDecimal, "1.2.3")},
           std::pair{oid::kNumeric, Value::Of(Kind::kDecimal, "-")},
           std::pair{oid::kInterval, Value::Of(Kind::kInterval, "P1D")},
       }) {
    std::string bytes;
    EXPECT_FALSE(PutBinary(value, *types.Find(type), &bytes)) << type;
  }
  EXPECT_FALSE(HasBinaryForm(*types.Find(oid::kInterval)));
  EXPECT_FALSE(HasBinaryForm(*types.Find(1016))) << "an array";
}

TEST(BinaryTest, NotANumberAndInfinityAreNumbers) {
  const TypeRegistry types;
  for (const double value : {std::nan(""), HUGE_VAL, -HUGE_VAL}) {
    for (const uint32_t type : {oid::kFloat4, oid::kFloat8}) {
      std::string bytes;
      EXPECT_TRUE(PutBinary(Value::Real(value), *types.Find(type), &bytes));
    }
  }
}

}  // namespace
}  // namespace penstock::postgres
