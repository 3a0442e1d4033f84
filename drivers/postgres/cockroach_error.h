// CockroachDB's errors, where they are not as PostgreSQL's.
#ifndef PENSTOCK_DRIVERS_POSTGRES_COCKROACH_ERROR_H_
#define PENSTOCK_DRIVERS_POSTGRES_COCKROACH_ERROR_H_

#include <string>
#include <string_view>

#include "drivers/api/error.h"
#include "drivers/postgres/error.h"

namespace penstock::postgres {

// Takes values out of the texts of an error that stand there whoever they are from, since rows
// of others are quoted as well, and quoted with escapes, so that no comparison finds them:
//   - of a transaction that is to be run again (class 40) the message keeps the server's word
//     for the reason (RETRY_SERIALIZABLE), and the hint a link to its documents;
//   - a key (/Table/106/1/"a"/0) keeps its table and index;
//   - of a value that could not be read (class 22) what stands in double quotes goes, unless
//     `sql` has it, or it is a name that the error has as well.
// After HideParameters, whose $1 stays.
void HideCockroachValues(std::string_view sql, ServerError* error);

// The particulars that CockroachDB's codes have beside their reason: a better reason where the
// code alone does not tell it, and what is to be done. `reason` and `hint` are changed.
void ExplainCockroachError(const ServerError& error, driver::Reason* reason, std::string* hint);

// 58C00 and 58C01: a write by itself, or a commit, may have been done all the same.
bool MayHaveCommitted(std::string_view sqlstate);

// A statement that was described before an ALTER TYPE of an enum knows its old version.
bool IsOtherEnumVersion(const ServerError& error);

}  // namespace penstock::postgres

#endif  // PENSTOCK_DRIVERS_POSTGRES_COCKROACH_ERROR_H_
