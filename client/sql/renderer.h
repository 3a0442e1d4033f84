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

// How the columns of a query are called.
using ColumnNames = std::vector<std::string>;

// One statement. Failures are kept, the first one, and looked at in the end: whoever writes goes
// on without a look at each step. Parameters have their numbers from here on.
class Renderer {
 public:
  explicit Renderer(Dialect dialect) : dialect_(dialect) {}

  // Any statement. `page`: see RenderPage.
  void Write(const Clauses& clauses, bool page = false);
  // An INSERT for one of its rows; the values after those of the row are the same for all.
  void WriteForRow(const Clauses& clauses);
  // Which of the arguments are those of parameters.
  std::vector<NamedArgument> TakeNamedArguments() { return std::move(named_); }
  // After the last one.
  absl::StatusOr<Built> Finish();

 private:
  struct InScope {
    std::string alias;
    // An outer join may have no row of it.
    bool optional = false;
  };
  using Scope = std::vector<InScope>;

  bool IsPostgres() const {
    return dialect_ == Dialect::kPostgres || dialect_ == Dialect::kCockroachDb;
  }
  bool IsSqlite() const { return !IsPostgres(); }
  // INVALID_ARGUMENT: no server would take it.
  void Fail(std::string_view message);
  // UNIMPLEMENTED: this dialect has not got it.
  void Lack(std::string_view message, std::string_view way_out);

  // In text.cc: the parts of a text.
  Renderer& operator<<(std::string_view text) {
    text_ += text;
    return *this;
  }
  void Identifier(std::string_view name);
  void Identifiers(const std::vector<std::string>& names);
  // "$1", "$2", … with the same number for the same `node`, unless it is null.
  void Argument(const Value& value, const Node* node = nullptr);
  void TypeName(const Type& type);
  // Parts one after another, with commas.
  template <typename List, typename Write>
  void Separated(const List& list, Write write) {
    bool first = true;
    for (const auto& element : list) {
      if (!first) *this << ", ";
      first = false;
      write(element);
    }
  }

  // In expressions.cc. `cast`: where a value stands whose type nothing around it tells.
  void Expression(const Node& node, bool cast = true);
  void ValueNode(const Node& node, bool cast);
  const Value& ValueOfNode(const Node& node);
  void Column(const Node& node);
  void BinaryNode(const Node& node);
  void Comparison(const Node& node);
  void NullAwareComparison(const Node& node);
  void Arithmetic(const Node& node);
  void Division(const Node& node);
  // A number as one of `kind`.
  void NumberAs(const Node& node, Kind kind);
  // One side of a comparison with `other`, or of an assignment to it.
  void Side(const Node& node, const Node& other);
  void List(const Node& node);
  void InValues(const Node& node);
  void PatternNode(const Node& node);
  void Call(const Node& node);
  void Coalesce(const Node& node);
  void Case(const Node& node);
  void Cast(const Node& node);
  void Raw(const Node& node);
  // Values of decimals that are computed are not exact on SQLite.
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
  // Every column outside aggregates is grouped.
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
  // The conditions, joined by AND, after `keyword`.
  void Conditions(std::string_view keyword, const Nodes& conditions);
  void OrderBy(const Statement& statement);
  void Direction(const Ordering& order, bool nullable);
  void OrderByPosition(const Statement& statement);
  void LimitAndOffset(const Statement& statement, bool page);
  void Lock(const Statement& statement);
  void TakeBound(const Statement& statement);
  bool Exists(const TableRef& table) const;

  // In pages.cc: only what comes after a place in the order.
  void After(const Statement& statement);
  void AfterKeys(const Statement& statement, size_t first);
  bool CheckAfter(const Statement& statement);
  // One row value can be compared with another: all keys in one direction, none of them NULL.
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
  // Nodes that the statement has not; numbers_ refers to them.
  Nodes made_;
  // The tables whose columns can be used; the innermost query's are the last.
  std::vector<Scope> scopes_;
  std::map<std::string, Value, std::less<>> bound_;
  std::map<std::string, bool, std::less<>> used_;
  // The table of an INSERT whose row could not be inserted.
  bool has_excluded_ = false;
  // How deep subqueries are in each other.
  int depth_ = 0;
  absl::Status error_;
};

}  // namespace penstock::sql::internal

#endif  // PENSTOCK_CLIENT_SQL_RENDERER_H_
