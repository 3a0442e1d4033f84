#include <memory>
#include <string>

#include "tests/differential/run.h"
#include "tests/support/gateway.h"
#include "tests/support/temp_dir.h"

namespace penstock::differential {
namespace {

// Discards the databases of a folder.
class Discarder {
 public:
  Discarder(const Backend& backend, const std::string& folder)
      : backend_(backend), folder_(folder) {}
  ~Discarder() { backend_.Discard(folder_); }
  Discarder(const Discarder&) = delete;
  Discarder& operator=(const Discarder&) = delete;

 private:
  const Backend& backend_;
  const std::string& folder_;
};

}  // namespace

absl::StatusOr<Report> RunAlone(const Script& script, const Backend& backend,
                                const KnownDifferences& known, Mode mode, size_t most) {
  const testing::TempDir folder;
  // Goes last.
  const Discarder discarder(backend, folder.path());
  absl::StatusOr<std::unique_ptr<Oracle>> oracle = backend.OpenOracle(folder.path());
  if (!oracle.ok()) return oracle.status();
  testing::Gateway gateway(backend.GatewayConfig(folder.path()));
  testing::Wire wire(gateway.target());
  Session session(wire, backend, mode);
  Report report;
  RunScript(script, backend, known, session, **oracle, mode, folder.path(), most, &report);
  return report;
}

}  // namespace penstock::differential
