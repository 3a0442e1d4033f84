// The options of a driver, each declared once: what it may be, what it is by default, and what
// the documents and the errors say about it.
#ifndef PENSTOCK_DRIVERS_API_OPTION_H_
#define PENSTOCK_DRIVERS_API_OPTION_H_

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace penstock::driver {

// A key below `options` of a database. Texts and words are constants.
struct Option {
  enum class Type : uint8_t { kText, kNumber, kSwitch, kChoice };

  std::string_view name;
  Type type = Type::kText;
  // The default, as a configuration writes it; empty: there is none.
  std::string_view fallback;
  // Tells the documents and errors what the option sets; Markdown without links.
  std::string_view help;
  // The bounds of a kNumber.
  int64_t min = 0;
  int64_t max = 0;
  // The values of a kChoice.
  std::span<const std::string_view> words = {};
  // Says in words what happens without the option if there is no `fallback`.
  std::string_view otherwise = "none";
};

// OK if the driver has an option of this name and it may be `value`. INVALID_ARGUMENT says what
// it may be, with what the option is about as its hint; of an unknown name it lists the known.
absl::Status CheckOption(std::string_view driver, std::span<const Option> options,
                         const std::string& name, const std::string& value);

// The checked options of one database. A getter's name is one of the driver's options, and of
// the getter's type.
class OptionValues {
 public:
  // The first mistake in `said`, as CheckOption tells it. `options` outlives the object.
  static absl::StatusOr<OptionValues> Read(std::string_view driver, std::span<const Option> options,
                                           const std::map<std::string, std::string>& said);

  // Returns the value of a kText or a kChoice, or its default, or an empty text.
  std::string Text(std::string_view name) const;
  // 0 if it was not said and has no default.
  int64_t Number(std::string_view name) const;
  bool Switch(std::string_view name) const;

 private:
  OptionValues(std::span<const Option> options, const std::map<std::string, std::string>& said)
      : options_(options), said_(said.begin(), said.end()) {}

  std::span<const Option> options_;
  std::map<std::string, std::string, std::less<>> said_;
};

}  // namespace penstock::driver

#endif  // PENSTOCK_DRIVERS_API_OPTION_H_
