// Writes a statement in a dialect.
#ifndef PENSTOCK_CLIENT_SQL_RENDERER_H_
#define PENSTOCK_CLIENT_SQL_RENDERER_H_

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "client/sql/kept.h"
#include "client/sql/node.h"
#include "client/sql/statement.h"
#include "penstock/sql/tree.h"

namespace penstock::sql::internal {

// The names of a query's columns.
using ColumnNames = std::vector<std::string>;

// Renders one statement. The first failure is remembered and reported by Finish, so that the
// writing functions need not check each step. Parameters are numbered in the order in which they
// are written.
class Renderer {
 public:
  explicit Renderer(Dialect dialect) : dialect_(dialect) {}

  // Writes any statement; `page` is explained at RenderPage.
  void Write(const Clauses& clauses, bool page = false);
  // Writes an INSERT for one of its rows. The arguments after those of the row are the same for all
  // rows.
  void WriteForRow(const Clauses& clauses);
  // Returns which arguments belong to named parameters.
  std::vector<NamedArgument> TakeNamedArguments() { return std::move(named_); }
  // Returns the text, or the first failure. Call it last.
  absl::StatusOr<Built> Finish();

 private:
  struct InScope {
    std::string alias;
    // True if an outer join may have no row of it.
    bool optional = false;
  };
  using Scope = std::vector<InScope>;

  bool IsPostgres() const {
    return dialect_ == Dialect::kPostgres || dialect_ == Dialect::kCockroachDb;
  }
  bool IsSqlite() const { return !IsPostgres(); }
  // Records INVALID_ARGUMENT: no server would accept the statement.
  void Fail(std::string_view message);
  // Records UNIMPLEMENTED: this dialect lacks something.
  void Lack(std::string_view message, std::string_view way_out);

  // In tokens.cc: identifiers, parameters and names of types.
  Renderer& operator<<(std::string_view text) {
    text_ += text;
    return *this;
  }
  void Identifier(std::string_view name);
  void Identifiers(const std::vector<std::string>& names);
  // Writes "$1", "$2", …; the same node gets the same number each time, a null `node` a new one.
  void Argument(const Value& value, const Node* node = nullptr);
  void TypeName(const Type& type);
  // Writes the elements of a list, separated by commas.
  template <typename List, typename Write>
  void Separated(const List& list, Write write) {
    bool first = true;
    for (const auto& element : list) {
      if (!first) *this << ", ";
      first = false;
      write(element);
    }
  }

  // In expressions.cc. `cast` is true where nothing around a value tells its type.
  void Expression(const Node& node, bool cast = true);
  void ValueNode(const Node& node, bool cast);
  const Value& ValueOfNode(const Node& node);
  void Column(const Node& node);
  void BinaryNode(const Node& node);
  void Comparison(const Node& node);
  void NullAwareComparison(const Node& node);
  void Arithmetic(const Node& node);
  void Division(const Node& node);
  // Writes a number, converted to `kind`.
  void NumberAs(const Node& node, Kind kind);
  // Writes one side of a comparison with `other`, or of an assignment to it.
  void Side(const Node& node, const Node& other);
  void List(const Node& node);
  void InValues(const Node& node);
  void PatternNode(const Node& node);
  void Call(const Node& node);
  void Coalesce(const Node& node);
  void Case(const Node& node);
  void Cast(const Node& node);
  void Raw(const Node& node);
  // Refuses computations with decimals on SQLite, where they are not exact.
  void RefuseDecimals(const Node& node);
  bool MayBeNull(const Node& node) const;

  // In json.cc.
  void JsonAt(const Node& node);
  void JsonAtOnPostgres(const Node& node);
  void JsonAtOnSqlite(const Node& node);

  // In aggregates.cc.
  void AggregateNode(const Node& node, const WindowParts* window);
  void Over(const Node& node);
  void WindowDefinition(const WindowParts& window);
  void BoundText(const Bound& bound);
  // Checks that every column outside of aggregates is grouped.
  void CheckGrouping(const Statement& statement);
  void CheckGrouped(const Node& node, const Nodes& groups);

  // In queries.cc.
  void Query(const Clauses& clauses, const ColumnNames& names, bool page = false);
  void Select(const Statement& statement, const ColumnNames& names, bool page);
  void SetOperationNode(const Statement& statement, const ColumnNames& names);
  void Operand(const Clauses& clauses, const ColumnNames& names);
  void With(const Statement& statement);
  void Tables(const Statement& statement);
  void Table(const TableRef& table);
  void Enter(const TableRef& table, bool optional);
  void Items(const Statement& statement, const ColumnNames& names, bool page);
  void Where(const Statement& statement);
  // Writes the conditions, joined by AND, after `keyword`.
  void Conditions(std::string_view keyword, const Nodes& conditions);
  void OrderBy(const Statement& statement);
  void Direction(const Ordering& order, bool nullable);
  void OrderByPosition(const Statement& statement);
  void LimitAndOffset(const Statement& statement, bool page);
  void Lock(const Statement& statement);
  void TakeBound(const Statement& statement);
  bool Exists(const TableRef& table) const;

  // In pages.cc: the condition that selects only the rows after a cursor.
  void After(const Statement& statement);
  void AfterKeys(const Statement& statement, size_t first);
  bool CheckAfter(const Statement& statement);
  // True if row values can be compared: all keys are sorted in one direction and are never NULL.
  bool IsRowComparison(const Statement& statement) const;

  // In writes.cc.
  void Insert(const Statement& statement, bool for_row);
  void InsertedRows(const Statement& statement, bool for_row);
  void InsertedQuery(const Statement& statement);
  void Conflict(const Statement& statement);
  void ConflictOnPebble(const Statement& statement);
  void Update(const Statement& statement);
  void Delete(const Statement& statement);
  void Assignments(const std::vector<std::pair<std::string, NodePtr>>& set);
  void AssignedValue(const Node& node);
  void WhereOrAll(const Statement& statement, std::string_view verb);
  void Returning(const Statement& statement);
  void RefuseTwice(std::vector<std::string> names, std::string_view where);

  const Dialect dialect_;
  std::string text_;
  std::vector<Value> args_;
  std::vector<NamedArgument> named_;
  std::unordered_map<const Node*, size_t> numbers_;
  // Nodes that are not part of the statement; kept alive because numbers_ refers to them.
  Nodes made_;
  // The tables whose columns can be used; those of the innermost query are the last.
  std::vector<Scope> scopes_;
  std::map<std::string, Value, std::less<>> bound_;
  std::map<std::string, bool, std::less<>> used_;
  // True where EXCLUDED may be used: in the conflict clause of an INSERT.
  bool has_excluded_ = false;
  // The nesting depth of subqueries.
  int depth_ = 0;
  absl::Status error_;
};

}  // namespace penstock::sql::internal

#endif  // PENSTOCK_CLIENT_SQL_RENDERER_H_
