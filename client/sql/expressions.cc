// Renders expressions. What the dialects write differently is decided here, node by node, so that
// an expression means the same on each of them.
#include <algorithm>
#include <bit>

#include "client/sql/renderer.h"
#include "client/src/format.h"

namespace penstock::sql::internal {
namespace {

std::string_view Symbol(Binary op) {
  switch (op) {
    case Binary::kEqual:
    case Binary::kSame: return " = ";
    case Binary::kNotEqual:
    case Binary::kNotSame: return " <> ";
    case Binary::kLess: return " < ";
    case Binary::kLessOrEqual: return " <= ";
    case Binary::kGreater: return " > ";
    case Binary::kGreaterOrEqual: return " >= ";
    case Binary::kAnd: return " AND ";
    case Binary::kOr: return " OR ";
    case Binary::kAdd: return " + ";
    case Binary::kSubtract: return " - ";
    case Binary::kMultiply: return " * ";
    case Binary::kDivide: return " / ";
    case Binary::kModulo: return " % ";
    case Binary::kConcatenate: return " || ";
  }
  return "";
}

// Escape the characters that have a meaning in GLOB or LIKE patterns.
std::string EscapeGlob(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    if (c == '*' || c == '?' || c == '[') {
      escaped += {'[', c, ']'};
    } else {
      escaped += c;
    }
  }
  return escaped;
}
std::string EscapeLike(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    if (c == '\\' || c == '%' || c == '_') escaped += '\\';
    escaped += c;
  }
  return escaped;
}

bool IsPlainName(std::string_view name) {
  return !name.empty() && !(name[0] >= '0' && name[0] <= '9') &&
         std::all_of(name.begin(), name.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
         });
}

// True for kinds that have columns of several widths. A value next to such a column must be cast:
// otherwise the server gives it the column's width, and refuses a value that is out of range
// instead of comparing it.
bool HasWidths(Kind kind) { return kind == Kind::kInteger || kind == Kind::kReal; }

}  // namespace

void Renderer::Expression(const Node& node, bool cast) {
  switch (node.op) {
    case Node::Op::kColumn: Column(node); break;
    case Node::Op::kExcluded:
      if (!has_excluded_) Fail("Excluded can only be used in the update of an upsert");
      *this << "excluded.";
      Identifier(node.name);
      break;
    case Node::Op::kLiteral:
    case Node::Op::kParameter: ValueNode(node, cast); break;
    case Node::Op::kBinary: BinaryNode(node); break;
    case Node::Op::kNot:
      *this << "(NOT ";
      Expression(*node.children[0]);
      *this << ")";
      break;
    case Node::Op::kIsNull:
      *this << "(";
      Expression(*node.children[0]);
      *this << (node.negated ? " IS NOT NULL)" : " IS NULL)");
      break;
    case Node::Op::kList: List(node); break;
    case Node::Op::kIn: InValues(node); break;
    case Node::Op::kInQuery:
      *this << "(";
      Expression(*node.children[0]);
      *this << (node.negated ? " NOT IN (" : " IN (");
      Query(node.query, {});
      *this << "))";
      break;
    case Node::Op::kExists:
      *this << "EXISTS (";
      Query(node.query, {});
      *this << ")";
      break;
    case Node::Op::kScalar:
      *this << "(";
      Query(node.query, {});
      *this << ")";
      break;
    case Node::Op::kPattern: PatternNode(node); break;
    case Node::Op::kCall: Call(node); break;
    case Node::Op::kCoalesce: Coalesce(node); break;
    case Node::Op::kAggregate: AggregateNode(node, nullptr); break;
    case Node::Op::kWindowFunction: Fail("a window function needs Over"); break;
    case Node::Op::kOver: Over(node); break;
    case Node::Op::kCase: Case(node); break;
    case Node::Op::kCast: Cast(node); break;
    case Node::Op::kJsonAt: JsonAt(node); break;
    case Node::Op::kRaw: Raw(node); break;
    case Node::Op::kNamed:
    case Node::Op::kMaybeNull: Expression(*node.children[0], cast); break;
    case Node::Op::kTooDeep:
      Fail(penstock::internal::Format(
          "an expression is more than {} operators deep; use AllOf, AnyOf or In", kMaxDepth));
      break;
  }
}

const Value& Renderer::ValueOfNode(const Node& node) {
  static const Value null;
  if (node.op == Node::Op::kLiteral) return node.values[0];
  const auto place = bound_.find(node.name);
  if (place == bound_.end()) {
    Fail(penstock::internal::Format("the parameter \"{}\" has no value; call Bind<\"{}\">(…)",
                                    node.name, node.name));
    return null;
  }
  used_[node.name] = true;
  const Value& value = place->second;
  const bool number = value.kind() == Kind::kInteger && HasWidths(node.type.kind);
  if (!value.is_null() && value.kind() != node.type.kind && !number && value.status().ok()) {
    Fail(penstock::internal::Format(
        "Bind: the parameter \"{}\" is of the kind {}, but its value is of the kind {}", node.name,
        KindName(node.type.kind), KindName(value.kind())));
  }
  if (value.is_null() && value.status().ok() && !node.type.nullable) {
    Fail(penstock::internal::Format(
        "Bind: the parameter \"{}\" is NULL, but its type is not std::optional", node.name));
  }
  return value;
}

void Renderer::ValueNode(const Node& node, bool cast) {
  const Value& value = ValueOfNode(node);
  if (node.type.kind == Kind::kUnspecified) {
    *this << "NULL";
  } else if (cast && IsPostgres()) {
    *this << "CAST(";
    Argument(value, &node);
    *this << " AS ";
    TypeName(node.type);
    *this << ")";
  } else {
    Argument(value, &node);
  }
}

void Renderer::Column(const Node& node) {
  const bool known = std::any_of(scopes_.begin(), scopes_.end(), [&](const Scope& scope) {
    return std::any_of(scope.begin(), scope.end(),
                       [&](const InScope& table) { return table.alias == node.owner; });
  });
  if (!known) {
    Fail(penstock::internal::Format("column {}.{}: its table is not in FROM or JOIN", node.owner,
                                    node.name));
  }
  Identifier(node.owner);
  *this << ".";
  Identifier(node.name);
}

void Renderer::BinaryNode(const Node& node) {
  switch (node.binary) {
    case Binary::kEqual:
    case Binary::kNotEqual:
    case Binary::kLess:
    case Binary::kLessOrEqual:
    case Binary::kGreater:
    case Binary::kGreaterOrEqual: Comparison(node); break;
    case Binary::kSame:
    case Binary::kNotSame: NullAwareComparison(node); break;
    case Binary::kAnd:
    case Binary::kOr:
    case Binary::kConcatenate:
      *this << "(";
      Expression(*node.children[0]);
      *this << Symbol(node.binary);
      Expression(*node.children[1]);
      *this << ")";
      break;
    case Binary::kDivide:
    case Binary::kModulo: Division(node); break;
    default: Arithmetic(node);
  }
}

void Renderer::Side(const Node& node, const Node& other) {
  const bool told =
      !IsValue(other) && node.type.kind == other.type.kind && !HasWidths(node.type.kind);
  Expression(node, !told);
}

void Renderer::Comparison(const Node& node) {
  *this << "(";
  Side(*node.children[0], *node.children[1]);
  *this << Symbol(node.binary);
  Side(*node.children[1], *node.children[0]);
  *this << ")";
}

void Renderer::NullAwareComparison(const Node& node) {
  const Node* left = node.children[0].get();
  const Node* right = node.children[1].get();
  const bool same = node.binary == Binary::kSame;
  if (IsValue(*left)) std::swap(left, right);
  *this << "(";
  if (IsValue(*right) && ValueOfNode(*right).is_null() && ValueOfNode(*right).status().ok()) {
    Expression(*left);
    *this << (same ? " IS NULL" : " IS NOT NULL");
  } else if (IsValue(*right) && same) {
    Side(*left, *right);
    *this << " = ";
    Side(*right, *left);
  } else {
    Side(*left, *right);
    if (IsPostgres()) {
      *this << (same ? " IS NOT DISTINCT FROM " : " IS DISTINCT FROM ");
    } else {
      *this << (same ? " IS " : " IS NOT ");
    }
    Side(*right, *left);
  }
  *this << ")";
}

void Renderer::RefuseDecimals(const Node& node) {
  if (IsSqlite() && node.type.kind == Kind::kDecimal) {
    Lack("arithmetic on decimals, which it would round",
         "compute in the program, or store integers of the smallest unit");
  }
}

void Renderer::NumberAs(const Node& node, Kind kind) {
  RefuseDecimals(node);
  if (IsSqlite() || node.type.kind == kind) {
    Expression(node);
    return;
  }
  *this << "CAST(";
  Expression(node);
  *this << " AS ";
  TypeName({kind});
  *this << ")";
}

void Renderer::Arithmetic(const Node& node) {
  *this << "(";
  NumberAs(*node.children[0], node.type.kind);
  *this << Symbol(node.binary);
  NumberAs(*node.children[1], node.type.kind);
  *this << ")";
}

// A division by zero is NULL on SQLite; NULLIF makes it NULL elsewhere. CockroachDB's `/` of
// integers yields a decimal, so div() is used there.
void Renderer::Division(const Node& node) {
  const bool whole = node.type.kind == Kind::kInteger && node.binary == Binary::kDivide;
  const bool by_function = whole && dialect_ == Dialect::kCockroachDb;
  const Kind kind = by_function ? Kind::kDecimal : node.type.kind;
  *this << (by_function ? "CAST(div(" : "(");
  NumberAs(*node.children[0], kind);
  *this << (by_function ? std::string_view(", ") : Symbol(node.binary));
  if (IsPostgres()) *this << "NULLIF(";
  NumberAs(*node.children[1], kind);
  if (IsPostgres()) *this << ", 0)";
  *this << (by_function ? ") AS bigint)" : ")");
}

void Renderer::List(const Node& node) {
  if (node.children.empty()) {
    *this << (node.binary == Binary::kAnd ? "(1 = 1)" : "(1 = 0)");
    return;
  }
  *this << "(";
  bool first = true;
  for (const NodePtr& child : node.children) {
    if (!first) *this << Symbol(node.binary);
    first = false;
    Expression(*child);
  }
  *this << ")";
}

void Renderer::InValues(const Node& node) {
  if (node.values.empty()) {
    *this << (node.negated ? "(1 = 1)" : "(1 = 0)");
    return;
  }
  const Kind kind = node.values[0].kind();
  *this << "(";
  Expression(*node.children[0]);
  if (IsPostgres()) {
    *this << (node.negated ? " <> ALL(" : " = ANY(");
    const bool cast = HasWidths(kind) || kind != node.children[0]->type.kind;
    if (cast) *this << "CAST(";
    Argument(Value::Array(node.values), &node);
    if (cast) {
      *this << " AS ";
      TypeName({Kind::kArray, false, kind});
      *this << ")";
    }
    *this << "))";
    return;
  }
  *this << (node.negated ? " NOT IN (" : " IN (");
  const size_t places = std::bit_ceil(node.values.size());
  for (size_t i = 0; i < places; ++i) {
    if (i != 0) *this << ", ";
    Argument(node.values[std::min(i, node.values.size() - 1)]);
  }
  *this << "))";
}

void Renderer::PatternNode(const Node& node) {
  const std::string text = IsPostgres() ? EscapeLike(node.name) : EscapeGlob(node.name);
  const std::string any = IsPostgres() ? "%" : "*";
  const std::string before = node.pattern == Pattern::kPrefix ? "" : any;
  const std::string behind = node.pattern == Pattern::kSuffix ? "" : any;
  *this << "(";
  Expression(*node.children[0]);
  *this << (IsPostgres() ? " LIKE " : " GLOB ");
  Argument(Value(before + text + behind), &node);
  *this << ")";
}

void Renderer::Call(const Node& node) {
  if (node.name == "abs") RefuseDecimals(node);
  if (IsPlainName(node.name)) {
    *this << node.name;
  } else {
    Identifier(node.name);
  }
  *this << "(";
  Separated(node.children, [this](const NodePtr& child) { Expression(*child); });
  *this << ")";
}

void Renderer::Coalesce(const Node& node) {
  if (node.children.size() == 1) {
    Expression(*node.children[0]);
    return;
  }
  *this << "coalesce(";
  Separated(node.children, [&](const NodePtr& child) { Side(*child, *node.children[0]); });
  *this << ")";
}

void Renderer::Case(const Node& node) {
  *this << "CASE";
  for (size_t i = 0; i + 1 < node.children.size(); i += 2) {
    *this << " WHEN ";
    Expression(*node.children[i]);
    *this << " THEN ";
    Expression(*node.children[i + 1]);
  }
  if (node.otherwise != nullptr) {
    *this << " ELSE ";
    Expression(*node.otherwise);
  }
  *this << " END";
}

void Renderer::Cast(const Node& node) {
  const Node& operand = *node.children[0];
  const Kind from = operand.type.kind;
  const Kind to = node.type.kind;
  const bool same = from == to && to != Kind::kArray;
  const bool of_boolean = from == Kind::kBoolean && to == Kind::kInteger;
  const bool exact_on_sqlite =
      same || of_boolean || (from == Kind::kInteger && (to == Kind::kReal || to == Kind::kText));
  if (IsSqlite() && !exact_on_sqlite) {
    Lack(penstock::internal::Format("cast from {} to {} that fails for unsuitable values",
                                    KindName(from), KindName(to)),
         "convert in the program, or use sql::Raw");
  }
  if (IsSqlite() && same) {
    Expression(operand);
    return;
  }
  *this << "CAST(";
  // PostgreSQL casts booleans to 32-bit integers only.
  const bool by_integer = of_boolean && IsPostgres();
  if (by_integer) *this << "CAST(";
  Expression(operand);
  if (by_integer) *this << " AS integer)";
  *this << " AS ";
  TypeName(node.type);
  *this << ")";
}

void Renderer::Raw(const Node& node) {
  *this << "(";
  std::string_view rest = node.name;
  for (const NodePtr& child : node.children) {
    const size_t place = rest.find("{}");
    *this << rest.substr(0, place);
    Expression(*child);
    rest.remove_prefix(place + 2);
  }
  *this << rest << ")";
}

bool Renderer::MayBeNull(const Node& node) const {
  const auto may_be_null = [this](const NodePtr& child) { return MayBeNull(*child); };
  const auto any = [&] {
    return std::any_of(node.children.begin(), node.children.end(), may_be_null);
  };
  switch (node.op) {
    case Node::Op::kColumn: {
      if (node.type.nullable) return true;
      for (const Scope& scope : scopes_) {
        for (const InScope& table : scope) {
          if (table.alias == node.owner && table.optional) return true;
        }
      }
      return false;
    }
    case Node::Op::kBinary:
      if (node.binary == Binary::kSame || node.binary == Binary::kNotSame) return false;
      return node.type.nullable || any();
    case Node::Op::kNot:
    case Node::Op::kList:
    case Node::Op::kIn:
    case Node::Op::kInQuery:
    case Node::Op::kPattern:
    case Node::Op::kNamed: return any();
    case Node::Op::kCast: return node.type.nullable || any();
    case Node::Op::kCall: return node.type.nullable || (node.strict && any());
    case Node::Op::kCoalesce:
      return std::all_of(node.children.begin(), node.children.end(), may_be_null);
    case Node::Op::kCase: {
      if (node.otherwise == nullptr || MayBeNull(*node.otherwise)) return true;
      for (size_t i = 1; i < node.children.size(); i += 2) {
        if (MayBeNull(*node.children[i])) return true;
      }
      return false;
    }
    default: return node.type.nullable;
  }
}

}  // namespace penstock::sql::internal
