// The untyped tree that the builder's templates make. Programs do not use it directly; they use
// expression.h, select.h and write.h.
//
// Nodes and clauses are immutable, so that statements share them. All functions are thread-safe.
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
// A statement: points to its last clause; each clause points to the one before it.
using Clauses = std::shared_ptr<const Clause>;

// The type of an expression, to which values are cast.
struct Type {
  Kind kind = Kind::kUnspecified;
  bool nullable = false;
  // For kArray: the kind of the elements.
  Kind element = Kind::kUnspecified;
};

enum class Binary : uint8_t {
  kEqual,
  kNotEqual,
  kLess,
  kLessOrEqual,
  kGreater,
  kGreaterOrEqual,
  // IS NOT DISTINCT FROM: NULL is the same as NULL and nothing else.
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

// A bound of a window frame, in rows from the current one.
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

// A column of the table that has this alias in the statement.
NodePtr MakeColumn(std::string_view alias, std::string_view name, Type type);
// A column of the row that an upsert could not insert.
NodePtr MakeExcluded(std::string_view name, Type type);
// A bound value. If the same node is used several times, it is the same parameter each time.
NodePtr MakeLiteral(Value value, Type type);
// A value that Bind gives later.
NodePtr MakeParameter(std::string_view name, Type type);
NodePtr MakeBinary(Binary op, NodePtr left, NodePtr right, Type type);
NodePtr MakeNot(NodePtr operand);
NodePtr MakeIsNull(NodePtr operand, bool negated);
// Joins conditions by AND or OR. An empty list is true for AND, false for OR.
NodePtr MakeList(Binary and_or, Nodes conditions);
NodePtr MakeIn(NodePtr operand, std::vector<Value> values, bool negated);
NodePtr MakeInQuery(NodePtr operand, Clauses query, bool negated);
NodePtr MakeExists(Clauses query);
NodePtr MakeScalar(Clauses query, Type type);
NodePtr MakePattern(NodePtr operand, Pattern pattern, std::string text);
// Calls a function. Its name is quoted unless it consists of lower-case letters, digits and
// underscores. If `strict`, the result is NULL if an argument is; otherwise `type` says whether it
// may be NULL.
NodePtr MakeCall(std::string_view function, Nodes arguments, Type type, bool strict = false);
// Calls coalesce, whose result is NULL only if all arguments are.
NodePtr MakeCoalesce(Nodes arguments, Type type);
// Calls an aggregate; without arguments it gets `*`.
NodePtr MakeAggregate(std::string_view function, Nodes arguments, bool distinct, Type type);
NodePtr MakeFiltered(const NodePtr& aggregate, NodePtr condition);
NodePtr MakeWindowFunction(std::string_view function, Nodes arguments, Type type);
NodePtr MakeOver(const NodePtr& function, WindowParts window);
// `branches` alternates conditions and values; `otherwise` is the value of ELSE, or null.
NodePtr MakeCase(Nodes branches, NodePtr otherwise, Type type);
NodePtr MakeCast(NodePtr operand, Type type);
// Each leg of the path is a key (text) or an index (integer).
NodePtr MakeJsonAt(NodePtr document, std::vector<Value> legs, Type type);
// Returns `text` with the expressions in place of each {}.
NodePtr MakeRaw(std::string_view text, Nodes expressions, Type type);
// An expression that an outer join may make NULL.
NodePtr MakeMaybeNull(NodePtr operand);
// An expression with a name for its column in the result.
NodePtr MakeNamed(NodePtr operand, std::string_view name);

enum class JoinKind : uint8_t { kInner, kLeft, kRight, kFull, kCross };
enum class SetOperation : uint8_t { kUnion, kUnionAll, kIntersect, kExcept };
enum class LockKind : uint8_t { kUpdate, kShare };
enum class LockWait : uint8_t { kWait, kSkipLocked, kNoWait };

// A table, or a query in place of one.
struct TableRef {
  std::string schema;
  std::string name;
  std::string alias;
  Clauses query;
  // The names of the query's columns.
  std::vector<std::string> columns;
};

class KeptTexts;

// Keeps the texts that a statement was rendered to, so that a statement that is run repeatedly is
// rendered once for each dialect, from its second run on. Belongs to the statement's last clause; a
// copy starts empty. Thread-safe.
class Kept {
 public:
  Kept() = default;
  Kept(const Kept&) noexcept {}
  Kept& operator=(const Kept&) = delete;
  ~Kept();

  // Returns null if there are no texts.
  KeptTexts* texts() const { return texts_.load(std::memory_order_acquire); }
  // Records a run. Returns null for the first one, because most statements are run only once.
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
  // For kSelect: which columns are expressions, whose types an outer join does not change.
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

  // Not inline, so that they are not compiled wherever a statement is made.
  explicit Clause(Kind for_kind);
  Clause(const Clause&);
  Clause(Clause&&) noexcept;
  Clause& operator=(const Clause&) = delete;
  Clause& operator=(Clause&&) = delete;
  // Releases the clauses in a loop: there may be too many for recursion.
  ~Clause();
};

// Returns the statement with one more clause.
Clauses Append(const Clauses& statement, Clause clause);
// Do the same for a clause of one part. Not inline, so that statements compile quickly.
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
// Returns a reference to `query` in place of the table `as`.
TableRef Derived(Clauses query, TableRef as, std::vector<std::string> columns);

// Returns the statement's text. INVALID_ARGUMENT (SYNTAX) if the statement is wrong in every
// dialect; UNIMPLEMENTED (UNSUPPORTED) with a hint if this dialect lacks something.
absl::StatusOr<Built> Render(const Clauses& statement, Dialect dialect);
// Renders a select with the values of its ORDER BY after its own columns, and with a limit that is
// one row higher.
absl::StatusOr<Built> RenderPage(const Clauses& statement, Dialect dialect);
// Returns the number of ORDER BY columns, and the LIMIT, of a select.
std::pair<size_t, int64_t> PageShape(const Clauses& statement);

// An INSERT of many rows: the text for one row, and the values of each.
struct ManyRows {
  std::string text;
  std::vector<std::vector<Value>> rows;
};
// Returns true for an INSERT of rows without RETURNING.
bool HasManyRows(const Clauses& statement);
absl::StatusOr<ManyRows> RenderRows(const Clauses& statement, Dialect dialect);

}  // namespace penstock::sql::internal

#endif  // PENSTOCK_SQL_TREE_H_
