// The keys of the configuration. Each is declared once, with its type, bounds, default and text.
// The default of a value is in its section's struct.
#ifndef PENSTOCK_SERVER_CONFIG_KEY_H_
#define PENSTOCK_SERVER_CONFIG_KEY_H_

#include <cstddef>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "fmt/format.h"
#include "server/config/config.h"
#include "server/config/units.h"
#include "server/config/yaml_map.h"

namespace penstock::server {

// The types of keys. `member` receives the value.
template <typename Section>
struct BoolKey {
  bool Section::*member;
};
template <typename Section>
struct TextKey {
  std::string Section::*member;
};
// The value is one of a few words.
template <typename Section>
struct ChoiceKey {
  std::string Section::*member;
  std::vector<std::string> words;
};
template <typename Section>
struct IntKey {
  int Section::*member;
  int min;
  int max;
};
template <typename Section>
struct SizeKey {
  size_t Section::*member;
  size_t min;
  size_t max;
};
template <typename Section>
struct DurationKey {
  Milliseconds Section::*member;
  Milliseconds min;
  Milliseconds max;
};
// The value is a whole number of things.
template <typename Section>
struct CountKey {
  size_t Section::*member;
  int min;
  int max;
};
// The section's own code reads the value, which has none of these types.
struct OwnKey {};

template <typename Section>
struct Key {
  std::string name;
  std::variant<OwnKey, BoolKey<Section>, TextKey<Section>, ChoiceKey<Section>, IntKey<Section>,
               CountKey<Section>, SizeKey<Section>, DurationKey<Section>>
      type;
  // Tells in Markdown, for the documents, what the key sets. The bounds are added to it.
  std::string help;
  // Tells in words what holds without the key, in place of the default of the section's struct.
  std::string otherwise = {};
  // Adds something to the default.
  std::string note = {};
  // SIGHUP applies a change of the key; without this a change needs a restart.
  bool reloads = false;
  // The section's own code reads it, because flags and variables win over the file.
  bool overridden = false;
};

template <typename Section>
using Keys = std::vector<Key<Section>>;

template <typename Section, typename... More>
Keys<Section> Joined(Keys<Section> keys, const More&... more) {
  (keys.insert(keys.end(), more.begin(), more.end()), ...);
  return keys;
}

// A key as the documents show it.
struct KeyText {
  std::string name;
  // The default as a file writes it; empty for an empty text or an OwnKey.
  std::string value = {};
  // `value` is what a file without the key means.
  bool has_default = false;
  // The default as the documents show it.
  std::string fallback = {};
  std::string help = {};
  bool reloads = false;
};

// Reads the value of a key; one overload for each type.
template <typename Section>
struct KeyReader {
  YamlMap* map;
  const std::string& name;
  Section* section;

  void operator()(const OwnKey&) const { map->Declare(name); }
  void operator()(const BoolKey<Section>& key) const { map->Bool(name, &(section->*key.member)); }
  void operator()(const TextKey<Section>& key) const {
    if (auto setting = map->Text(name)) section->*key.member = setting->value;
  }
  void operator()(const ChoiceKey<Section>& key) const {
    map->Choice(name, key.words, &(section->*key.member));
  }
  void operator()(const IntKey<Section>& key) const {
    map->Int(name, key.min, key.max, &(section->*key.member));
  }
  void operator()(const CountKey<Section>& key) const {
    int count = static_cast<int>(section->*key.member);
    map->Int(name, key.min, key.max, &count);
    section->*key.member = count;
  }
  void operator()(const SizeKey<Section>& key) const {
    map->Size(name, key.min, key.max, &(section->*key.member));
  }
  void operator()(const DurationKey<Section>& key) const {
    map->Duration(name, key.min, key.max, &(section->*key.member));
  }
};

// Reads each key of `keys` that the section's own code does not, and makes all of them known.
template <typename Section>
void ReadKeys(const Keys<Section>& keys, YamlMap* map, Section* section) {
  for (const Key<Section>& key : keys) {
    if (key.overridden) {
      map->Declare(key.name);
    } else {
      std::visit(KeyReader<Section>{map, key.name, section}, key.type);
    }
  }
}

// Adds the value of `section`, which has the defaults, and the bounds to a key's text.
template <typename Section>
struct KeyDescriber {
  const Section& section;
  KeyText* text;

  void operator()(const OwnKey&) const {}
  void operator()(const BoolKey<Section>& key) const {
    text->value = section.*key.member ? "true" : "false";
  }
  void operator()(const TextKey<Section>& key) const { text->value = section.*key.member; }
  void operator()(const ChoiceKey<Section>& key) const { text->value = section.*key.member; }
  void operator()(const IntKey<Section>& key) const { Number(section.*key.member, key); }
  void operator()(const CountKey<Section>& key) const { Number(section.*key.member, key); }
  void operator()(const SizeKey<Section>& key) const {
    text->value = FormatSize(section.*key.member);
    text->help += fmt::format("; {} to {}", FormatSize(key.min), FormatSize(key.max));
  }
  void operator()(const DurationKey<Section>& key) const {
    text->value = FormatDuration(section.*key.member);
    text->help += fmt::format("; {} to {}", FormatDuration(key.min), FormatDuration(key.max));
  }

 private:
  template <typename Value, typename Bounded>
  void Number(Value value, const Bounded& key) const {
    text->value = fmt::format("{}", value);
    text->help += fmt::format("; {} to {}", key.min, key.max);
  }
};

// Describes the keys with the values of `section`, which has the defaults unless the caller passes
// another.
template <typename Section>
std::vector<KeyText> Describe(const Keys<Section>& keys, const Section& section = Section()) {
  std::vector<KeyText> texts;
  for (const Key<Section>& key : keys) {
    KeyText text{.name = key.name, .help = key.help, .reloads = key.reloads};
    std::visit(KeyDescriber<Section>{section, &text}, key.type);
    text.has_default = key.otherwise.empty() && !text.value.empty();
    text.fallback = text.has_default ? fmt::format("`{}`", text.value) : key.otherwise;
    if (!key.note.empty()) text.fallback += "; " + key.note;
    texts.push_back(std::move(text));
  }
  return texts;
}

// Returns the words of a ChoiceKey.
template <typename Section>
const std::vector<std::string>& WordsOf(const Keys<Section>& keys, std::string_view name) {
  for (const Key<Section>& key : keys) {
    if (key.name == name) return std::get<ChoiceKey<Section>>(key.type).words;
  }
  static const std::vector<std::string> none;
  return none;
}

}  // namespace penstock::server

#endif  // PENSTOCK_SERVER_CONFIG_KEY_H_
