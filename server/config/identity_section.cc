#include "server/config/identity_section.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "fmt/format.h"
#include "fmt/ranges.h"
#include "server/config/accounts.h"
#include "server/config/grant_section.h"
#include "server/config/identity_limits.h"
#include "server/config/keys.h"
#include "server/config/required.h"
#include "server/config/token_section.h"
#include "server/config/words.h"

namespace penstock::server {
namespace {

constexpr size_t kLongestName = 64;

bool IsHostName(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return c == '.' || IsWord(std::string_view(&c, 1));
  });
}

// Tells whether the text is a URI. Without an authority it has to be a URN, so that "ip:10.0.0.1"
// is none.
bool IsUri(std::string_view text) {
  const size_t colon = std::min(text.find(':'), text.size());
  const std::string_view scheme = text.substr(0, colon);
  const std::string_view rest = text.substr(colon);
  const bool is_scheme = !scheme.empty() && absl::ascii_isalpha(scheme.front()) &&
                         std::all_of(scheme.begin(), scheme.end(), [](unsigned char c) {
                           return absl::ascii_isalnum(c) || c == '+' || c == '-' || c == '.';
                         });
  const std::string_view begin = scheme == "urn" ? ":" : "://";
  return is_scheme && rest.starts_with(begin) && rest.size() > begin.size() &&
         rest.find(' ') == std::string_view::npos;
}

bool IsCertificateName(std::string_view text) {
  if (text.starts_with("cn:")) return text.size() > 3;
  if (text.starts_with("dns:")) return IsHostName(text.substr(4));
  return IsUri(text);
}

void CheckName(const std::string& name, const Where& where, Problems* problems) {
  if (!IsWord(name) || name.size() > kLongestName) {
    problems->Add(where, fmt::format("is not an identity's name; write letters, digits, '_' and "
                                     "'-', at most {}",
                                     kLongestName));
  } else if (name == "local" || name == "anonymous") {
    problems->Add(where, "is a name that the daemon gives to callers itself; choose another name");
  }
}

// Reads one identity after the other, and finds a credential that would prove two.
class IdentityReader {
 public:
  explicit IdentityReader(const IdentityContext& context)
      : context_(context), problems_(context.problems), tokens_(context.now, context.problems) {}

  IdentityConfig Read(const std::string& name, YamlMap map);

 private:
  struct Owner {
    std::string identity;
    int line;
  };

  std::vector<std::string> ReadCertificates(YamlMap* map);
  template <typename Number>
  std::vector<Number> ReadAccounts(YamlMap* map, const std::string& key,
                                   absl::StatusOr<Number> (*find)(const std::string&));
  std::vector<std::string> ReadSubjects(YamlMap* map);
  void CheckComplete(const YamlMap& map, const IdentityConfig& identity);
  // Reports the setting, which stands for `credential`, if that is another identity's.
  void Claim(const std::string& credential, const Setting& setting);

  const IdentityContext& context_;
  Problems* const problems_;
  TokenReader tokens_;
  std::map<std::string, Owner> owners_;
  // The identity that is being read.
  std::string name_;
};

IdentityConfig IdentityReader::Read(const std::string& name, YamlMap map) {
  name_ = name;
  IdentityConfig identity;
  ReadKeys(IdentityKeys(), &map, &identity);
  identity.tokens = tokens_.Read(&map);
  identity.certificates = ReadCertificates(&map);
  identity.unix_users = ReadAccounts(&map, "unix_users", FindUser);
  identity.unix_groups = ReadAccounts(&map, "unix_groups", FindGroup);
  identity.jwt_subjects = ReadSubjects(&map);
  identity.grants = ReadGrants(&map, context_.databases, problems_);
  identity.limits = ReadIdentityLimits(&map);
  map.Finish();
  CheckComplete(map, identity);
  return identity;
}

std::vector<std::string> IdentityReader::ReadCertificates(YamlMap* map) {
  std::vector<std::string> certificates;
  for (const Setting& name : FullTexts(map, "certificates", problems_)) {
    if (!IsCertificateName(name.value)) {
      problems_->Add(name.where, fmt::format("{} is not a name in a certificate; write a URI as in "
                                             "spiffe://example.org/app, or dns:NAME, or cn:NAME",
                                             Quoted(name.value)));
      continue;
    }
    // Names of the DNS are the same in lower and upper case.
    Claim(name.value.starts_with("dns:") ? absl::AsciiStrToLower(name.value) : name.value, name);
    certificates.push_back(name.value);
  }
  return certificates;
}

template <typename Number>
std::vector<Number> IdentityReader::ReadAccounts(
    YamlMap* map, const std::string& key, absl::StatusOr<Number> (*find)(const std::string&)) {
  std::vector<Number> numbers;
  for (const Setting& account : FullTexts(map, key, problems_)) {
    const absl::StatusOr<Number> number = find(account.value);
    if (!number.ok()) {
      problems_->Add(account.where, std::string(number.status().message()));
      continue;
    }
    Claim(fmt::format("{} {}", key, *number), account);
    numbers.push_back(*number);
  }
  return numbers;
}

std::vector<std::string> IdentityReader::ReadSubjects(YamlMap* map) {
  std::vector<std::string> subjects;
  for (const Setting& subject : FullTexts(map, "jwt_subjects", problems_)) {
    Claim("subject " + subject.value, subject);
    subjects.push_back(subject.value);
  }
  if (map->Has("jwt_subjects") && !context_.has_jwt) {
    problems_->Add(map->WhereIs("jwt_subjects"),
                   "has no meaning without jwt; say there how such tokens are verified, or remove "
                   "the key");
  }
  return subjects;
}

void IdentityReader::CheckComplete(const YamlMap& map, const IdentityConfig& identity) {
  const auto has = [&map](const char* key) { return map.Has(key); };
  constexpr std::array credentials = {"tokens", "certificates", "unix_users", "unix_groups",
                                      "jwt_subjects"};
  if (std::none_of(credentials.begin(), credentials.end(), has)) {
    problems_->Add(map.where(),
                   fmt::format("has no credential; add one of {}", fmt::join(credentials, ", ")));
  }
  if (!has("grants") && !identity.metrics) {
    problems_->Add(map.where(), "has no grants; say what it may do");
  }
}

void IdentityReader::Claim(const std::string& credential, const Setting& setting) {
  const auto [owner, is_new] =
      owners_.try_emplace(credential, Owner{.identity = name_, .line = setting.where.line});
  const auto& [identity, line] = owner->second;
  if (is_new || identity == name_) return;
  problems_->Add(
      setting.where,
      fmt::format("{} proves the identity {} as well, in line {}; keep it at one of them",
                  Quoted(setting.value), Quoted(identity), line));
}

}  // namespace

IdentityConfigs ReadIdentities(YamlMap map, const IdentityContext& context) {
  IdentityReader reader(context);
  IdentityConfigs identities;
  for (const std::string& name : map.TakeKeys()) {
    CheckName(name, map.WhereIs(name), context.problems);
    identities.emplace(name, reader.Read(name, map.Map(name)));
  }
  return identities;
}

}  // namespace penstock::server
