#include "tests/bench/report.h"

#include <cstdio>
#include <fstream>
#include <iterator>

#include "gtest/gtest.h"

namespace penstock::bench {
namespace {

Row RowOf(const std::vector<double>& ratios, std::optional<Target> target) {
  return MakeRow("what", ratios, "against", std::vector<double>(ratios.size(), 1), "/s", target);
}

TEST(ReportTest, TheMedianDecides) {
  EXPECT_EQ(RowOf({0.7, 0.9, 1.0}, Target{0.8, false}).Verdict(), "met");
  EXPECT_EQ(RowOf({0.7, 0.7, 1.0}, Target{0.8, false}).Verdict(), "missed");
  EXPECT_EQ(RowOf({1.0, 1.2, 2.0}, Target{1.4, true}).Verdict(), "met");
  EXPECT_EQ(RowOf({1.0, 1.5, 1.6}, Target{1.4, true}).Verdict(), "missed");
  EXPECT_EQ(RowOf({1.0}, std::nullopt).Verdict(), "");
}

TEST(ReportTest, AWideSpreadIsAMarkAndHidesNoMissedTarget) {
  const Row row = RowOf({0.3, 0.5, 0.9}, Target{0.8, false});
  EXPECT_TRUE(row.Unstable());
  EXPECT_EQ(row.Verdict(), "missed");
  EXPECT_FALSE(RowOf({0.5, 0.8, 1.0}, Target{0.8, false}).Unstable());
  EXPECT_FALSE(RowOf({-0.25}, Target{1, true}).Unstable());
  EXPECT_FALSE(RowOf({0}, Target{1, true}).Unstable());
}

TEST(ReportTest, AProcessorTimeThatWasNotMeasuredIsNoFigure) {
  Row row = RowOf({1}, std::nullopt);
  row.our_processor = 12.5;
  const std::string path = ::testing::TempDir() + "report_test.json";
  ASSERT_TRUE(WriteJson(path, "machine", {row, RowOf({1}, std::nullopt)}).ok());
  std::ifstream file(path);
  const std::string json{std::istreambuf_iterator<char>(file), {}};
  std::remove(path.c_str());
  EXPECT_NE(json.find(R"("processor": [12.5, null])"), std::string::npos) << json;
  EXPECT_NE(json.find(R"("processor": [null, null])"), std::string::npos) << json;
}

}  // namespace
}  // namespace penstock::bench
