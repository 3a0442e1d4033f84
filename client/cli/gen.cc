#include "client/cli/gen.h"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <ostream>

#include "CLI/App.hpp"
#include "CLI/Config.hpp"
#include "CLI/Formatter.hpp"
#include "client/cli/encode.h"
#include "client/cli/gen_diff.h"
#include "client/cli/gen_header.h"
#include "client/cli/gen_names.h"
#include "client/cli/gen_schema.h"
#include "client/src/read_file.h"
#include "fmt/format.h"

namespace penstock::cli {
namespace {

constexpr const char* kFooter =
    R"(The header has a struct for each table and view, for the query builder of
penstock/sql.h: names as the database has them, a type for each column, std::optional
where it may be NULL. A name that C++ does not take gets another one, and a type that it
has none for is text; both are told on standard error. The columns of a view may all be
NULL, as no database says which are not. In a pattern * stands for any letters;
Penstock's own tables are written for patterns that begin with penstock_ alone.

--output leaves a file alone that has the header already, so that nothing is compiled
again. --check ends with 5 if the file is not what would be written.)";

void PrintLine(std::string_view text, std::ostream* err) {
  std::string line;
  AppendPrintable(text, &line);
  *err << "penstock: " << line << "\n";
}

// The whole file or none of it.
absl::Status WriteFile(const std::string& path, const std::string& text) {
  const std::string written = path + ".new";
  std::ofstream file(written, std::ios::binary);
  file << text;
  file.close();
  if (file.good() && std::rename(written.c_str(), path.c_str()) == 0) return absl::OkStatus();
  const std::string message = fmt::format("{} cannot be written: {}", path, std::strerror(errno));
  std::remove(written.c_str());
  return absl::InternalError(message);
}

absl::Status Compare(const Options& options, const std::string& checked, const std::string& text,
                     Output* out, std::ostream* err, ExitCode* code) {
  if (checked == text) return absl::OkStatus();
  *code = kExitRefused;
  PrintLine(fmt::format("{} is not what the database has; gen with --output writes it anew",
                        options.gen.check),
            err);
  *out->buffer() += DifferingLines(checked, text);
  return out->Flush();
}

}  // namespace

void AddGen(CLI::App* command, Options* options) {
  GenCommand* gen = &options->gen;
  command->footer(kFooter);
  command
      ->add_option("--tables", gen->patterns,
                   "Those alone: users, audit.*, several with commas; may be repeated")
      ->type_name("PATTERN")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->check([](const std::string& text) { return text.empty() ? "a pattern is empty" : ""; });
  command->add_option("--namespace", gen->name_space, "Of the structs")
      ->type_name("NAME")
      ->default_str(gen->name_space)
      ->check([](const std::string& text) {
        return IsNamespace(text) ? "" : fmt::format("\"{}\" is no name of a namespace", text);
      });
  CLI::Option* output = command->add_option("--output", gen->output, "Else to standard output");
  CLI::Option* check =
      command->add_option("--check", gen->check, "Print what differs in it, and write nothing");
  output->type_name("FILE")->excludes(check);
  check->type_name("FILE");
}

absl::StatusOr<std::string> ReadCheckedFile(const Options& options) {
  if (options.gen.check.empty()) return std::string();
  return internal::ReadFile(options.gen.check);
}

absl::Status RunGen(const Options& options, const std::string& checked, const Context& ctx,
                    Provider* db, Output* out, std::ostream* err, ExitCode* code) {
  const absl::StatusOr<sql::Dialect> dialect = db->Dialect(ctx);
  if (!dialect.ok()) return dialect.status();
  const absl::StatusOr<GenSchema> schema = ReadGenSchema(ctx, db, *dialect, options.gen.patterns);
  if (!schema.ok()) return schema.status();
  const GenHeader header = WriteGenHeader(*schema, *dialect, options.gen.name_space);
  for (const std::string& name : schema->unreadable) {
    PrintLine(fmt::format("{} is left out: this user may not read it", name), err);
  }
  if (!options.gen.check.empty()) return Compare(options, checked, header.text, out, err, code);
  for (const std::string& note : header.notes) PrintLine(note, err);
  if (options.gen.output.empty()) {
    *out->buffer() += header.text;
    return out->Flush();
  }
  const absl::StatusOr<std::string> there = internal::ReadFile(options.gen.output);
  if (there.ok() && *there == header.text) return absl::OkStatus();
  return WriteFile(options.gen.output, header.text);
}

}  // namespace penstock::cli
