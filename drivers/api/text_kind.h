// The kinds of values whose content is a text of a certain form: a row each.
#ifndef PENSTOCK_DRIVERS_API_TEXT_KIND_H_
#define PENSTOCK_DRIVERS_API_TEXT_KIND_H_

#include <array>
#include <cstddef>
#include <string_view>

#include "drivers/api/text_forms.h"
#include "drivers/api/value.h"

namespace penstock::driver {

struct TextKind {
  // Whether a text has the form.
  bool (*is)(std::string_view text) = nullptr;
  // The form in words, for errors.
  std::string_view form = {};
};

// The rows by kind. Kinds without a form (kText; kJson, which each driver reads itself) have none.
inline constexpr auto kTextKinds = [] {
  std::array<TextKind, static_cast<size_t>(Kind::kArray) + 1> kinds{};
  const auto add = [&kinds](Kind kind, TextKind row) { kinds[static_cast<size_t>(kind)] = row; };
  add(Kind::kDecimal, {IsDecimal, "digits with a sign, point, exponent"});
  add(Kind::kDate, {IsDate, "YYYY-MM-DD"});
  add(Kind::kTime, {IsTime, "HH:MM:SS, a fraction of up to 9 digits"});
  add(Kind::kInterval, {IsInterval, "ISO 8601, as P1DT2H"});
  add(Kind::kUuid, {IsUuid, "8-4-4-4-12 hex digits"});
  return kinds;
}();

// Null: the kind has no form of its own.
constexpr const TextKind* FindTextKind(Kind kind) {
  const auto index = static_cast<size_t>(kind);
  return index < kTextKinds.size() && kTextKinds[index].is != nullptr ? &kTextKinds[index]
                                                                      : nullptr;
}

}  // namespace penstock::driver

#endif  // PENSTOCK_DRIVERS_API_TEXT_KIND_H_
