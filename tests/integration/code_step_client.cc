// Begins a code step that writes a row, says so, and stays there until it is killed.
// Usage: code_step_client TARGET
#include <unistd.h>

#include <cstdio>

#include "penstock/penstock.h"

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  auto db = penstock::New({.target = argv[1]});
  if (!db.ok()) return 1;
  const penstock::Context ctx;
  penstock::MigrateOptions options;
  options.code.push_back(
      {.version = 2, .name = "fill", .up = [&ctx](penstock::Transaction* transaction) {
         const absl::Status done =
             transaction->Exec(ctx, "INSERT INTO log VALUES ($1, $2)", "2", 2).status();
         std::puts(done.ok() ? "in the code step" : "the statement failed");
         std::fflush(stdout);
         for (;;) pause();
         return done;
       }});
  return (*db)->Migrate(ctx, "", options).ok() ? 0 : 1;
}
