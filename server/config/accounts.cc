#include "server/config/accounts.h"

#include <grp.h>
#include <pwd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <system_error>
#include <vector>

#include "absl/strings/ascii.h"
#include "fmt/format.h"
#include "server/config/words.h"

namespace penstock::server {
namespace {

// The number above it is nobody's: to system calls it means "leave it as it is".
constexpr uint32_t kLargestNumber = 0xFFFFFFFE;

// No name service has a longer entry than this, in bytes.
constexpr size_t kLargestEntry = size_t{16} << 20;

struct Users {
  using Entry = passwd;
  static constexpr std::string_view kName = "user";
  static constexpr std::string_view kDatabase = "passwd";
  static constexpr auto kFind = getpwnam_r;
  static uint32_t NumberOf(const Entry& entry) { return entry.pw_uid; }
};

struct Groups {
  using Entry = group;
  static constexpr std::string_view kName = "group";
  static constexpr std::string_view kDatabase = "group";
  static constexpr auto kFind = getgrnam_r;
  static uint32_t NumberOf(const Entry& entry) { return entry.gr_gid; }
};

// Returns the number that the digits are.
absl::StatusOr<uint32_t> ParseNumber(const std::string& digits) {
  uint32_t number = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (error == std::errc() && number <= kLargestNumber) return number;
  return absl::InvalidArgumentError(
      fmt::format("{} is out of range; write 0 to {}", Quoted(digits), kLargestNumber));
}

// Tells whether getpwnam_r and getgrnam_r mean by their error that there is no such name; POSIX
// leaves that open, and these are the ones in use.
bool IsMissing(int error) {
  return error == 0 || error == ENOENT || error == ESRCH || error == EBADF || error == EPERM;
}

template <typename Accounts>
absl::StatusOr<uint32_t> FindName(const std::string& name) {
  typename Accounts::Entry entry{};
  typename Accounts::Entry* found = nullptr;
  std::vector<char> buffer(1024);
  int error = ERANGE;
  // How large an entry is, for example a group with all its members, cannot be asked before.
  while ((error == ERANGE || error == EINTR) && buffer.size() < kLargestEntry) {
    buffer.resize(2 * buffer.size());
    error = Accounts::kFind(name.c_str(), &entry, buffer.data(), buffer.size(), &found);
  }
  if (found != nullptr) return Accounts::NumberOf(entry);
  if (IsMissing(error)) {
    return absl::NotFoundError(
        fmt::format("{} is not a {} of this machine; write a name that 'getent {}' lists, or a "
                    "number",
                    Quoted(name), Accounts::kName, Accounts::kDatabase));
  }
  return absl::UnavailableError(fmt::format("{} cannot be looked up: {}; write the {}'s number",
                                            Quoted(name), std::generic_category().message(error),
                                            Accounts::kName));
}

template <typename Accounts>
absl::StatusOr<uint32_t> Find(const std::string& text) {
  const bool is_number =
      !text.empty() && std::all_of(text.begin(), text.end(), absl::ascii_isdigit);
  return is_number ? ParseNumber(text) : FindName<Accounts>(text);
}

}  // namespace

absl::StatusOr<uid_t> FindUser(const std::string& text) { return Find<Users>(text); }

absl::StatusOr<gid_t> FindGroup(const std::string& text) { return Find<Groups>(text); }

}  // namespace penstock::server
