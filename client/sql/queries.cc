#include <algorithm>

#include "client/sql/renderer.h"
#include "client/src/format.h"

namespace penstock::sql::internal {
namespace {

// Deeper ones no server plans in a sensible time.
constexpr int kMaxQueryDepth = 64;

// The select whose columns a set operation has.
Statement FirstSelect(const Clauses& clauses) {
  Statement statement = Gather(clauses);
  while (statement.first->kind == Clause::Kind::kSetOperation) {
    statement = Gather(statement.first->query);
  }
  return statement;
}

}  // namespace

void Renderer::Write(const Clauses& clauses, bool page) {
  const Statement statement = Gather(clauses);
  switch (statement.first->kind) {
    case Clause::Kind::kInsert: Insert(statement, /*for_row=*/false); break;
    case Clause::Kind::kUpdate: Update(statement); break;
    case Clause::Kind::kDelete: Delete(statement); break;
    default: Query(clauses, {}, page);
  }
}

void Renderer::TakeBound(const Statement& statement) {
  // Those of a query around this one have come before and hold; of one query, the last.
  std::map<std::string, Value, std::less<>> own;
  for (const auto& [name, value] : statement.bound) own[name] = value;
  bound_.merge(own);
}

void Renderer::Query(const Clauses& clauses, const ColumnNames& names, bool page) {
  if (++depth_ > kMaxQueryDepth) {
    Fail(penstock::internal::Format("queries are more than {} deep in each other", kMaxQueryDepth));
  } else {
    const Statement statement = Gather(clauses);
    TakeBound(statement);
    With(statement);
    if (statement.first->kind == Clause::Kind::kSetOperation) {
      if (page || statement.after != nullptr) {
        Fail("After and FetchPage of a set operation: select from it, see sql::As");
      }
      SetOperationNode(statement, names);
    } else {
      Select(statement, names, page);
    }
  }
  --depth_;
}

void Renderer::With(const Statement& statement) {
  if (statement.with.empty()) return;
  const bool recursive = std::any_of(statement.with.begin(), statement.with.end(),
                                     [](const Clause* clause) { return clause->recursive; });
  *this << (recursive ? "WITH RECURSIVE " : "WITH ");
  Separated(statement.with, [this](const Clause* clause) {
    // Its name in FROM is that of the table; the query's own columns are not in sight.
    std::vector<Scope> outside;
    std::swap(outside, scopes_);
    Identifier(clause->table.name);
    *this << " (";
    Identifiers(clause->table.columns);
    *this << ") AS (";
    Query(clause->table.query, {});
    *this << ")";
    std::swap(outside, scopes_);
  });
  *this << " ";
}

void Renderer::Select(const Statement& statement, const ColumnNames& names, bool page) {
  scopes_.emplace_back();
  for (const TableRef* table : statement.from) Enter(*table, false);
  for (const Clause* join : statement.joins) {
    const bool keeps = join->join == JoinKind::kRight || join->join == JoinKind::kFull;
    if (keeps) {
      for (InScope& table : scopes_.back()) table.optional = true;
    }
    Enter(join->table, join->join == JoinKind::kLeft || join->join == JoinKind::kFull);
  }
  if (statement.from.empty() && !statement.joins.empty()) Fail("JOIN without FROM");
  CheckGrouping(statement);

  *this << "SELECT " << (statement.distinct ? "DISTINCT " : "");
  Items(statement, names, page);
  Tables(statement);
  Where(statement);
  if (!statement.group_by.empty()) {
    *this << " GROUP BY ";
    Separated(statement.group_by, [this](const NodePtr& node) { Expression(*node); });
  }
  Conditions(" HAVING ", statement.having);
  OrderBy(statement);
  LimitAndOffset(statement, page);
  Lock(statement);
  scopes_.pop_back();
}

void Renderer::Items(const Statement& statement, const ColumnNames& names, bool page) {
  const Clause& select = *statement.first;
  if (!names.empty() && names.size() != select.nodes.size()) {
    Fail("a query in the place of a table has not as many columns as the table");
  }
  for (size_t i = 0; i < select.nodes.size(); ++i) {
    const Node& node = *select.nodes[i];
    if (i != 0) *this << ", ";
    Expression(node);
    if (!names.empty()) {
      *this << " AS ";
      Identifier(names[i]);
    } else if (node.op == Node::Op::kNamed) {
      *this << " AS ";
      Identifier(node.name);
    }
    if (select.untyped[i] && !node.type.nullable && MayBeNull(node)) {
      Fail(penstock::internal::Format(
          "column {} of the result may be NULL, and its type is not std::optional: say "
          "sql::MaybeNull, or sql::Coalesce",
          i + 1));
    }
  }
  if (!page) return;
  if (statement.order.empty() || statement.limit == nullptr) {
    Fail("FetchPage needs OrderBy and Limit");
  }
  for (const Ordering& order : statement.order) {
    *this << ", ";
    Expression(*order.node);
  }
}

void Renderer::Enter(const TableRef& table, bool optional) {
  for (const InScope& other : scopes_.back()) {
    if (other.alias != table.alias) continue;
    Fail(penstock::internal::Format("\"{}\" is in FROM twice; give one of them another alias",
                                    table.alias));
  }
  scopes_.back().push_back({table.alias, optional});
}

void Renderer::Table(const TableRef& table) {
  if (table.query != nullptr) {
    // What stands beside it in FROM is not in sight.
    Scope beside;
    std::swap(beside, scopes_.back());
    *this << "(";
    Query(table.query, table.columns);
    *this << ")";
    std::swap(beside, scopes_.back());
  } else {
    if (!table.schema.empty()) {
      Identifier(table.schema);
      *this << ".";
    }
    Identifier(table.name);
    if (table.schema.empty() && table.alias == table.name) return;
  }
  *this << " AS ";
  Identifier(table.alias);
}

void Renderer::Tables(const Statement& statement) {
  if (statement.from.empty()) return;
  *this << " FROM ";
  Separated(statement.from, [this](const TableRef* table) { Table(*table); });
  // A condition sees the tables up to its own.
  Scope all = scopes_.back();
  size_t in_sight = statement.from.size();
  for (const Clause* join : statement.joins) {
    switch (join->join) {
      case JoinKind::kInner: *this << " JOIN "; break;
      case JoinKind::kLeft: *this << " LEFT JOIN "; break;
      case JoinKind::kRight: *this << " RIGHT JOIN "; break;
      case JoinKind::kFull: *this << " FULL JOIN "; break;
      case JoinKind::kCross: *this << " CROSS JOIN "; break;
    }
    Table(join->table);
    ++in_sight;
    if (join->nodes.empty()) continue;
    scopes_.back().assign(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(in_sight));
    *this << " ON ";
    Expression(*join->nodes[0]);
  }
  scopes_.back() = std::move(all);
}

void Renderer::Conditions(std::string_view keyword, const Nodes& conditions) {
  for (size_t i = 0; i < conditions.size(); ++i) {
    *this << (i == 0 ? keyword : std::string_view(" AND "));
    Expression(*conditions[i]);
  }
}

void Renderer::Where(const Statement& statement) {
  Conditions(" WHERE ", statement.where);
  if (statement.after == nullptr || !CheckAfter(statement)) return;
  if (!statement.group_by.empty() || !statement.having.empty() || statement.distinct) {
    Fail("After together with GROUP BY, HAVING or DISTINCT: select from the query, see sql::As");
  }
  *this << (statement.where.empty() ? " WHERE " : " AND ");
  After(statement);
}

void Renderer::Direction(const Ordering& order, bool nullable) {
  if (order.descending) *this << " DESC";
  if (nullable) *this << (order.nulls_first ? " NULLS FIRST" : " NULLS LAST");
}

void Renderer::OrderBy(const Statement& statement) {
  if (statement.order.empty()) return;
  *this << " ORDER BY ";
  Separated(statement.order, [&](const Ordering& order) {
    const Nodes& items = statement.first->nodes;
    const auto same = [&](const NodePtr& item) { return SameExpression(*item, *order.node); };
    if (statement.distinct && std::none_of(items.begin(), items.end(), same)) {
      Fail("ORDER BY with DISTINCT has columns of the result only");
    }
    Expression(*order.node);
    Direction(order, MayBeNull(*order.node));
  });
}

// Where a set operation is sorted, its columns have no tables.
void Renderer::OrderByPosition(const Statement& statement) {
  if (statement.order.empty()) return;
  *this << " ORDER BY ";
  const Statement first = FirstSelect(statement.first->query);
  const Nodes& items = first.first->nodes;
  Separated(statement.order, [&](const Ordering& order) {
    const auto place = std::find_if(items.begin(), items.end(), [&](const NodePtr& item) {
      return SameExpression(*item, *order.node);
    });
    if (place == items.end()) {
      Fail("ORDER BY of a set operation has columns of its first query only");
    }
    *this << std::to_string(place - items.begin() + 1);
    Direction(order, true);
  });
}

void Renderer::SetOperationNode(const Statement& statement, const ColumnNames& names) {
  Operand(statement.first->query, names);
  switch (statement.first->set_operation) {
    case SetOperation::kUnion: *this << " UNION "; break;
    case SetOperation::kUnionAll: *this << " UNION ALL "; break;
    case SetOperation::kIntersect: *this << " INTERSECT "; break;
    case SetOperation::kExcept: *this << " EXCEPT "; break;
  }
  Operand(statement.first->other, {});
  if (!statement.from.empty() || !statement.where.empty() || !statement.joins.empty() ||
      !statement.group_by.empty() || !statement.having.empty() || statement.distinct ||
      statement.lock != nullptr) {
    Fail("a set operation has With, OrderBy, Limit and Offset only: select from it, see sql::As");
  }
  OrderByPosition(statement);
  LimitAndOffset(statement, /*page=*/false);
}

// SQLite has no parentheses around what it combines, and servers differ in what binds closer.
void Renderer::Operand(const Clauses& clauses, const ColumnNames& names) {
  const Statement operand = Gather(clauses);
  const bool simple = operand.first->kind == Clause::Kind::kSelect && operand.order.empty() &&
                      operand.limit == nullptr && operand.offset == nullptr &&
                      operand.with.empty() && operand.lock == nullptr;
  if (simple) {
    Query(clauses, names);
    return;
  }
  *this << "SELECT * FROM (";
  Query(clauses, names);
  *this << ") AS \"operand\"";
}

void Renderer::LimitAndOffset(const Statement& statement, bool page) {
  const Clause* limit = statement.limit;
  const Clause* offset = statement.offset;
  if (limit != nullptr && (limit->number < 0 || (page && limit->number == 0))) {
    Fail(page ? "Limit of a page is 1 or more" : "Limit is 0 or more");
  }
  if (offset != nullptr && offset->number < 0) Fail("Offset is 0 or more");
  if (limit != nullptr) {
    *this << " LIMIT ";
    const bool more = page && limit->number < INT64_MAX;
    Argument(Value(limit->number + (more ? 1 : 0)));
  } else if (offset != nullptr && IsSqlite()) {
    *this << " LIMIT -1";
  }
  if (offset != nullptr) {
    *this << " OFFSET ";
    Argument(Value(offset->number));
  }
}

void Renderer::Lock(const Statement& statement) {
  if (statement.lock == nullptr) return;
  const Clause& lock = *statement.lock;
  if (!statement.group_by.empty() || !statement.having.empty() || statement.distinct) {
    Fail("rows that are grouped or distinct cannot be locked");
  }
  if (dialect_ == Dialect::kPebble) {
    Lack("locks of rows that are read",
         "write under a condition (KeyValue::Write), or run the transaction again");
  }
  // There a transaction that is not read-only holds the only writer: nobody else has the rows.
  if (IsSqlite()) return;
  *this << (lock.lock == LockKind::kUpdate ? " FOR UPDATE" : " FOR SHARE");
  if (!lock.names.empty()) {
    *this << " OF ";
    Identifiers(lock.names);
  }
  if (lock.wait == LockWait::kSkipLocked) *this << " SKIP LOCKED";
  if (lock.wait == LockWait::kNoWait) *this << " NOWAIT";
}

absl::StatusOr<Built> Render(const Clauses& statement, Dialect dialect) {
  Renderer renderer(dialect);
  renderer.Write(statement);
  return renderer.Finish();
}

absl::StatusOr<Built> RenderPage(const Clauses& statement, Dialect dialect) {
  Renderer renderer(dialect);
  renderer.Write(statement, /*page=*/true);
  return renderer.Finish();
}

std::pair<size_t, int64_t> PageShape(const Clauses& clauses) {
  const Statement statement = Gather(clauses);
  return {statement.order.size(), statement.limit == nullptr ? 0 : statement.limit->number};
}

}  // namespace penstock::sql::internal
