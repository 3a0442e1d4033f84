#include "drivers/api/process_memory.h"

#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <fstream>

namespace penstock::driver {
namespace {

namespace fs = std::filesystem;

// 0: there is no such file, or it says "max".
size_t NumberIn(const fs::path& file) {
  int64_t number = 0;
  return std::ifstream(file) >> number && number > 0 ? static_cast<size_t>(number) : 0;
}

void Lower(size_t limit, size_t* lowest) {
  if (limit > 0 && (*lowest == 0 || limit < *lowest)) *lowest = limit;
}

}  // namespace

size_t ControlGroupMemory(const std::string& membership, const std::string& root) {
  size_t lowest = 0;
  std::ifstream lines(membership);
  // "0::/path" in version 2, "4:memory:/path" in version 1. Within a container the path may
  // be one that only the host sees; what is at the root is the container's own then.
  for (std::string line; std::getline(lines, line);) {
    const size_t controllers = line.find(':');
    const size_t path =
        controllers == std::string::npos ? controllers : line.find(':', controllers + 1);
    if (path == std::string::npos) continue;
    const std::string names = line.substr(controllers + 1, path - controllers - 1);
    const bool unified = names.empty();
    if (!unified && names.find("memory") == std::string::npos) continue;
    const fs::path top = unified ? fs::path(root) : fs::path(root) / "memory";
    const char* const file = unified ? "memory.max" : "memory.limit_in_bytes";
    fs::path group = fs::path(line.substr(path + 1)).relative_path();
    for (; !group.empty(); group = group.parent_path())
      Lower(NumberIn(top / group / file), &lowest);
    Lower(NumberIn(top / file), &lowest);
  }
  return lowest;
}

size_t ProcessMemory() {
  const size_t machine =
      static_cast<size_t>(sysconf(_SC_PHYS_PAGES)) * static_cast<size_t>(sysconf(_SC_PAGESIZE));
  const size_t group = ControlGroupMemory("/proc/self/cgroup", "/sys/fs/cgroup");
  return group > 0 ? std::min(group, machine) : machine;
}

}  // namespace penstock::driver
