// Uses real data: loads Unicode's UnicodeData.txt (about 35 thousand lines) into a table and
// queries it.
//
//   unicode_data [--target 127.0.0.1:7420] [--database main] /usr/share/unicode/UnicodeData.txt
//
// The file comes with Debian's package unicode-data. The table `unicode_data` of
// the database is dropped and created again. The functions show:
//
//   Load            ExecRows: runs one statement for many rows, all of them or none
//   ByCategory      Query and Scan, row by row
//   WithUppercase   a parameter, and a column that may be NULL
//   LookUp          a prepared statement that is run a thousand times
//   Rename          a Transaction that is rolled back, then one that commits
//
// Every answer is also computed from the file. The program exits with 1 if the database's answer
// differs or a call fails, and with 2 if the command line is wrong.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "penstock/penstock.h"

namespace {

using penstock::Context;
using penstock::Provider;

// The fields of a line of the file that are used here.
struct Character {
  int64_t code = 0;
  std::string name;
  // Two letters: Lu is an upper case letter, Nd a decimal digit.
  std::string category;
  // The code of its upper case form, if it has one.
  std::optional<int64_t> uppercase;
};

int64_t FromHex(const std::string& digits) { return std::strtoll(digits.c_str(), nullptr, 16); }

std::vector<std::string> SplitFields(const std::string& line) {
  std::vector<std::string> fields(1);
  for (const char c : line) {
    if (c == ';') {
      fields.emplace_back();
    } else {
      fields.back().push_back(c);
    }
  }
  return fields;
}

absl::StatusOr<std::vector<Character>> ReadCharacters(const std::string& path) {
  std::ifstream file(path);
  std::vector<Character> characters;
  for (std::string line; std::getline(file, line);) {
    const std::vector<std::string> fields = SplitFields(line);
    if (fields.size() != 15) return absl::DataLossError(path + " is not a UnicodeData.txt");
    Character character{.code = FromHex(fields[0]), .name = fields[1], .category = fields[2]};
    if (!fields[12].empty()) character.uppercase = FromHex(fields[12]);
    characters.push_back(std::move(character));
  }
  if (characters.empty()) return absl::NotFoundError(path + " cannot be read, or is empty");
  return characters;
}

// Fails unless the database's answer is equal to the one computed from the file.
template <typename T>
absl::Status Compare(const std::string& question, const T& database, const T& file) {
  if (database == file) return absl::OkStatus();
  return absl::DataLossError("the database and the file differ about " + question);
}

absl::Status Load(Provider* db, const Context& ctx, const std::vector<Character>& characters) {
  auto dropped = db->Exec(ctx, "DROP TABLE IF EXISTS unicode_data");
  if (!dropped.ok()) return dropped.status();
  auto created = db->Exec(ctx,
                          "CREATE TABLE unicode_data(code INTEGER PRIMARY KEY, "
                          "name TEXT NOT NULL, category TEXT NOT NULL, uppercase INTEGER)");
  if (!created.ok()) return created.status();

  constexpr size_t kBatch = 1000;
  int64_t inserted = 0;
  for (size_t begin = 0; begin < characters.size(); begin += kBatch) {
    std::vector<std::vector<penstock::Value>> rows;
    for (size_t i = begin; i < std::min(begin + kBatch, characters.size()); ++i) {
      const Character& c = characters[i];
      rows.push_back({c.code, c.name, c.category, c.uppercase});
    }
    auto result =
        db->ExecRows(ctx, "INSERT INTO unicode_data VALUES ($1, $2, $3, $4)", std::move(rows));
    if (!result.ok()) return result.status();
    inserted += result->RowsAffected();
  }
  std::cout << inserted << " characters loaded\n";
  return Compare("how many rows were inserted", inserted, static_cast<int64_t>(characters.size()));
}

absl::Status ByCategory(Provider* db, const Context& ctx,
                        const std::vector<Character>& characters) {
  std::map<std::string, int64_t> expected;
  for (const Character& c : characters) ++expected[c.category];

  auto rows = db->Query(
      ctx, "SELECT category, count(*) FROM unicode_data GROUP BY category ORDER BY category");
  if (!rows.ok()) return rows.status();
  std::map<std::string, int64_t> counts;
  std::string category;
  int64_t count = 0;
  while ((*rows)->Next()) {
    if (absl::Status scanned = (*rows)->Scan(&category, &count); !scanned.ok()) return scanned;
    counts[category] = count;
  }
  if (!(*rows)->Err().ok()) return (*rows)->Err();
  for (const auto& [name, number] : counts) std::cout << "  " << name << " " << number << "\n";
  return Compare("the general categories", counts, expected);
}

absl::Status WithUppercase(Provider* db, const Context& ctx,
                           const std::vector<Character>& characters) {
  const std::string category = "Ll";
  int64_t expected_with = 0;
  int64_t expected_without = 0;
  for (const Character& c : characters) {
    if (c.category == category) ++(c.uppercase.has_value() ? expected_with : expected_without);
  }

  auto rows = db->Query(ctx, "SELECT uppercase FROM unicode_data WHERE category = $1", category);
  if (!rows.ok()) return rows.status();
  int64_t with = 0;
  int64_t without = 0;
  std::optional<int64_t> uppercase;
  while ((*rows)->Next()) {
    if (absl::Status scanned = (*rows)->Scan(&uppercase); !scanned.ok()) return scanned;
    ++(uppercase.has_value() ? with : without);
  }
  if (!(*rows)->Err().ok()) return (*rows)->Err();
  std::cout << with << " lower case letters have an upper case form, " << without << " have none\n";
  absl::Status same = Compare("letters with an upper case form", with, expected_with);
  return same.ok() ? Compare("letters without one", without, expected_without) : same;
}

// Returns the name that `statement` finds for a code.
absl::StatusOr<std::string> NameOf(penstock::Statement* statement, const Context& ctx,
                                   int64_t code) {
  auto rows = statement->Query(ctx, code);
  if (!rows.ok()) return rows.status();
  std::string name;
  if ((*rows)->Next()) {
    if (absl::Status scanned = (*rows)->Scan(&name); !scanned.ok()) return scanned;
  }
  if (!(*rows)->Err().ok()) return (*rows)->Err();
  return name;
}

constexpr const char* kSelectName = "SELECT name FROM unicode_data WHERE code = $1";

absl::Status LookUp(Provider* db, const Context& ctx, const std::vector<Character>& characters) {
  auto statement = db->Prepare(ctx, kSelectName);
  if (!statement.ok()) return statement.status();
  constexpr size_t kLookUps = 1000;
  for (size_t i = 0; i < kLookUps; ++i) {
    // Takes characters from the whole file.
    const Character& expected = characters[i * characters.size() / kLookUps];
    absl::StatusOr<std::string> name = NameOf(statement->get(), ctx, expected.code);
    if (!name.ok()) return name.status();
    absl::Status same = Compare("the name of " + expected.name, *name, expected.name);
    if (!same.ok()) return same;
  }
  std::cout << kLookUps << " characters found by their code\n";
  return absl::OkStatus();
}

// Renames a character in a transaction, reads it inside the transaction, and commits or rolls back.
// `expected` is the name that it must have afterwards.
absl::Status RenameAndEnd(Provider* db, const Context& ctx, int64_t code, const std::string& name,
                          bool commit, const std::string& expected) {
  auto tx = db->Transaction(ctx);
  if (!tx.ok()) return tx.status();
  auto renamed = (*tx)->Exec(ctx, "UPDATE unicode_data SET name = $1 WHERE code = $2", name, code);
  if (!renamed.ok()) return renamed.status();
  auto inside = (*tx)->Prepare(ctx, kSelectName);
  if (!inside.ok()) return inside.status();
  absl::StatusOr<std::string> seen = NameOf(inside->get(), ctx, code);
  if (!seen.ok()) return seen.status();
  absl::Status same = Compare("the name inside the transaction", *seen, name);
  if (!same.ok()) return same;
  absl::Status ended = commit ? (*tx)->Commit(ctx) : (*tx)->Rollback(ctx);
  if (!ended.ok()) return ended;

  auto after = db->Prepare(ctx, kSelectName);
  if (!after.ok()) return after.status();
  seen = NameOf(after->get(), ctx, code);
  if (!seen.ok()) return seen.status();
  std::cout << (commit ? "after the commit" : "after the rollback") << " it is called " << *seen
            << "\n";
  return Compare("the name after the transaction", *seen, expected);
}

absl::Status Rename(Provider* db, const Context& ctx, const std::vector<Character>& characters) {
  const Character& character = characters[characters.size() / 2];
  const std::string renamed = "RENAMED " + character.name;
  absl::Status rolled_back =
      RenameAndEnd(db, ctx, character.code, renamed, /*commit=*/false, character.name);
  if (!rolled_back.ok()) return rolled_back;
  return RenameAndEnd(db, ctx, character.code, renamed, /*commit=*/true, renamed);
}

absl::Status Run(const penstock::Config& config, const std::string& path) {
  auto characters = ReadCharacters(path);
  if (!characters.ok()) return characters.status();
  auto db = penstock::New(config);
  if (!db.ok()) return db.status();
  const Context ctx = Context().WithTimeout(absl::Minutes(1));
  absl::Status status = (*db)->Connect(ctx);
  for (const auto step : {Load, ByCategory, WithUppercase, LookUp, Rename}) {
    if (status.ok()) status = step(db->get(), ctx, *characters);
  }
  return status;
}

}  // namespace

int main(int argc, char** argv) {
  penstock::Config config;
  std::string path;
  for (int i = 1; i < argc; ++i) {
    const std::string argument = argv[i];
    if (argument == "--target" && i + 1 < argc) {
      config.target = argv[++i];
    } else if (argument == "--database" && i + 1 < argc) {
      config.database = argv[++i];
    } else if (path.empty() && !argument.starts_with("-")) {
      path = argument;
    } else {
      path.clear();
      break;
    }
  }
  if (path.empty()) {
    std::cerr << "usage: unicode_data [--target ADDRESS] [--database NAME] UnicodeData.txt\n";
    return 2;
  }
  const absl::Status status = Run(config, path);
  if (!status.ok()) std::cerr << "unicode_data: " << status << "\n";
  return status.ok() ? 0 : 1;
}
