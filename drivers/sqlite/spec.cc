#include <limits>
#include <string>
#include <string_view>

#include "drivers/api/spec.h"
#include "drivers/sqlite/options.h"
#include "drivers/sqlite/sqlite_driver.h"

namespace penstock::sqlite {
namespace {

using driver::Option;
using enum driver::Option::Type;

// SQLite multiplies some of them by 1024.
constexpr int64_t kLargest = std::numeric_limits<int>::max();
constexpr int64_t kLargestBytes = std::numeric_limits<int64_t>::max();
constexpr int64_t kHour = 3'600'000;

constexpr std::string_view kSynchronous[] = {"full", "extra", "normal"};
constexpr std::string_view kJournalModes[] = {"wal"};

constexpr Option kOptions[] = {
    {.name = "synchronous",
     .type = kChoice,
     .fallback = "full",
     .help = "when a commit is on the disk: `full` or `extra`, before it is acknowledged; "
             "`normal`, so that a power failure may lose the last ones",
     .words = kSynchronous},
    {.name = "busy_timeout_ms",
     .type = kNumber,
     .fallback = "5000",
     .help = "the time to wait for another process's lock",
     .max = kHour},
    {.name = "foreign_keys",
     .type = kSwitch,
     .fallback = "on",
     .help = "whether foreign keys are checked and acted upon: `on` or `off`"},
    {.name = "allow_attach",
     .type = kSwitch,
     .fallback = "false",
     .help = "allows ATTACH, DETACH and VACUUM INTO, which reach other files"},
    {.name = "trusted_schema",
     .type = kSwitch,
     .fallback = "on",
     .help = "lets the schema (indexes, constraints, defaults, generated columns, views, "
             "triggers) use any function and virtual table (`json_*`, FTS5, R*Tree, …), as the "
             "sqlite3 shell does; `off` is for files that somebody else has made"},
    {.name = "double_quoted_strings",
     .type = kSwitch,
     .fallback = "on",
     .help = "takes `\"text\"` for a text where it names no column, as the sqlite3 shell does; "
             "`off` makes a misspelt name an error, except in the file's own tables and indexes"},
    {.name = "cache_size_kib",
     .type = kNumber,
     .fallback = "2048",
     .help = "the page cache of each connection",
     .max = kLargest},
    {.name = "mmap_size_bytes",
     .type = kNumber,
     .fallback = "0",
     .help = "the size of the part of the file that is mapped into memory",
     .max = kLargestBytes},
    {.name = "max_page_count",
     .type = kNumber,
     .help = "the maximum size of the file, in pages",
     .max = kLargest,
     .otherwise = "SQLite's own limit"},
    {.name = "interruptible_like",
     .type = kSwitch,
     .fallback = "on",
     .help = "LIKE and GLOB end when their statement has to, and use no index; `off`: SQLite's own "
             "LIKE and GLOB, which use an index for `column GLOB 'abc*'` and may run for hours"},
    {.name = "max_temp_mib",
     .type = kNumber,
     .fallback = "4096",
     .help = "the disk space for sorting, intermediate results and temporary tables, of all "
             "connections together",
     .max = kLargestBytes >> 20},
    {.name = "journal_mode",
     .type = kChoice,
     .fallback = "wal",
     .help = "only `wal`, which lets readers and the writer work side by side",
     .words = kJournalModes},
};

driver::DriverSpec MakeSpec() {
  driver::DriverSpec spec;
  spec.info = {.name = "sqlite",
               .dialect = "sqlite",
               .capabilities = {.last_insert_id = true,
                                .returning = true,
                                .savepoints = true,
                                .transactional_ddl = true,
                                .single_writer = true},
               .split_lanes = true,
               .max_writers = 1,
               .embedded = true};
  spec.file_words = {"sqlite3"};
  spec.options = kOptions;
  spec.database_help = "the path of the file, which is created if its folder exists, or `:memory:`";
  spec.connection_help = "the path, or a `file:` URI";
  spec.suffix = ".db";
  spec.path = PathOf;
  spec.open = Open;
  spec.check = Check;
  // STRICT, so that a text put there by SQL does not sort before every blob.
  spec.key_value = driver::KeyValueDialect{
      .columns = "(key BLOB NOT NULL PRIMARY KEY, value BLOB NOT NULL) STRICT, WITHOUT ROWID",
      .table_exists = "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = $1",
      .max_key_bytes = driver::kMaxKeyBytes};
  spec.migrations = MakeMigrations;
  return spec;
}

}  // namespace

const driver::DriverSpec& Spec() {
  static const auto* const spec = new driver::DriverSpec(MakeSpec());
  return *spec;
}

}  // namespace penstock::sqlite
