// Renders SELECT with its clauses, WITH and set operations, and checks which tables are in scope.
#include <algorithm>

#include "client/sql/renderer.h"
#include "client/src/format.h"

namespace penstock::sql::internal {
namespace {

// Servers need unreasonably long to plan deeper queries.
constexpr int kMaxQueryDepth = 64;

// Returns the select that names the columns of a set operation.
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
  // Keeps the last value that the query binds. Values of an outer query come first and take
  // precedence.
  std::map<std::string, Value, std::less<>> own;
  for (const auto& [name, value] : statement.bound) own[name] = value;
  bound_.merge(own);
}

void Renderer::Query(const Clauses& clauses, const ColumnNames& names, bool page) {
  if (++depth_ > kMaxQueryDepth) {
    Fail(penstock::internal::Format("subqueries are nested more than {} deep", kMaxQueryDepth));
  } else {
    const Statement statement = Gather(clauses);
    TakeBound(statement);
    With(statement);
    if (statement.first->kind == Clause::Kind::kSetOperation) {
      if (page || statement.after != nullptr) {
        Fail("After and FetchPage do not work on a set operation; select from it with sql::As");
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
    // The WITH query is named like the table, and cannot see this query's columns.
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
    Fail("a query in place of a table must have as many columns as the table");
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
          "column {} of the result may be NULL, but its type is not std::optional; use "
          "sql::MaybeNull or sql::Coalesce",
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
    Fail(penstock::internal::Format(
        "duplicate table \"{}\" in FROM; give one of them another alias", table.alias));
  }
  scopes_.back().push_back({table.alias, optional});
}

void Renderer::Table(const TableRef& table) {
  if (table.query != nullptr) {
    // A derived table cannot see the other tables in FROM.
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
  // The condition of a join can use the tables up to and including its own.
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
    Fail("After cannot be used together with GROUP BY, HAVING or DISTINCT; use sql::As");
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
      Fail("ORDER BY with DISTINCT can only use columns of the result");
    }
    Expression(*order.node);
    Direction(order, MayBeNull(*order.node));
  });
}

// Refers to columns by position, because the columns of a set operation belong to no table.
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
      Fail("ORDER BY of a set operation can only use columns of its first query");
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
    Fail(
        "a set operation supports only With, OrderBy, Limit and Offset; select from it with "
        "sql::As");
  }
  OrderByPosition(statement);
  LimitAndOffset(statement, /*page=*/false);
}

// Wraps what is not a simple select: SQLite allows no parentheses around the operands of a set
// operation, and servers differ in the precedence of the operators.
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
    Fail(penstock::internal::Format("Limit is {}; it must be {} or more", limit->number,
                                    page ? 1 : 0));
  }
  if (offset != nullptr && offset->number < 0) {
    Fail(penstock::internal::Format("Offset is {}; it must be 0 or more", offset->number));
  }
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
    Lack("row locks", "write under a condition (KeyValue::Write), or run the transaction again");
  }
  // On SQLite a transaction that is not read-only occupies the only writer, which locks every row.
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
