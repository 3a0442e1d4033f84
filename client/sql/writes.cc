// Renders INSERT, UPDATE and DELETE.
#include <algorithm>

#include "client/sql/renderer.h"
#include "client/src/format.h"

namespace penstock::sql::internal {

void Renderer::RefuseTwice(std::vector<std::string> names, std::string_view where) {
  std::sort(names.begin(), names.end());
  const auto twice = std::adjacent_find(names.begin(), names.end());
  if (twice != names.end())
    Fail(penstock::internal::Format("{} has a duplicate column {}", where, *twice));
}

void Renderer::AssignedValue(const Node& node) {
  // The type of a value is known from its column.
  Expression(node, /*cast=*/false);
}

void Renderer::WriteForRow(const Clauses& clauses) { Insert(Gather(clauses), /*for_row=*/true); }

void Renderer::Insert(const Statement& statement, bool for_row) {
  TakeBound(statement);
  const int sources = (statement.set.empty() ? 0 : 1) + (statement.has_rows ? 1 : 0) +
                      (statement.query == nullptr ? 0 : 1);
  if (sources > 1) Fail("INSERT supports only one of Set, Values or Rows, and From");
  if (!statement.set.empty() && !statement.columns.empty()) {
    Fail(
        "INSERT: the columns of InsertInto can be used with Values, Rows and From, but not with "
        "Set");
  }
  With(statement);
  const TableRef& table = statement.first->table;
  if (dialect_ == Dialect::kPebble) {
    ConflictOnPebble(statement);
  } else {
    *this << "INSERT INTO ";
  }
  Table(table);

  std::vector<std::string> columns = statement.columns;
  for (const auto& [name, node] : statement.set) columns.push_back(name);
  RefuseTwice(columns, "INSERT");
  if (columns.empty()) {
    if (sources != 0) Fail("INSERT of rows or of a query needs columns: name them in InsertInto");
    *this << " DEFAULT VALUES";
  } else {
    *this << " (";
    Identifiers(columns);
    *this << ")";
    if (statement.query != nullptr) {
      InsertedQuery(statement);
    } else {
      InsertedRows(statement, for_row);
    }
  }
  scopes_.push_back({{table.alias, false}});
  if (dialect_ != Dialect::kPebble) Conflict(statement);
  Returning(statement);
  scopes_.pop_back();
}

void Renderer::InsertedRows(const Statement& statement, bool for_row) {
  *this << " VALUES ";
  if (!statement.set.empty()) {
    *this << "(";
    Separated(statement.set, [this](const auto& column) { AssignedValue(*column.second); });
    *this << ")";
    return;
  }
  if (statement.rows.empty()) Fail("INSERT has no rows");
  const size_t rows = for_row ? std::min<size_t>(1, statement.rows.size()) : statement.rows.size();
  for (size_t i = 0; i < rows; ++i) {
    if (statement.rows[i]->size() != statement.columns.size()) {
      Fail("INSERT: a row must have one value for each column");
    }
    *this << (i == 0 ? "(" : ", (");
    Separated(*statement.rows[i], [this](const Value& value) { Argument(value); });
    *this << ")";
  }
}

void Renderer::InsertedQuery(const Statement& statement) {
  *this << " ";
  const Statement query = Gather(statement.query);
  const bool ends_in_where = query.first->kind == Clause::Kind::kSelect && !query.where.empty();
  // Without a WHERE, SQLite would parse ON CONFLICT as the ON of a join.
  if (dialect_ != Dialect::kSqlite || statement.conflict == nullptr || ends_in_where) {
    Query(statement.query, {});
    return;
  }
  *this << "SELECT * FROM (";
  Query(statement.query, {});
  *this << ") AS \"inserted\" WHERE true";
}

void Renderer::Conflict(const Statement& statement) {
  if (statement.conflict == nullptr) return;
  const std::vector<std::string>& key = statement.conflict->names;
  const bool updates = !statement.update_excluded.empty() || !statement.update_set.empty();
  *this << " ON CONFLICT";
  if (!key.empty()) {
    *this << " (";
    Identifiers(key);
    *this << ")";
  }
  if (!updates) {
    if (!statement.update_where.empty()) Fail("UpdateWhere needs Update or UpdateTo");
    *this << " DO NOTHING";
    return;
  }
  if (key.empty()) Fail("OnConflict must name the key if an update follows");
  std::vector<std::string> updated = statement.update_excluded;
  for (const auto& [name, node] : statement.update_set) updated.push_back(name);
  RefuseTwice(updated, "the update of an upsert");
  *this << " DO UPDATE SET ";
  Separated(statement.update_excluded, [this](const std::string& name) {
    Identifier(name);
    *this << " = excluded.";
    Identifier(name);
  });
  if (!statement.update_excluded.empty() && !statement.update_set.empty()) *this << ", ";
  has_excluded_ = true;
  Assignments(statement.update_set);
  Conditions(" WHERE ", statement.update_where);
  has_excluded_ = false;
}

// Pebble's tables have only a key and a value, so replacing a row is the same as updating its
// value.
void Renderer::ConflictOnPebble(const Statement& statement) {
  if (statement.conflict == nullptr) {
    *this << "INSERT INTO ";
    return;
  }
  const std::vector<std::string>& key = statement.conflict->names;
  if (!key.empty() && key != std::vector<std::string>{"key"})
    Fail("the key column of pebble is \"key\"");
  if (!statement.update_set.empty() || !statement.update_where.empty()) {
    Lack("upsert that computes", "read and write in a transaction");
  }
  if (statement.update_excluded.empty()) {
    *this << "INSERT OR IGNORE INTO ";
    return;
  }
  if (statement.update_excluded != std::vector<std::string>{"value"}) {
    Fail("an upsert on pebble can only update the column \"value\"");
  }
  *this << "INSERT OR REPLACE INTO ";
}

void Renderer::Assignments(const std::vector<std::pair<std::string, NodePtr>>& set) {
  Separated(set, [this](const auto& column) {
    Identifier(column.first);
    *this << " = ";
    AssignedValue(*column.second);
  });
}

void Renderer::Update(const Statement& statement) {
  TakeBound(statement);
  With(statement);
  scopes_.emplace_back();
  Enter(statement.first->table, false);
  for (const TableRef* table : statement.from) Enter(*table, false);
  std::vector<std::string> names;
  for (const auto& [name, node] : statement.set) names.push_back(name);
  if (names.empty()) Fail("UPDATE has no Set");
  RefuseTwice(names, "UPDATE");
  *this << "UPDATE ";
  Table(statement.first->table);
  *this << " SET ";
  Assignments(statement.set);
  if (!statement.from.empty()) {
    *this << " FROM ";
    Separated(statement.from, [this](const TableRef* table) { Table(*table); });
  }
  WhereOrAll(statement, "UPDATE");
  if (IsSqlite()) scopes_.back().resize(1);
  Returning(statement);
  scopes_.pop_back();
}

void Renderer::Delete(const Statement& statement) {
  TakeBound(statement);
  With(statement);
  scopes_.emplace_back();
  Enter(statement.first->table, false);
  *this << "DELETE FROM ";
  Table(statement.first->table);
  WhereOrAll(statement, "DELETE");
  Returning(statement);
  scopes_.pop_back();
}

void Renderer::WhereOrAll(const Statement& statement, std::string_view verb) {
  if (statement.where.empty() && !statement.all) {
    Fail(penstock::internal::Format(
        "{} without Where changes every row; call All() if that is intended", verb));
  }
  if (!statement.where.empty() && statement.all) {
    Fail(penstock::internal::Format("{} has both Where and All(); use one of them", verb));
  }
  Conditions(" WHERE ", statement.where);
}

void Renderer::Returning(const Statement& statement) {
  if (statement.returning.empty()) return;
  if (dialect_ == Dialect::kPebble) Lack("RETURNING", "read the rows in the same transaction");
  *this << " RETURNING ";
  Separated(statement.returning, [this](const NodePtr& node) {
    Expression(*node);
    if (node->op == Node::Op::kNamed) {
      *this << " AS ";
      Identifier(node->name);
    }
  });
}

bool HasManyRows(const Clauses& clauses) {
  const Statement statement = Gather(clauses);
  return statement.first->kind == Clause::Kind::kInsert && statement.has_rows &&
         statement.returning.empty();
}

absl::StatusOr<ManyRows> RenderRows(const Clauses& clauses, Dialect dialect) {
  const Statement statement = Gather(clauses);
  ManyRows many;
  Renderer renderer(dialect);
  if (statement.rows.empty()) return many;
  renderer.WriteForRow(clauses);
  absl::StatusOr<Built> built = renderer.Finish();
  if (!built.ok()) return built.status();
  many.text = std::move(built->text);
  const size_t width = statement.columns.size();
  many.rows.reserve(statement.rows.size());
  for (const std::vector<Value>* row : statement.rows) {
    if (row->size() != width) {
      return absl::InvalidArgumentError("INSERT: a row must have one value for each column");
    }
    std::vector<Value>& values = many.rows.emplace_back(*row);
    // The values in the update of an upsert are the same for every row.
    values.insert(values.end(), built->args.begin() + static_cast<std::ptrdiff_t>(width),
                  built->args.end());
  }
  return many;
}

}  // namespace penstock::sql::internal
