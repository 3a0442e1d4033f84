// libpg_query is PostgreSQL 15's parser. It hands out its tree as a message of Protocol
// Buffers, which is walked by its descriptors: a node that is not known here is looked
// through, and none is overlooked.
//
// Parser, message and walk use the stack for each level of the tree, about 2 KiB, and two
// bytes of text can make a level ("+1"). So a text of some length is read by a thread that
// has a stack for the worst that it can be.
#include "drivers/postgres/syntax.h"

#include <pg_query.h>
#include <pg_query/pg_query.pb-c.h>
#include <pthread.h>

#include <algorithm>
#include <cstring>
#include <iterator>
#include <memory>
#include <utility>

namespace penstock::postgres {
namespace {

using Verb = Syntax::Verb;

// Any thread has stack enough for a text of so many bytes.
constexpr size_t kShortBytes = size_t{1} << 10;
constexpr size_t kStackPerByte = size_t{3} << 9;
constexpr size_t kStackAtLeast = size_t{1} << 20;

std::string Quoted(std::string_view name) {
  std::string quoted = "\"";
  for (const char c : name) {
    if (c == '"') quoted += '"';
    quoted += c;
  }
  return quoted + '"';
}

// The last of a list of names; empty: it has none.
std::string LastName(size_t count, PgQuery__Node* const* names) {
  if (count == 0) return "";
  const PgQuery__Node* last = names[count - 1];
  return last->node_case == PG_QUERY__NODE__NODE_STRING ? last->string->sval : "";
}

class Walk {
 public:
  explicit Walk(Syntax* syntax) : syntax_(*syntax) {}

  void Visit(const ProtobufCMessage* message) {
    Note(message);
    const ProtobufCMessageDescriptor& kind = *message->descriptor;
    for (unsigned i = 0; i < kind.n_fields; ++i) VisitField(message, kind.fields[i]);
  }

 private:
  void VisitField(const ProtobufCMessage* message, const ProtobufCFieldDescriptor& field) {
    if (field.type != PROTOBUF_C_TYPE_MESSAGE) return;
    const char* at = reinterpret_cast<const char*>(message);
    const auto quantifier = [&]<typename T>(T* value) {
      std::memcpy(value, at + field.quantifier_offset, sizeof(T));
    };
    const ProtobufCMessage* const* children = nullptr;
    size_t count = 1;
    if (field.label == PROTOBUF_C_LABEL_REPEATED) {
      quantifier(&count);
      std::memcpy(&children, at + field.offset, sizeof children);
    } else {
      if ((field.flags & PROTOBUF_C_FIELD_FLAG_ONEOF) != 0) {
        uint32_t chosen = 0;
        quantifier(&chosen);
        if (chosen != field.id) return;
      }
      children = reinterpret_cast<const ProtobufCMessage* const*>(at + field.offset);
      if (*children == nullptr) return;
    }
    for (size_t i = 0; i < count; ++i) Visit(children[i]);
  }

  template <typename T>
  static const T* As(const ProtobufCMessage* message, const ProtobufCMessageDescriptor& kind) {
    return message->descriptor == &kind ? reinterpret_cast<const T*>(message) : nullptr;
  }

  void Note(const ProtobufCMessage* message) {
    if (const auto* call = As<PgQuery__FuncCall>(message, pg_query__func_call__descriptor)) {
      Add(&syntax_.functions, LastName(call->n_funcname, call->funcname));
    } else if (const auto* expression =
                   As<PgQuery__AExpr>(message, pg_query__a__expr__descriptor)) {
      Add(&syntax_.operators, LastName(expression->n_name, expression->name));
    } else if (const auto* link = As<PgQuery__SubLink>(message, pg_query__sub_link__descriptor)) {
      Add(&syntax_.operators, LastName(link->n_oper_name, link->oper_name));
    } else if (const auto* sort = As<PgQuery__SortBy>(message, pg_query__sort_by__descriptor)) {
      Add(&syntax_.operators, LastName(sort->n_use_op, sort->use_op));
    } else if (const auto* type = As<PgQuery__TypeName>(message, pg_query__type_name__descriptor)) {
      Add(&syntax_.types, LastName(type->n_names, type->names));
    } else if (const auto* constant =
                   As<PgQuery__AConst>(message, pg_query__a__const__descriptor)) {
      if (constant->val_case == PG_QUERY__A__CONST__VAL_SVAL) syntax_.has_strings = true;
    } else if (const auto* table =
                   As<PgQuery__RangeVar>(message, pg_query__range_var__descriptor)) {
      NoteRelation(*table, &syntax_.relations);
    } else {
      NoteMember(message);
      NoteWrite(message);
    }
  }

  void NoteMember(const ProtobufCMessage* message) {
    if (const auto* column = As<PgQuery__ColumnRef>(message, pg_query__column_ref__descriptor)) {
      if (column->n_fields > 1) Add(&syntax_.members, LastName(column->n_fields, column->fields));
    } else if (const auto* part =
                   As<PgQuery__AIndirection>(message, pg_query__a__indirection__descriptor)) {
      for (size_t i = 1; i <= part->n_indirection; ++i) {
        Add(&syntax_.members, LastName(i, part->indirection));
      }
    }
  }

  void NoteWrite(const ProtobufCMessage* message) {
    const PgQuery__RangeVar* into = nullptr;
    if (const auto* insert = As<PgQuery__InsertStmt>(message, pg_query__insert_stmt__descriptor)) {
      into = insert->relation;
    } else if (const auto* update =
                   As<PgQuery__UpdateStmt>(message, pg_query__update_stmt__descriptor)) {
      into = update->relation;
    } else if (const auto* remove =
                   As<PgQuery__DeleteStmt>(message, pg_query__delete_stmt__descriptor)) {
      into = remove->relation;
    } else if (const auto* merge =
                   As<PgQuery__MergeStmt>(message, pg_query__merge_stmt__descriptor)) {
      into = merge->relation;
    } else if (message->descriptor == &pg_query__into_clause__descriptor) {
      syntax_.writes = true;
    }
    if (into == nullptr) return;
    syntax_.writes = true;
    NoteRelation(*into, &syntax_.written);
  }

  void NoteRelation(const PgQuery__RangeVar& table, std::set<std::string>* names) {
    const std::string_view schema = table.schemaname;
    if (schema.starts_with("pg_temp") || std::string_view(table.relpersistence) == "t") {
      syntax_.temporary = true;
    }
    names->insert(schema.empty() ? Quoted(table.relname)
                                 : Quoted(schema) + "." + Quoted(table.relname));
  }

  static void Add(std::set<std::string>* names, std::string name) {
    if (!name.empty()) names->insert(std::move(name));
  }

  Syntax& syntax_;
};

bool IsPlannable(const PgQuery__Node& statement) {
  switch (statement.node_case) {
    case PG_QUERY__NODE__NODE_SELECT_STMT:
    case PG_QUERY__NODE__NODE_INSERT_STMT:
    case PG_QUERY__NODE__NODE_UPDATE_STMT:
    case PG_QUERY__NODE__NODE_DELETE_STMT:
    case PG_QUERY__NODE__NODE_MERGE_STMT: return true;
    default: return false;
  }
}

// A statement that is not named here is taken for a definition, with which everything else is
// careful.
Verb VerbOf(const PgQuery__Node& statement) {
  switch (statement.node_case) {
    case PG_QUERY__NODE__NODE_SELECT_STMT:
      // SELECT INTO is CREATE TABLE AS by another name.
      return statement.select_stmt->into_clause == nullptr ? Verb::kSelect : Verb::kDefine;
    case PG_QUERY__NODE__NODE_INSERT_STMT:
    case PG_QUERY__NODE__NODE_UPDATE_STMT:
    case PG_QUERY__NODE__NODE_DELETE_STMT:
    case PG_QUERY__NODE__NODE_MERGE_STMT: return Verb::kWrite;
    case PG_QUERY__NODE__NODE_VARIABLE_SHOW_STMT: return Verb::kShow;
    case PG_QUERY__NODE__NODE_EXPLAIN_STMT:
      return IsPlannable(*statement.explain_stmt->query) ? Verb::kExplain : Verb::kDefine;
    case PG_QUERY__NODE__NODE_TRANSACTION_STMT: return Verb::kTransaction;
    case PG_QUERY__NODE__NODE_COPY_STMT:
      return *statement.copy_stmt->filename == '\0' ? Verb::kCopyStream : Verb::kDefine;
    case PG_QUERY__NODE__NODE_LISTEN_STMT: return Verb::kListen;
    case PG_QUERY__NODE__NODE_VARIABLE_SET_STMT:
    case PG_QUERY__NODE__NODE_PREPARE_STMT:
    case PG_QUERY__NODE__NODE_EXECUTE_STMT:
    case PG_QUERY__NODE__NODE_DEALLOCATE_STMT:
    case PG_QUERY__NODE__NODE_DISCARD_STMT:
    case PG_QUERY__NODE__NODE_DECLARE_CURSOR_STMT:
    case PG_QUERY__NODE__NODE_FETCH_STMT:
    case PG_QUERY__NODE__NODE_CLOSE_PORTAL_STMT:
    case PG_QUERY__NODE__NODE_LOCK_STMT:
    case PG_QUERY__NODE__NODE_NOTIFY_STMT:
    case PG_QUERY__NODE__NODE_UNLISTEN_STMT:
    case PG_QUERY__NODE__NODE_CONSTRAINTS_SET_STMT:
    case PG_QUERY__NODE__NODE_CHECK_POINT_STMT:
    case PG_QUERY__NODE__NODE_VACUUM_STMT: return Verb::kSession;
    case PG_QUERY__NODE__NODE_DO_STMT:
    case PG_QUERY__NODE__NODE_CALL_STMT: return Verb::kCode;
    default: return Verb::kDefine;
  }
}

// A setting that is not named here may be one by which others' texts are read.
bool KeepsMeaning(const PgQuery__Node& statement) {
  switch (statement.node_case) {
    case PG_QUERY__NODE__NODE_DECLARE_CURSOR_STMT:
    case PG_QUERY__NODE__NODE_FETCH_STMT:
    case PG_QUERY__NODE__NODE_CLOSE_PORTAL_STMT:
    case PG_QUERY__NODE__NODE_LOCK_STMT:
    case PG_QUERY__NODE__NODE_NOTIFY_STMT:
    case PG_QUERY__NODE__NODE_CONSTRAINTS_SET_STMT: return true;
    case PG_QUERY__NODE__NODE_VARIABLE_SET_STMT: {
      constexpr std::string_view kLimits[] = {"lock_timeout", "statement_timeout", "TRANSACTION"};
      return std::find(std::begin(kLimits), std::end(kLimits), statement.variable_set_stmt->name) !=
             std::end(kLimits);
    }
    default: return false;
  }
}

// The statements of which it is known; everything else, of this server or a newer one, is not
// among them.
bool ReadsBySort(const PgQuery__Node& statement) {
  switch (statement.node_case) {
    case PG_QUERY__NODE__NODE_SELECT_STMT:
    case PG_QUERY__NODE__NODE_VARIABLE_SHOW_STMT:
    case PG_QUERY__NODE__NODE_FETCH_STMT: return true;
    case PG_QUERY__NODE__NODE_EXPLAIN_STMT:
      return statement.explain_stmt->query->node_case == PG_QUERY__NODE__NODE_SELECT_STMT;
    default: return false;
  }
}

void TakeTree(const PgQuery__ParseResult& tree, Syntax* syntax) {
  if (tree.n_stmts != 1) {
    syntax->verb = tree.n_stmts == 0 ? Verb::kEmpty : Verb::kSeveral;
    return;
  }
  const PgQuery__Node& statement = *tree.stmts[0]->stmt;
  syntax->verb = VerbOf(statement);
  syntax->keeps_meaning = KeepsMeaning(statement);
  syntax->forgets_prepared = statement.node_case == PG_QUERY__NODE__NODE_DEALLOCATE_STMT ||
                             statement.node_case == PG_QUERY__NODE__NODE_DISCARD_STMT;
  Walk(syntax).Visit(&tree.base);
  syntax->only_reads = ReadsBySort(statement) && !syntax->writes;
}

// The tree's nodes are freed together.
class Arena {
 public:
  ProtobufCAllocator* allocator() { return &allocator_; }
  ~Arena() {
    while (last_ != nullptr) ::operator delete(std::exchange(last_, last_->before));
  }

 private:
  static constexpr size_t kBlock = size_t{16} << 10;
  struct alignas(std::max_align_t) Block {
    Block* before;
  };

  void* Take(size_t bytes) {
    bytes = (bytes + alignof(std::max_align_t) - 1) & ~(alignof(std::max_align_t) - 1);
    if (bytes > left_) {
      const size_t size = std::max(bytes, kBlock);
      last_ = new (::operator new(sizeof(Block) + size)) Block{last_};
      next_ = reinterpret_cast<char*>(last_ + 1);
      left_ = size;
    }
    left_ -= bytes;
    return std::exchange(next_, next_ + bytes);
  }

  ProtobufCAllocator allocator_ = {
      .alloc = [](void* self, size_t bytes) { return static_cast<Arena*>(self)->Take(bytes); },
      .free = [](void*, void*) {},
      .allocator_data = this};
  Block* last_ = nullptr;
  char* next_ = nullptr;
  size_t left_ = 0;
};

void ReadHere(const std::string& sql, Syntax* syntax) {
  const auto release = [](PgQueryProtobufParseResult* parsed) {
    pg_query_free_protobuf_parse_result(*parsed);
  };
  PgQueryProtobufParseResult parsed = pg_query_parse_protobuf(sql.c_str());
  const std::unique_ptr<PgQueryProtobufParseResult, decltype(release)> owner(&parsed, release);
  if (parsed.error != nullptr) return;
  Arena arena;
  const PgQuery__ParseResult* tree =
      pg_query__parse_result__unpack(arena.allocator(), parsed.parse_tree.len,
                                     reinterpret_cast<const uint8_t*>(parsed.parse_tree.data));
  if (tree != nullptr) TakeTree(*tree, syntax);
}

struct Errand {
  const std::string& sql;
  Syntax syntax;
};

void ReadElsewhere(const std::string& sql, Syntax* syntax) {
  Errand errand{.sql = sql, .syntax = {}};
  const auto run = [](void* self) -> void* {
    auto* own = static_cast<Errand*>(self);
    ReadHere(own->sql, &own->syntax);
    return nullptr;
  };
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, kStackAtLeast + sql.size() * kStackPerByte);
  pthread_t thread{};
  // Without a thread the text is not read.
  if (pthread_create(&thread, &attributes, run, &errand) == 0) {
    pthread_join(thread, nullptr);
    *syntax = std::move(errand.syntax);
  }
  pthread_attr_destroy(&attributes);
}

}  // namespace

Syntax ReadSyntax(std::string_view sql) {
  Syntax syntax;
  if (sql.size() > kMaxSyntaxBytes) return syntax;
  const std::string text(sql);
  text.size() <= kShortBytes ? ReadHere(text, &syntax) : ReadElsewhere(text, &syntax);
  return syntax;
}

}  // namespace penstock::postgres
