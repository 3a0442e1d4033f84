// The little that every dialect of SQL has in common.
#ifndef PENSTOCK_TESTS_DIFFERENTIAL_TEXT_H_
#define PENSTOCK_TESTS_DIFFERENTIAL_TEXT_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "penstock/v1/database.pb.h"

namespace penstock::differential {

// What follows white space, comments and semicolons.
std::string_view SkipBlank(std::string_view sql);

// The first `count` words and quoted names of a statement as they are written, names without
// their quotes. It ends early at anything else.
std::vector<std::string> FirstWords(std::string_view sql, size_t count);

// The first word in upper case; empty: the statement begins with something else.
std::string Verb(std::string_view sql);

std::string Upper(std::string_view text);

// Transaction control as SQL text, which a caller of the gateway says with a step of the
// Transaction RPC.
struct Control {
  enum class Kind : uint8_t {
    kNone,
    kBegin,
    kCommit,
    kRollback,
    kSavepoint,
    kRollbackTo,
    kRelease
  };
  Kind kind = Kind::kNone;
  // Of the savepoint.
  std::string name = {};
  // kBegin.
  v1::IsolationLevel isolation = v1::ISOLATION_LEVEL_UNSPECIFIED;
  bool read_only = false;
};

// Those that say nothing but what they do, and to which savepoint.
Control ParseControl(std::string_view sql);

// On one line of at most `limit` bytes, what cannot be printed as \xNN.
std::string Printable(std::string_view text, size_t limit);

}  // namespace penstock::differential

#endif  // PENSTOCK_TESTS_DIFFERENTIAL_TEXT_H_
