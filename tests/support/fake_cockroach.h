// A fake server that answers as CockroachDB does according to its sources, from short scripts.
#ifndef PENSTOCK_TESTS_SUPPORT_FAKE_COCKROACH_H_
#define PENSTOCK_TESTS_SUPPORT_FAKE_COCKROACH_H_

#include <functional>
#include <list>
#include <mutex>
#include <string>
#include <string_view>

#include "tests/support/fake_postgres.h"

namespace penstock::testing {

// Answers statements from its script, and also what each session asks at its beginning: unless the
// script says otherwise, it is a v25.1.0 whose database exists and which has READ COMMITTED. The
// dialogues follow pkg/sql/pgwire/testdata/pgtest and the sources next to it. Thread-safe.
class FakeCockroach {
 public:
  // `executed` says how many statements that match the line have been executed, including the one
  // that is being executed now.
  using Line = std::function<FakeAnswer(size_t executed)>;

  explicit FakeCockroach(const std::string& version = "CockroachDB CCL v25.1.0 (linux)");

  // Sets the answer to statements whose text contains `part`, or is equal to it if it ends with a
  // dollar sign. Later lines take precedence over earlier ones.
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
  // Declared last, so that it ends first: its threads use the other members.
  FakePostgres server_;
};

}  // namespace penstock::testing

#endif  // PENSTOCK_TESTS_SUPPORT_FAKE_COCKROACH_H_
