#include "client/sql/node.h"

#include <algorithm>
#include <memory>
#include <utility>

namespace penstock::sql::internal {
namespace {

// Replaces an expression that is too deep, so that no deeper tree ever exists. The renderer reports
// it.
NodePtr TooDeep(Type type) {
  auto node = std::make_shared<Node>();
  node->op = Node::Op::kTooDeep;
  node->type = type;
  return node;
}

NodePtr Finish(Node node) {
  int depth = 0;
  const auto look = [&depth](const NodePtr& child) {
    if (child != nullptr) depth = std::max(depth, child->depth);
  };
  for (const NodePtr& child : node.children) look(child);
  look(node.filter);
  look(node.otherwise);
  for (const NodePtr& child : node.window.partition) look(child);
  for (const Ordering& order : node.window.order) look(order.node);
  node.depth = depth + 1;
  if (node.depth > kMaxDepth) return TooDeep(node.type);
  return std::make_shared<Node>(std::move(node));
}

bool SameNodes(const Nodes& a, const Nodes& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](const NodePtr& x, const NodePtr& y) { return SameExpression(*x, *y); });
}

bool SameOptional(const NodePtr& a, const NodePtr& b) {
  if (a == nullptr || b == nullptr) return a == b;
  return SameExpression(*a, *b);
}

}  // namespace

NodePtr MakeColumn(std::string_view alias, std::string_view name, Type type) {
  Node node{.op = Node::Op::kColumn, .type = type};
  node.owner = alias;
  node.name = name;
  return Finish(std::move(node));
}

NodePtr MakeExcluded(std::string_view name, Type type) {
  Node node{.op = Node::Op::kExcluded, .type = type};
  node.name = name;
  return Finish(std::move(node));
}

NodePtr MakeLiteral(Value value, Type type) {
  Node node{.op = Node::Op::kLiteral, .type = type};
  node.values.push_back(std::move(value));
  return Finish(std::move(node));
}

NodePtr MakeParameter(std::string_view name, Type type) {
  Node node{.op = Node::Op::kParameter, .type = type};
  node.name = name;
  return Finish(std::move(node));
}

NodePtr MakeBinary(Binary op, NodePtr left, NodePtr right, Type type) {
  Node node{.op = Node::Op::kBinary, .type = type, .binary = op};
  node.children = {std::move(left), std::move(right)};
  return Finish(std::move(node));
}

NodePtr MakeNot(NodePtr operand) {
  Node node{.op = Node::Op::kNot, .type = {Kind::kBoolean}};
  node.children = {std::move(operand)};
  return Finish(std::move(node));
}

NodePtr MakeIsNull(NodePtr operand, bool negated) {
  Node node{.op = Node::Op::kIsNull, .type = {Kind::kBoolean}, .negated = negated};
  node.children = {std::move(operand)};
  return Finish(std::move(node));
}

NodePtr MakeList(Binary and_or, Nodes conditions) {
  Node node{.op = Node::Op::kList, .type = {Kind::kBoolean}, .binary = and_or};
  node.children = std::move(conditions);
  return Finish(std::move(node));
}

NodePtr MakeIn(NodePtr operand, std::vector<Value> values, bool negated) {
  Node node{.op = Node::Op::kIn, .type = {Kind::kBoolean}, .negated = negated};
  node.children = {std::move(operand)};
  node.values = std::move(values);
  return Finish(std::move(node));
}

NodePtr MakeInQuery(NodePtr operand, Clauses query, bool negated) {
  Node node{.op = Node::Op::kInQuery, .type = {Kind::kBoolean}, .negated = negated};
  node.children = {std::move(operand)};
  node.query = std::move(query);
  return Finish(std::move(node));
}

NodePtr MakeExists(Clauses query) {
  Node node{.op = Node::Op::kExists, .type = {Kind::kBoolean}};
  node.query = std::move(query);
  return Finish(std::move(node));
}

NodePtr MakeScalar(Clauses query, Type type) {
  Node node{.op = Node::Op::kScalar, .type = type};
  node.query = std::move(query);
  return Finish(std::move(node));
}

NodePtr MakePattern(NodePtr operand, Pattern pattern, std::string text) {
  Node node{.op = Node::Op::kPattern, .type = {Kind::kBoolean}, .pattern = pattern};
  node.children = {std::move(operand)};
  node.name = std::move(text);
  return Finish(std::move(node));
}

NodePtr MakeCall(std::string_view function, Nodes arguments, Type type, bool strict) {
  Node node{.op = Node::Op::kCall, .type = type};
  node.strict = strict;
  node.name = function;
  node.children = std::move(arguments);
  return Finish(std::move(node));
}

NodePtr MakeCoalesce(Nodes arguments, Type type) {
  Node node{.op = Node::Op::kCoalesce, .type = type};
  node.children = std::move(arguments);
  return Finish(std::move(node));
}

NodePtr MakeAggregate(std::string_view function, Nodes arguments, bool distinct, Type type) {
  Node node{.op = Node::Op::kAggregate, .type = type, .distinct = distinct};
  node.name = function;
  node.children = std::move(arguments);
  return Finish(std::move(node));
}

NodePtr MakeFiltered(const NodePtr& aggregate, NodePtr condition) {
  Node node = *aggregate;
  node.filter = node.filter == nullptr
                    ? std::move(condition)
                    : MakeList(Binary::kAnd, {node.filter, std::move(condition)});
  return Finish(std::move(node));
}

NodePtr MakeWindowFunction(std::string_view function, Nodes arguments, Type type) {
  Node node{.op = Node::Op::kWindowFunction, .type = type};
  node.name = function;
  node.children = std::move(arguments);
  return Finish(std::move(node));
}

NodePtr MakeOver(const NodePtr& function, WindowParts window) {
  Node node{.op = Node::Op::kOver, .type = function->type};
  node.children = {function};
  node.window = std::move(window);
  return Finish(std::move(node));
}

NodePtr MakeCase(Nodes branches, NodePtr otherwise, Type type) {
  Node node{.op = Node::Op::kCase, .type = type};
  node.children = std::move(branches);
  node.otherwise = std::move(otherwise);
  return Finish(std::move(node));
}

NodePtr MakeCast(NodePtr operand, Type type) {
  Node node{.op = Node::Op::kCast, .type = type};
  node.children = {std::move(operand)};
  return Finish(std::move(node));
}

NodePtr MakeJsonAt(NodePtr document, std::vector<Value> legs, Type type) {
  Node node{.op = Node::Op::kJsonAt, .type = type};
  node.children = {std::move(document)};
  node.values = std::move(legs);
  return Finish(std::move(node));
}

NodePtr MakeRaw(std::string_view text, Nodes expressions, Type type) {
  Node node{.op = Node::Op::kRaw, .type = type};
  node.name = text;
  node.children = std::move(expressions);
  return Finish(std::move(node));
}

NodePtr MakeMaybeNull(NodePtr operand) {
  Node node{.op = Node::Op::kMaybeNull, .type = operand->type};
  node.type.nullable = true;
  node.children = {std::move(operand)};
  return Finish(std::move(node));
}

NodePtr MakeNamed(NodePtr operand, std::string_view name) {
  Node node{.op = Node::Op::kNamed, .type = operand->type};
  node.children = {std::move(operand)};
  node.name = name;
  return Finish(std::move(node));
}

bool SameExpression(const Node& a, const Node& b) {
  if (&a == &b) return true;
  // A name, or a remark that it may be NULL, does not change the expression.
  if (IsRemark(a)) return SameExpression(*a.children[0], b);
  if (IsRemark(b)) return SameExpression(a, *b.children[0]);
  // Two values are two parameters, which the server does not treat as the same expression even if
  // they are equal. Windows and subqueries are the same only if they are the same object.
  if (a.op != b.op || IsValue(a) || a.op == Node::Op::kOver || a.query != b.query) return false;
  return a.binary == b.binary && a.pattern == b.pattern && a.negated == b.negated &&
         a.distinct == b.distinct && a.type.kind == b.type.kind && a.owner == b.owner &&
         a.name == b.name && a.values == b.values && SameNodes(a.children, b.children) &&
         SameOptional(a.filter, b.filter) && SameOptional(a.otherwise, b.otherwise);
}

}  // namespace penstock::sql::internal
