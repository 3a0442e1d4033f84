#include "migrations/completeness.h"

#include <pg_query.h>
#include <sqlite3.h>

#include <string>

namespace penstock::migrations {

bool IsWholeForSqlite(std::string_view statement) {
  return sqlite3_complete((std::string(statement) + ";").c_str()) == 1;
}

bool IsWholeForPostgres(std::string_view statement) {
  if (statement.size() > kLongestParsed) return false;
  const PgQuerySplitResult parsed = pg_query_split_with_parser(std::string(statement).c_str());
  const bool whole = parsed.error == nullptr && parsed.n_stmts == 1;
  pg_query_free_split_result(parsed);
  return whole;
}

}  // namespace penstock::migrations
