#include "server/config/yaml_map.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "absl/status/statusor.h"
#include "fmt/format.h"
#include "server/config/units.h"
#include "server/config/words.h"
#include "text/string_views.h"

namespace penstock::server {
namespace {

constexpr size_t kLongestText = 64 << 10;

std::string_view KindOf(const YAML::Node& node) {
  if (node.IsMap()) return "a map";
  if (node.IsSequence()) return "a list";
  return "a single value";
}

int LineOf(const YAML::Node& node, int otherwise) {
  return node.Mark().is_null() ? otherwise : node.Mark().line + 1;
}

}  // namespace

YamlMap::YamlMap(const YAML::Node& node, std::string file, std::string path, Where where,
                 Problems* problems)
    : file_(std::move(file)),
      path_(std::move(path)),
      where_(std::move(where)),
      problems_(problems) {
  if (!node.IsDefined() || node.IsNull()) return;
  if (node.IsMap()) {
    ReadEntries(node);
  } else {
    problems_->Add(where_, fmt::format("is {}; write a map of keys and values", KindOf(node)));
  }
}

// yaml-cpp keeps every entry and looks up the first, so only a walk sees duplicates.
void YamlMap::ReadEntries(const YAML::Node& node) {
  for (const auto& entry : node) {
    const int line = LineOf(entry.first, where_.line);
    if (!entry.first.IsScalar()) {
      problems_->Add(At(path_, line), "has a key that is not a word; write 'key: value'");
      continue;
    }
    const std::string& key = entry.first.Scalar();
    const auto [earlier, is_new] = entries_.try_emplace(key, Entry{entry.second, line});
    if (is_new) continue;
    problems_->Add(At(path_, line),
                   fmt::format("duplicate key {} (first set on line {}); keep one of them",
                               Quoted(key), earlier->second.line));
  }
}

std::string YamlMap::Path(const std::string& key) const {
  return path_.empty() ? key : fmt::format("{}.{}", path_, key);
}

Where YamlMap::At(const std::string& path, int line) const {
  return {path.empty() ? fmt::format("{}:{}", file_, line)
                       : fmt::format("{}:{}: {}", file_, line, path),
          line};
}

Where YamlMap::WhereIs(const std::string& key) const {
  const auto entry = entries_.find(key);
  return entry == entries_.end() ? where_ : At(Path(key), entry->second.line);
}

std::optional<std::string> YamlMap::Scalar(const YAML::Node& node, const Where& where) {
  if (node.IsNull()) {
    problems_->Add(where, "has no value; write one, or remove the key for its default");
    return std::nullopt;
  }
  if (!node.IsScalar()) {
    problems_->Add(where, fmt::format("is {}; write a single value", KindOf(node)));
    return std::nullopt;
  }
  // The tag "?" is plain and "!" quoted; any other would mean something that we do not know.
  if (node.Tag() != "?" && node.Tag() != "!" && !node.Tag().empty()) {
    problems_->Add(where, "has a YAML tag; remove the word that starts with '!'");
    return std::nullopt;
  }
  if (node.Scalar().size() > kLongestText) {
    problems_->Add(where, fmt::format("is longer than {}; shorten it", FormatSize(kLongestText)));
    return std::nullopt;
  }
  if (HasControlCharacter(node.Scalar())) {
    problems_->Add(where, "has a line break or another control character; remove it");
    return std::nullopt;
  }
  return node.Scalar();
}

void YamlMap::Declare(const std::string& key) {
  if (std::find(known_.begin(), known_.end(), key) == known_.end()) known_.push_back(key);
}

std::optional<Setting> YamlMap::Get(const std::string& key) {
  Declare(key);
  const auto entry = entries_.find(key);
  if (entry == entries_.end()) return std::nullopt;
  const Where where = WhereIs(key);
  std::optional<std::string> value = Scalar(entry->second.value, where);
  if (!value) return std::nullopt;
  return Setting{*std::move(value), where};
}

std::optional<Setting> YamlMap::Text(const std::string& key) { return Get(key); }

void YamlMap::CheckList(const std::string& key, const YAML::Node& list) {
  if (list.size() > 0) return;
  problems_->Add(WhereIs(key), "is an empty list; write at least one, or remove the key");
}

std::vector<Setting> YamlMap::TextList(const std::string& key) {
  const auto entry = entries_.find(key);
  std::vector<Setting> list;
  if (entry == entries_.end() || !entry->second.value.IsSequence()) {
    if (auto one = Get(key)) list.push_back(*std::move(one));
    return list;
  }
  Declare(key);
  CheckList(key, entry->second.value);
  for (const YAML::Node& item : entry->second.value) {
    const Where where = At(Path(key), LineOf(item, entry->second.line));
    if (auto value = Scalar(item, where)) list.push_back({*std::move(value), where});
  }
  return list;
}

void YamlMap::Choice(const std::string& key, const std::vector<std::string>& choices,
                     std::string* out) {
  const std::optional<Setting> setting = Get(key);
  if (!setting) return;
  if (std::find(choices.begin(), choices.end(), setting->value) != choices.end()) {
    *out = setting->value;
  } else {
    problems_->Add(setting->where, NotAChoice(setting->value, choices));
  }
}

void YamlMap::Bool(const std::string& key, bool* out) {
  const std::optional<Setting> setting = Get(key);
  if (!setting) return;
  if (setting->value == "true" || setting->value == "false") {
    *out = setting->value == "true";
  } else {
    problems_->Add(setting->where,
                   fmt::format("{} is not true or false; use one of them", Quoted(setting->value)));
  }
}

void YamlMap::Int(const std::string& key, int min, int max, int* out) {
  const std::optional<Setting> setting = Get(key);
  if (!setting) return;
  const std::string& text = setting->value;
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool is_number = end == text.data() + text.size() && !text.empty() &&
                         (error == std::errc() || error == std::errc::result_out_of_range);
  if (!is_number) {
    problems_->Add(setting->where, fmt::format("{} is not a whole number; write one from {} to {}",
                                               Quoted(text), min, max));
  } else if (error != std::errc() || value < min || value > max) {
    problems_->Add(setting->where,
                   fmt::format("{} is out of range; write {} to {}", Quoted(text), min, max));
  } else {
    *out = value;
  }
}

void YamlMap::Size(const std::string& key, size_t min, size_t max, size_t* out) {
  const std::optional<Setting> setting = Get(key);
  if (!setting) return;
  const absl::StatusOr<size_t> size = ParseSize(setting->value);
  if (!size.ok()) {
    problems_->Add(setting->where, ToStd(size.status().message()));
  } else if (*size < min || *size > max) {
    problems_->Add(setting->where,
                   fmt::format("{} is out of range; write {} to {}", Quoted(setting->value),
                               FormatSize(min), FormatSize(max)));
  } else {
    *out = *size;
  }
}

void YamlMap::Duration(const std::string& key, Milliseconds min, Milliseconds max,
                       Milliseconds* out) {
  const std::optional<Setting> setting = Get(key);
  if (!setting) return;
  const absl::StatusOr<Milliseconds> duration = ParseDuration(setting->value);
  if (!duration.ok()) {
    problems_->Add(setting->where, ToStd(duration.status().message()));
  } else if (*duration < min || *duration > max) {
    problems_->Add(setting->where,
                   fmt::format("{} is out of range; write {} to {}", Quoted(setting->value),
                               FormatDuration(min), FormatDuration(max)));
  } else {
    *out = *duration;
  }
}

YamlMap YamlMap::Map(const std::string& key) {
  Declare(key);
  const auto entry = entries_.find(key);
  const YAML::Node value = entry == entries_.end() ? YAML::Node() : entry->second.value;
  return YamlMap(value, file_, Path(key), WhereIs(key), problems_);
}

std::vector<YamlMap> YamlMap::MapList(const std::string& key) {
  Declare(key);
  std::vector<YamlMap> maps;
  const auto entry = entries_.find(key);
  if (entry == entries_.end()) return maps;
  const auto add = [&](const YAML::Node& node, int line) {
    YamlMap map(node, file_, Path(key), At(Path(key), line), problems_);
    // Anything else has been reported.
    if (node.IsMap() || node.IsNull()) maps.push_back(std::move(map));
  };
  const auto& [value, line] = entry->second;
  if (!value.IsSequence()) {
    add(value, line);
    return maps;
  }
  CheckList(key, value);
  for (const YAML::Node& item : value) add(item, LineOf(item, line));
  return maps;
}

std::vector<std::string> YamlMap::TakeKeys() {
  std::vector<std::string> keys;
  for (const auto& [key, entry] : entries_) keys.push_back(key);
  known_.insert(known_.end(), keys.begin(), keys.end());
  return keys;
}

void YamlMap::Finish() {
  for (const auto& [key, entry] : entries_) {
    if (std::find(known_.begin(), known_.end(), key) != known_.end()) continue;
    problems_->Add(At(path_, entry.line),
                   fmt::format("unknown key {}; {}", Quoted(key), Advice(key, known_)));
  }
}

}  // namespace penstock::server
