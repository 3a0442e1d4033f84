// Keeps the rendered texts of a statement that is run more than once.
#ifndef PENSTOCK_CLIENT_SQL_KEPT_H_
#define PENSTOCK_CLIENT_SQL_KEPT_H_

#include <array>
#include <atomic>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "penstock/sql/tree.h"

namespace penstock::sql::internal {

// A parameter of a text, and the name by which Bind gives it a value.
struct NamedArgument {
  size_t place = 0;
  std::string name = {};
};

// A statement in one dialect, independent of what is bound to its parameters.
struct KeptText {
  std::string text = {};
  // Has the values of the run that it was rendered for at the places in `named`.
  std::vector<Value> args = {};
  std::vector<NamedArgument> named = {};
};

// What a run sends: a text, kept by the statement or owned by this object, and the arguments.
class ReadyText {
 public:
  explicit ReadyText(Built built) : own_(std::move(built.text)), args_(std::move(built.args)) {}
  ReadyText(const std::string* kept, std::vector<Value> args)
      : kept_(kept), args_(std::move(args)) {}
  // Valid as long as both this object and the statement exist.
  std::string_view text() const { return kept_ != nullptr ? *kept_ : own_; }
  std::vector<Value>& args() { return args_; }

 private:
  const std::string* kept_ = nullptr;
  std::string own_;
  std::vector<Value> args_;
};

// One text for each dialect, and one more with the additions of FetchPage. Thread-safe. A text is
// never replaced or removed before this object is destroyed.
class KeptTexts {
 public:
  KeptTexts() = default;
  KeptTexts(const KeptTexts&) = delete;
  KeptTexts& operator=(const KeptTexts&) = delete;
  ~KeptTexts();

  // Returns null if there is no such text.
  const KeptText* Find(Dialect dialect, bool page) const;
  // Keeps the text, unless another thread has already kept one.
  void Keep(Dialect dialect, bool page, KeptText text);

 private:
  static constexpr size_t kDialects = 4;
  static size_t Place(Dialect dialect, bool page) {
    return static_cast<size_t>(dialect) + (page ? kDialects : 0);
  }
  std::array<std::atomic<const KeptText*>, 2 * kDialects> texts_{};
};

// Returns the statement's text as Render and RenderPage do. A statement that was run before is not
// rendered again, whatever values its last clauses bind. If a value is NULL, or of another kind
// than before, the text may differ; then the statement is rendered for this run only.
absl::StatusOr<ReadyText> ReadyToRun(const Clauses& statement, Dialect dialect, bool page);
// Returns the kept text of a statement, or nullopt if it has none yet.
std::optional<ReadyText> ReadyIfKept(const Clauses& statement, Dialect dialect);

}  // namespace penstock::sql::internal

#endif  // PENSTOCK_CLIENT_SQL_KEPT_H_
