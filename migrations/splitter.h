// Cuts a script into its statements.
#ifndef PENSTOCK_MIGRATIONS_SPLITTER_H_
#define PENSTOCK_MIGRATIONS_SPLITTER_H_

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace penstock::migrations {

// The points in which dialects of SQL disagree about the ends of statements.
struct Syntax {
  // /* … /* … */ … */ is one comment.
  bool nested_comments = false;
  // A carriage return alone ends a -- comment, too.
  bool return_ends_comments = false;
  // $$ … $$, $tag$ … $tag$ and E'…\'…'.
  bool dollar_quotes = false;
  // [name] and `name` are quoted names.
  bool bracket_names = false;
  // CREATE TRIGGER … BEGIN …; …; END; as SQLite's own function has it.
  bool trigger_bodies = false;
  // CREATE FUNCTION … BEGIN ATOMIC …; …; END; as PostgreSQL's own parser has it, or by
  // counting BEGIN, CASE and END where that cannot read it; and semicolons between
  // parentheses (CREATE RULE … DO (…; …)).
  bool atomic_bodies = false;
};

Syntax SqliteSyntax();
Syntax PostgresSyntax();

// One statement, byte for byte, without the semicolon and without comments around it.
struct SqlStatement {
  std::string text;
  // The place at which it begins in the script: the line, from 1, and the byte, from 0. A line ends
  // with \n, \r\n or \r.
  int line = 1;
  size_t offset = 0;
  // Its first words (keywords and unquoted names), in upper case, with a space between
  // them; strings, quoted names and comments are none. At most kWords. One text and not a
  // list, which would take many times the statement's own memory.
  static constexpr size_t kWords = 64;
  std::string words = {};

  // It begins with these words.
  bool StartsWith(std::initializer_list<std::string_view> wanted) const;
  bool HasWord(std::string_view wanted) const;
  // Returns the word of this number, from 0; empty if there are not so many.
  std::string_view Word(size_t index) const;
  // BEGIN, and COMMIT or END, with whatever follows.
  bool BeginsTransaction() const;
  bool EndsTransaction() const;
  // COMMIT AND CHAIN.
  bool StartsAnother() const;
};

// How many ends of lines the text has.
int CountLineEnds(std::string_view text);

// Statements of a script: each takes memory beside its text.
inline constexpr size_t kMostStatements = size_t{1} << 20;

// Empty statements are left out. kSyntax, with the line, where a string, a quoted
// name, a comment or a body does not end. kLimitExceeded for more than kMostStatements.
absl::StatusOr<std::vector<SqlStatement>> SplitSql(std::string_view script, const Syntax& syntax);

}  // namespace penstock::migrations

#endif  // PENSTOCK_MIGRATIONS_SPLITTER_H_
