#include "tests/differential/script.h"

#include <fstream>
#include <sstream>
#include <utility>

#include "fmt/format.h"
#include "tests/differential/backend.h"

namespace penstock::differential {
namespace {

// A record may hold several statements; what the file says is then of the last one.
void SplitRecords(const Backend& backend, Script* script) {
  std::vector<Record> records;
  for (Record& record : script->records) {
    std::vector<Piece> pieces = backend.Split(record.sql, &script->left_out);
    for (size_t i = 0; i + 1 < pieces.size(); ++i) {
      const int line = record.line + pieces[i].line - 1;
      records.push_back({.line = line, .sql = std::move(pieces[i].sql), .expected = {}});
    }
    if (pieces.size() > 1) record.sql = std::move(pieces.back().sql);
    records.push_back(std::move(record));
  }
  script->records = std::move(records);
}

}  // namespace

absl::StatusOr<Script> ReadScript(const std::string& path, const Backend& backend) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream content;
  if (file) content << file.rdbuf();
  if (!file) return absl::NotFoundError(fmt::format("{} cannot be read", path));
  const std::string text = content.str();
  const bool logic = path.ends_with(".test") || path.ends_with(".slt");
  Script script = logic ? ReadLogic(text, backend.name()) : ReadSql(text, backend);
  if (logic) SplitRecords(backend, &script);
  script.path = path;
  return script;
}

Script ReadSql(std::string_view text, const Backend& backend) {
  constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  Script script;
  for (Piece& piece : backend.Split(text, &script.left_out)) {
    script.records.push_back({.line = piece.line, .sql = std::move(piece.sql), .expected = {}});
  }
  return script;
}

}  // namespace penstock::differential
