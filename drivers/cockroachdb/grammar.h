// CockroachDB's own grammar, as far as it goes beyond PostgreSQL's.
#ifndef PENSTOCK_DRIVERS_COCKROACHDB_GRAMMAR_H_
#define PENSTOCK_DRIVERS_COCKROACHDB_GRAMMAR_H_

#include <string_view>

#include "drivers/postgres/syntax.h"

namespace penstock::cockroachdb {

// Reads a text that PostgreSQL's parser has refused. The constructs that CockroachDB's
// documents (v23.1 to v25.4) add to statements on rows are replaced by what they are like in
// PostgreSQL's language, or left out where they neither name nor change anything:
//
//   UPSERT INTO …                  as INSERT INTO …
//   t@index, t@{FORCE_INDEX=…}     t
//   AS OF SYSTEM TIME …            left out; the function in it is one that is called
//   RETURNING NOTHING              left out
//   x:::T                          x::T
//   EXPLAIN ANALYZE (DEBUG) …      EXPLAIN ANALYZE …
//   [SHOW …] as a table            a table
//   SHOW …                         it reads, and calls nothing
//   BEGIN …, COMMIT …              Verb::kTransaction, whatever follows
//
// If a text cannot be read even so, `keeps_schema` is set if its first word is that of a
// statement that has no way to change a definition; everything else is as unknown as before.
// Thread-safe. The text has no NUL.
postgres::Syntax ReadGrammar(std::string_view sql);

}  // namespace penstock::cockroachdb

#endif  // PENSTOCK_DRIVERS_COCKROACHDB_GRAMMAR_H_
