// A node of the builder's tree of expressions.
#ifndef PENSTOCK_CLIENT_SQL_NODE_H_
#define PENSTOCK_CLIENT_SQL_NODE_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "penstock/sql/tree.h"

namespace penstock::sql::internal {

// The deepest tree that is accepted: rendering and destroying one are recursive, and servers have
// limits of their own (1,000 on SQLite).
inline constexpr int kMaxDepth = 500;

struct Node {
  enum class Op : uint8_t {
    kColumn,          // name of table `owner`
    kExcluded,        // name
    kLiteral,         // values[0]
    kParameter,       // name
    kBinary,          // binary, children[0] and [1]
    kNot,             // children[0]
    kIsNull,          // children[0], negated
    kList,            // binary (and, or), children
    kIn,              // children[0], values, negated
    kInQuery,         // children[0], query, negated
    kExists,          // query
    kScalar,          // query
    kPattern,         // children[0], pattern, name: the text
    kCall,            // name, children
    kCoalesce,        // children
    kAggregate,       // name, children, distinct, filter
    kWindowFunction,  // name, children
    kOver,            // children[0], window
    kCase,            // children, otherwise
    kCast,            // children[0]
    kJsonAt,          // children[0], values
    kRaw,             // name: the text, children
    kNamed,           // children[0], name
    kMaybeNull,       // children[0]
    kTooDeep,
  };

  Op op = Op::kLiteral;
  Type type = {};
  int depth = 1;
  Binary binary = Binary::kEqual;
  Pattern pattern = Pattern::kPrefix;
  bool negated = false;
  bool distinct = false;
  bool strict = false;
  std::string owner = {};
  std::string name = {};
  Nodes children = {};
  NodePtr filter = {};
  NodePtr otherwise = {};
  std::vector<Value> values = {};
  Clauses query = {};
  WindowParts window = {};
};

// True for a value whose type the server must be told or must infer.
inline bool IsValue(const Node& node) {
  return node.op == Node::Op::kLiteral || node.op == Node::Op::kParameter;
}

// True for a node that only says something about its child.
inline bool IsRemark(const Node& node) {
  return node.op == Node::Op::kNamed || node.op == Node::Op::kMaybeNull;
}

// True if both are literally the same expression.
bool SameExpression(const Node& a, const Node& b);

}  // namespace penstock::sql::internal

#endif  // PENSTOCK_CLIENT_SQL_NODE_H_
