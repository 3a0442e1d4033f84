// Keeps the rendered text of statements that are run repeatedly.
//
// A statement is a chain of clauses, and binding values appends Bind clauses. Split cuts these off:
// what remains, the base, is the same object for every run of a statement that a program keeps, and
// its `kept` has the texts. A text can be used again if each Bind gives a value of the same kind as
// before and not NULL, because only then would the renderer write the same text.
//
// Threads may run the same statement at once without a lock. The texts are in atomic pointers that
// change once, from null to a text that never changes; a thread that loses the race deletes its
// own. A text is deleted with the clause, and a run holds the statement for as long as it uses the
// text.
#include "client/sql/kept.h"

#include <memory>

#include "client/sql/renderer.h"

namespace penstock::sql::internal {
namespace {

// A statement without its last Bind clauses, and these clauses, beginning with the last one.
struct Parts {
  const Clause* base;
  std::vector<const Clause*> bound;
};

Parts Split(const Clauses& statement) {
  Parts parts{statement.get(), {}};
  while (parts.base->kind == Clause::Kind::kBind) {
    parts.bound.push_back(parts.base);
    parts.base = parts.base->before.get();
  }
  return parts;
}

// Returns the value that is in force for `name`, which is the last one bound, or null.
const Value* Find(const std::vector<const Clause*>& bound, std::string_view name) {
  for (const Clause* bind : bound) {
    if (bind->names[0] == name) return &bind->values[0];
  }
  return nullptr;
}

// Returns the arguments of a run of `kept`, or nullopt if the run needs another text or must fail.
std::optional<std::vector<Value>> Fill(const KeptText& kept,
                                       const std::vector<const Clause*>& bound) {
  std::vector<Value> args = kept.args;
  for (const NamedArgument& named : kept.named) {
    const Value* value = Find(bound, named.name);
    if (value == nullptr || value->is_null() || value->kind() != args[named.place].kind()) {
      return std::nullopt;
    }
    args[named.place] = *value;
  }
  for (const Clause* bind : bound) {
    bool is_known = false;
    for (const NamedArgument& named : kept.named) is_known |= named.name == bind->names[0];
    if (!is_known) return std::nullopt;
  }
  return args;
}

std::optional<ReadyText> FromKept(const Parts& parts, Dialect dialect, bool page) {
  const KeptTexts* texts = parts.base->kept.texts();
  const KeptText* kept = texts == nullptr ? nullptr : texts->Find(dialect, page);
  if (kept == nullptr) return std::nullopt;
  std::optional<std::vector<Value>> args = Fill(*kept, parts.bound);
  if (!args.has_value()) return std::nullopt;
  return ReadyText(&kept->text, *std::move(args));
}

// Returns true if every other value of the same kind, except NULL, leads to the same text.
bool IsForAllValues(const std::vector<const Clause*>& bound) {
  for (const Clause* bind : bound) {
    if (bind->values[0].is_null()) return false;
  }
  return true;
}

}  // namespace

KeptTexts::~KeptTexts() {
  for (const std::atomic<const KeptText*>& text : texts_) delete text.load();
}

const KeptText* KeptTexts::Find(Dialect dialect, bool page) const {
  return texts_[Place(dialect, page)].load(std::memory_order_acquire);
}

void KeptTexts::Keep(Dialect dialect, bool page, KeptText text) {
  const auto* made = new KeptText(std::move(text));
  const KeptText* none = nullptr;
  std::atomic<const KeptText*>& place = texts_[Place(dialect, page)];
  if (!place.compare_exchange_strong(none, made, std::memory_order_acq_rel)) delete made;
}

Kept::~Kept() { delete texts_.load(std::memory_order_relaxed); }

KeptTexts* Kept::TextsOfLaterRun() const {
  if (!was_run_.exchange(true, std::memory_order_relaxed)) return nullptr;
  KeptTexts* there = texts_.load(std::memory_order_acquire);
  if (there != nullptr) return there;
  auto made = std::make_unique<KeptTexts>();
  if (texts_.compare_exchange_strong(there, made.get(), std::memory_order_acq_rel)) {
    return made.release();
  }
  return there;
}

absl::StatusOr<ReadyText> ReadyToRun(const Clauses& statement, Dialect dialect, bool page) {
  const Parts parts = Split(statement);
  if (std::optional<ReadyText> ready = FromKept(parts, dialect, page)) return *std::move(ready);
  Renderer renderer(dialect);
  renderer.Write(statement, page);
  std::vector<NamedArgument> named = renderer.TakeNamedArguments();
  absl::StatusOr<Built> built = renderer.Finish();
  if (!built.ok()) return built.status();
  KeptTexts* texts = IsForAllValues(parts.bound) ? parts.base->kept.TextsOfLaterRun() : nullptr;
  if (texts != nullptr && texts->Find(dialect, page) == nullptr) {
    // A value that is bound further inside is part of the base, and so a constant.
    std::erase_if(named, [&](const NamedArgument& argument) {
      return Find(parts.bound, argument.name) == nullptr;
    });
    texts->Keep(dialect, page, {built->text, built->args, std::move(named)});
  }
  return ReadyText(*std::move(built));
}

std::optional<ReadyText> ReadyIfKept(const Clauses& statement, Dialect dialect) {
  return FromKept(Split(statement), dialect, /*page=*/false);
}

}  // namespace penstock::sql::internal
