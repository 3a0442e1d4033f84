#include "drivers/sqlite_engine/printf_format.h"

#include <algorithm>

namespace penstock::sqlite_engine {
namespace {

using Argument = std::function<int64_t(size_t)>;

class FormatReader {
 public:
  FormatReader(std::string_view format, const Argument& argument)
      : left_(format.substr(0, format.find('\0'))), argument_(argument) {}

  int64_t MostRepeats() {
    int64_t most = 0;
    for (;;) {
      const size_t percent = left_.find('%');
      if (percent == std::string_view::npos) return most;
      left_.remove_prefix(percent + 1);
      SkipFlagsAndWidth();
      const int64_t precision = ReadPrecision();
      while (Next('l')) {
      }
      if (left_.empty()) return most;
      const char conversion = left_.front();
      left_.remove_prefix(1);
      if (conversion == 'c') most = std::max(most, precision);
      if (TakesNone(conversion)) continue;
      // A conversion that SQLite does not know ends the text.
      if (!TakesOne(conversion)) return most;
      ++used_;
    }
  }

 private:
  bool Next(char c) {
    if (left_.empty() || left_.front() != c) return false;
    left_.remove_prefix(1);
    return true;
  }

  static bool TakesNone(char conversion) { return conversion == '%' || conversion == 'n'; }
  static bool TakesOne(char conversion) {
    return std::string_view("dsgzqQwcouxXfeEGipr").find(conversion) != std::string_view::npos;
  }

  void SkipFlagsAndWidth() {
    const size_t flags = left_.find_first_not_of("-+ #!0,");
    left_.remove_prefix(std::min(flags, left_.size()));
    if (Next('*')) {
      ++used_;
    } else {
      ReadNumber();
    }
  }

  // Reads a number of 31 bits, as SQLite does.
  int64_t ReadNumber() {
    uint32_t number = 0;
    for (; !left_.empty() && left_.front() >= '0' && left_.front() <= '9'; left_.remove_prefix(1)) {
      number = number * 10 + static_cast<uint32_t>(left_.front() - '0');
    }
    return number & 0x7fffffffU;
  }

  int64_t ReadPrecision() {
    if (!Next('.')) return 0;
    if (!Next('*')) return ReadNumber();
    const auto precision = static_cast<int32_t>(argument_(used_++));
    // The smallest has no positive of its own, and counts as none.
    if (precision == INT32_MIN) return 0;
    return precision < 0 ? -precision : precision;
  }

  std::string_view left_;
  const Argument& argument_;
  // Arguments that were taken.
  size_t used_ = 0;
};

}  // namespace

int64_t MostRepeatsOfC(std::string_view format, const Argument& argument) {
  return FormatReader(format, argument).MostRepeats();
}

}  // namespace penstock::sqlite_engine
