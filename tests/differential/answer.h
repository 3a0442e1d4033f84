// What came of a statement, on either side.
#ifndef PENSTOCK_TESTS_DIFFERENTIAL_ANSWER_H_
#define PENSTOCK_TESTS_DIFFERENTIAL_ANSWER_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "penstock/v1/error.pb.h"
#include "penstock/v1/value.pb.h"

namespace penstock::differential {

// Why a statement failed.
struct Failure {
  // The backend's own code: SQLite's extended result code, an SQLSTATE. Empty: it is
  // not the backend that refused.
  std::string code;
  // REASON_UNSPECIFIED from an oracle: any reason of the gateway's will do.
  v1::Reason reason = v1::REASON_UNSPECIFIED;
  std::string message;
  // False: this side's message is for people only, and need not be the other's.
  bool tells_text = true;
};

// What a statement did, or why it failed.
struct Answer {
  // Empty for a statement without rows.
  std::vector<v1::Column> columns;
  // False: this side cannot tell the columns' types.
  bool tells_types = true;
  // From an oracle: in the backend's own types (SQLite: null, integer, real, text, blob;
  // PostgreSQL: null and what the server prints).
  std::vector<v1::Row> rows;
  int64_t rows_affected = 0;
  // False: this side cannot tell rows_affected of this statement.
  bool tells_rows_affected = true;
  std::optional<int64_t> last_insert_id;
  // False: this side cannot tell last_insert_id of this statement.
  bool tells_last_insert_id = true;
  std::optional<Failure> failure;
  // The oracle's statement failed, and some of what it did stays (SQLite's OR FAIL).
  bool keeps_changes = false;
  // The oracle gave it up because it took too long, or because its session has ended; nothing
  // else is set, and nothing was changed.
  bool too_slow = false;
};

}  // namespace penstock::differential

#endif  // PENSTOCK_TESTS_DIFFERENTIAL_ANSWER_H_
