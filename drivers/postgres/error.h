// PostgreSQL's errors as the project's.
#ifndef PENSTOCK_DRIVERS_POSTGRES_ERROR_H_
#define PENSTOCK_DRIVERS_POSTGRES_ERROR_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "drivers/api/hidden_values.h"

namespace penstock::postgres {

inline constexpr std::string_view kQueryCancelled = "57014";

// An error as the server reports it, field by field.
struct ServerError {
  std::string severity;
  std::string sqlstate;
  std::string message;
  std::string detail;
  std::string hint;
  // Says where the server was when it failed; may name a parameter.
  std::string context;
  std::string schema;
  std::string table;
  std::string column;
  std::string constraint;
  // The function of the server's program in which the error was made: "int4in".
  std::string source_function;
  int32_t position = 0;
};

// Tells what a failure means, by its code and its fields; no word of a message decides, since
// the server may speak any language.
absl::Status Classify(const ServerError& error, bool cockroach = false);

// Fills in the column, where the server has no field for it: of a key that exists already the
// detail begins with "Key (a, b)=(1, 2)", in any language, and the first column counts. Nothing
// if that is an expression. Before HideParameters, which leaves names alone.
void FindColumn(ServerError* error);

// Takes the values of the statement's parameters out of the texts of an error. What the
// statement `sql` itself has in it stays.
void HideParameters(const driver::ParameterValues& values, std::string_view sql,
                    ServerError* error);

// It is the last thing that the server says. A CockroachDB that drains says so by the code
// alone (57P01 and its kind): the severity of its errors is always ERROR.
bool EndsSession(const ServerError& error, bool cockroach = false);

// The prepared statement does not suit its table any more, or is gone: preparing
// it anew is all that is needed.
bool IsStalePlan(const ServerError& error);

}  // namespace penstock::postgres

#endif  // PENSTOCK_DRIVERS_POSTGRES_ERROR_H_
