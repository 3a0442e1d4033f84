// In what the backends of SQL differ for a table of keys and values.
#ifndef PENSTOCK_DRIVERS_API_KEY_VALUE_DIALECT_H_
#define PENSTOCK_DRIVERS_API_KEY_VALUE_DIALECT_H_

#include <cstddef>
#include <string_view>

namespace penstock::driver {

// Texts are constants.
struct KeyValueDialect {
  // The text that follows CREATE TABLE IF NOT EXISTS and the name. The key is the primary
  // key, and its order is bytewise.
  std::string_view columns;
  // Returns a row if there is a table of the name $1: asked in a client's transaction, where
  // an error would abort it. Empty: such a question would read what others change, so the
  // table is tried behind a savepoint.
  std::string_view table_exists;
  // Many keys at once are one parameter, an array; otherwise one `?` each.
  bool key_array = false;
  // The longest key that the table's index holds.
  size_t max_key_bytes = 0;
  // Single statements are not serializable by themselves (READ COMMITTED), so that a
  // write of several locks its keys, or the table, against them. Otherwise the backend
  // serializes whatever is a transaction.
  bool locks = false;
  // Asks for the isolation that single statements have, in words, where it has to be
  // serializable and may have been set to something else. Empty: it need not be known.
  std::string_view show_isolation;
};

}  // namespace penstock::driver

#endif  // PENSTOCK_DRIVERS_API_KEY_VALUE_DIALECT_H_
