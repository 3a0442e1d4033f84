// Reads the text of a statement as PostgreSQL's own parser does.
#ifndef PENSTOCK_DRIVERS_POSTGRES_SYNTAX_H_
#define PENSTOCK_DRIVERS_POSTGRES_SYNTAX_H_

#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>

namespace penstock::postgres {

// Names are as the server compares them: unquoted ones in lower case, without quotes.
struct Syntax {
  enum class Verb : uint8_t {
    // The parser cannot read it: CockroachDB's own syntax, a newer server's, an error, or
    // too long a text. Nothing may be assumed of it.
    kUnknown,
    // Nothing but white space, comments and semicolons.
    kEmpty,
    kSeveral,
    // SELECT, VALUES, TABLE.
    kSelect,
    // INSERT, UPDATE, DELETE, MERGE.
    kWrite,
    kShow,
    // EXPLAIN of one of those before.
    kExplain,
    // BEGIN, COMMIT, SAVEPOINT, PREPARE TRANSACTION, …
    kTransaction,
    // COPY from or to the client.
    kCopyStream,
    kListen,
    // Statements that work on the session alone: SET, RESET, PREPARE, FETCH, LOCK, …
    kSession,
    // Code of which the text says nothing: DO and CALL.
    kCode,
    // Anything else. It may change the definition of tables and types.
    kDefine,
  };
  Verb verb = Verb::kUnknown;

  // It has an INSERT, UPDATE, DELETE or MERGE, or makes a table (SELECT INTO).
  bool writes = false;
  // By the sort of statement that it is, it changes nothing: SELECT, VALUES and TABLE, if `writes`
  // is false, EXPLAIN of these, SHOW, and FETCH. What it calls may.
  bool only_reads = false;
  // It has string constants, of which the server makes values when it parses the text.
  bool has_strings = false;
  // It makes a temporary table, or names the schema of them.
  bool temporary = false;
  // It leaves what other texts mean in the session as it is: LOCK, FETCH, a limit of time.
  bool keeps_meaning = false;
  // kUnknown: of some other grammar it is known that it changes no definition.
  bool keeps_schema = false;
  // DEALLOCATE and DISCARD: what the server has prepared may be gone.
  bool forgets_prepared = false;

  // Functions that it calls, without their schemas.
  std::set<std::string> functions;
  // Names after a point, which may be a column's or call a function: "u.name".
  std::set<std::string> members;
  std::set<std::string> operators;
  std::set<std::string> types;
  // Tables and views, quoted and with their schemas if they are named, as to_regclass
  // wants them; names of WITH are among them.
  std::set<std::string> relations;
  // Those of them that are written into.
  std::set<std::string> written;

  // The server keeps a plan of it, which is worth having it prepared.
  bool plannable() const { return verb == Verb::kSelect || verb == Verb::kWrite; }
};

// Longer texts are not read; the price of a careful run is small beside theirs.
inline constexpr size_t kMaxSyntaxBytes = size_t{64} << 10;

// Thread-safe. The text has no NUL. Takes some 100 µs for a small one.
Syntax ReadSyntax(std::string_view sql);

}  // namespace penstock::postgres

#endif  // PENSTOCK_DRIVERS_POSTGRES_SYNTAX_H_
