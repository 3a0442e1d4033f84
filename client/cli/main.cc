// penstock: SQL in a terminal, through a Penstock daemon. `penstock --help`
// tells what it does and what it ends with.
#include <signal.h>
#include <unistd.h>

#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "client/cli/commands.h"
#include "client/cli/options.h"
#include "client/cli/output.h"
#include "penstock/provider.h"

int main(int argc, char** argv) {
  using namespace penstock::cli;  // NOLINT(build/namespaces): all of this is about it
  // A write to a closed pipe is to fail rather than to end the process.
  signal(SIGPIPE, SIG_IGN);

  const absl::StatusOr<ParsedOptions> parsed =
      ParseOptions(std::vector<std::string>(argv + 1, argv + argc));
  if (!parsed.ok()) {
    std::cerr << "penstock: " << parsed.status().message() << "\n`penstock --help` tells more.\n";
    return kExitUsage;
  }
  if (!parsed->text.empty()) {
    std::cout << parsed->text;
    return kExitOk;
  }
  const absl::StatusOr<std::unique_ptr<penstock::Provider>> db = MakeProvider(parsed->options);
  if (!db.ok()) {
    std::cerr << DescribeError(db.status());
    return kExitUsage;
  }
  Output out(STDOUT_FILENO);
  return RunCommand(parsed->options, db->get(), {.in = &std::cin, .out = &out, .err = &std::cerr});
}
