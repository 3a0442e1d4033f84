// A plugin that uses the client for itself, see plugin_test.cc.
#include <cstdint>
#include <cstdio>

#include "penstock/penstock.h"

// What the daemon at `target` says 6 * 7 is, or 0 and a line on stderr.
extern "C" int64_t PluginsAnswer(const char* target) {
  int64_t answer = 0;
  absl::Status status = absl::OkStatus();
  auto db = penstock::New({.target = target});
  if (db.ok()) {
    auto rows = (*db)->Query(penstock::Context(), "SELECT 6 * ?", 7);
    status = rows.status();
    if (status.ok() && (*rows)->Next()) status = (*rows)->Scan(&answer);
    // An error with particulars, for these are read by name.
    const absl::Status wrong = (*db)->Exec(penstock::Context(), "SELEC 1").status();
    if (!penstock::IsSyntaxError(wrong)) status = wrong;
  }
  if (!db.ok() || !status.ok()) std::fprintf(stderr, "plugin: %s\n", status.ToString().c_str());
  return status.ok() ? answer : 0;
}
