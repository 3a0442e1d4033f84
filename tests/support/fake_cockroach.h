// A server that answers as CockroachDB's sources say that it does, from small scripts of
// dialogue.
#ifndef PENSTOCK_TESTS_SUPPORT_FAKE_COCKROACH_H_
#define PENSTOCK_TESTS_SUPPORT_FAKE_COCKROACH_H_

#include <functional>
#include <list>
#include <mutex>
#include <string>
#include <string_view>

#include "tests/support/fake_postgres.h"

namespace penstock::testing {

// It knows nothing but its script, and what each session is asked when it begins: there it is a
// v25.1.0 whose database exists and which has READ COMMITTED, unless the script says otherwise.
// Facts of the dialogues are those of pkg/sql/pgwire/testdata/pgtest and of the sources beside
// it. Thread-safe.
class FakeCockroach {
 public:
  // `executed`: how many statements that the line is for have been executed, with the one that
  // is being executed now.
  using Line = std::function<FakeAnswer(size_t executed)>;

  explicit FakeCockroach(const std::string& version = "CockroachDB CCL v25.1.0 (linux)");

  // What statements come to whose text has `part` in it, or is `part` if that ends with a
  // dollar sign; later ones come before earlier ones.
  void Say(std::string part, Line line);
  void Say(std::string part, FakeAnswer answer);

  FakePostgres& server() { return server_; }

  static FakeAnswer Text(const std::string& value);
  static FakeAnswer Done(const std::string& tag);
  static FakeAnswer Error(const std::string& sqlstate, const std::string& message);

 private:
  FakeAnswer Answer(std::string_view sql);

  std::mutex mutex_;
  std::list<std::pair<std::string, Line>> script_;
  // After what its threads look at: it ends first.
  FakePostgres server_;
};

}  // namespace penstock::testing

#endif  // PENSTOCK_TESTS_SUPPORT_FAKE_COCKROACH_H_
