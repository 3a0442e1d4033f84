// The second opinion: what a file of sqllogictest's format says should come of a statement.
#ifndef PENSTOCK_TESTS_DIFFERENTIAL_EXPECTATION_H_
#define PENSTOCK_TESTS_DIFFERENTIAL_EXPECTATION_H_

#include <optional>

#include "tests/differential/answer.h"
#include "tests/differential/script.h"

namespace penstock::differential {

// The answer is what the file says. Nothing: the file does not say.
std::optional<bool> Agrees(const Expectation& expected, const Answer& answer);

}  // namespace penstock::differential

#endif  // PENSTOCK_TESTS_DIFFERENTIAL_EXPECTATION_H_
