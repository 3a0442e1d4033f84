#include "client/sql/statement.h"

#include <algorithm>

namespace penstock::sql::internal {
namespace {

template <typename T>
void AppendAll(const std::vector<T>& from, std::vector<T>* to) {
  to->insert(to->end(), from.begin(), from.end());
}

void Add(const Clause& clause, Statement* out) {
  using Kind = Clause::Kind;
  switch (clause.kind) {
    case Kind::kSelect:
    case Kind::kSetOperation:
    case Kind::kInsert:
    case Kind::kUpdate:
    case Kind::kDelete: out->first = &clause; break;
    case Kind::kWith: out->with.push_back(&clause); break;
    case Kind::kFrom: out->from.push_back(&clause.table); break;
    case Kind::kJoin: out->joins.push_back(&clause); break;
    case Kind::kWhere: AppendAll(clause.nodes, &out->where); break;
    case Kind::kGroupBy: AppendAll(clause.nodes, &out->group_by); break;
    case Kind::kHaving: AppendAll(clause.nodes, &out->having); break;
    case Kind::kOrderBy: AppendAll(clause.order, &out->order); break;
    case Kind::kAfter: out->after = &clause.values; break;
    case Kind::kLimit: out->limit = &clause; break;
    case Kind::kOffset: out->offset = &clause; break;
    case Kind::kDistinct: out->distinct = true; break;
    case Kind::kLock: out->lock = &clause; break;
    case Kind::kSet: out->set.emplace_back(clause.names[0], clause.nodes[0]); break;
    case Kind::kColumns: AppendAll(clause.names, &out->columns); break;
    case Kind::kRows:
      out->has_rows = true;
      for (const std::vector<Value>& row : clause.rows) out->rows.push_back(&row);
      break;
    case Kind::kQuery: out->query = clause.query; break;
    case Kind::kConflict: out->conflict = &clause; break;
    case Kind::kUpdateExcluded: AppendAll(clause.names, &out->update_excluded); break;
    case Kind::kUpdateSet: out->update_set.emplace_back(clause.names[0], clause.nodes[0]); break;
    case Kind::kUpdateWhere: AppendAll(clause.nodes, &out->update_where); break;
    case Kind::kReturning: AppendAll(clause.nodes, &out->returning); break;
    case Kind::kAll: out->all = true; break;
    case Kind::kBind: out->bound.emplace_back(clause.names[0], clause.values[0]); break;
  }
}

}  // namespace

Statement Gather(const Clauses& clauses) {
  std::vector<const Clause*> in_order;
  for (const Clause* clause = clauses.get(); clause != nullptr; clause = clause->before.get()) {
    in_order.push_back(clause);
  }
  std::reverse(in_order.begin(), in_order.end());
  Statement statement;
  for (const Clause* clause : in_order) Add(*clause, &statement);
  return statement;
}

}  // namespace penstock::sql::internal
