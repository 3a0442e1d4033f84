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
    R"(The header has a struct for each table and view, for the query builder in
penstock/sql.h. It uses the database's names, and std::optional for columns that may be
NULL. A name that is not valid in C++ is changed, and a type that has no C++ type becomes
text; both are reported on standard error. All columns of a view may be NULL, because no
database says which cannot. In a pattern, * stands for any characters. Penstock's own
tables are included only by patterns that begin with penstock_.

--output does not touch a file that already has this content, so that nothing is compiled
again. --check exits with 5 if the file differs from the header that would be written.)";

void PrintLine(std::string_view text, std::ostream* err) {
  *err << "penstock: " << Printable(text) << "\n";
}

// Writes the whole file or nothing: a new file replaces the old one.
absl::Status WriteFile(const std::string& path, const std::string& text) {
  const std::string written = path + ".new";
  std::ofstream file(written, std::ios::binary);
  file << text;
  file.close();
  if (file.good() && std::rename(written.c_str(), path.c_str()) == 0) return absl::OkStatus();
  const std::string message = fmt::format("cannot write {}: {}", path, std::strerror(errno));
  std::remove(written.c_str());
  return absl::InternalError(message);
}

absl::Status Compare(const Options& options, const std::string& checked, const std::string& text,
                     Output* out, std::ostream* err, ExitCode* code) {
  if (checked == text) return absl::OkStatus();
  *code = kExitRefused;
  PrintLine(fmt::format("{} does not match the database; run gen with --output to write it again",
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
      ->add_option(
          "--tables", gen->patterns,
          "Only these tables, such as users or audit.*, separated by commas; may be repeated")
      ->type_name("PATTERN")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->check([](const std::string& text) {
        return text.empty() ? "a pattern is empty; use * for all tables" : "";
      });
  command->add_option("--namespace", gen->name_space, "The namespace of the structs")
      ->type_name("NAME")
      ->default_str(gen->name_space)
      ->check([](const std::string& text) {
        return IsNamespace(text) ? "" : fmt::format("\"{}\" is not a valid namespace name", text);
      });
  CLI::Option* output =
      command->add_option("--output", gen->output, "Write to this file, not to standard output");
  CLI::Option* check =
      command->add_option("--check", gen->check, "Print how this file differs and write nothing");
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
    PrintLine(fmt::format("{} is omitted, because this user cannot read it", name), err);
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
