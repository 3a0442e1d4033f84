#include "tests/bench/report.h"

#include <fmt/format.h>
#include <stdlib.h>
#include <sys/utsname.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <fstream>
#include <string_view>
#include <thread>
#include <utility>

namespace penstock::bench {
namespace {

// The ratio between rounds above which they do not measure the same thing.
constexpr double kMostSpread = 2.0;

// Formats a figure with three significant digits, or with all digits of a large number.
std::string Figure(double value) {
  const int decimals = value >= 100 ? 0 : (value >= 10 ? 1 : 2);
  return fmt::format("{:.{}f}", value, decimals);
}

std::string TargetText(const Row& row) {
  if (!row.target) return "";
  return fmt::format("{} {:.2f}", row.target->at_most ? "<=" : ">=", row.target->value);
}

// Returns the verdict and the mark for unstable rounds.
std::string VerdictText(const Row& row) {
  std::string text = row.Verdict();
  if (row.Unstable()) text += text.empty() ? "unstable" : ", unstable";
  return text;
}

// Returns both processor times; empty if neither was measured.
std::string ProcessorText(const Row& row) {
  if (row.our_processor == 0 && row.their_processor == 0) return "";
  const auto text = [](double time) { return time == 0 ? "-" : Figure(time); };
  return text(row.our_processor) + ", " + text(row.their_processor);
}

using Cells = std::array<std::string, 9>;

Cells CellsOf(const Row& row) {
  return {row.what,
          Figure(row.ours),
          Figure(row.theirs) + " " + row.against,
          row.unit,
          fmt::format("{:.2f}", row.ratio),
          fmt::format("{:.2f}..{:.2f}", row.lowest, row.highest),
          ProcessorText(row),
          TargetText(row),
          VerdictText(row)};
}

std::string Quoted(std::string_view text) {
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') quoted += '\\';
    if (static_cast<unsigned char>(c) >= ' ') quoted += c;
  }
  return quoted + '"';
}

std::string Json(const Row& row) {
  std::string target = R"("target": null)";
  if (row.target) {
    target = fmt::format(R"("target": {}, "better": "{}", "verdict": "{}")", row.target->value,
                         row.target->at_most ? "lower" : "higher", row.Verdict());
  }
  const auto number = [](double time) { return time == 0 ? "null" : fmt::format("{:.4g}", time); };
  return fmt::format(
      R"({{"what": {}, "ours": {:.6g}, "against": {}, "theirs": {:.6g}, "unit": {}, )"
      R"("ratio": {:.4g}, "spread": [{:.4g}, {:.4g}], "unstable": {}, "processor": [{}, {}], {}}})",
      Quoted(row.what), row.ours, Quoted(row.against), row.theirs, Quoted(row.unit), row.ratio,
      row.lowest, row.highest, row.Unstable(), number(row.our_processor),
      number(row.their_processor), target);
}

std::string Processor() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("model name")) return line.substr(line.find(": ") + 2);
  }
  return "unknown processor";
}

}  // namespace

double Median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const size_t middle = values.size() / 2;
  return values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

Row MakeRow(std::string what, const std::vector<double>& ours, std::string against,
            const std::vector<double>& theirs, std::string unit, std::optional<Target> target) {
  std::vector<double> ratios;
  for (size_t i = 0; i < ours.size(); ++i) ratios.push_back(ours[i] / theirs[i]);
  Row row;
  row.what = std::move(what);
  row.ours = Median(ours);
  row.against = std::move(against);
  row.theirs = Median(theirs);
  row.unit = std::move(unit);
  row.ratio = Median(ratios);
  row.lowest = *std::min_element(ratios.begin(), ratios.end());
  row.highest = *std::max_element(ratios.begin(), ratios.end());
  row.target = target;
  return row;
}

std::string Row::Verdict() const {
  if (!target) return "";
  const bool met = target->at_most ? ratio <= target->value : ratio >= target->value;
  return met ? "met" : "missed";
}

bool Row::Unstable() const {
  // A difference may be zero or negative, so the spread is compared with its size.
  return highest - lowest > (kMostSpread - 1) * std::abs(lowest);
}

std::string DescribeMachine() {
  utsname system{};
  uname(&system);
  double load = 0;
  getloadavg(&load, 1);
  return fmt::format("{}, {} cores, {} {}, load {:.2f}", Processor(),
                     std::thread::hardware_concurrency(), system.sysname, system.release, load);
}

void PrintTable(const std::string& machine, const std::vector<Row>& rows) {
  std::vector<Cells> lines = {
      {"what", "ours", "theirs", "unit", "ratio", "spread", "cpu us/call", "target", ""}};
  for (const Row& row : rows) lines.push_back(CellsOf(row));
  std::array<size_t, std::tuple_size_v<Cells>> widths{};
  for (const Cells& line : lines) {
    for (size_t i = 0; i < line.size(); ++i) widths[i] = std::max(widths[i], line[i].size());
  }
  fmt::print("{}\n\n", machine);
  for (const Cells& line : lines) {
    std::string text;
    for (size_t i = 0; i < line.size(); ++i) text += fmt::format("{:<{}}  ", line[i], widths[i]);
    fmt::print("{}\n", text.substr(0, text.find_last_not_of(' ') + 1));
  }
}

absl::Status WriteJson(const std::string& path, const std::string& machine,
                       const std::vector<Row>& rows) {
  std::ofstream file(path);
  file << "{\"machine\": " << Quoted(machine) << ",\n \"rows\": [";
  for (size_t i = 0; i < rows.size(); ++i) file << (i == 0 ? "\n  " : ",\n  ") << Json(rows[i]);
  file << "]}\n";
  file.close();
  return file.good() ? absl::OkStatus() : absl::InternalError("cannot write " + path);
}

}  // namespace penstock::bench
