// A query builder: SQL as C++ expressions, for every dialect that the daemon speaks.
//
//   template <penstock::sql::Name As = "users">
//   struct Users : penstock::sql::Table<Users<As>, "users", As> {
//     penstock::sql::Col<Users, int64_t, "id"> id;
//     penstock::sql::Col<Users, std::string, "name"> name;
//     penstock::sql::Col<Users, std::optional<int64_t>, "age"> age;
//   };
//   inline constexpr Users<> users;
//
//   auto grown = penstock::sql::Select(users.id, users.name)
//                    .From(users)
//                    .Where(users.age >= 18)
//                    .OrderBy(penstock::sql::Asc(users.name))
//                    .FetchAll<User>(ctx, *db);  // StatusOr<std::vector<User>>
//
// Types are checked when the program is compiled, a statement's structure and what its dialect has
// not when it is built, both before anything is sent. The dialect is that of the database which is
// reached. A statement means the same on every backend or is refused: nothing is emulated that
// could mean something else.
//
// Read in this order: sql/expression.h (tables, columns, operators), sql/select.h, sql/write.h,
// sql/functions.h (aggregates, windows, CASE, casts, JSON, raw fragments), sql/page.h. The builder
// needs neither gRPC nor protobuf.
#ifndef PENSTOCK_SQL_H_
#define PENSTOCK_SQL_H_

#include "penstock/sql/dialect.h"     // IWYU pragma: export
#include "penstock/sql/expression.h"  // IWYU pragma: export
#include "penstock/sql/functions.h"   // IWYU pragma: export
#include "penstock/sql/page.h"        // IWYU pragma: export
#include "penstock/sql/select.h"      // IWYU pragma: export
#include "penstock/sql/write.h"       // IWYU pragma: export

#endif  // PENSTOCK_SQL_H_
