// Texts without the values that must not be seen in them: of parameters, of connection
// strings.
#ifndef PENSTOCK_DRIVERS_API_HIDDEN_VALUES_H_
#define PENSTOCK_DRIVERS_API_HIDDEN_VALUES_H_

#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "drivers/api/value.h"

namespace penstock::driver {

// In which quotes a backend may put a name or a value, in any language: the opening one, the
// closing one.
inline constexpr std::pair<std::string_view, std::string_view> kQuotes[] = {
    {"\"", "\""},
    {"\xC2\xBB", "\xC2\xAB"},
    {"\xC2\xAB", "\xC2\xBB"},
    {"\xE2\x80\x9E", "\xE2\x80\x9C"},
    {"\xE2\x80\x9C", "\xE2\x80\x9D"},
};

// A value, and what is shown in its place.
struct HiddenValue {
  std::string value;
  std::string shown;
};

// `text` with what is shown in the place of each value, wherever one stands as a whole:
// not inside a longer word, and, as a word of one to three letters is one of the
// language's too, such a word in quotes, brackets or a list only. Capitals make no
// difference. Of a value that the text has cut short (at least 20 bytes of it) that part
// goes as well. What stands in quotes and is one of `names` stays, and so do the names of
// the columns in "(a, b)=(1, 2)".
std::string HideValues(std::string_view text, std::span<const HiddenValue> values,
                       std::span<const std::string_view> names = {});

// The values of a statement's parameters, which it borrows: `args`, or those of each row.
// Shown in their place is $1 for the first, and so on.
class ParameterValues {
 public:
  explicit ParameterValues(std::span<const Value> args,
                           std::span<const std::vector<Value>> rows = {})
      : args_(args), rows_(rows) {}

  // The text without them, as HideValues has it. If `parts`, what stands in quotes is
  // hidden also where it is a part of a value, such as the one word of it that could not
  // be read; what `sql` has as a word stays.
  std::string Hide(std::string_view text, std::string_view sql,
                   std::span<const std::string_view> names, bool parts) const;

 private:
  template <typename Visit>
  void ForEach(const Visit& visit) const;
  std::vector<HiddenValue> In(std::string_view text) const;
  std::string HideParts(std::string text, std::string_view sql,
                        std::span<const std::string_view> names) const;

  const std::span<const Value> args_;
  const std::span<const std::vector<Value>> rows_;
};

}  // namespace penstock::driver

#endif  // PENSTOCK_DRIVERS_API_HIDDEN_VALUES_H_
