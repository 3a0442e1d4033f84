#include "drivers/postgres/effects.h"

#include <algorithm>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

#include "drivers/postgres/flavor.h"
#include "fmt/format.h"
#include "fmt/ranges.h"

namespace penstock::postgres {
namespace {

using Verb = Syntax::Verb;

// Views of views of views.
constexpr int kMaxRounds = 8;
// Far more than the catalogue has to say of one statement.
constexpr size_t kMaxBytes = size_t{1} << 20;

// Functions of PostgreSQL's own that are declared VOLATILE, because what they answer is not
// the same each time, and of which it is known what else they do. Any other volatile one
// may do anything. Functions of its own that are not volatile do nothing.
struct Volatile {
  std::string_view name;
  Effects effects;
};
constexpr Effects kWrites = {.changes_session = false,
                             .writes = true,
                             .reads_sequences = false,
                             .folds = false,
                             .escapes = false};
constexpr Effects kEscapes = {.changes_session = false,
                              .writes = true,
                              .reads_sequences = false,
                              .folds = false,
                              .escapes = true};
constexpr Effects kReadsSequences = {.changes_session = false,
                                     .writes = false,
                                     .reads_sequences = true,
                                     .folds = false,
                                     .escapes = false};
constexpr Volatile kVolatile[] = {
    {"clock_timestamp", kNoEffects},
    {"currval", kReadsSequences},
    {"gen_random_uuid", kNoEffects},
    {"lastval", kReadsSequences},
    {"lo_get", kNoEffects},
    // A read-only transaction refuses it, and setval.
    {"nextval", kWrites},
    // Until the end of the transaction.
    {"pg_advisory_xact_lock", kNoEffects},
    {"pg_advisory_xact_lock_shared", kNoEffects},
    {"pg_try_advisory_xact_lock", kNoEffects},
    {"pg_try_advisory_xact_lock_shared", kNoEffects},
    {"pg_blocking_pids", kNoEffects},
    {"pg_cancel_backend", kEscapes},
    {"pg_column_size", kNoEffects},
    {"pg_current_wal_lsn", kNoEffects},
    {"pg_database_size", kNoEffects},
    {"pg_indexes_size", kNoEffects},
    {"pg_is_in_recovery", kNoEffects},
    {"pg_last_wal_receive_lsn", kNoEffects},
    {"pg_last_wal_replay_lsn", kNoEffects},
    {"pg_last_xact_replay_timestamp", kNoEffects},
    {"pg_notify", kEscapes},
    {"pg_partition_ancestors", kNoEffects},
    {"pg_partition_tree", kNoEffects},
    {"pg_relation_size", kNoEffects},
    {"pg_sleep", kNoEffects},
    {"pg_sleep_for", kNoEffects},
    {"pg_sleep_until", kNoEffects},
    {"pg_table_size", kNoEffects},
    {"pg_tablespace_size", kNoEffects},
    {"pg_terminate_backend", kEscapes},
    {"pg_total_relation_size", kNoEffects},
    {"pg_xact_status", kNoEffects},
    {"random", kNoEffects},
    {"setval", kWrites},
    {"timeofday", kNoEffects},
};

// A list of constants; the server's standard_conforming_strings is on.
std::string Names(const std::set<std::string>& names) {
  std::vector<std::string> quoted;
  for (const std::string& name : names) {
    std::string text = "'";
    for (const char c : name) {
      if (c == '\'') text += '\'';
      text += c;
    }
    quoted.push_back(text + '\'');
  }
  return fmt::format("{}", fmt::join(quoted, ","));
}

// In all that follows: 11 is pg_catalog, 12 and 13 are the languages internal and C, and
// whatever the server made itself has a number below 16384. The functions of extensions,
// which are written in C, do as they are declared; what is written in SQL or PL/pgSQL and
// declared IMMUTABLE may set a parameter all the same.
constexpr std::string_view kTrusted = "p.provolatile <> 'v' AND p.prolang IN (12, 13)";

std::string AskFunctions(const Syntax& open) {
  return fmt::format(
      "SELECT 'function', p.proname::pg_catalog.text, CASE WHEN p.pronamespace = 11 THEN "
      "p.provolatile::pg_catalog.text WHEN p.prokind <> 'a' AND {} THEN 'trusted' ELSE '?' END "
      "FROM pg_catalog.pg_proc p WHERE p.proname IN ({})",
      kTrusted, Names(open.functions));
}

// "u.name" is name(u) if there is no such column.
std::string AskMembers(const Syntax& open) {
  return fmt::format(
      "SELECT 'unknown', '', '' FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_type t ON t.oid = "
      "p.proargtypes[0] WHERE p.proname IN ({}) AND p.pronargs = 1 AND p.pronamespace <> 11 AND "
      "t.typtype IN ('c', 'p') AND NOT ({})",
      Names(open.members), kTrusted);
}

std::string AskOperators(const Syntax& open) {
  return fmt::format(
      "SELECT 'unknown', '', '' FROM pg_catalog.pg_operator o JOIN pg_catalog.pg_proc p ON p.oid = "
      "o.oprcode WHERE o.oprname IN ({}) AND o.oprnamespace <> 11 AND NOT ({})",
      Names(open.operators), kTrusted);
}

std::string AskTypes(const Syntax& open) {
  return fmt::format(
      "SELECT 'expression', '', 'SELECT ' || pg_catalog.pg_get_expr(c.conbin, 0) FROM "
      "pg_catalog.pg_type t JOIN pg_catalog.pg_constraint c ON c.contypid = t.oid WHERE t.typname "
      "IN ({}) AND c.conbin IS NOT NULL",
      Names(open.types));
}

std::string AskCasts() {
  return fmt::format(
      "SELECT 'unknown', '', '' FROM pg_catalog.pg_cast c JOIN pg_catalog.pg_proc p ON p.oid = "
      "c.castfunc WHERE c.oid >= 16384 AND NOT ({})",
      kTrusted);
}

std::string AskRelations(const Syntax& open) {
  return fmt::format(
      "SELECT CASE WHEN c.relkind = 'v' THEN 'expression' WHEN c.relkind NOT IN ('r', 'p', 'm', "
      "'S', 't') OR c.relhasrules THEN 'unknown' ELSE '' END, '', CASE WHEN c.relkind = 'v' THEN "
      "pg_catalog.pg_get_viewdef(c.oid) END FROM pg_catalog.unnest(ARRAY[{0}]) AS n(name) JOIN "
      "pg_catalog.pg_class c ON c.oid = pg_catalog.to_regclass(n.name) WHERE c.oid >= 16384 "
      "UNION ALL "
      "SELECT 'expression', '', 'SELECT ' || pg_catalog.concat_ws(', ', "
      "pg_catalog.pg_get_expr(p.polqual, p.polrelid), pg_catalog.pg_get_expr(p.polwithcheck, "
      "p.polrelid)) FROM pg_catalog.unnest(ARRAY[{0}]) AS n(name) JOIN pg_catalog.pg_policy p ON "
      "p.polrelid = pg_catalog.to_regclass(n.name)",
      Names(open.relations));
}

// A row that is written into a table goes through its triggers, defaults and checks, those of its
// partitions, and those of tables whose rows are changed with it (ON DELETE CASCADE), which
// a trigger of the server's own tells.
std::string AskWritten(const Syntax& open) {
  return fmt::format(
      "SELECT * FROM (WITH RECURSIVE w(oid) AS (SELECT "
      "pg_catalog.to_regclass(name)::pg_catalog.oid "
      "FROM pg_catalog.unnest(ARRAY[{}]) AS n(name) UNION SELECT x.oid FROM w, LATERAL (SELECT "
      "t.tgconstrrelid FROM pg_catalog.pg_trigger t WHERE t.tgrelid = w.oid AND t.tgisinternal "
      "UNION ALL SELECT i.inhrelid FROM pg_catalog.pg_inherits i WHERE i.inhparent = w.oid) "
      "x(oid)) "
      "SELECT 'unknown', '', '' FROM w JOIN pg_catalog.pg_trigger t ON t.tgrelid = w.oid WHERE NOT "
      "t.tgisinternal "
      "UNION ALL SELECT 'unknown', '', '' FROM w JOIN pg_catalog.pg_class c ON c.oid = w.oid WHERE "
      "c.relkind NOT IN ('r', 'p') "
      "UNION ALL SELECT 'expression', '', 'SELECT ' || pg_catalog.pg_get_expr(d.adbin, d.adrelid) "
      "FROM w JOIN pg_catalog.pg_attrdef d ON d.adrelid = w.oid "
      "UNION ALL SELECT 'expression', '', 'SELECT ' || pg_catalog.pg_get_expr(c.conbin, "
      "c.conrelid) "
      "FROM w JOIN pg_catalog.pg_constraint c ON c.conrelid = w.oid WHERE c.conbin IS NOT NULL "
      "UNION ALL SELECT 'expression', '', 'SELECT ' || pg_catalog.pg_get_expr(c.conbin, 0) FROM w "
      "JOIN pg_catalog.pg_attribute a ON a.attrelid = w.oid JOIN pg_catalog.pg_constraint c ON "
      "c.contypid = a.atttypid WHERE a.atttypid >= 16384 AND c.conbin IS NOT NULL) AS writes",
      Names(open.written));
}

// On CockroachDB, whose catalogue has the tables for it: whose function it is.
std::string AskCockroach(const Syntax& open) {
  return fmt::format(
      "SELECT 'function', p.proname::text, CASE WHEN n.nspname IN ('pg_catalog', "
      "'crdb_internal') THEN p.provolatile::text ELSE '?' END FROM pg_catalog.pg_proc p JOIN "
      "pg_catalog.pg_namespace n "
      "ON n.oid = p.pronamespace WHERE p.proname IN ({})",
      Names(open.functions));
}

}  // namespace

void Effects::Add(const Effects& other) {
  changes_session = changes_session || other.changes_session;
  writes = writes || other.writes;
  reads_sequences = reads_sequences || other.reads_sequences;
  folds = folds || other.folds;
  escapes = escapes || other.escapes;
}

EffectsOf::EffectsOf(const Syntax& syntax, const Flavor& flavor) : flavor_(flavor) {
  const bool known =
      syntax.plannable() || syntax.verb == Verb::kShow || syntax.verb == Verb::kExplain;
  if (!known || syntax.temporary) return;
  effects_ = kNoEffects;
  effects_.writes = syntax.writes;
  effects_.folds = syntax.has_strings;
  open_ = syntax;
}

std::string EffectsOf::Question() {
  const bool cockroach = flavor_.cockroach;
  const auto forget_asked = [this](char kind, std::set<std::string>* names) {
    std::erase_if(*names,
                  [&](const std::string& name) { return !asked_.insert(kind + name).second; });
    return !names->empty();
  };
  if (given_up_) return "";
  std::vector<std::string> questions;
  if (forget_asked('f', &open_.functions)) {
    questions.push_back(cockroach ? AskCockroach(open_) : AskFunctions(open_));
  }
  if (!cockroach) {
    if (forget_asked('m', &open_.members)) questions.push_back(AskMembers(open_));
    if (forget_asked('o', &open_.operators)) questions.push_back(AskOperators(open_));
    if (forget_asked('t', &open_.types)) questions.push_back(AskTypes(open_));
    if (forget_asked('r', &open_.relations)) questions.push_back(AskRelations(open_));
    if (forget_asked('w', &open_.written)) questions.push_back(AskWritten(open_));
    if (!questions.empty() && rounds_ == 0) questions.push_back(AskCasts());
  }
  open_ = {};
  if (questions.empty()) return "";
  if (++rounds_ > kMaxRounds) {
    Doubt();
    return "";
  }
  return fmt::format("{}", fmt::join(questions, " UNION ALL "));
}

void EffectsOf::GiveUp() {
  effects_ = {};
  open_ = {};
  given_up_ = true;
}

void EffectsOf::Doubt() {
  const bool escapes = effects_.escapes;
  GiveUp();
  effects_.escapes = escapes;
}

void EffectsOf::Take(const Result& answer) {
  const std::string_view kind = answer.value(0);
  const std::string_view text = answer.value(2);
  bytes_ += kind.size() + text.size();
  if (bytes_ > kMaxBytes) {
    GiveUp();
  } else if (kind == "function") {
    // Also after the doubt: it may be one that escapes.
    TakeFunction(answer.value(1), text);
  } else if (given_up_) {
    return;
  } else if (kind == "unknown") {
    Doubt();
  } else if (kind == "expression") {
    TakeExpression(std::string(text));
  }
}

void EffectsOf::TakeExpression(const std::string& text) {
  // Partitions have the same ones.
  if (!asked_.insert('x' + text).second) return;
  Syntax syntax = ReadSyntax(text);
  if (syntax.verb != Verb::kSelect) {
    Doubt();
    return;
  }
  open_.functions.merge(syntax.functions);
  open_.members.merge(syntax.members);
  open_.operators.merge(syntax.operators);
  open_.types.merge(syntax.types);
  open_.relations.merge(syntax.relations);
}

void EffectsOf::TakeFunction(std::string_view name, std::string_view volatility) {
  if (volatility == "i" || volatility == "s") return;
  if (volatility == "trusted") {
    // Another one of that name may come to suit better.
    effects_.folds = true;
    return;
  }
  const auto* known = std::find_if(std::begin(kVolatile), std::end(kVolatile),
                                   [name](const Volatile& entry) { return entry.name == name; });
  const Effects* own = flavor_.effects_of != nullptr ? flavor_.effects_of(name) : nullptr;
  const bool servers = volatility == "v";
  if (servers && known != std::end(kVolatile)) {
    effects_.Add(known->effects);
  } else if (servers && own != nullptr) {
    effects_.Add(*own);
  } else {
    effects_.Add({.escapes = servers});
  }
}

}  // namespace penstock::postgres
