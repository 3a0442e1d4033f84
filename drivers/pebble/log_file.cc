#include "drivers/pebble/log_file.h"

#include <algorithm>
#include <array>
#include <chrono>

#include "fmt/chrono.h"
#include "fmt/format.h"

namespace penstock::pebble {
namespace {

constexpr size_t kMaxBytes = size_t{8} << 20;
// A longer line is cut off.
constexpr size_t kMaxLine = 4096;

}  // namespace

LogFile::LogFile(const std::string& folder)
    : rocksdb::Logger(rocksdb::InfoLogLevel::INFO_LEVEL), path_(folder + "/LOG") {}

void LogFile::OpenLocked() {
  if (file_ != nullptr && written_ < kMaxBytes) return;
  // The first time it is the log of an earlier opening that becomes the old one.
  file_.reset();
  std::rename(path_.c_str(), (path_ + ".old").c_str());
  file_.reset(std::fopen(path_.c_str(), "we"));
  written_ = 0;
}

void LogFile::Logv(const char* format, va_list arguments) {
  std::array<char, kMaxLine> text;
  const int size = std::vsnprintf(text.data(), text.size(), format, arguments);
  if (size < 0) return;
  const std::string_view message(text.data(), std::min<size_t>(size, text.size() - 1));
  const auto now = std::chrono::floor<std::chrono::microseconds>(std::chrono::system_clock::now());
  const std::string line =
      fmt::format("{:%Y/%m/%d-%H:%M:%S} {}{}", now, message, message.ends_with('\n') ? "" : "\n");
  std::lock_guard lock(mutex_);
  OpenLocked();
  if (file_ == nullptr) return;
  written_ += line.size();
  std::fwrite(line.data(), 1, line.size(), file_.get());
  std::fflush(file_.get());
}

}  // namespace penstock::pebble
