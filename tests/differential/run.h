// Runs scripts on both sides and keeps what came of it.
#ifndef PENSTOCK_TESTS_DIFFERENTIAL_RUN_H_
#define PENSTOCK_TESTS_DIFFERENTIAL_RUN_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

#include "tests/differential/backend.h"
#include "tests/differential/known.h"
#include "tests/differential/script.h"
#include "tests/differential/session.h"

namespace penstock::differential {

// A difference that the list does not have.
struct Difference {
  std::string path;
  int line = 0;
  Mode mode = Mode::kAutocommit;
  std::string sql;
  std::string what;
};

// What came of some scripts.
struct Report {
  size_t scripts = 0;
  // Statements that both sides ran, or one refused as the list has it.
  std::map<Mode, size_t> compared;
  // Of those, answers with rows, and the values in them; failures on both sides.
  size_t results = 0;
  size_t values = 0;
  size_t failures = 0;
  // Why statements were not run, and how many.
  std::map<std::string, size_t> left_out;
  // How often each entry of the list held.
  std::map<std::string, size_t> known;
  // The file's own opinion of what the oracle said.
  size_t agreed = 0;
  size_t disagreed = 0;
  std::vector<std::string> first_disagreements;
  std::vector<Difference> differences;

  void Add(const Report& other);
};

// Runs a script on a session of the gateway's and an oracle, both with an empty database.
// `folder` is that of Backend::GatewayConfig. At most `most` statements are run.
void RunScript(const Script& script, const Backend& backend, const KnownDifferences& known,
               Session& session, Oracle& oracle, Mode mode, const std::string& folder, size_t most,
               Report* report);

// Starts a gateway and an oracle for the script, and runs it.
absl::StatusOr<Report> RunAlone(const Script& script, const Backend& backend,
                                const KnownDifferences& known, Mode mode, size_t most);

}  // namespace penstock::differential

#endif  // PENSTOCK_TESTS_DIFFERENTIAL_RUN_H_
