#include "drivers/sqlite_engine/functions.h"

#include <sqlite3.h>

#include <algorithm>
#include <array>
#include <iterator>

#include "drivers/api/error.h"
#include "fmt/format.h"

namespace penstock::sqlite_engine {
namespace {

using driver::MakeErrorWithHint;
using driver::Reason;

struct Refused {
  std::string_view name;
  std::string_view hint;
};

// Each is there for programs that link SQLite, and would give a client a hold on
// the process.
constexpr Refused kRefusedFunctions[] = {
    // It takes an address and calls it, and gives one away (CVE-2015-7036).
    {"fts3_tokenizer", "name a built-in tokenizer in CREATE VIRTUAL TABLE: tokenize=unicode61"},
    // It hands out a pointer to the extension's interface.
    {"fts5", "use CREATE VIRTUAL TABLE … USING fts5(…)"},
    {"load_extension", "do without extensions, which cannot be loaded through the gateway"},
    // It writes into the log of the process.
    {"sqlite_log", "do without it; clients cannot write to the daemon's log"},
};

// Their cost is linear in what they are given and return, or guarded.cc stands in
// front of them.
constexpr std::string_view kAllowedFunctions[] = {"->",
                                                  "->>",
                                                  "abs",
                                                  "acos",
                                                  "acosh",
                                                  "asin",
                                                  "asinh",
                                                  "atan",
                                                  "atan2",
                                                  "atanh",
                                                  "avg",
                                                  "bm25",
                                                  "ceil",
                                                  "ceiling",
                                                  "changes",
                                                  "char",
                                                  "coalesce",
                                                  "cos",
                                                  "cosh",
                                                  "count",
                                                  "cume_dist",
                                                  "current_date",
                                                  "current_time",
                                                  "current_timestamp",
                                                  "date",
                                                  "datetime",
                                                  "degrees",
                                                  "dense_rank",
                                                  "exp",
                                                  "first_value",
                                                  "floor",
                                                  "format",
                                                  "fts5_source_id",
                                                  "glob",
                                                  "group_concat",
                                                  "hex",
                                                  "highlight",
                                                  "ifnull",
                                                  "iif",
                                                  "instr",
                                                  "json",
                                                  "json_array",
                                                  "json_array_length",
                                                  "json_extract",
                                                  "json_group_array",
                                                  "json_group_object",
                                                  "json_insert",
                                                  "json_object",
                                                  "json_patch",
                                                  "json_quote",
                                                  "json_remove",
                                                  "json_replace",
                                                  "json_set",
                                                  "json_type",
                                                  "json_valid",
                                                  "julianday",
                                                  "lag",
                                                  "last_insert_rowid",
                                                  "last_value",
                                                  "lead",
                                                  "length",
                                                  "like",
                                                  "likelihood",
                                                  "likely",
                                                  "ln",
                                                  "log",
                                                  "log10",
                                                  "log2",
                                                  "lower",
                                                  "ltrim",
                                                  "match",
                                                  "matchinfo",
                                                  "max",
                                                  "min",
                                                  "mod",
                                                  "nth_value",
                                                  "ntile",
                                                  "nullif",
                                                  "offsets",
                                                  "optimize",
                                                  "percent_rank",
                                                  "pi",
                                                  "pow",
                                                  "power",
                                                  "printf",
                                                  "quote",
                                                  "radians",
                                                  "random",
                                                  "randomblob",
                                                  "rank",
                                                  "replace",
                                                  "round",
                                                  "row_number",
                                                  "rtreecheck",
                                                  "rtreedepth",
                                                  "rtreenode",
                                                  "rtrim",
                                                  "sign",
                                                  "sin",
                                                  "sinh",
                                                  "snippet",
                                                  "soundex",
                                                  "sqlite_compileoption_get",
                                                  "sqlite_compileoption_used",
                                                  "sqlite_source_id",
                                                  "sqlite_version",
                                                  "sqrt",
                                                  "strftime",
                                                  "substr",
                                                  "substring",
                                                  "subtype",
                                                  "sum",
                                                  "tan",
                                                  "tanh",
                                                  "time",
                                                  "total",
                                                  "total_changes",
                                                  "trim",
                                                  "trunc",
                                                  "typeof",
                                                  "unicode",
                                                  "unixepoch",
                                                  "unlikely",
                                                  "upper",
                                                  "zeroblob"};

// SQLite calls these in the statements that ALTER TABLE runs inside, and refuses them in a
// client's text by itself.
constexpr std::string_view kInnerFunctions[] = {"sqlite_drop_column", "sqlite_rename_column",
                                                "sqlite_rename_quotefix", "sqlite_rename_table",
                                                "sqlite_rename_test"};

// The texts of other clients' statements.
constexpr std::string_view kRefusedModules[] = {"sqlite_stmt"};

constexpr std::string_view kAllowedModules[] = {"dbstat",    "fts3",  "fts3tokenize", "fts4",
                                                "fts4aux",   "fts5",  "fts5vocab",    "json_each",
                                                "json_tree", "rtree", "rtree_i32"};

// SQLite makes these modules, which tell about the schema, when they are first named. The policy
// decides on them as on the PRAGMA of the same name.
constexpr std::string_view kPragmaPrefix = "pragma_";

// Prepared statements with many functions look here often.
static_assert(std::is_sorted(std::begin(kAllowedFunctions), std::end(kAllowedFunctions)));

template <typename Names>
bool Contains(const Names& names, std::string_view name) {
  return std::find(std::begin(names), std::end(names), name) != std::end(names);
}

bool IsAllowed(std::string_view name) {
  return std::binary_search(std::begin(kAllowedFunctions), std::end(kAllowedFunctions), name) ||
         Contains(kInnerFunctions, name);
}

const Refused* FindRefused(std::string_view name) {
  const auto* found = std::find_if(std::begin(kRefusedFunctions), std::end(kRefusedFunctions),
                                   [name](const Refused& refused) { return refused.name == name; });
  return found == std::end(kRefusedFunctions) ? nullptr : found;
}

}  // namespace

absl::Status CheckFunction(std::string_view name) {
  if (const Refused* refused = FindRefused(name)) {
    return MakeErrorWithHint(Reason::kNotAllowed, fmt::format("{} is not allowed", refused->name),
                             refused->hint);
  }
  if (IsAllowed(name)) return absl::OkStatus();
  return MakeErrorWithHint(Reason::kNotAllowed, fmt::format("the function {} is not allowed", name),
                           "use another function; this SQLite is newer than the daemon, which does "
                           "not know this one yet");
}

bool IsDecidedFunction(std::string_view name) {
  return FindRefused(name) != nullptr || IsAllowed(name);
}

bool IsCounterOfConnection(std::string_view name) {
  return name == "changes" || name == "total_changes" || name == "last_insert_rowid";
}

absl::Status CounterError() {
  return MakeErrorWithHint(
      Reason::kNotAllowed,
      "changes(), total_changes() and last_insert_rowid() describe a connection, which is shared "
      "with others outside a transaction",
      "use rows_affected and last_insert_id of the answer, or RETURNING, or run the statements in "
      "one Transaction");
}

bool IsDecidedModule(std::string_view name) {
  return name.substr(0, kPragmaPrefix.size()) == kPragmaPrefix || Contains(kRefusedModules, name) ||
         Contains(kAllowedModules, name);
}

void DropRefusedModules(sqlite3* db) {
  std::array<const char*, std::size(kAllowedModules) + 1> kept{};
  // The names are literals, and so end with a zero byte.
  std::transform(std::begin(kAllowedModules), std::end(kAllowedModules), kept.begin(),
                 [](std::string_view name) { return name.data(); });
  sqlite3_drop_modules(db, kept.data());
}

}  // namespace penstock::sqlite_engine
