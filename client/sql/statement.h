// A statement's clauses by what they are.
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
  // Of UPDATE, and of an INSERT of one row.
  std::vector<std::pair<std::string, NodePtr>> set;
  std::vector<std::string> columns;
  std::vector<const std::vector<Value>*> rows;
  // There was a clause of rows, of which there may be none.
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

// It refers to the clauses.
Statement Gather(const Clauses& clauses);

}  // namespace penstock::sql::internal

#endif  // PENSTOCK_CLIENT_SQL_STATEMENT_H_
