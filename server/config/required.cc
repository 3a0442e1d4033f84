#include "server/config/required.h"

#include "fmt/format.h"

namespace penstock::server {
namespace {

void CheckHas(const YamlMap& map, const std::string& key, std::string_view advice,
              Problems* problems) {
  if (!map.Has(key)) problems->Add(map.where(), fmt::format("has no {}; {}", key, advice));
}

}  // namespace

std::optional<Setting> RequiredText(YamlMap* map, const std::string& key, std::string_view advice,
                                    Problems* problems) {
  CheckHas(*map, key, advice, problems);
  std::optional<Setting> setting = map->Text(key);
  if (setting && setting->value.empty()) {
    problems->Add(setting->where, fmt::format("is empty; {}", advice));
    setting.reset();
  }
  return setting;
}

std::vector<Setting> FullTexts(YamlMap* map, const std::string& key, Problems* problems) {
  std::vector<Setting> texts = map->TextList(key);
  std::erase_if(texts, [problems](const Setting& text) {
    if (text.value.empty()) problems->Add(text.where, "is empty; write something, or remove it");
    return text.value.empty();
  });
  return texts;
}

std::vector<Setting> RequiredTexts(YamlMap* map, const std::string& key, std::string_view advice,
                                   Problems* problems) {
  CheckHas(*map, key, advice, problems);
  return FullTexts(map, key, problems);
}

}  // namespace penstock::server
