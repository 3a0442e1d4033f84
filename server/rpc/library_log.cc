#include "server/rpc/library_log.h"

#include <chrono>
#include <string>
#include <string_view>

#include "fmt/format.h"
#include "google/protobuf/stubs/logging.h"
#include "grpc/support/log.h"
#include "server/log/log.h"

namespace penstock::server {
namespace {

// "file.cc:12", without the folders of another's build.
std::string Place(std::string_view file, int line) {
  return fmt::format("{}:{}", file.substr(file.rfind('/') + 1), line);
}

// The errors of these libraries are mostly those of clients: a handshake that failed, a message
// that is none.
Level LevelOf(gpr_log_severity severity) {
  if (severity == GPR_LOG_SEVERITY_ERROR) return Level::kWarn;
  return severity == GPR_LOG_SEVERITY_INFO ? Level::kDebug : Level::kTrace;
}

Level LevelOf(google::protobuf::LogLevel severity) {
  return severity == google::protobuf::LOGLEVEL_INFO ? Level::kDebug : Level::kWarn;
}

void TakeGrpc(gpr_log_func_args* line) {
  Log(LevelOf(line->severity), "gRPC message",
      {{"text", line->message}, {"at", Place(line->file, line->line)}});
  // The process ends with such a line, and nothing after it writes the log.
  if (std::string_view(line->message).starts_with("assertion failed")) {
    FlushLog(std::chrono::seconds(1));
  }
}

void TakeProtobuf(google::protobuf::LogLevel level, const char* file, int line,
                  const std::string& message) {
  Log(LevelOf(level), "protobuf message", {{"text", message}, {"at", Place(file, line)}});
  if (level == google::protobuf::LOGLEVEL_FATAL) FlushLog(std::chrono::seconds(1));
}

}  // namespace

void TakeLibraryLogs() {
  gpr_set_log_function(TakeGrpc);
  google::protobuf::SetLogHandler(TakeProtobuf);
}

}  // namespace penstock::server
