// PostgreSQL's values beside the gateway's.
#ifndef PENSTOCK_TESTS_DIFFERENTIAL_POSTGRES_VALUE_H_
#define PENSTOCK_TESTS_DIFFERENTIAL_POSTGRES_VALUE_H_

#include "penstock/v1/value.pb.h"

namespace penstock::differential {

// The gateway's value stands for what psql prints, which is a text or NULL (`own`). Texts,
// decimals, dates, times, intervals, UUIDs and JSON are the same text. Of the other kinds:
//   boolean    t and f
//   integer    the digits
//   real       the number, bit by bit, as a double's or as a float's shortest text
//   blob       \x and hexadecimal digits
//   timestamp  2024-01-31 12:00:00.5, with +00 where the type has a zone
//   array      {1,NULL,"a b"}, element by element
bool SamePostgresValue(const v1::Value& own, const v1::Value& gateways);

}  // namespace penstock::differential

#endif  // PENSTOCK_TESTS_DIFFERENTIAL_POSTGRES_VALUE_H_
