#include "server/config/identity_limits.h"

#include <cstddef>

namespace penstock::server {
namespace {

constexpr int kMost = 1'000'000;
constexpr int kMostRows = 1'000'000'000;
constexpr size_t kTiB = size_t{1} << 40;
constexpr char kNone[] = "no limit";

}  // namespace

const Keys<IdentityLimits>& IdentityLimitKeys() {
  static const auto* const keys = new Keys<IdentityLimits>{
      {.name = "max_calls",
       .type = IntKey{&IdentityLimits::max_calls, 0, kMost},
       .help = "the most calls and streams of the identity in flight; 0: no limit",
       .otherwise = kNone},
      {.name = "max_transactions",
       .type = IntKey{&IdentityLimits::max_transactions, 0, kMost},
       .help = "the most of these that are Transaction streams; 0: no limit",
       .otherwise = kNone},
      {.name = "calls_per_second",
       .type = IntKey{&IdentityLimits::calls_per_second, 0, kMost},
       .help = "the most calls and streams that begin in a second, of which all may come at once; "
               "0: no limit",
       .otherwise = kNone},
      {.name = "max_result_bytes",
       .type = SizeKey{&IdentityLimits::max_result_bytes, 0, kTiB},
       .help = "about the most bytes of the rows of one result; 0: no limit",
       .otherwise = kNone},
      {.name = "max_result_rows",
       .type = CountKey{&IdentityLimits::max_result_rows, 0, kMostRows},
       .help = "the most rows of one result; 0: no limit",
       .otherwise = kNone},
      {.name = "enforce",
       .type = BoolKey{&IdentityLimits::enforce},
       .help = "`false`: what exceeds a limit is counted and logged, and not refused"},
  };
  return *keys;
}

IdentityLimits ReadIdentityLimits(YamlMap* identity) {
  IdentityLimits limits;
  YamlMap map = identity->Map("limits");
  ReadKeys(IdentityLimitKeys(), &map, &limits);
  map.Finish();
  return limits;
}

}  // namespace penstock::server
