#include "tests/differential/script.h"

#include <fstream>
#include <sstream>
#include <utility>

#include "fmt/format.h"
#include "tests/differential/backend.h"

namespace penstock::differential {

absl::StatusOr<Script> ReadScript(const std::string& path, const Backend& backend) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream content;
  if (file) content << file.rdbuf();
  if (!file) return absl::NotFoundError(fmt::format("{} cannot be read", path));
  const std::string text = content.str();
  const bool logic = path.ends_with(".test") || path.ends_with(".slt");
  Script script = logic ? ReadLogic(text, backend.name()) : ReadSql(text, backend);
  script.path = path;
  return script;
}

Script ReadSql(std::string_view text, const Backend& backend) {
  constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  Script script;
  size_t shell_lines = 0;
  for (Piece& piece : backend.Split(text, &shell_lines)) {
    script.records.push_back({.line = piece.line, .sql = std::move(piece.sql), .expected = {}});
  }
  if (shell_lines > 0) script.left_out["commands of the shell"] = shell_lines;
  return script;
}

}  // namespace penstock::differential
