// Renders the condition that selects only the rows after a cursor.
#include <algorithm>

#include "client/sql/renderer.h"
#include "client/src/format.h"

namespace penstock::sql::internal {

bool Renderer::CheckAfter(const Statement& statement) {
  const std::vector<Value>& after = *statement.after;
  if (after.size() != statement.order.size()) {
    Fail(penstock::internal::Format("After has {} values for {} columns of ORDER BY", after.size(),
                                    statement.order.size()));
    return false;
  }
  for (size_t i = 0; i < after.size(); ++i) {
    const Node& node = *statement.order[i].node;
    if (after[i].is_null() && !MayBeNull(node)) {
      Fail(penstock::internal::Format("After: column {} of ORDER BY is never NULL", i + 1));
      return false;
    }
    // On SQLite an expression's values have the kind of their storage: a time comes as text.
    const bool fits =
        after[i].kind() == node.type.kind || after[i].is_null() ||
        (IsSqlite() && after[i].kind() == Kind::kText) ||
        (after[i].kind() == Kind::kInteger &&
         (node.type.kind == Kind::kReal || node.type.kind == Kind::kDecimal ||
          node.type.kind == Kind::kBoolean)) ||
        (IsSqlite() && node.type.kind == Kind::kDecimal && after[i].kind() == Kind::kReal);
    if (!fits) {
      Fail(penstock::internal::Format(
          "After: column {} of ORDER BY is of the kind {}, but the value is of the kind {}", i + 1,
          KindName(node.type.kind), KindName(after[i].kind())));
      return false;
    }
  }
  return true;
}

bool Renderer::IsRowComparison(const Statement& statement) const {
  return statement.order.size() > 1 &&
         std::all_of(statement.order.begin(), statement.order.end(), [&](const Ordering& order) {
           return order.descending == statement.order[0].descending && !MayBeNull(*order.node);
         });
}

void Renderer::After(const Statement& statement) {
  if (!IsRowComparison(statement)) {
    AfterKeys(statement, 0);
    return;
  }
  // Servers can use an index for a comparison of row values.
  *this << "((";
  Separated(statement.order, [this](const Ordering& order) { Expression(*order.node); });
  *this << ") " << (statement.order[0].descending ? "<" : ">") << " (";
  for (size_t i = 0; i < statement.order.size(); ++i) {
    if (i != 0) *this << ", ";
    const NodePtr value = MakeLiteral((*statement.after)[i], statement.order[i].node->type);
    made_.push_back(value);
    Side(*value, *statement.order[i].node);
  }
  *this << "))";
}

// Renders: (a, b, c) comes after (x, y, z) if a comes after x, or if a equals x and (b, c) comes
// after (y, z).
void Renderer::AfterKeys(const Statement& statement, size_t first) {
  const Ordering& order = statement.order[first];
  const Node& node = *order.node;
  const Value& value = (*statement.after)[first];
  const bool last = first + 1 == statement.order.size();
  const NodePtr literal = MakeLiteral(value, node.type);
  made_.push_back(literal);
  *this << "(";
  if (value.is_null()) {
    // If NULLs are first, every other value comes after NULL; otherwise none does.
    *this << "(";
    if (order.nulls_first) {
      Expression(node);
      *this << " IS NOT NULL";
    } else {
      *this << "1 = 0";
    }
    *this << ")";
  } else {
    *this << "(";
    Side(node, *literal);
    *this << (order.descending ? " < " : " > ");
    Side(*literal, node);
    if (MayBeNull(node) && !order.nulls_first) {
      *this << " OR ";
      Expression(node);
      *this << " IS NULL";
    }
    *this << ")";
  }
  if (!last) {
    *this << " OR (";
    Expression(node);
    if (value.is_null()) {
      *this << " IS NULL";
    } else {
      *this << " = ";
      Side(*literal, node);
    }
    *this << " AND ";
    AfterKeys(statement, first + 1);
    *this << ")";
  }
  *this << ")";
}

}  // namespace penstock::sql::internal
