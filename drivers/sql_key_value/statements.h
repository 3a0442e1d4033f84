// The texts and parameters of key-value operations in SQL.
#ifndef PENSTOCK_DRIVERS_SQL_KEY_VALUE_STATEMENTS_H_
#define PENSTOCK_DRIVERS_SQL_KEY_VALUE_STATEMENTS_H_

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "drivers/api/driver.h"
#include "drivers/api/key_value.h"
#include "drivers/api/key_value_dialect.h"

namespace penstock::sql_key_value {

std::string TableName(std::string_view keyspace);
std::string CreateTable(std::string_view keyspace, const driver::KeyValueDialect& dialect);

// SELECT of `keys`, of which there is at least one, with scratch->args and
// scratch->elements. Few texts are in use: without arrays the text depends on the
// number of keys in powers of two only, as the last key is repeated.
std::string SelectKeys(std::string_view keyspace, std::span<const std::string_view> keys,
                       const driver::KeyValueDialect& dialect,
                       driver::KeyValueRun::Scratch* scratch);
std::string SelectRange(const driver::KeyValueRun& scan, std::vector<driver::Value>* args);
// These statements are on one entry: $1 is its key, $2 its value.
std::string Upsert(std::string_view keyspace);
std::string DeleteKey(std::string_view keyspace);
std::string DeleteRange(std::string_view keyspace, const driver::KeyRange& range,
                        std::vector<driver::Value>* args);
// PostgreSQL: locks the keys of the array $1 in its order, until the end of the
// transaction, and returns those that were not there. Such a key has an entry from now
// on, so that whoever puts it waits; it is to be deleted again, or put.
std::string LockKeys(std::string_view keyspace);
// PostgreSQL: keeps everybody else from writing to the keyspace.
std::string LockTable(std::string_view keyspace);

// Returns the last put or delete of each key, in the order of the keys. A writer who keeps that
// order does not wait for somebody who waits for it.
std::map<std::string_view, const driver::KeyMutation*> LastOfEachKey(
    std::span<const driver::KeyMutation> mutations);

bool DeletesRange(const driver::KeyValueRun& operation);

// Makes `run`, whose key_value is set, the one statement that does the same.
// False: it takes several, or none. May be called again for the same run.
bool PlanAsOne(driver::StatementRun* run, const driver::KeyValueDialect& dialect);

}  // namespace penstock::sql_key_value

#endif  // PENSTOCK_DRIVERS_SQL_KEY_VALUE_STATEMENTS_H_
