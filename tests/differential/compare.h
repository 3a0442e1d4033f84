// Whether two answers are the same.
#ifndef PENSTOCK_TESTS_DIFFERENTIAL_COMPARE_H_
#define PENSTOCK_TESTS_DIFFERENTIAL_COMPARE_H_

#include <string>

#include "tests/differential/answer.h"
#include "tests/differential/backend.h"

namespace penstock::differential {

// What Compare says where nothing but the order of the rows differs.
inline constexpr char kOtherOrder[] = "the same rows in another order";

// The first difference in words, with "oracle" and "gateway" for the two sides; empty: they
// are the same in everything that either tells: success or the backend's code, reason and
// text of the failure; the columns' names and declared types; every row in order and every
// value with its type; rows_affected; last_insert_id.
std::string Compare(Oracle& oracle, const Answer& own, const Answer& gateway);

}  // namespace penstock::differential

#endif  // PENSTOCK_TESTS_DIFFERENTIAL_COMPARE_H_
