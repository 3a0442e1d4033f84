#include "tests/differential/known.h"

#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <array>
#include <set>
#include <string_view>
#include <utility>

#include "fmt/format.h"

namespace penstock::differential {
namespace {

absl::Status Bad(const std::string& path, const YAML::Node& node, std::string_view what) {
  return absl::InvalidArgumentError(fmt::format("{}:{}: {}", path, node.Mark().line + 1, what));
}

absl::Status ReadPattern(const YAML::Node& entry, const char* key, Pattern* pattern) {
  absl::StatusOr<Pattern> compiled = Pattern::Compile(entry[key].as<std::string>());
  if (!compiled.ok()) return compiled.status();
  *pattern = *std::move(compiled);
  return absl::OkStatus();
}

absl::StatusOr<Known> ReadEntry(const YAML::Node& entry) {
  static const std::set<std::string> keys = {"name",    "why",        "sql",
                                             "refused", "difference", "outside_transaction",
                                             "unlike",  "pending",    "mode"};
  for (const auto& pair : entry) {
    if (keys.count(pair.first.as<std::string>()) == 0) {
      return absl::InvalidArgumentError(
          fmt::format("'{}' is no part of an entry", pair.first.as<std::string>()));
    }
  }
  if (!entry["name"] || !entry["why"] || !entry["sql"] ||
      entry["refused"].IsDefined() == entry["difference"].IsDefined()) {
    return absl::InvalidArgumentError("an entry has name, why, sql, and refused or difference");
  }
  Known known;
  known.name = entry["name"].as<std::string>();
  known.why = entry["why"].as<std::string>();
  known.outside_transaction = entry["outside_transaction"].as<bool>(false);
  known.unlike = entry["unlike"].as<bool>(false);
  known.mode = entry["mode"].as<std::string>("");
  known.pending = entry["pending"].as<bool>(false);
  absl::Status status = ReadPattern(entry, "sql", &known.sql);
  if (entry["difference"]) status.Update(ReadPattern(entry, "difference", &known.difference));
  if (!status.ok()) return status;
  if (entry["refused"] && !v1::Reason_Parse(entry["refused"].as<std::string>(), &known.refused)) {
    return absl::InvalidArgumentError("refused is not the name of a Reason (error.proto)");
  }
  return known;
}

}  // namespace

absl::StatusOr<Pattern> Pattern::Compile(const std::string& text) {
  auto compiled = std::make_unique<regex_t>();
  const int code = regcomp(compiled.get(), text.c_str(), REG_EXTENDED | REG_ICASE | REG_NOSUB);
  if (code != 0) {
    std::array<char, 200> message{};
    regerror(code, compiled.get(), message.data(), message.size());
    return absl::InvalidArgumentError(fmt::format("'{}': {}", text, message.data()));
  }
  Pattern pattern;
  pattern.compiled_ = std::shared_ptr<regex_t>(compiled.release(), [](regex_t* done) {
    regfree(done);
    delete done;
  });
  return pattern;
}

bool Pattern::Matches(const std::string& text) const {
  return compiled_ != nullptr && regexec(compiled_.get(), text.c_str(), 0, nullptr, 0) == 0;
}

absl::StatusOr<KnownDifferences> KnownDifferences::Read(const std::string& path) {
  KnownDifferences known;
  try {
    for (const YAML::Node& node : YAML::LoadFile(path)) {
      absl::StatusOr<Known> entry = ReadEntry(node);
      if (!entry.ok()) return Bad(path, node, std::string(entry.status().message()));
      known.entries_.push_back(*std::move(entry));
    }
  } catch (const YAML::Exception& error) {
    return absl::InvalidArgumentError(fmt::format("{}: {}", path, error.what()));
  }
  return known;
}

bool KnownDifferences::MayBeRefused(const std::string& sql) const {
  return std::any_of(entries_.begin(), entries_.end(), [&](const Known& known) {
    return known.refused != v1::REASON_UNSPECIFIED && known.sql.Matches(sql);
  });
}

bool KnownDifferences::MakesUnlike(const std::string& sql) const {
  return std::any_of(entries_.begin(), entries_.end(),
                     [&](const Known& known) { return known.unlike && known.sql.Matches(sql); });
}

const Known* KnownDifferences::FindRefusal(const std::string& sql, v1::Reason reason,
                                           bool in_transaction) const {
  for (const Known& known : entries_) {
    const bool refuses = known.refused != v1::REASON_UNSPECIFIED && known.refused == reason &&
                         !(known.outside_transaction && in_transaction);
    if (refuses && known.sql.Matches(sql)) return &known;
  }
  return nullptr;
}

const Known* KnownDifferences::Find(const std::string& sql, const std::string& difference,
                                    bool in_transaction, Mode mode) const {
  for (const Known& known : entries_) {
    const bool here = !(known.outside_transaction && in_transaction) &&
                      (known.mode.empty() || known.mode == ModeName(mode));
    if (here && known.refused == v1::REASON_UNSPECIFIED && known.sql.Matches(sql) &&
        known.difference.Matches(difference)) {
      return &known;
    }
  }
  return nullptr;
}

}  // namespace penstock::differential
