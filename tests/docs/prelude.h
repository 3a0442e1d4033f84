// What the C++ blocks of the documents may use without saying it: `db`, a connection to the page's
// daemon, `ctx`, and the namespace `sql`.
#ifndef PENSTOCK_TESTS_DOCS_PRELUDE_H_
#define PENSTOCK_TESTS_DOCS_PRELUDE_H_

#include <chrono>
#include <coroutine>
#include <cstdint>
#include <exception>
#include <functional>
#include <future>
#include <iostream>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "penstock/penstock.h"
#include "penstock/sql.h"

namespace sql = penstock::sql;

namespace penstock_docs {

using Database = std::unique_ptr<penstock::Provider>;
using Part = absl::Status(const Database& db, const penstock::Context& ctx);

// The blocks by `page:line`; generated.
using Table = std::map<std::string_view, absl::Status (*)(int argc, char** argv)>;
extern const Table kBlocks;

// Runs a part of a function on the daemon that PENSTOCK_TARGET names.
absl::Status RunPart(Part* part);

// A program that ends with another code than 0 has failed.
absl::Status FromExitCode(int code);

}  // namespace penstock_docs

#endif  // PENSTOCK_TESTS_DOCS_PRELUDE_H_
