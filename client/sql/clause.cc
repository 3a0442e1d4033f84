#include <utility>

#include "penstock/sql/tree.h"

namespace penstock::sql::internal {

Clause::Clause(Kind for_kind) : kind(for_kind) {}
Clause::Clause(const Clause&) = default;
Clause::Clause(Clause&&) noexcept = default;

Clause::~Clause() {
  // Releases the clauses one after another, as far as no other statement shares them.
  Clauses next = std::move(before);
  while (next != nullptr && next.use_count() == 1) {
    // Casting const away is allowed: Append made it non-const, and nobody else refers to it.
    Clauses rest = std::move(const_cast<Clause&>(*next).before);
    next = std::move(rest);
  }
}

Clauses Append(const Clauses& statement, Clause clause) {
  auto made = std::make_shared<Clause>(std::move(clause));
  made->before = statement;
  return made;
}

Clauses AppendNode(const Clauses& statement, Clause::Kind kind, NodePtr node) {
  Clause clause(kind);
  clause.nodes.push_back(std::move(node));
  return Append(statement, std::move(clause));
}

Clauses AppendNodes(const Clauses& statement, Clause::Kind kind, Nodes nodes) {
  Clause clause(kind);
  clause.nodes = std::move(nodes);
  return Append(statement, std::move(clause));
}

Clauses AppendTable(const Clauses& statement, Clause::Kind kind, TableRef table, bool recursive) {
  Clause clause(kind);
  clause.table = std::move(table);
  clause.recursive = recursive;
  return Append(statement, std::move(clause));
}

Clauses AppendNumber(const Clauses& statement, Clause::Kind kind, int64_t number) {
  Clause clause(kind);
  clause.number = number;
  return Append(statement, std::move(clause));
}

Clauses AppendSelect(Nodes nodes, std::vector<bool> untyped) {
  Clause clause(Clause::Kind::kSelect);
  clause.nodes = std::move(nodes);
  clause.untyped = std::move(untyped);
  return Append(nullptr, std::move(clause));
}

Clauses AppendAssignment(const Clauses& statement, Clause::Kind kind, std::string_view column,
                         NodePtr value) {
  Clause clause(kind);
  clause.names = {std::string(column)};
  clause.nodes = {std::move(value)};
  return Append(statement, std::move(clause));
}

TableRef MakeTable(std::string_view schema, std::string_view name, std::string_view alias) {
  return {std::string(schema), std::string(name), std::string(alias), {}, {}};
}

Clause NamesClause(Clause::Kind kind, std::vector<std::string> names) {
  Clause clause(kind);
  clause.names = std::move(names);
  return clause;
}

Clause JoinClause(JoinKind kind, TableRef table, NodePtr on) {
  Clause clause(Clause::Kind::kJoin);
  clause.join = kind;
  clause.table = std::move(table);
  if (on != nullptr) clause.nodes.push_back(std::move(on));
  return clause;
}

Clause BindClause(std::string_view name, Value value) {
  Clause clause(Clause::Kind::kBind);
  clause.names = {std::string(name)};
  clause.values = {std::move(value)};
  return clause;
}

TableRef Derived(Clauses query, TableRef as, std::vector<std::string> columns) {
  as.query = std::move(query);
  as.columns = std::move(columns);
  return as;
}

}  // namespace penstock::sql::internal
