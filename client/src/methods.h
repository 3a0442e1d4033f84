// The names of the daemon's methods on the wire.
#ifndef PENSTOCK_CLIENT_SRC_METHODS_H_
#define PENSTOCK_CLIENT_SRC_METHODS_H_

namespace penstock::internal::method {

inline constexpr char kExec[] = "/penstock.v1.DatabaseService/Exec";
inline constexpr char kPipeline[] = "/penstock.v1.DatabaseService/Pipeline";
inline constexpr char kPing[] = "/penstock.v1.DatabaseService/Ping";
inline constexpr char kPrepare[] = "/penstock.v1.DatabaseService/Prepare";
inline constexpr char kQuery[] = "/penstock.v1.DatabaseService/Query";
inline constexpr char kTransaction[] = "/penstock.v1.DatabaseService/Transaction";

inline constexpr char kBatchGet[] = "/penstock.v1.KeyValueService/BatchGet";
inline constexpr char kDelete[] = "/penstock.v1.KeyValueService/Delete";
inline constexpr char kDeleteRange[] = "/penstock.v1.KeyValueService/DeleteRange";
inline constexpr char kGet[] = "/penstock.v1.KeyValueService/Get";
inline constexpr char kPut[] = "/penstock.v1.KeyValueService/Put";
inline constexpr char kScan[] = "/penstock.v1.KeyValueService/Scan";
inline constexpr char kWrite[] = "/penstock.v1.KeyValueService/Write";

inline constexpr char kMigrate[] = "/penstock.v1.MigrationService/Migrate";

inline constexpr char kListDatabases[] = "/penstock.v1.AdminService/ListDatabases";

}  // namespace penstock::internal::method

#endif  // PENSTOCK_CLIENT_SRC_METHODS_H_
