// The configuration of a SQLite database, checked.
#ifndef PENSTOCK_DRIVERS_SQLITE_OPTIONS_H_
#define PENSTOCK_DRIVERS_SQLITE_OPTIONS_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "drivers/api/config.h"
#include "drivers/sqlite_engine/database.h"
#include "drivers/sqlite_engine/temp_space.h"

namespace penstock::sqlite {

// Each option is described in spec.cc, with its default.
struct Options {
  // The path of the file, or ":memory:".
  std::string path;
  // The name of the file for sqlite3_open_v2.
  std::string file_name;
  bool in_memory = false;
  bool read_only = false;  // asked for; a file may turn out to be all the same
  bool create = true;
  std::string synchronous;
  int busy_timeout_ms = 0;
  bool foreign_keys = false;
  bool allow_attach = false;
  sqlite_engine::Leniency leniency;
  int64_t cache_size_kib = 0;
  int64_t mmap_size_bytes = 0;
  int64_t max_page_count = 0;  // 0: SQLite's own
  bool interruptible_like = false;
  int64_t max_temp_mib = 0;
  size_t statement_cache_size = 0;
  size_t max_value_bytes = 0;

  // Shared by all connections, set when the driver is opened.
  std::shared_ptr<sqlite_engine::TempSpace> temp_space;
};

// INVALID_ARGUMENT says what is wrong with which option.
absl::StatusOr<Options> ParseOptions(const driver::Config& config);

// The path of the database's file; empty: it is in memory, or the configuration is wrong.
std::string PathOf(const driver::Config& config);

}  // namespace penstock::sqlite

#endif  // PENSTOCK_DRIVERS_SQLITE_OPTIONS_H_
