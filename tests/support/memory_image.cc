#include "tests/support/memory_image.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <sstream>
#include <string_view>

#include "fmt/format.h"
#include "gtest/gtest.h"
#include "server/net/unique_fd.h"

namespace penstock::testing {
namespace {

constexpr size_t kPiece = size_t{4} << 20;

// One line of /proc/PID/maps.
struct Mapping {
  uint64_t begin = 0;
  uint64_t end = 0;
  std::string modes;
  std::string name;
};

std::vector<Mapping> MappingsOf(pid_t pid) {
  std::vector<Mapping> mappings;
  std::ifstream maps(fmt::format("/proc/{}/maps", pid));
  for (std::string line; std::getline(maps, line);) {
    std::istringstream words(line);
    Mapping mapping;
    char dash = 0;
    std::string offset, device, inode;
    words >> std::hex >> mapping.begin >> dash >> mapping.end >> mapping.modes >> offset >>
        device >> inode >> mapping.name;
    // The kernel's own, and what devices show.
    const bool is_memory = mapping.name != "[vvar]" && mapping.name != "[vsyscall]" &&
                           !mapping.name.starts_with("/dev/");
    if (is_memory && mapping.modes.starts_with('r')) mappings.push_back(std::move(mapping));
  }
  return mappings;
}

void FindIn(int memory, const Mapping& mapping, std::string_view text,
            std::vector<std::string>* places) {
  std::string piece;
  // Each piece begins before the last one's end, so that nothing is missed at the border.
  for (uint64_t at = mapping.begin; at + text.size() <= mapping.end;) {
    piece.resize(std::min<uint64_t>(kPiece, mapping.end - at));
    const ssize_t count = pread(memory, piece.data(), piece.size(), static_cast<off_t>(at));
    // Beyond the end of a file that is mapped there is nothing.
    if (count < static_cast<ssize_t>(text.size())) return;
    const std::string_view read(piece.data(), static_cast<size_t>(count));
    for (size_t found = read.find(text); found != read.npos; found = read.find(text, found + 1)) {
      places->push_back(fmt::format("{:x} {}", at + found, mapping.name));
    }
    at += read.size() - text.size() + 1;
  }
}

}  // namespace

std::vector<std::string> FindInMemory(pid_t pid, const std::string& text) {
  const server::UniqueFd memory(open(fmt::format("/proc/{}/mem", pid).c_str(), O_RDONLY));
  std::vector<std::string> places;
  if (memory.get() < 0) {
    ADD_FAILURE() << "the memory of the process cannot be read: " << std::strerror(errno)
                  << "; run the test where a parent may trace its children, or as root";
    return places;
  }
  const std::vector<Mapping> mappings = MappingsOf(pid);
  EXPECT_FALSE(mappings.empty());
  for (const Mapping& mapping : mappings) FindIn(memory.get(), mapping, text, &places);
  // A piece that begins within the text before does not find it twice.
  places.erase(std::unique(places.begin(), places.end()), places.end());
  return places;
}

}  // namespace penstock::testing
