// The configuration that a driver gets of the database it opens.
#ifndef PENSTOCK_DRIVERS_API_CONFIG_H_
#define PENSTOCK_DRIVERS_API_CONFIG_H_

#include <chrono>
#include <cstddef>
#include <map>
#include <string>

#include "drivers/api/password.h"

namespace penstock::driver {

// One configured database. The server's configuration has checked types and
// ranges; a driver refuses, when it is opened, what does not suit it.
struct Config {
  // The name requests use.
  std::string name;
  // "sqlite", "postgres", "cockroachdb" or "pebble".
  std::string driver;
  std::string connection_string;
  std::string host;
  int port = 0;
  std::string username;
  // Copies of this configuration share it, and it may change while they are in use.
  Password password;
  // SQLite: the path of the file, or ":memory:".
  std::string database;
  std::string ssl_mode;
  // Prepared statements each connection keeps.
  size_t statement_cache_size = 256;
  // The largest single value in bytes, in either direction.
  size_t max_value_bytes = size_t{64} << 20;
  // The longest that any request may take, after which the server has given it up;
  // 0: no limit.
  std::chrono::milliseconds query_timeout{0};
  // Options that only this driver knows. The error of an unknown key lists the known ones.
  std::map<std::string, std::string> options;
};

}  // namespace penstock::driver

#endif  // PENSTOCK_DRIVERS_API_CONFIG_H_
