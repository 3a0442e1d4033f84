// What a backend has said, for people.
#ifndef PENSTOCK_CLIENT_CLI_NOTICES_H_
#define PENSTOCK_CLIENT_CLI_NOTICES_H_

#include <ostream>

#include "penstock/rows.h"

namespace penstock::cli {

// A line for each, "NOTICE: …", and one for its detail and for its hint. Control
// characters are shown, not obeyed.
void PrintNotices(const Notices& notices, std::ostream* err);

}  // namespace penstock::cli

#endif  // PENSTOCK_CLIENT_CLI_NOTICES_H_
