// What the builder's templates make: one tree for all statements, without types. Programs have
// no need of it; expression.h, select.h and write.h are what they use.
//
// Nodes and clauses never change once they are made, so that statements share them. All
// functions are thread-safe.
#ifndef PENSTOCK_SQL_TREE_H_
#define PENSTOCK_SQL_TREE_H_

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "penstock/sql/dialect.h"
#include "penstock/value.h"

namespace penstock::sql::internal {

struct Node;
struct Clause;
// An expression.
using NodePtr = std::shared_ptr<const Node>;
using Nodes = std::vector<NodePtr>;
// A statement: the last of its clauses, each of which has the one before it.
using Clauses = std::shared_ptr<const Clause>;

// A type that a value is cast to.
struct Type {
  Kind kind = Kind::kUnspecified;
  bool nullable = false;
  // Of kArray: that of its elements.
  Kind element = Kind::kUnspecified;
};

enum class Binary : uint8_t {
  kEqual,
  kNotEqual,
  kLess,
  kLessOrEqual,
  kGreater,
  kGreaterOrEqual,
  // NULL is the same as NULL and as nothing else.
  kSame,
  kNotSame,
  kAnd,
  kOr,
  kAdd,
  kSubtract,
  kMultiply,
  kDivide,
  kModulo,
  kConcatenate,
};
enum class Pattern : uint8_t { kPrefix, kSuffix, kContains };

struct Ordering {
  NodePtr node;
  bool descending = false;
  bool nulls_first = false;
};

// Where a window begins or ends, in rows from the current one.
struct Bound {
  enum class Place : uint8_t {
    kUnboundedPreceding,
    kPreceding,
    kCurrentRow,
    kFollowing,
    kUnboundedFollowing
  };
  Place place = Place::kCurrentRow;
  int64_t rows = 0;
};

struct WindowParts {
  Nodes partition;
  std::vector<Ordering> order;
  bool has_frame = false;
  Bound from;
  Bound to;
};

// The column of a table that is called so in this statement.
NodePtr MakeColumn(std::string_view alias, std::string_view name, Type type);
// That of the row which an upsert could not insert.
NodePtr MakeExcluded(std::string_view name, Type type);
// A value, bound. Wherever the same node stands it is the same parameter.
NodePtr MakeLiteral(Value value, Type type);
// A value that is given later, by Bind.
NodePtr MakeParameter(std::string_view name, Type type);
NodePtr MakeBinary(Binary op, NodePtr left, NodePtr right, Type type);
NodePtr MakeNot(NodePtr operand);
NodePtr MakeIsNull(NodePtr operand, bool negated);
// All of them, or one of them; nothing is true, or false.
NodePtr MakeList(Binary and_or, Nodes conditions);
NodePtr MakeIn(NodePtr operand, std::vector<Value> values, bool negated);
NodePtr MakeInQuery(NodePtr operand, Clauses query, bool negated);
NodePtr MakeExists(Clauses query);
NodePtr MakeScalar(Clauses query, Type type);
NodePtr MakePattern(NodePtr operand, Pattern pattern, std::string text);
// A function by its name, which is quoted unless it has small letters, digits and underscores
// only. `strict`: it is NULL if an argument is; otherwise `type` says whether it may be.
NodePtr MakeCall(std::string_view function, Nodes arguments, Type type, bool strict = false);
// The same, of which NULL comes only if all arguments are.
NodePtr MakeCoalesce(Nodes arguments, Type type);
// An aggregate: no arguments are `*`.
NodePtr MakeAggregate(std::string_view function, Nodes arguments, bool distinct, Type type);
NodePtr MakeFiltered(const NodePtr& aggregate, NodePtr condition);
NodePtr MakeWindowFunction(std::string_view function, Nodes arguments, Type type);
NodePtr MakeOver(const NodePtr& function, WindowParts window);
// Conditions and values in turn, then the value of ELSE, or null for none.
NodePtr MakeCase(Nodes branches, NodePtr otherwise, Type type);
NodePtr MakeCast(NodePtr operand, Type type);
// A leg is a text, a key, or an integer, an index.
NodePtr MakeJsonAt(NodePtr document, std::vector<Value> legs, Type type);
// `text` with the expressions in place of each {}.
NodePtr MakeRaw(std::string_view text, Nodes expressions, Type type);
// An expression with the name that its column has in the result.
NodePtr MakeMaybeNull(NodePtr operand);
NodePtr MakeNamed(NodePtr operand, std::string_view name);

enum class JoinKind : uint8_t { kInner, kLeft, kRight, kFull, kCross };
enum class SetOperation : uint8_t { kUnion, kUnionAll, kIntersect, kExcept };
enum class LockKind : uint8_t { kUpdate, kShare };
enum class LockWait : uint8_t { kWait, kSkipLocked, kNoWait };

// A table, or a query in the place of one.
struct TableRef {
  std::string schema;
  std::string name;
  std::string alias;
  Clauses query;
  // The names of the query's columns.
  std::vector<std::string> columns;
};

class KeptTexts;

// The texts that a statement was written as, so that one that is run many times is written once
// for each dialect: from its second run on. A part of its last clause; a copy begins with none.
// Thread-safe.
class Kept {
 public:
  Kept() = default;
  Kept(const Kept&) noexcept {}
  Kept& operator=(const Kept&) = delete;
  ~Kept();

  // Null if there are none.
  KeptTexts* texts() const { return texts_.load(std::memory_order_acquire); }
  // Tells of a run. Null for the first one: most statements are run once.
  KeptTexts* TextsOfLaterRun() const;

 private:
  mutable std::atomic<bool> was_run_{false};
  mutable std::atomic<KeptTexts*> texts_{nullptr};
};

struct Clause {
  enum class Kind : uint8_t {
    kSelect,        // nodes: the columns
    kSetOperation,  // query, other, set_operation
    kInsert,        // table
    kUpdate,        // table
    kDelete,        // table
    kWith,          // table, recursive
    kFrom,          // table
    kJoin,          // table, join, nodes: the condition
    kWhere,         // nodes
    kGroupBy,       // nodes
    kHaving,        // nodes
    kOrderBy,       // order
    kAfter,         // values
    kLimit,         // number
    kOffset,        // number
    kDistinct,
    kLock,            // lock, wait, names: the aliases
    kSet,             // names: the column, nodes: the value
    kColumns,         // names
    kRows,            // rows
    kQuery,           // query: what is inserted
    kConflict,        // names: the columns of the key
    kUpdateExcluded,  // names: these columns become those of the row that was not inserted
    kUpdateSet,       // names, nodes
    kUpdateWhere,     // nodes
    kReturning,       // nodes
    kAll,
    kBind,  // names, values
  };
  Kind kind = Kind::kSelect;
  Nodes nodes = {};
  // Of kSelect: this column's type does not follow an outer join of its table.
  std::vector<bool> untyped = {};
  std::vector<Ordering> order = {};
  TableRef table = {};
  Clauses query = {};
  Clauses other = {};
  std::vector<std::string> names = {};
  std::vector<Value> values = {};
  std::vector<std::vector<Value>> rows = {};
  int64_t number = 0;
  JoinKind join = JoinKind::kInner;
  SetOperation set_operation = SetOperation::kUnion;
  LockKind lock = LockKind::kUpdate;
  LockWait wait = LockWait::kWait;
  bool recursive = false;
  Clauses before = {};
  Kept kept = {};

  // None of these is compiled wherever a statement is made.
  explicit Clause(Kind for_kind);
  Clause(const Clause&);
  Clause(Clause&&) noexcept;
  Clause& operator=(const Clause&) = delete;
  Clause& operator=(Clause&&) = delete;
  // A statement may have any number of clauses, so they are not taken away recursively.
  ~Clause();
};

// The statement with one clause more.
Clauses Append(const Clauses& statement, Clause clause);
// The same for clauses of one part. Not inline, so that statements are quick to compile.
Clauses AppendNode(const Clauses& statement, Clause::Kind kind, NodePtr node);
Clauses AppendNodes(const Clauses& statement, Clause::Kind kind, Nodes nodes);
Clauses AppendTable(const Clauses& statement, Clause::Kind kind, TableRef table,
                    bool recursive = false);
Clauses AppendNumber(const Clauses& statement, Clause::Kind kind, int64_t number);
Clauses AppendSelect(Nodes nodes, std::vector<bool> untyped);
Clauses AppendAssignment(const Clauses& statement, Clause::Kind kind, std::string_view column,
                         NodePtr value);
TableRef MakeTable(std::string_view schema, std::string_view name, std::string_view alias);
Clause NamesClause(Clause::Kind kind, std::vector<std::string> names);
// `on` is null for a cross join.
Clause JoinClause(JoinKind kind, TableRef table, NodePtr on);
Clause BindClause(std::string_view name, Value value);
// A query in the place of the table `as`.
TableRef Derived(Clauses query, TableRef as, std::vector<std::string> columns);

// The statement as text. INVALID_ARGUMENT (SYNTAX) for what makes no sense anywhere, UNIMPLEMENTED
// (UNSUPPORTED) with a hint for what this dialect has not.
absl::StatusOr<Built> Render(const Clauses& statement, Dialect dialect);
// A select with the values of its ORDER BY after its own columns, and one row more than its limit.
absl::StatusOr<Built> RenderPage(const Clauses& statement, Dialect dialect);
// How many columns ORDER BY has, and LIMIT, of a select.
std::pair<size_t, int64_t> PageShape(const Clauses& statement);

// An INSERT of many rows: its text for one row.
struct ManyRows {
  std::string text;
  std::vector<std::vector<Value>> rows;
};
// Whether a statement is an INSERT of rows without RETURNING.
bool HasManyRows(const Clauses& statement);
absl::StatusOr<ManyRows> RenderRows(const Clauses& statement, Dialect dialect);

}  // namespace penstock::sql::internal

#endif  // PENSTOCK_SQL_TREE_H_
