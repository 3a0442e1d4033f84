// A query builder: writes SQL as C++ expressions, for every dialect that the daemon supports.
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
// The compiler checks the types. The structure of a statement, and whether the dialect has what it
// uses, are checked before anything is sent. The dialect is that of the database in use. A
// statement means the same on every backend or is refused; the builder never emulates something
// with another meaning.
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
