// Finds out what a statement may leave behind, beside what it is meant to do.
//
// The text names functions, tables and types; what these do stands in the server's
// catalogue: whose a function is, what a view calls, whether a table has triggers. So the
// text is read (syntax.h), the catalogue is asked about all names in it, and the texts that
// it answers with (views, policies, defaults, checks) are read in their turn. What is not
// known to be harmless after that is not harmless.
#ifndef PENSTOCK_DRIVERS_POSTGRES_EFFECTS_H_
#define PENSTOCK_DRIVERS_POSTGRES_EFFECTS_H_

#include <cstddef>
#include <set>
#include <string>
#include <string_view>

#include "drivers/postgres/link.h"
#include "drivers/postgres/syntax.h"

namespace penstock::postgres {

struct Effects {
  // It may leave a setting, a lock, a temporary table, … in the session.
  bool changes_session = true;
  // It may change what the database holds, or is seen outside in another way.
  bool writes = true;
  // It may ask what was left in the session by a sequence (lastval).
  bool reads_sequences = true;
  // What the server makes of the text depends on more than tables: on the time when it
  // parses it, on settings, on which functions there are. A plan of it is not to be used
  // for those who have not asked for a prepared statement.
  bool folds = true;
  // It may do what a read-only transaction neither forbids nor undoes when it is rolled back:
  // write a file of the server's, change a setting, end somebody's session. Only functions of the
  // server's own are held to do so; what others do is for whoever has made them.
  bool escapes = true;

  void Add(const Effects& other);
};

struct Flavor;

// None of them, for what is known.
inline constexpr Effects kNoEffects = {.changes_session = false,
                                       .writes = false,
                                       .reads_sequences = false,
                                       .folds = false,
                                       .escapes = false};

// Finds the effects of one text, in rounds of questions to the server.
class EffectsOf {
 public:
  // `flavor` outlives it.
  EffectsOf(const Syntax& syntax, const Flavor& flavor);

  // The next question, a SELECT without parameters whose rows, of three texts each, are for
  // Take. Empty: all is known.
  std::string Question();
  // A row. What a server sends beyond any measure is not looked at, and nothing known then.
  void Take(const Result& answer);
  // Nothing is known: the question has failed, or there are too many of them.
  void GiveUp();

  const Effects& effects() const { return effects_; }

 private:
  void TakeExpression(const std::string& text);
  void TakeFunction(std::string_view name, std::string_view volatility);
  // Nothing is known but whether it escapes: all functions that the text itself names have been
  // asked for.
  void Doubt();

  const Flavor& flavor_;
  Effects effects_;
  // Has the names that are still to be asked for.
  Syntax open_;
  // Names that were asked for, each with a letter for its kind before it.
  std::set<std::string> asked_;
  int rounds_ = 0;
  // Counts the bytes of all answers.
  size_t bytes_ = 0;
  bool given_up_ = false;
};

}  // namespace penstock::postgres

#endif  // PENSTOCK_DRIVERS_POSTGRES_EFFECTS_H_
