// Renders aggregates and windows, and refuses columns that are neither grouped nor aggregated.
#include <algorithm>

#include "client/sql/renderer.h"
#include "client/src/format.h"

namespace penstock::sql::internal {
namespace {

bool HasAggregate(const Node& node) {
  const auto has = [](const NodePtr& child) { return child != nullptr && HasAggregate(*child); };
  if (node.op == Node::Op::kAggregate) return true;
  // A window function itself runs over the rows of the result, but its arguments may be aggregates.
  const Nodes& children = node.op == Node::Op::kOver ? node.children[0]->children : node.children;
  return std::any_of(children.begin(), children.end(), has) || has(node.otherwise) ||
         std::any_of(node.window.partition.begin(), node.window.partition.end(), has) ||
         std::any_of(node.window.order.begin(), node.window.order.end(),
                     [&](const Ordering& order) { return has(order.node); });
}

}  // namespace

// Makes the types of sums and averages the same everywhere: integers and doubles, as on SQLite.
// PostgreSQL sums 64-bit integers to a decimal, averages integers as a decimal, and sums 32-bit
// reals as 32-bit reals.
void Renderer::AggregateNode(const Node& node, const WindowParts* window) {
  if (node.name != "count") RefuseDecimals(node);
  const Kind argument = node.children.empty() ? Kind::kUnspecified : node.children[0]->type.kind;
  const bool narrow = IsPostgres() && node.name == "sum" && argument == Kind::kInteger;
  const bool widen =
      IsPostgres() && (node.name == "sum" || node.name == "avg") && node.type.kind == Kind::kReal;
  if (narrow) *this << "CAST(";
  *this << node.name << "(";
  if (node.children.empty()) *this << "*";
  if (node.distinct) *this << "DISTINCT ";
  Separated(node.children, [&](const NodePtr& child) {
    if (widen) *this << "CAST(";
    Expression(*child);
    if (widen) *this << " AS double precision)";
  });
  *this << ")";
  if (node.filter != nullptr) {
    *this << " FILTER (WHERE ";
    Expression(*node.filter);
    *this << ")";
  }
  if (window != nullptr) {
    if (node.distinct) Fail("an aggregate with Over cannot be DISTINCT");
    *this << " OVER ";
    WindowDefinition(*window);
  }
  if (narrow) *this << " AS bigint)";
}

void Renderer::Over(const Node& node) {
  const Node& function = *node.children[0];
  if (function.op == Node::Op::kAggregate) {
    AggregateNode(function, &node.window);
    return;
  }
  *this << function.name << "(";
  Separated(function.children, [this](const NodePtr& child) { Expression(*child); });
  *this << ") OVER ";
  WindowDefinition(node.window);
}

void Renderer::WindowDefinition(const WindowParts& window) {
  *this << "(";
  std::string_view space = "";
  if (!window.partition.empty()) {
    *this << "PARTITION BY ";
    Separated(window.partition, [this](const NodePtr& node) { Expression(*node); });
    space = " ";
  }
  if (!window.order.empty()) {
    *this << space << "ORDER BY ";
    Separated(window.order, [this](const Ordering& order) {
      Expression(*order.node);
      Direction(order, MayBeNull(*order.node));
    });
    space = " ";
  }
  if (window.has_frame) {
    *this << space << "ROWS BETWEEN ";
    BoundText(window.from);
    *this << " AND ";
    BoundText(window.to);
  }
  *this << ")";
}

void Renderer::BoundText(const Bound& bound) {
  if (bound.rows < 0) Fail("a window frame has a negative number of rows; use 0 or more");
  switch (bound.place) {
    case Bound::Place::kUnboundedPreceding: *this << "UNBOUNDED PRECEDING"; break;
    case Bound::Place::kPreceding: *this << std::to_string(bound.rows) << " PRECEDING"; break;
    case Bound::Place::kCurrentRow: *this << "CURRENT ROW"; break;
    case Bound::Place::kFollowing: *this << std::to_string(bound.rows) << " FOLLOWING"; break;
    case Bound::Place::kUnboundedFollowing: *this << "UNBOUNDED FOLLOWING"; break;
  }
}

// Checked here because SQLite would take an ungrouped column from any row of the group.
void Renderer::CheckGrouping(const Statement& statement) {
  const Nodes& items = statement.first->nodes;
  bool grouped = !statement.group_by.empty() || !statement.having.empty();
  for (const NodePtr& item : items) grouped = grouped || HasAggregate(*item);
  for (const Ordering& order : statement.order) grouped = grouped || HasAggregate(*order.node);
  if (!grouped) return;
  for (const NodePtr& item : items) CheckGrouped(*item, statement.group_by);
  for (const NodePtr& node : statement.having) CheckGrouped(*node, statement.group_by);
  for (const Ordering& order : statement.order) CheckGrouped(*order.node, statement.group_by);
}

void Renderer::CheckGrouped(const Node& node, const Nodes& groups) {
  const auto same = [&node](const NodePtr& group) { return SameExpression(node, *group); };
  if (std::any_of(groups.begin(), groups.end(), same)) return;
  if (node.op == Node::Op::kAggregate) return;
  if (node.op == Node::Op::kColumn) {
    for (const InScope& table : scopes_.back()) {
      if (table.alias != node.owner) continue;
      Fail(penstock::internal::Format("column {}.{} is neither in GROUP BY nor in an aggregate",
                                      node.owner, node.name));
    }
    return;
  }
  const Nodes& children = node.op == Node::Op::kOver ? node.children[0]->children : node.children;
  for (const NodePtr& child : children) CheckGrouped(*child, groups);
  if (node.otherwise != nullptr) CheckGrouped(*node.otherwise, groups);
  for (const NodePtr& child : node.window.partition) CheckGrouped(*child, groups);
  for (const Ordering& order : node.window.order) CheckGrouped(*order.node, groups);
}

}  // namespace penstock::sql::internal
