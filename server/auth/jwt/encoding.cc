#include "server/auth/jwt/encoding.h"

#include <cstddef>
#include <set>
#include <vector>

#include "absl/strings/escaping.h"

namespace penstock::server::jwt {
namespace {

using nlohmann::json;

constexpr size_t kDeepest = 16;

// Stops at a name that its object has already, of which the library would keep the last value, and
// at what is nested too deep. The library's parser callbacks could tell both, but take a time that
// is quadratic in the number of objects.
class Checker final : public json::json_sax_t {
 public:
  bool start_object(size_t) override { return Enter(); }
  bool start_array(size_t) override { return Enter(); }
  bool key(string_t& name) override { return names_.back().insert(name).second; }
  bool end_object() override { return Leave(); }
  bool end_array() override { return Leave(); }

  bool null() override { return true; }
  bool boolean(bool) override { return true; }
  bool number_integer(number_integer_t) override { return true; }
  bool number_unsigned(number_unsigned_t) override { return true; }
  bool number_float(number_float_t, const string_t&) override { return true; }
  bool string(string_t&) override { return true; }
  bool binary(binary_t&) override { return true; }
  bool parse_error(size_t, const std::string&, const json::exception&) override { return false; }

 private:
  bool Enter() {
    names_.emplace_back();
    return names_.size() <= kDeepest;
  }

  bool Leave() {
    names_.pop_back();
    return true;
  }

  // The names of each object that is open; none for a list.
  std::vector<std::set<std::string>> names_;
};

}  // namespace

std::optional<std::string> DecodeBase64Url(std::string_view text) {
  std::string bytes;
  // Abseil takes padding, white space and bits that are left over, but writes none of them.
  if (!absl::WebSafeBase64Unescape(absl::string_view(text.data(), text.size()), &bytes) ||
      absl::WebSafeBase64Escape(bytes) != text) {
    return std::nullopt;
  }
  return bytes;
}

std::optional<json> ParseObject(std::string_view text) {
  // The library takes a NUL for the end, and would not see what is behind it.
  if (text.find('\0') != std::string_view::npos) return std::nullopt;
  Checker checker;
  if (!json::sax_parse(text.begin(), text.end(), &checker)) return std::nullopt;
  json object = json::parse(text.begin(), text.end(), nullptr, /*allow_exceptions=*/false);
  if (!object.is_object()) return std::nullopt;
  return object;
}

const std::string* FindText(const json& object, const char* name) {
  const auto member = object.find(name);
  return member == object.end() ? nullptr : member->get_ptr<const std::string*>();
}

}  // namespace penstock::server::jwt
