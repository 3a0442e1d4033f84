// What a test has to know of a crew to wait for it.
#ifndef PENSTOCK_TESTS_UNIT_SERVER_CREW_WATCHER_H_
#define PENSTOCK_TESTS_UNIT_SERVER_CREW_WATCHER_H_

#include <mutex>

#include "server/runtime/io_crew.h"

namespace penstock::server {

class CrewWatcher {
 public:
  // Somebody waits in Lead.
  static bool HasDeputy(const IoCrew& crew) {
    std::lock_guard lock(crew.mutex_);
    return crew.deputy_waits_;
  }
};

}  // namespace penstock::server

#endif  // PENSTOCK_TESTS_UNIT_SERVER_CREW_WATCHER_H_
