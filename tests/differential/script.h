// Files of SQL, read into statements and what the file says should come of them.
#ifndef PENSTOCK_TESTS_DIFFERENTIAL_SCRIPT_H_
#define PENSTOCK_TESTS_DIFFERENTIAL_SCRIPT_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace penstock::differential {

// What the file says of a statement: a second opinion beside the oracle's.
struct Expectation {
  enum class Outcome : uint8_t { kNone, kSuccess, kError, kRows };
  enum class Sort : uint8_t { kNone, kRows, kValues };

  Outcome outcome = Outcome::kNone;
  // kRows: one of I, T and R a column; how the results were sorted; the results, a value
  // or a row a line, or "N values hashing to MD5".
  std::string types;
  Sort sort = Sort::kNone;
  std::vector<std::string> lines;
};

// One statement.
struct Record {
  // Where its SQL begins, from 1.
  int line = 1;
  std::string sql;
  Expectation expected;
};

// Why parts of a file are not run, and how many of them.
using LeftOut = std::map<std::string, size_t>;

// One file.
struct Script {
  std::string path;
  std::vector<Record> records;
  // What of the file is not in `records`.
  LeftOut left_out;
};

// A statement of a plain text.
struct Piece {
  int line = 1;
  std::string sql;
};

class Backend;

// Reads sqllogictest's format (.test, .slt) or plain SQL (any other name). NOT_FOUND if
// the file cannot be read.
absl::StatusOr<Script> ReadScript(const std::string& path, const Backend& backend);

// The two formats. `name` is how sqllogictest calls the backend in skipif and onlyif.
Script ReadLogic(std::string_view text, std::string_view name);
Script ReadSql(std::string_view text, const Backend& backend);

}  // namespace penstock::differential

#endif  // PENSTOCK_TESTS_DIFFERENTIAL_SCRIPT_H_
