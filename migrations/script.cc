#include "migrations/script.h"

#include <algorithm>
#include <array>
#include <cctype>

#include "drivers/api/error.h"
#include "drivers/api/text.h"
#include "fmt/format.h"
#include "migrations/text.h"

namespace penstock::migrations {
namespace {

using driver::MakeErrorWithHint;
using driver::Reason;

constexpr std::string_view kInstruction = "-- penstock:";

absl::Status Refuse(const File& file, std::string_view what, std::string_view hint) {
  return MakeErrorWithHint(Reason::kInvalidParameter, fmt::format("{}: {}", file.name, what), hint);
}

// The first line that is not blank, without the space at its end.
std::string_view FirstLine(std::string_view text) {
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    if (!IsBlank(line)) {
      while (std::isspace(static_cast<unsigned char>(line.back())) != 0) line.remove_suffix(1);
      return line;
    }
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return {};
}

bool ControlsTransaction(const SqlStatement& statement) {
  constexpr std::array<std::string_view, 4> kOthers = {"ROLLBACK", "SAVEPOINT", "RELEASE", "ABORT"};
  if (statement.BeginsTransaction() || statement.EndsTransaction()) return true;
  if (statement.StartsWith({"PREPARE", "TRANSACTION"})) return true;
  return !statement.words.empty() &&
         std::find(kOthers.begin(), kOthers.end(), statement.words[0]) != kOthers.end();
}

absl::Status CheckControl(const File& file, const Script& script) {
  for (const SqlStatement& statement : script.statements) {
    if (!ControlsTransaction(statement)) continue;
    // In a part of such a file foreign keys would be on, and DROP TABLE delete the rows of
    // other tables.
    const bool whole = !script.foreign_keys.value_or(true);
    return MakeErrorWithHint(
        Reason::kTransactionControl,
        fmt::format("{}, line {}: {} does not belong into a migration, which runs in a transaction "
                    "of its own",
                    file.name, statement.line, statement.words[0]),
        whole ? "leave it out: the file is one transaction, with foreign keys off"
              : fmt::format("leave it out, divide the file into several, or begin it with the line "
                            "\"{}\" and write no transactions",
                            kNoTransactionLine));
  }
  return absl::OkStatus();
}

absl::Status ChooseTransaction(const File& file, const Dialect& dialect, Script* script) {
  const auto found = std::find_if(
      script->statements.begin(), script->statements.end(),
      [&dialect](const SqlStatement& statement) { return dialect.NeedsNoTransaction(statement); });
  if (found == script->statements.end() || !script->transactional) return absl::OkStatus();
  if (script->statements.size() == 1) {
    script->transactional = false;
    return absl::OkStatus();
  }
  std::string hint = "move it into a file of its own";
  // Without a transaction foreign keys could not be off, as such a file wants them.
  if (script->foreign_keys.value_or(true)) {
    hint += fmt::format(
        ", or begin the file with the line \"{}\": then its statements are committed one by one",
        kNoTransactionLine);
  }
  return Refuse(
      file, fmt::format("the statement in line {} cannot run inside a transaction", found->line),
      hint);
}

}  // namespace

absl::StatusOr<Script> ParseScript(const File& file, const Dialect& dialect) {
  const std::string text = Normalise(file.content);
  if (!driver::IsUtf8(text) || text.find('\0') != std::string::npos) {
    return Refuse(file, "its text is not UTF-8, or has a NUL character in it",
                  "save the file as UTF-8");
  }
  Script script;
  script.file = file.name;
  script.checksum = Checksum(text);
  script.blank = IsBlank(text);
  const std::string_view line = FirstLine(text);
  if (line == kNoTransactionLine) {
    script.transactional = false;
  } else if (line.starts_with(kInstruction)) {
    return Refuse(file, fmt::format("its first line, \"{}\", is not known", line),
                  fmt::format("the line there is: \"{}\"", kNoTransactionLine));
  }
  absl::StatusOr<std::vector<SqlStatement>> statements = SplitSql(text, dialect.syntax());
  if (!statements.ok()) return driver::Annotate(statements.status(), file.name);
  script.statements = *std::move(statements);
  absl::Status status = dialect.Arrange(&script);
  if (!status.ok()) return status;
  // What many files for other tools have around them.
  std::vector<SqlStatement>& all = script.statements;
  if (script.transactional && all.size() >= 2 && all.front().BeginsTransaction() &&
      all.back().EndsTransaction()) {
    all.erase(all.begin());
    all.pop_back();
  }
  // What the rest is: without transactional DDL only rows come and go together.
  script.transactional =
      script.transactional &&
      (dialect.transactional_ddl() ||
       std::none_of(all.begin(), all.end(), [&dialect](const SqlStatement& statement) {
         return dialect.ChangesSchema(statement);
       }));
  status = CheckControl(file, script);
  if (status.ok()) status = ChooseTransaction(file, dialect, &script);
  if (!status.ok()) return status;
  return script;
}

}  // namespace penstock::migrations
