// Reads one map of the YAML file, key by key, and reports what is wrong with it.
#ifndef PENSTOCK_SERVER_CONFIG_YAML_MAP_H_
#define PENSTOCK_SERVER_CONFIG_YAML_MAP_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "server/config/config.h"
#include "server/config/problems.h"
#include "yaml-cpp/yaml.h"

namespace penstock::server {

// A map of the file. Each getter makes its key known; Finish reports the keys
// that none asked for. A getter for a key that is not there, or whose value was
// reported as wrong, leaves its output alone or returns nothing.
class YamlMap {
 public:
  // `path` is the map's, as in "databases.main", or empty for the file itself. A null node is an
  // empty map. `problems` outlives the object.
  YamlMap(const YAML::Node& node, std::string file, std::string path, Where where,
          Problems* problems);

  bool Has(const std::string& key) const { return entries_.contains(key); }

  // The place of the map itself.
  const Where& where() const { return where_; }

  // The place of a key, or of the map if the key is not there.
  Where WhereIs(const std::string& key) const;

  // Makes a key known without reading it.
  void Declare(const std::string& key);
  // Reads free text, which no message shows, so that it may be a secret.
  std::optional<Setting> Text(const std::string& key);
  // Reads a text, or a list of them.
  std::vector<Setting> TextList(const std::string& key);
  // Reads one of a few words.
  void Choice(const std::string& key, const std::vector<std::string>& choices, std::string* out);
  void Bool(const std::string& key, bool* out);
  void Int(const std::string& key, int min, int max, int* out);
  void Size(const std::string& key, size_t min, size_t max, size_t* out);
  void Duration(const std::string& key, Milliseconds min, Milliseconds max, Milliseconds* out);
  YamlMap Map(const std::string& key);
  // Reads a map, or a list of them.
  std::vector<YamlMap> MapList(const std::string& key);

  // Takes the keys of a map whose names the user chooses.
  std::vector<std::string> TakeKeys();

  // Reports keys that no getter has asked for.
  void Finish();

 private:
  struct Entry {
    YAML::Node value;
    int line;
  };

  std::string Path(const std::string& key) const;
  Where At(const std::string& path, int line) const;
  void ReadEntries(const YAML::Node& node);
  // Returns the scalar's text, without reporting an absent key.
  std::optional<std::string> Scalar(const YAML::Node& node, const Where& where);
  std::optional<Setting> Get(const std::string& key);
  // Reports a list that is empty.
  void CheckList(const std::string& key, const YAML::Node& list);

  std::string file_;
  std::string path_;
  Where where_;
  Problems* problems_;
  std::map<std::string, Entry> entries_;
  std::vector<std::string> known_;
};

}  // namespace penstock::server

#endif  // PENSTOCK_SERVER_CONFIG_YAML_MAP_H_
