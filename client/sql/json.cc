// Renders the value at a path of a JSON document. The SQL asks for the value's type first, because
// servers differ in how they convert a value of another type.
#include <algorithm>

#include "client/sql/renderer.h"
#include "client/src/format.h"

namespace penstock::sql::internal {
namespace {

// SQLite knows no escapes in a path: it compares a key as it is written in the document.
bool IsPlainKey(std::string_view key) {
  return std::none_of(key.begin(), key.end(),
                      [](char c) { return c == '"' || c == '\\' || (c >= 0 && c < ' '); });
}

}  // namespace

void Renderer::JsonAt(const Node& node) {
  for (const Value& leg : node.values) {
    if (leg.kind() == Kind::kInteger && leg.integer() < 0) {
      Fail(penstock::internal::Format("JsonAt: the index {} is negative; it is counted from 0",
                                      leg.integer()));
    }
  }
  if (IsPostgres()) {
    JsonAtOnPostgres(node);
  } else {
    JsonAtOnSqlite(node);
  }
}

void Renderer::JsonAtOnPostgres(const Node& node) {
  const auto at = [&](std::string_view op) {
    *this << "(CAST(";
    Expression(*node.children[0]);
    *this << " AS jsonb) " << op << " CAST(";
    std::vector<Value> legs;
    for (const Value& leg : node.values) {
      legs.push_back(leg.kind() == Kind::kInteger ? Value(std::to_string(leg.integer())) : leg);
    }
    Argument(Value::Array(std::move(legs)), &node);
    *this << " AS text[]))";
  };
  if (node.type.kind == Kind::kJson) {
    at("#>");
    return;
  }
  *this << "CASE WHEN jsonb_typeof";
  at("#>");
  switch (node.type.kind) {
    case Kind::kText: *this << " = 'string' THEN "; break;
    case Kind::kBoolean: *this << " = 'boolean' THEN CAST("; break;
    case Kind::kInteger:
      *this << " = 'number' AND ";
      at("#>>");
      *this << " ~ '^-?[0-9]+$' THEN CAST(";
      break;
    default: *this << " = 'number' THEN CAST(";
  }
  at("#>>");
  if (node.type.kind != Kind::kText) {
    *this << " AS ";
    TypeName(node.type);
    *this << ")";
  }
  *this << " END";
}

void Renderer::JsonAtOnSqlite(const Node& node) {
  std::string path = "$";
  for (const Value& leg : node.values) {
    if (leg.kind() == Kind::kInteger) {
      path += penstock::internal::Format("[{}]", leg.integer());
      continue;
    }
    if (leg.kind() != Kind::kText || !IsPlainKey(leg.text())) {
      Lack("paths of JSON with keys that have quotation marks, backslashes or control characters",
           "read the document as penstock::Json and look in the program");
    } else {
      path += penstock::internal::Format(".\"{}\"", leg.text());
    }
  }
  const auto at = [&](std::string_view function) {
    *this << function << "(";
    Expression(*node.children[0]);
    *this << ", ";
    Argument(Value(path), &node);
    *this << ")";
  };
  if (node.type.kind == Kind::kJson) {
    *this << "(";
    Expression(*node.children[0]);
    *this << " -> ";
    Argument(Value(path), &node);
    *this << ")";
    return;
  }
  *this << "CASE ";
  at("json_type");
  switch (node.type.kind) {
    case Kind::kText:
      *this << " WHEN 'text' THEN ";
      at("json_extract");
      break;
    case Kind::kBoolean: *this << " WHEN 'true' THEN 1 WHEN 'false' THEN 0"; break;
    case Kind::kInteger:
      *this << " WHEN 'integer' THEN ";
      at("json_extract");
      break;
    default:
      *this << " WHEN 'real' THEN ";
      at("json_extract");
      *this << " WHEN 'integer' THEN CAST(";
      at("json_extract");
      *this << " AS REAL)";
  }
  *this << " END";
}

}  // namespace penstock::sql::internal
