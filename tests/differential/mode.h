// The ways in which statements are sent.
#ifndef PENSTOCK_TESTS_DIFFERENTIAL_MODE_H_
#define PENSTOCK_TESTS_DIFFERENTIAL_MODE_H_

#include <cstdint>
#include <string_view>

namespace penstock::differential {

// How statements are sent. What a file says in BEGIN and COMMIT itself is a Transaction
// stream in each of them.
enum class Mode : uint8_t {
  // Query and Exec.
  kAutocommit,
  // Many statements in one Transaction stream.
  kTransaction,
  // Prepare streams, some of which stay open until the same text comes again.
  kPrepare,
  // The same, with the constants of the statements as parameters.
  kParameters,
};

std::string_view ModeName(Mode mode);

}  // namespace penstock::differential

#endif  // PENSTOCK_TESTS_DIFFERENTIAL_MODE_H_
