// Runs scripts on both sides and keeps what came of it.
#ifndef PENSTOCK_TESTS_DIFFERENTIAL_RUN_H_
#define PENSTOCK_TESTS_DIFFERENTIAL_RUN_H_

#include <cstddef>
#include <string>

#include "absl/status/statusor.h"

#include "tests/differential/backend.h"
#include "tests/differential/known.h"
#include "tests/differential/report.h"
#include "tests/differential/script.h"
#include "tests/differential/session.h"

namespace penstock::differential {

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
