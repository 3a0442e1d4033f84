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
};

// What a statement did, or why it failed.
struct Answer {
  // Empty for a statement without rows.
  std::vector<v1::Column> columns;
  // From an oracle: in the backend's own types (SQLite: null, integer, real, text, blob).
  std::vector<v1::Row> rows;
  int64_t rows_affected = 0;
  std::optional<int64_t> last_insert_id;
  // False: this side cannot tell last_insert_id of this statement.
  bool tells_last_insert_id = true;
  std::optional<Failure> failure;
  // The oracle's statement failed, and some of what it did stays (SQLite's OR FAIL).
  bool keeps_changes = false;
  // The oracle gave it up because it took too long; nothing else is set, and nothing
  // was changed.
  bool too_slow = false;
};

}  // namespace penstock::differential

#endif  // PENSTOCK_TESTS_DIFFERENTIAL_ANSWER_H_
