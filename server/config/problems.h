// Mistakes in a configuration, collected so that all are shown at once.
#ifndef PENSTOCK_SERVER_CONFIG_PROBLEMS_H_
#define PENSTOCK_SERVER_CONFIG_PROBLEMS_H_

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"

namespace penstock::server {

// The place of a setting.
struct Where {
  // "penstock.yaml:3: server.listen", "--listen" or "PENSTOCK_LISTEN".
  std::string text;
  // The line in the file, from 1; 0 if it is not in the file.
  int line = 0;
};

// A setting as text, with its place.
struct Setting {
  std::string value;
  Where where;
};

class Problems {
 public:
  // `message` says what is wrong and what to do, and shows no secret.
  void Add(const Where& where, std::string_view message);

  size_t size() const { return problems_.size(); }
  bool empty() const { return problems_.empty(); }

  // Returns one line for each problem, in the order of the file, without an end of line behind the
  // last.
  std::string Lines() const;

  // Returns INVALID_ARGUMENT with these lines, or OK.
  absl::Status ToStatus() const;

 private:
  struct Problem {
    int line;
    std::string text;
  };
  std::vector<Problem> problems_;
};

}  // namespace penstock::server

#endif  // PENSTOCK_SERVER_CONFIG_PROBLEMS_H_
