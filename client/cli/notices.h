// Prints a backend's notices.
#ifndef PENSTOCK_CLIENT_CLI_NOTICES_H_
#define PENSTOCK_CLIENT_CLI_NOTICES_H_

#include <ostream>

#include "penstock/rows.h"

namespace penstock::cli {

// Prints a line "NOTICE: …" for each notice, and further lines for its detail and its hint. Control
// characters are escaped.
void PrintNotices(const Notices& notices, std::ostream* err);

}  // namespace penstock::cli

#endif  // PENSTOCK_CLIENT_CLI_NOTICES_H_
