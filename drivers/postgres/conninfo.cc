#include "drivers/postgres/conninfo.h"

#include <libpq-fe.h>

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <memory>
#include <string_view>
#include <system_error>
#include <vector>

#include "drivers/api/error.h"
#include "fmt/format.h"

namespace penstock::postgres {
namespace {

using driver::MakeErrorWithHint;
using driver::Reason;

constexpr std::string_view kHint =
    "write postgresql://user@host:5432/database?sslmode=verify-full, or host=… port=… user=… "
    "dbname=…; keep the password in password_file or password_env. In a URI write / as %2F, @ as "
    "%40 and so on; in the other form put a value with spaces into single quotes";

// Nobody listens there.
constexpr char kNowhere[] = "/nowhere/penstock";

absl::Status Unreadable() {
  return MakeErrorWithHint(Reason::kInvalidParameter, "invalid connection_string", kHint);
}

// libpq ends the user and password of a URI at the first @, or has none if a / comes
// before: with an @ or / in the password the rest of it would be a host, a port, a
// database. Then there is another @ behind.
bool HasStrayAt(std::string_view uri) {
  const size_t scheme = uri.find("://");
  if (scheme == std::string_view::npos) return false;
  uri.remove_prefix(scheme + 3);
  const size_t user = std::min(uri.find('@'), uri.size());
  const size_t path = std::min(uri.find('/'), uri.size());
  if (user < path) uri.remove_prefix(user + 1);
  return uri.substr(0, uri.find('?')).find('@') != std::string_view::npos;
}

template <typename Check>
bool Each(std::string_view list, const Check& check) {
  for (;;) {
    const size_t comma = list.find(',');
    if (!check(list.substr(0, comma))) return false;
    if (comma == std::string_view::npos) return true;
    list.remove_prefix(comma + 1);
  }
}

bool IsNumber(std::string_view text, int64_t least, int64_t most) {
  int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size() && number >= least &&
         number <= most;
}

bool IsPort(std::string_view text) { return text.empty() || IsNumber(text, 1, 65535); }

// A name, an address, or the folder of a socket.
bool IsHost(std::string_view text) {
  if (text.empty() || text.front() == '/' || text.front() == '@') return true;
  const auto colons = std::count(text.begin(), text.end(), ':');
  return colons != 1 && std::all_of(text.begin(), text.end(), [](char c) {
           const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c < 0;
           return letter || (c >= '0' && c <= '9') ||
                  std::string_view(".-_:%").find(c) != std::string_view::npos;
         });
}

absl::Status Unsuitable(std::string_view keyword, std::string_view hint) {
  return MakeErrorWithHint(
      Reason::kInvalidParameter,
      fmt::format("invalid value of libpq's connection parameter '{}'", keyword), hint);
}

absl::Status CheckPlaces(const Parameters& parameters) {
  constexpr std::string_view kNumbers[] = {"connect_timeout",  "keepalives",
                                           "keepalives_idle",  "keepalives_interval",
                                           "keepalives_count", "tcp_user_timeout"};
  for (const auto& [keyword, value] : parameters) {
    if ((keyword == "host" || keyword == "hostaddr") && !Each(value, IsHost)) {
      return Unsuitable(keyword,
                        "use a name, an address or a folder; if the password contains @, / or :, "
                        "write them as %40, %2F and %3A, or keep it in password_file");
    }
    if (keyword == "port" && !Each(value, IsPort)) {
      return Unsuitable(keyword,
                        "use a number from 1 to 65535; if the password contains @, / or :, write "
                        "them as %40, %2F and %3A, or keep it in password_file");
    }
    const bool is_number =
        std::find(std::begin(kNumbers), std::end(kNumbers), keyword) != std::end(kNumbers);
    if (is_number && !IsNumber(value, INT32_MIN, INT32_MAX)) {
      return Unsuitable(keyword, "write a whole number");
    }
  }
  return absl::OkStatus();
}

// Returns what libpq says when it tries these parameters at an address where nobody is.
std::string ComplaintOf(const Parameters& parameters) {
  std::vector<const char*> keywords = {"host"};
  std::vector<const char*> values = {kNowhere};
  for (const auto& [keyword, value] : parameters) {
    if (keyword == "host" || keyword == "hostaddr" || keyword == "port") continue;
    keywords.push_back(keyword.c_str());
    values.push_back(value.c_str());
  }
  keywords.push_back(nullptr);
  values.push_back(nullptr);
  const std::unique_ptr<PGconn, void (*)(PGconn*)> connection(
      PQconnectStartParams(keywords.data(), values.data(), 0), PQfinish);
  return connection == nullptr ? "" : PQerrorMessage(connection.get());
}

}  // namespace

absl::StatusOr<Parameters> ParseConnectionString(const std::string& text) {
  char* error = nullptr;
  const std::unique_ptr<PQconninfoOption, void (*)(PQconninfoOption*)> parsed(
      PQconninfoParse(text.c_str(), &error), PQconninfoFree);
  const std::unique_ptr<char, void (*)(void*)> owned_error(error, PQfreemem);
  // libpq's message may quote the string.
  if (parsed == nullptr || HasStrayAt(text)) return Unreadable();
  Parameters parameters;
  for (const PQconninfoOption* option = parsed.get(); option->keyword != nullptr; ++option) {
    if (option->val != nullptr) parameters[option->keyword] = option->val;
  }
  return parameters;
}

absl::Status CheckParameters(const Parameters& parameters) {
  absl::Status places = CheckPlaces(parameters);
  if (!places.ok()) return places;
  // libpq looks at all of them before it finds nobody there, which it then says in the
  // same words whatever else they are.
  const std::string nobody = ComplaintOf({});
  const auto suits = [&nobody](const Parameters& some) {
    return ComplaintOf(some).find(nobody) != std::string::npos;
  };
  if (suits(parameters)) return absl::OkStatus();
  for (const auto& one : parameters) {
    if (!suits({one})) {
      return Unsuitable(one.first, "see PostgreSQL's documentation of libpq for its values");
    }
  }
  return MakeErrorWithHint(Reason::kInvalidParameter, "conflicting connection parameters of libpq",
                           "see PostgreSQL's documentation of libpq for valid combinations");
}

}  // namespace penstock::postgres
