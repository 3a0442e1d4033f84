#include "migrations/script.h"

#include <algorithm>
#include <array>
#include <cctype>

#include "drivers/api/error.h"
#include "fmt/format.h"
#include "migrations/script_text.h"
#include "migrations/sections.h"
#include "text/utf8.h"

namespace penstock::migrations {
namespace {

using driver::MakeErrorWithHint;
using driver::Reason;

absl::Status Refuse(const std::string& file, std::string_view what, std::string_view hint) {
  return MakeErrorWithHint(Reason::kInvalidParameter, fmt::format("{}: {}", file, what), hint);
}

// Calls `use` with each line, without its end and the space before that.
template <typename Use>
void ForEachLine(std::string_view text, Use use) {
  while (!text.empty()) {
    const size_t end = std::min(text.find_first_of("\r\n"), text.size());
    std::string_view line = text.substr(0, end);
    while (!line.empty() && std::isspace(static_cast<unsigned char>(line.back())) != 0) {
      line.remove_suffix(1);
    }
    use(line);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
}

// "-- Penstock: No Transaction" -> "penstocknotransaction".
std::string LettersOf(std::string_view line) {
  std::string letters;
  for (const char c : line) {
    if (std::isalpha(static_cast<unsigned char>(c)) != 0) {
      letters += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    }
  }
  return letters;
}

// Whether a line is meant for the migrator: it may be misspelt.
bool IsInstruction(std::string_view line) {
  constexpr std::string_view kOurs = "penstock";
  // It is at the beginning, and a line may be long.
  constexpr size_t kLooked = 100;
  line = line.substr(0, kLooked);
  const std::string letters = LettersOf(line);
  const size_t begin = std::min(line.find_first_not_of("-/*# \t"), line.size());
  const std::string_view said = line.substr(begin);
  if (begin == 0 || !letters.starts_with(kOurs)) return false;
  const size_t next = said.find_first_not_of(" \t", std::min(kOurs.size(), said.size()));
  return letters.starts_with("penstocknotransaction") ||
         (next != std::string_view::npos && said[next] == ':');
}

// Looks for the instruction in the comments that the text begins with, `leading`, and sees
// to it that there is none elsewhere, where it would mean nothing.
absl::Status ReadInstruction(std::string_view text, std::string_view leading, Script* script) {
  const std::string& file = script->file;
  // This is the line of sqlx.
  if (text.starts_with("-- no-transaction")) script->transactional = false;
  absl::Status status;
  ForEachLine(leading, [&](std::string_view line) {
    if (line == kNoTransactionLine) {
      script->transactional = false;
    } else if (IsInstruction(line) && status.ok()) {
      status = Refuse(file, fmt::format("unknown line \"{}\"", line),
                      fmt::format("correct the line to \"{}\", or remove it", kNoTransactionLine));
    }
  });
  ForEachLine(text.substr(leading.size()), [&](std::string_view line) {
    if (line != kNoTransactionLine || !status.ok()) return;
    status = Refuse(file, fmt::format("the line \"{}\" comes after a statement", line),
                    "move it before the first statement; it applies to the whole file");
  });
  return status;
}

// The modes of a BEGIN, "ISOLATION LEVEL SERIALIZABLE"; empty: those of any transaction.
std::string ModesOf(const SqlStatement& begin) {
  constexpr std::array<std::string_view, 4> kFirst = {"ISOLATION", "READ", "NOT", "DEFERRABLE"};
  std::string modes;
  for (size_t i = 0; !begin.Word(i).empty(); ++i) {
    const std::string_view word = begin.Word(i);
    const bool first = std::find(kFirst.begin(), kFirst.end(), word) != kFirst.end();
    if (!modes.empty() || first) modes.append(modes.empty() ? "" : " ").append(word);
  }
  return modes;
}

// BEGIN and COMMIT around the whole file, as many files for other tools have them, are what
// the step is anyway.
absl::Status TakeTransaction(const Script& script, const Dialect& dialect,
                             std::vector<SqlStatement>* statements) {
  std::vector<SqlStatement>& all = *statements;
  if (!script.transactional || all.size() < 2 || !all.front().BeginsTransaction() ||
      !all.back().EndsTransaction() || all.back().StartsAnother()) {
    return absl::OkStatus();
  }
  all.pop_back();
  const std::string modes = ModesOf(all.front());
  if (modes.empty()) {
    all.erase(all.begin());
    return absl::OkStatus();
  }
  if (!dialect.transactional_ddl() || modes.find("READ ONLY") != std::string::npos) {
    return Refuse(
        script.file,
        fmt::format("the transaction in line {} is {}, which the step of a migration cannot be",
                    all.front().line, modes),
        "remove it");
  }
  all.front().text = "SET TRANSACTION " + modes;
  all.front().words = "SET TRANSACTION";
  return absl::OkStatus();
}

bool ControlsTransaction(const SqlStatement& statement) {
  constexpr std::array<std::string_view, 4> kOthers = {"ROLLBACK", "SAVEPOINT", "RELEASE", "ABORT"};
  if (statement.BeginsTransaction() || statement.EndsTransaction()) return true;
  if (statement.StartsWith({"PREPARE", "TRANSACTION"})) return true;
  return std::find(kOthers.begin(), kOthers.end(), statement.Word(0)) != kOthers.end();
}

absl::Status CheckControl(const Script& script, const std::vector<SqlStatement>& statements) {
  for (const SqlStatement& statement : statements) {
    if (!ControlsTransaction(statement)) continue;
    // In a part of such a file foreign keys would be on, and DROP TABLE delete the rows of
    // other tables.
    const bool whole = !script.foreign_keys.value_or(true);
    return MakeErrorWithHint(
        Reason::kTransactionControl,
        fmt::format(
            "{}, line {}: {} is not allowed in a migration, which runs in a transaction of its own",
            script.file, statement.line, statement.Word(0)),
        whole ? "remove it: the file is one transaction, with foreign keys off"
              : fmt::format("remove it, split the file into several, or begin the file with the "
                            "line \"{}\" and write no transactions",
                            kNoTransactionLine));
  }
  return absl::OkStatus();
}

absl::Status ChooseTransaction(const Dialect& dialect, const std::vector<SqlStatement>& statements,
                               Script* script) {
  const auto found = std::find_if(
      statements.begin(), statements.end(),
      [&dialect](const SqlStatement& statement) { return dialect.NeedsNoTransaction(statement); });
  if (found == statements.end() || !script->transactional) return absl::OkStatus();
  if (statements.size() == 1) {
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
      script->file,
      fmt::format("the statement in line {} cannot run inside a transaction", found->line), hint);
}

// Tells what the file says to the migrator, and what it does itself.
absl::Status Arrange(std::string_view text, const Section* section, const Dialect& dialect,
                     Script* script, std::vector<SqlStatement>* statements) {
  const size_t first = statements->empty() ? text.size() : statements->front().offset;
  absl::Status status = ReadInstruction(text, text.substr(0, first), script);
  if (section != nullptr && section->no_transaction) script->transactional = false;
  if (status.ok()) status = dialect.Arrange(script, statements);
  if (status.ok()) status = TakeTransaction(*script, dialect, statements);
  return status;
}

// Fills in what is read from the text.
absl::StatusOr<std::vector<SqlStatement>> Parse(std::string_view content, const Section* section,
                                                const Dialect& dialect, Script* script) {
  const std::string_view text = WithoutByteOrderMark(section == nullptr ? content : section->text);
  if (!IsUtf8(text) || text.find('\0') != std::string::npos) {
    return Refuse(script->file, "the file is not valid UTF-8, or contains a NUL character",
                  "save the file as UTF-8");
  }
  script->checksum = Checksum(Normalise(text));
  // A part without statements is what its tool takes it for, nothing to do.
  script->blank = section == nullptr && IsBlank(text);
  absl::StatusOr<std::vector<SqlStatement>> statements = SplitSql(text, dialect.syntax());
  if (!statements.ok()) return driver::Annotate(statements.status(), script->file);
  absl::Status status = Arrange(text, section, dialect, script, &*statements);
  if (!status.ok()) return status;
  // Without transactional DDL only changes of rows can be one transaction.
  script->transactional =
      script->transactional &&
      (dialect.transactional_ddl() || std::none_of(statements->begin(), statements->end(),
                                                   [&dialect](const SqlStatement& statement) {
                                                     return dialect.ChangesSchema(statement);
                                                   }));
  status = CheckControl(*script, *statements);
  if (status.ok()) status = ChooseTransaction(dialect, *statements, script);
  if (!status.ok()) return status;
  script->statement_count = statements->size();
  return statements;
}

// Reads the text of the script, whose place is known, and fills in the rest.
absl::StatusOr<std::vector<SqlStatement>> ReadScript(const Dialect& dialect, Script* script) {
  absl::StatusOr<std::string> content = script->files->Read(script->index);
  if (!content.ok()) return content.status();
  if (!script->part.has_value()) return Parse(*content, nullptr, dialect, script);
  absl::StatusOr<std::optional<Sections>> sections = ReadSections(script->file, *content);
  if (!sections.ok()) return sections.status();
  const bool up = *script->part == Direction::kUp;
  return Parse(*content, up ? &*(*sections)->up : &*(*sections)->down, dialect, script);
}

}  // namespace

absl::StatusOr<Script> ParseScript(const std::shared_ptr<const Files>& files, size_t index,
                                   std::optional<Direction> part, const Dialect& dialect) {
  Script script;
  script.file = files->name(index);
  script.files = files;
  script.index = index;
  script.part = part;
  absl::Status status = ReadScript(dialect, &script).status();
  if (!status.ok()) return status;
  return script;
}

absl::StatusOr<std::vector<SqlStatement>> LoadStatements(const Script& script,
                                                         const Dialect& dialect) {
  Script again = {.file = script.file,
                  .files = script.files,
                  .index = script.index,
                  .part = script.part,
                  .checksum = {}};
  return ReadScript(dialect, &again);
}

}  // namespace penstock::migrations
