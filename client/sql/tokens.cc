// Writes the smallest parts of a statement: identifiers, parameters and names of types. It also
// records failures, and finishes the statement.
#include <algorithm>

#include "client/sql/renderer.h"
#include "client/src/format.h"
#include "client/src/refusal.h"

namespace penstock::sql::internal {
namespace {

// PostgreSQL truncates longer identifiers, and so might take two names for the same one.
constexpr size_t kMaxIdentifierBytes = 63;
// SQLite's limit, which is lower than PostgreSQL's and the protocol's.
constexpr size_t kMaxParameters = 32'766;

std::string_view PostgresName(Kind kind) {
  switch (kind) {
    case Kind::kBoolean: return "boolean";
    case Kind::kInteger: return "bigint";
    case Kind::kReal: return "double precision";
    case Kind::kText: return "text";
    case Kind::kBlob: return "bytea";
    case Kind::kDecimal: return "numeric";
    case Kind::kTimestamp: return "timestamp with time zone";
    case Kind::kDate: return "date";
    case Kind::kTime: return "time";
    case Kind::kInterval: return "interval";
    case Kind::kUuid: return "uuid";
    case Kind::kJson: return "jsonb";
    case Kind::kArray:
    case Kind::kUnspecified: return "";
  }
  return "";
}

}  // namespace

void Renderer::Fail(std::string_view message) {
  if (error_.ok()) {
    error_ = penstock::internal::Refusal(absl::StatusCode::kInvalidArgument, message, "SYNTAX");
  }
}

void Renderer::Lack(std::string_view message, std::string_view way_out) {
  if (error_.ok()) {
    error_ = penstock::internal::Refusal(
        absl::StatusCode::kUnimplemented,
        penstock::internal::Format("{} has no {}; {}", DialectName(dialect_), message, way_out),
        "UNSUPPORTED", way_out);
  }
}

void Renderer::Identifier(std::string_view name) {
  if (name.empty()) Fail("an identifier is empty");
  if (name.find('\0') != std::string_view::npos) Fail("an identifier contains a NUL character");
  if (IsPostgres() && name.size() > kMaxIdentifierBytes) {
    Fail(penstock::internal::Format(
        "the identifier \"{}\" has more than {} bytes; use a shorter one", name,
        kMaxIdentifierBytes));
  }
  text_ += '"';
  for (const char c : name) {
    if (c == '"') text_ += '"';
    text_ += c;
  }
  text_ += '"';
}

void Renderer::Identifiers(const std::vector<std::string>& names) {
  Separated(names, [this](const std::string& name) { Identifier(name); });
}

void Renderer::Argument(const Value& value, const Node* node) {
  size_t number = 0;
  if (node != nullptr) {
    const auto [place, is_new] = numbers_.emplace(node, args_.size() + 1);
    if (is_new) args_.push_back(value);
    number = place->second;
    if (is_new && node->op == Node::Op::kParameter) named_.push_back({number - 1, node->name});
  } else {
    args_.push_back(value);
    number = args_.size();
  }
  if (args_.size() > kMaxParameters) {
    Fail(penstock::internal::Format("the statement has more than {} parameters; use several",
                                    kMaxParameters));
  }
  text_ += '$';
  text_ += std::to_string(number);
}

void Renderer::TypeName(const Type& type) {
  if (IsSqlite()) {
    *this << (type.kind == Kind::kReal ? "REAL" : type.kind == Kind::kText ? "TEXT" : "INTEGER");
  } else if (type.kind == Kind::kArray) {
    *this << PostgresName(type.element) << "[]";
  } else {
    *this << PostgresName(type.kind);
  }
}

absl::StatusOr<Built> Renderer::Finish() {
  for (const auto& [name, value] : bound_) {
    if (used_.contains(name)) continue;
    Fail(penstock::internal::Format("Bind: the statement has no parameter \"{}\"", name));
  }
  if (!error_.ok()) return error_;
  return Built{std::move(text_), std::move(args_)};
}

}  // namespace penstock::sql::internal
