#include "drivers/pebble/key_plan.h"

#include <sqlite3.h>

#include <algorithm>
#include <iterator>
#include <string>
#include <utility>

#include "drivers/pebble/table_value.h"
#include "fmt/format.h"

namespace penstock::pebble {
namespace {

// A number has place for so many terms of kTermBits each, their count and two flags.
constexpr size_t kMaxTerms = 6;
constexpr int kTermBits = 4;
constexpr int kCountShift = 24;
constexpr int kDescending = 1 << 27;
constexpr int kKeysOnly = 1 << 28;

// The cost of reading, in SQLite's unit: about one step of a scan.
constexpr double kScanCost = 1;
constexpr double kGetCost = 4;
// Assumed where nobody knows: how many keys an IN names, and which part of all keys an
// open range, a closed one and a prefix leave.
constexpr int64_t kInKeys = 25;
constexpr double kOpenPart = 0.25;
constexpr double kClosedPart = 0.05;

constexpr int kKeyColumn = 0;
constexpr sqlite3_uint64 kValueBit = 2;

bool IsPrefixTerm(KeyTerm term) { return term == KeyTerm::kLike || term == KeyTerm::kGlob; }

std::optional<KeyTerm> TermOf(unsigned char op) {
  switch (op) {
    case SQLITE_INDEX_CONSTRAINT_EQ:
    case SQLITE_INDEX_CONSTRAINT_IS: return KeyTerm::kEquals;
    case SQLITE_INDEX_CONSTRAINT_NE: return KeyTerm::kNotEquals;
    case SQLITE_INDEX_CONSTRAINT_GT: return KeyTerm::kGreater;
    case SQLITE_INDEX_CONSTRAINT_GE: return KeyTerm::kGreaterOrEquals;
    case SQLITE_INDEX_CONSTRAINT_LT: return KeyTerm::kLess;
    case SQLITE_INDEX_CONSTRAINT_LE: return KeyTerm::kLessOrEquals;
    case SQLITE_INDEX_CONSTRAINT_LIKE: return KeyTerm::kLike;
    case SQLITE_INDEX_CONSTRAINT_GLOB: return KeyTerm::kGlob;
    default: return std::nullopt;
  }
}

std::string_view TextOf(KeyTerm term) {
  switch (term) {
    case KeyTerm::kEquals: return "key = ?";
    case KeyTerm::kIn: return "key IN (?)";
    case KeyTerm::kNotEquals: return "key <> ?";
    case KeyTerm::kGreater: return "key > ?";
    case KeyTerm::kGreaterOrEquals: return "key >= ?";
    case KeyTerm::kLess: return "key < ?";
    case KeyTerm::kLessOrEquals: return "key <= ?";
    case KeyTerm::kLike: return "key LIKE ?";
    case KeyTerm::kGlob: return "key GLOB ?";
  }
  return "";
}

// The term that constraint `i` is, if the plan can use it.
std::optional<KeyTerm> Usable(sqlite3_index_info* info, int i) {
  const auto& constraint = info->aConstraint[i];
  if (!constraint.usable || constraint.iColumn != kKeyColumn) return std::nullopt;
  const std::optional<KeyTerm> term = TermOf(constraint.op);
  if (!term.has_value() || IsPrefixTerm(*term)) return term;
  // Bytes are compared here, so a term with COLLATE NOCASE is SQLite's to look at.
  if (sqlite3_stricmp(sqlite3_vtab_collation(info, i), "BINARY") != 0) return std::nullopt;
  if (term == KeyTerm::kEquals && sqlite3_vtab_in(info, i, -1) != 0) {
    // All of its values at once.
    sqlite3_vtab_in(info, i, 1);
    return KeyTerm::kIn;
  }
  return term;
}

bool Has(const KeyPlan& plan, std::initializer_list<KeyTerm> any) {
  return std::find_first_of(plan.terms.begin(), plan.terms.end(), any.begin(), any.end()) !=
         plan.terms.end();
}

void SetCosts(const KeyPlan& plan, int64_t keys, sqlite3_index_info* info) {
  if (Has(plan, {KeyTerm::kEquals})) {
    info->estimatedRows = 1;
    info->estimatedCost = kGetCost;
    info->idxFlags = SQLITE_INDEX_SCAN_UNIQUE;
    return;
  }
  if (Has(plan, {KeyTerm::kIn})) {
    info->estimatedRows = kInKeys;
    info->estimatedCost = kGetCost * static_cast<double>(kInKeys);
    return;
  }
  const bool prefix = Has(plan, {KeyTerm::kLike, KeyTerm::kGlob});
  const bool starts = Has(plan, {KeyTerm::kGreater, KeyTerm::kGreaterOrEquals});
  const bool ends = Has(plan, {KeyTerm::kLess, KeyTerm::kLessOrEquals});
  auto rows = static_cast<double>(std::max<int64_t>(keys, 1));
  if (prefix || (starts && ends)) {
    rows *= kClosedPart;
  } else if (starts || ends) {
    rows *= kOpenPart;
  }
  info->estimatedRows = static_cast<sqlite3_int64>(rows) + 1;
  info->estimatedCost = kGetCost + rows * kScanCost;
}

// The bytes that every key begins with that matches a pattern: such as mean
// themselves, in ASCII, as SQLite reads other bytes leniently.
std::string_view LiteralPrefix(std::string_view pattern, std::string_view wildcards) {
  const auto ends = [wildcards](char c) {
    return c == '\0' || static_cast<unsigned char>(c) >= 0x80 ||
           wildcards.find(c) != std::string_view::npos;
  };
  const auto end = std::find_if(pattern.begin(), pattern.end(), ends);
  return pattern.substr(0, static_cast<size_t>(end - pattern.begin()));
}

std::string MapAscii(std::string_view text, char from, char to, int offset) {
  std::string mapped(text);
  for (char& c : mapped) {
    if (c >= from && c <= to) c = static_cast<char>(c + offset);
  }
  return mapped;
}

// The smallest bytes that are greater than `key`.
std::string After(std::string_view key) { return std::string(key) + '\0'; }

void RaiseStart(std::string start, KeySet* set) {
  if (start > set->start) set->start = std::move(start);
}

void LowerEnd(std::string end, KeySet* set) {
  if (!set->end.has_value() || end < *set->end) set->end = std::move(end);
}

void LimitToPrefix(std::string_view first, std::string_view last, KeySet* set) {
  RaiseStart(std::string(first), set);
  if (std::optional<std::string> end = driver::PrefixEnd(last)) LowerEnd(*std::move(end), set);
}

void LimitTo(std::vector<std::string> keys, KeySet* set) {
  std::sort(keys.begin(), keys.end());
  keys.erase(std::unique(keys.begin(), keys.end()), keys.end());
  if (set->keys.has_value()) {
    std::vector<std::string> both;
    std::set_intersection(keys.begin(), keys.end(), set->keys->begin(), set->keys->end(),
                          std::back_inserter(both));
    keys = std::move(both);
  }
  set->keys = std::move(keys);
}

bool IsNumber(sqlite3_value* value) {
  const int type = sqlite3_value_type(value);
  return type == SQLITE_INTEGER || type == SQLITE_FLOAT;
}

// The values of an IN that keys can be equal to.
std::vector<std::string> KeysIn(sqlite3_value* list, bool key_is_text) {
  std::vector<std::string> keys;
  sqlite3_value* value = nullptr;
  for (int code = sqlite3_vtab_in_first(list, &value); code == SQLITE_OK && value != nullptr;
       code = sqlite3_vtab_in_next(list, &value)) {
    if (sqlite3_value_type(value) == SQLITE_NULL || (IsNumber(value) && !key_is_text)) continue;
    keys.emplace_back(BytesOf(value));
  }
  return keys;
}

// In the order of SQLite a number is less than any bytes.
void ApplyNumber(KeyTerm term, KeySet* set) {
  if (term == KeyTerm::kEquals || term == KeyTerm::kLess || term == KeyTerm::kLessOrEquals) {
    set->Clear();
  }
}

void Apply(KeyTerm term, sqlite3_value* value, bool key_is_text, KeySet* set) {
  if (term == KeyTerm::kIn) return LimitTo(KeysIn(value, key_is_text), set);
  if (sqlite3_value_type(value) == SQLITE_NULL) return set->Clear();
  if (!IsPrefixTerm(term) && IsNumber(value) && !key_is_text) return ApplyNumber(term, set);
  const std::string_view bytes = BytesOf(value);
  switch (term) {
    case KeyTerm::kEquals: return LimitTo({std::string(bytes)}, set);
    case KeyTerm::kNotEquals: set->excluded.emplace_back(bytes); return;
    case KeyTerm::kGreater: return RaiseStart(After(bytes), set);
    case KeyTerm::kGreaterOrEquals: return RaiseStart(std::string(bytes), set);
    case KeyTerm::kLess: return LowerEnd(std::string(bytes), set);
    case KeyTerm::kLessOrEquals: return LowerEnd(After(bytes), set);
    case KeyTerm::kLike: {
      // It takes 'a' for 'A': all that begins with one of the spellings lies
      // between that in capitals and that in small letters.
      const std::string_view prefix = LiteralPrefix(bytes, "%_");
      return LimitToPrefix(MapAscii(prefix, 'a', 'z', 'A' - 'a'),
                           MapAscii(prefix, 'A', 'Z', 'a' - 'A'), set);
    }
    case KeyTerm::kGlob: {
      const std::string_view prefix = LiteralPrefix(bytes, "*?[");
      return LimitToPrefix(prefix, prefix, set);
    }
    case KeyTerm::kIn: return;
  }
}

}  // namespace

int KeyPlan::ToNumber() const {
  int number = static_cast<int>(terms.size()) << kCountShift;
  for (size_t i = 0; i < terms.size(); ++i) {
    number |= static_cast<int>(terms[i]) << (static_cast<int>(i) * kTermBits);
  }
  if (descending) number |= kDescending;
  if (keys_only) number |= kKeysOnly;
  return number;
}

KeyPlan KeyPlan::FromNumber(int number) {
  KeyPlan plan;
  const int count = (number >> kCountShift) & 7;
  for (int i = 0; i < count; ++i) {
    plan.terms.push_back(static_cast<KeyTerm>((number >> (i * kTermBits)) & 15));
  }
  plan.descending = (number & kDescending) != 0;
  plan.keys_only = (number & kKeysOnly) != 0;
  return plan;
}

std::string KeyPlan::ToText() const {
  std::string text;
  for (const KeyTerm term : terms) {
    if (!text.empty()) text += " AND ";
    text += TextOf(term);
  }
  if (terms.empty()) text = "scan";
  return descending ? text + " descending" : text;
}

int ChooseKeyPlan(sqlite3_index_info* info, int64_t keys) {
  KeyPlan plan;
  for (int i = 0; i < info->nConstraint && plan.terms.size() < kMaxTerms; ++i) {
    const std::optional<KeyTerm> term = Usable(info, i);
    if (!term.has_value()) continue;
    plan.terms.push_back(*term);
    info->aConstraintUsage[i].argvIndex = static_cast<int>(plan.terms.size());
    info->aConstraintUsage[i].omit = IsPrefixTerm(*term) ? 0 : 1;
  }
  // A key occurs once, so whatever the order goes on with decides nothing.
  if (info->nOrderBy > 0 && info->aOrderBy[0].iColumn == kKeyColumn) {
    info->orderByConsumed = 1;
    plan.descending = info->aOrderBy[0].desc != 0;
  }
  plan.keys_only = (info->colUsed & kValueBit) == 0;
  SetCosts(plan, keys, info);
  info->idxNum = plan.ToNumber();
  info->idxStr = sqlite3_mprintf("%s", plan.ToText().c_str());
  info->needToFreeIdxStr = 1;
  return info->idxStr != nullptr ? SQLITE_OK : SQLITE_NOMEM;
}

bool KeySet::Includes(std::string_view key) const {
  return key >= start && (!end.has_value() || key < *end) &&
         std::find(excluded.begin(), excluded.end(), key) == excluded.end();
}

KeySet SelectKeys(const KeyPlan& plan, sqlite3_value** values, bool key_is_text) {
  KeySet set;
  for (size_t i = 0; i < plan.terms.size(); ++i) {
    Apply(plan.terms[i], values[i], key_is_text, &set);
  }
  return set;
}

}  // namespace penstock::pebble
