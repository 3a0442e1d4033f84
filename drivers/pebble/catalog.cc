#include "drivers/pebble/catalog.h"

#include <memory>
#include <utility>

#include "drivers/api/error.h"
#include "drivers/pebble/error.h"
#include "fmt/format.h"
#include "rocksdb/db.h"

namespace penstock::pebble {
namespace {

constexpr std::string_view kPrefix = "penstock.table.";
// Between the two types of an entry; no text of SQL has it.
constexpr char kSeparator = '\0';

rocksdb::WriteOptions Durable() {
  rocksdb::WriteOptions options;
  options.sync = true;
  return options;
}

std::string KeyOf(std::string_view name) { return fmt::format("{}{}", kPrefix, name); }

}  // namespace

absl::StatusOr<Catalog> ReadTables(rocksdb::DB* db) {
  Catalog catalog;
  const std::unique_ptr<rocksdb::Iterator> entry(db->NewIterator({}));
  const rocksdb::Slice prefix(kPrefix.data(), kPrefix.size());
  for (entry->Seek(prefix); entry->Valid() && entry->key().starts_with(prefix); entry->Next()) {
    std::string name = entry->key().ToString().substr(kPrefix.size());
    const std::string types = entry->value().ToString();
    const size_t separator = types.find(kSeparator);
    if (separator == std::string::npos) {
      return driver::MakeErrorWithHint(
          driver::Reason::kCorruption,
          fmt::format("the stored definition of table {} is damaged", name),
          "restore the database from a backup");
    }
    catalog[std::move(name)] = {.key = types.substr(0, separator),
                                .value = types.substr(separator + 1)};
  }
  absl::Status status = Classify(entry->status());
  if (!status.ok()) return status;
  return catalog;
}

absl::Status AddTable(rocksdb::DB* db, std::string_view name, const TableTypes& types) {
  return Classify(db->Put(Durable(), KeyOf(name), types.key + kSeparator + types.value));
}

absl::Status RemoveTable(rocksdb::DB* db, std::string_view name) {
  return Classify(db->Delete(Durable(), KeyOf(name)));
}

}  // namespace penstock::pebble
