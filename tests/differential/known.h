// The differences that are meant to be, each with its reason.
#ifndef PENSTOCK_TESTS_DIFFERENTIAL_KNOWN_H_
#define PENSTOCK_TESTS_DIFFERENTIAL_KNOWN_H_

#include <regex.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "penstock/v1/error.pb.h"
#include "tests/differential/answer.h"
#include "tests/differential/mode.h"

namespace penstock::differential {

// A POSIX extended regular expression that does not tell upper from lower case.
class Pattern {
 public:
  // The error says what is wrong with it.
  static absl::StatusOr<Pattern> Compile(const std::string& text);
  bool Matches(const std::string& text) const;

 private:
  std::shared_ptr<regex_t> compiled_;
};

// One entry of the list.
struct Known {
  std::string name;
  // Why it is meant to be.
  std::string why;
  Pattern sql;
  // Not REASON_UNSPECIFIED: the gateway refuses such statements with this reason. The oracle
  // then does not run them, or its database would not be the same any more.
  v1::Reason refused = v1::REASON_UNSPECIFIED;
  // Otherwise what Compare says.
  Pattern difference;
  // Within a transaction it is a difference like any other.
  bool outside_transaction = false;
  // Whatever the answers, the two databases hold other things after such a statement.
  bool unlike = false;
  // In this mode only; empty: in each.
  std::string mode;
  // It is not meant to be: it is to be mended, and may hold no more.
  bool pending = false;
};

// Not changed once it is read; its entries stay where they are.
class KnownDifferences {
 public:
  // None are known.
  KnownDifferences() = default;
  // Reads the list; known_differences_sqlite.yaml says how it is written. Errors name file and
  // entry.
  static absl::StatusOr<KnownDifferences> Read(const std::string& path);

  // The gateway may refuse this statement: it is asked first.
  bool MayBeRefused(const std::string& sql) const;
  // After this statement the databases are unlike each other by its nature.
  bool MakesUnlike(const std::string& sql) const;
  // The entry that says why the gateway refuses it so; null: there is none.
  const Known* FindRefusal(const std::string& sql, v1::Reason reason, bool in_transaction) const;
  // The entry for a difference; null: there is none.
  const Known* Find(const std::string& sql, const std::string& difference, bool in_transaction,
                    Mode mode) const;

  const std::vector<Known>& entries() const { return entries_; }

 private:
  std::vector<Known> entries_;
};

}  // namespace penstock::differential

#endif  // PENSTOCK_TESTS_DIFFERENTIAL_KNOWN_H_
