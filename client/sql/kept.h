// The texts of a statement that is run more than once.
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

// A parameter of a text and the name that Bind gives it.
struct NamedArgument {
  size_t place = 0;
  std::string name = {};
};

// A statement in one dialect, whatever is bound to its parameters.
struct KeptText {
  std::string text = {};
  // With the values of the run that it was written for where these are bound.
  std::vector<Value> args = {};
  std::vector<NamedArgument> named = {};
};

// What a run sends. The text is that of a statement, or its own.
class ReadyText {
 public:
  explicit ReadyText(Built built) : own_(std::move(built.text)), args_(std::move(built.args)) {}
  ReadyText(const std::string* kept, std::vector<Value> args)
      : kept_(kept), args_(std::move(args)) {}
  // Valid as long as this object and the statement.
  std::string_view text() const { return kept_ != nullptr ? *kept_ : own_; }
  std::vector<Value>& args() { return args_; }

 private:
  const std::string* kept_ = nullptr;
  std::string own_;
  std::vector<Value> args_;
};

// One text for each dialect, and for each with what FetchPage adds. Thread-safe; a text stays as
// long as this object.
class KeptTexts {
 public:
  KeptTexts() = default;
  KeptTexts(const KeptTexts&) = delete;
  KeptTexts& operator=(const KeptTexts&) = delete;
  ~KeptTexts();

  // Null if there is none.
  const KeptText* Find(Dialect dialect, bool page) const;
  // Keeps it, unless another thread has been first.
  void Keep(Dialect dialect, bool page, KeptText text);

 private:
  static constexpr size_t kDialects = 4;
  static size_t Place(Dialect dialect, bool page) {
    return static_cast<size_t>(dialect) + (page ? kDialects : 0);
  }
  std::array<std::atomic<const KeptText*>, 2 * kDialects> texts_{};
};

// The statement as text, as Render and RenderPage have it. One that was run before, with whatever
// values its last clauses bind, is not written again. What is bound to NULL, or to a value of
// another kind than before, may have another text, and is written for itself.
absl::StatusOr<ReadyText> ReadyToRun(const Clauses& statement, Dialect dialect, bool page);
// The same for a statement that has its text already; nothing for any other.
std::optional<ReadyText> ReadyIfKept(const Clauses& statement, Dialect dialect);

}  // namespace penstock::sql::internal

#endif  // PENSTOCK_CLIENT_SQL_KEPT_H_
