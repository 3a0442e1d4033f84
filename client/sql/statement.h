// Sorts the clauses of a statement by their kinds.
#ifndef PENSTOCK_CLIENT_SQL_STATEMENT_H_
#define PENSTOCK_CLIENT_SQL_STATEMENT_H_

#include <string>
#include <utility>
#include <vector>

#include "penstock/sql/tree.h"

namespace penstock::sql::internal {

struct Statement {
  // kSelect, kSetOperation, kInsert, kUpdate or kDelete.
  const Clause* first = nullptr;
  std::vector<const Clause*> with;
  std::vector<const TableRef*> from;
  std::vector<const Clause*> joins;
  Nodes where;
  Nodes group_by;
  Nodes having;
  std::vector<Ordering> order;
  const std::vector<Value>* after = nullptr;
  const Clause* limit = nullptr;
  const Clause* offset = nullptr;
  bool distinct = false;
  const Clause* lock = nullptr;
  // The assignments of an UPDATE, or of an INSERT of one row.
  std::vector<std::pair<std::string, NodePtr>> set;
  std::vector<std::string> columns;
  std::vector<const std::vector<Value>*> rows;
  // True if there was a clause of rows, even of no rows.
  bool has_rows = false;
  Clauses query;
  const Clause* conflict = nullptr;
  std::vector<std::string> update_excluded;
  std::vector<std::pair<std::string, NodePtr>> update_set;
  Nodes update_where;
  Nodes returning;
  bool all = false;
  std::vector<std::pair<std::string, Value>> bound;
};

// Collects the clauses of a statement. The result refers to them.
Statement Gather(const Clauses& clauses);

}  // namespace penstock::sql::internal

#endif  // PENSTOCK_CLIENT_SQL_STATEMENT_H_
