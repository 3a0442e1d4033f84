#include "server/config/config_file.h"

#include <algorithm>
#include <string_view>
#include <vector>

#include "fmt/format.h"
#include "server/config/file.h"
#include "text/utf8.h"

namespace penstock::server {
namespace {

constexpr size_t kLargestFile = size_t{1} << 20;

absl::Status Wrong(const std::string& path, int line, std::string_view message) {
  return absl::InvalidArgumentError(fmt::format("{}:{}: {}", path, line, message));
}

// Returns the line of a position, from 1.
int LineAt(std::string_view text, size_t position) {
  return 1 + static_cast<int>(std::count(text.begin(), text.begin() + position, '\n'));
}

bool IsBinary(char c) {
  return (static_cast<unsigned char>(c) < 0x20 && c != '\t' && c != '\n' && c != '\r') || c == 0x7f;
}

// yaml-cpp would guess another encoding, or stop at a NUL.
absl::Status CheckText(const std::string& path, std::string_view text) {
  const size_t invalid = FindInvalidUtf8(text);
  if (invalid != std::string_view::npos) {
    return Wrong(path, LineAt(text, invalid), "is not valid UTF-8; save the file in that encoding");
  }
  const auto binary = std::find_if(text.begin(), text.end(), IsBinary);
  if (binary != text.end()) {
    return Wrong(path, LineAt(text, binary - text.begin()),
                 "has a control character; remove it, or name a text file");
  }
  return absl::OkStatus();
}

// The part of the message that quotes the file is left out, because it may be a password.
std::string SafeMessage(const YAML::Exception& error) {
  return error.msg.substr(0, error.msg.find(": "));
}

}  // namespace

absl::StatusOr<YAML::Node> ReadConfigFile(const std::string& path) {
  const absl::StatusOr<std::string> text = ReadSmallFile(path, kLargestFile);
  if (!text.ok()) {
    return absl::InvalidArgumentError(
        fmt::format("{}: cannot be read: {}; name a configuration file that this user can read",
                    path, std::string(text.status().message())));
  }
  if (absl::Status status = CheckText(path, *text); !status.ok()) return status;
  try {
    // The comment makes yaml-cpp see a quote that is still open at the end, which
    // it takes for closed if the last line is complete.
    const char* const end = text->ends_with('\n') ? "#" : "\n#";
    const std::vector<YAML::Node> documents = YAML::LoadAll(*text + end);
    if (documents.empty()) return YAML::Node();
    if (documents.size() > 1) {
      return Wrong(path, std::max(documents[1].Mark().line, 0) + 1,
                   "starts a second document; put everything into one, without '---'");
    }
    return documents.front();
  } catch (const YAML::Exception& error) {
    return Wrong(
        path, std::max(error.mark.line, 0) + 1,
        fmt::format("is not valid YAML: {}; check indentation and quotes", SafeMessage(error)));
  }
}

}  // namespace penstock::server
