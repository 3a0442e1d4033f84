// The keys with which sealed values of the configuration are opened.
#ifndef PENSTOCK_SERVER_CONFIG_SECRET_KEYS_H_
#define PENSTOCK_SERVER_CONFIG_SECRET_KEYS_H_

#include <string>
#include <string_view>
#include <vector>

#include "sealing/sealed_box.h"
#include "server/config/load.h"
#include "server/config/problems.h"

namespace penstock::server {

// Tells whether a value of the configuration is sealed: it begins with "sealed:".
bool IsSealed(std::string_view value);

// One key, or two while they rotate: each sealed value is opened by whichever it was sealed for.
class SecretKeys {
 public:
  // Reads the keys that `secret_keys` names: files that only their owner may use, or
  // "credential:name" for one that systemd passes. What is wrong is added to `problems`.
  static SecretKeys Read(const std::vector<Setting>& settings, const Environment& environment,
                         Problems* problems);

  // Returns what is in a sealed value, for which IsSealed is true, in place of its text. Adds a
  // problem and returns an empty text if it cannot be opened; if the reason is a key that could not
  // be read, that problem has been told. No message shows anything of the value.
  std::string Open(const Setting& sealed, Problems* problems) const;

 private:
  std::vector<sealing::SecretKey> keys_;
  // One of the keys could not be read.
  bool incomplete_ = false;
};

}  // namespace penstock::server

#endif  // PENSTOCK_SERVER_CONFIG_SECRET_KEYS_H_
