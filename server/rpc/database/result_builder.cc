#include "server/rpc/database/result_builder.h"

#include <utility>

#include "server/rpc/base/convert.h"
#include "server/rpc/base/wire_writer.h"

namespace penstock::server {
namespace {

using driver::Kind;

// The approximate cost of a value beside its bytes: tag, length, and its share of the objects that
// hold it.
constexpr size_t kRowValueBytes = 24;
constexpr size_t kColumnValueBytes = 8;
// Memory of columns beyond this is not kept for the next run.
constexpr size_t kKeptBytes = size_t{64} << 10;

using wire::AppendBytes;
using wire::AppendDouble;
using wire::AppendHead;
using wire::AppendNumber;
using wire::BytesSize;
using wire::NumberSize;

// The field of a Value that is text or bytes.
int TextField(Kind kind) {
  switch (kind) {
    case Kind::kBlob: return v1::Value::kBlobFieldNumber;
    case Kind::kDecimal: return v1::Value::kDecimalFieldNumber;
    case Kind::kDate: return v1::Value::kDateFieldNumber;
    case Kind::kTime: return v1::Value::kTimeFieldNumber;
    case Kind::kInterval: return v1::Value::kIntervalFieldNumber;
    case Kind::kUuid: return v1::Value::kUuidFieldNumber;
    case Kind::kJson: return v1::Value::kJsonFieldNumber;
    default: return v1::Value::kTextFieldNumber;
  }
}

// Appends an entry for NULL to whichever arrays the kind fills.
void AddPlaceholder(v1::ColumnData* column) {
  switch (column->kind()) {
    case v1::KIND_BOOLEAN: column->add_booleans(false); break;
    case v1::KIND_INTEGER: column->add_integers(0); break;
    case v1::KIND_REAL: column->add_reals(0); break;
    case v1::KIND_TIMESTAMP:
      column->add_integers(0);
      column->add_nanos(0);
      break;
    case v1::KIND_ARRAY: column->add_values()->set_null(google::protobuf::NULL_VALUE); break;
    case v1::KIND_UNSPECIFIED:
      if (column->values_size() > 0) column->add_values()->set_null(google::protobuf::NULL_VALUE);
      break;
    default: column->add_ends(static_cast<uint32_t>(column->data().size())); break;
  }
}

size_t ElementBytes(std::span<const driver::Value> elements) {
  size_t bytes = 0;
  for (const driver::Value& element : elements) {
    bytes += kRowValueBytes + element.text.size() + ElementBytes(element.elements);
  }
  return bytes;
}

bool IsNull(const v1::ColumnData& column, uint32_t row) {
  return row / 8 < column.nulls().size() && ((column.nulls()[row / 8] >> (row % 8)) & 1) != 0;
}

// The value of a row as it was written, from arrays of one kind.
driver::Value ValueAt(const v1::ColumnData& column, uint32_t row) {
  const int i = static_cast<int>(row);
  if (IsNull(column, row)) return driver::Value::Null();
  switch (column.kind()) {
    case v1::KIND_BOOLEAN: return driver::Value::Boolean(column.booleans(i));
    case v1::KIND_INTEGER: return driver::Value::Integer(column.integers(i));
    case v1::KIND_REAL: return driver::Value::Real(column.reals(i));
    case v1::KIND_TIMESTAMP:
      return driver::Value::Timestamp(column.integers(i), static_cast<int32_t>(column.nanos(i)));
    default: {
      const uint32_t begin = i == 0 ? 0 : column.ends(i - 1);
      const std::string_view data = column.data();
      return driver::Value::Of(static_cast<Kind>(column.kind()),
                               data.substr(begin, column.ends(i) - begin));
    }
  }
}

}  // namespace

void ResultBuilder::Start(v1::Format format, size_t part_bytes, const driver::Columns& known) {
  format_ = format;
  part_bytes_ = part_bytes;
  known_ = known;
  part_.clear();
  row_.clear();
  columns_.Clear();
  finished_.clear();
  taken_ = 0;
  column_ = 0;
  rows_ = 0;
  part_size_ = 0;
  held_bytes_ = 0;
  closed_rows_ = 0;
  closed_bytes_ = 0;
  dirty_ = false;
}

void ResultBuilder::Begin(const driver::Columns& columns) {
  if (part_size_ > 0 || dirty_ || !finished_.empty())
    Start(format_, part_bytes_, driver::Columns(known_));
  if (columns == known_ || (known_ != nullptr && *columns == *known_)) return;
  for (const driver::Column& column : *columns) {
    v1::Column message;
    ToProto(column, &message);
    AppendBytes(v1::QueryResponse::kColumnsFieldNumber, message.SerializeAsString(), &part_);
  }
  dirty_ = true;
}

template <typename Write>
void ResultBuilder::AddToRow(size_t memory, size_t size, const Write& write) {
  part_size_ += memory + kRowValueBytes;
  AppendHead(v1::Row::kValuesFieldNumber, size, &row_);
  write(&row_);
}

v1::ColumnData* ResultBuilder::NextColumn() {
  while (columns_.data_size() <= column_) columns_.add_data();
  return columns_.mutable_data(column_++);
}

v1::ColumnData* ResultBuilder::NextColumn(Kind kind, size_t memory) {
  part_size_ += memory + kColumnValueBytes;
  v1::ColumnData* column = NextColumn();
  const auto wanted = static_cast<v1::Kind>(kind);
  if (column->kind() == wanted) return column;
  if (column->kind() == v1::KIND_UNSPECIFIED && column->values_size() == 0) {
    // Its first value that is not NULL decides what it holds.
    column->set_kind(wanted);
    for (uint32_t i = 0; i < rows_; ++i) AddPlaceholder(column);
    return column;
  }
  if (column->kind() != v1::KIND_UNSPECIFIED) MakeMixed(column);
  return nullptr;
}

v1::Value* ResultBuilder::AddMixed() { return columns_.mutable_data(column_ - 1)->add_values(); }

void ResultBuilder::MakeMixed(v1::ColumnData* column) {
  if (column->kind() != v1::KIND_ARRAY) {
    for (uint32_t row = 0; row < rows_; ++row) ToProto(ValueAt(*column, row), column->add_values());
    column->clear_booleans();
    column->clear_integers();
    column->clear_reals();
    column->clear_nanos();
    column->clear_ends();
    column->clear_data();
  }
  column->set_kind(v1::KIND_UNSPECIFIED);
}

void ResultBuilder::Null() {
  if (!by_columns()) {
    constexpr int kField = v1::Value::kNullFieldNumber;
    AddToRow(0, NumberSize(kField, 0), [](std::string* to) { AppendNumber(kField, 0, to); });
    return;
  }
  part_size_ += kColumnValueBytes;
  v1::ColumnData* column = NextColumn();
  std::string* nulls = column->mutable_nulls();
  if (nulls->size() <= rows_ / 8) nulls->resize(rows_ / 8 + 1);
  (*nulls)[rows_ / 8] = static_cast<char>((*nulls)[rows_ / 8] | (1 << (rows_ % 8)));
  AddPlaceholder(column);
}

void ResultBuilder::Boolean(bool value) {
  if (!by_columns()) {
    constexpr int kField = v1::Value::kBooleanFieldNumber;
    AddToRow(1, NumberSize(kField, 1),
             [value](std::string* to) { AppendNumber(kField, value ? 1 : 0, to); });
  } else if (v1::ColumnData* column = NextColumn(Kind::kBoolean, 1)) {
    column->add_booleans(value);
  } else {
    AddMixed()->set_boolean(value);
  }
}

void ResultBuilder::Integer(int64_t value) {
  if (!by_columns()) {
    constexpr int kField = v1::Value::kIntegerFieldNumber;
    const auto number = static_cast<uint64_t>(value);
    AddToRow(8, NumberSize(kField, number),
             [number](std::string* to) { AppendNumber(kField, number, to); });
  } else if (v1::ColumnData* column = NextColumn(Kind::kInteger, 0)) {
    column->add_integers(value);
  } else {
    AddMixed()->set_integer(value);
  }
}

void ResultBuilder::Real(double value) {
  if (!by_columns()) {
    constexpr size_t kSize = 1 + sizeof(double);
    AddToRow(8, kSize,
             [value](std::string* to) { AppendDouble(v1::Value::kRealFieldNumber, value, to); });
  } else if (v1::ColumnData* column = NextColumn(Kind::kReal, 0)) {
    column->add_reals(value);
  } else {
    AddMixed()->set_real(value);
  }
}

void ResultBuilder::Bytes(Kind kind, std::string_view bytes) {
  if (!by_columns()) {
    const int field = TextField(kind);
    AddToRow(bytes.size(), BytesSize(field, bytes.size()),
             [&](std::string* to) { AppendBytes(field, bytes, to); });
  } else if (v1::ColumnData* column = NextColumn(kind, bytes.size())) {
    column->mutable_data()->append(bytes);
    column->add_ends(static_cast<uint32_t>(column->data().size()));
  } else {
    ToProto(driver::Value::Of(kind, bytes), AddMixed());
  }
}

void ResultBuilder::Timestamp(int64_t seconds, int32_t nanos) {
  const driver::Value value = driver::Value::Timestamp(seconds, nanos);
  if (!by_columns()) {
    AddMessage(value, 16);
  } else if (v1::ColumnData* column = NextColumn(Kind::kTimestamp, 8)) {
    column->add_integers(seconds);
    column->add_nanos(static_cast<uint32_t>(nanos));
  } else {
    ToProto(value, AddMixed());
  }
}

void ResultBuilder::Array(std::span<const driver::Value> elements) {
  const driver::Value value{.kind = Kind::kArray, .elements = elements};
  const size_t size = ElementBytes(elements);
  if (!by_columns()) {
    AddMessage(value, size);
  } else if (v1::ColumnData* column = NextColumn(Kind::kArray, size)) {
    ToProto(value, column->add_values());
  } else {
    ToProto(value, AddMixed());
  }
}

// Few values are messages themselves, and their objects cost little beside what they hold.
void ResultBuilder::AddMessage(const driver::Value& value, size_t memory) {
  v1::Value message;
  ToProto(value, &message);
  const std::string bytes = message.SerializeAsString();
  AddToRow(memory, bytes.size(), [&bytes](std::string* to) { to->append(bytes); });
}

void ResultBuilder::EndRow() {
  if (!by_columns()) {
    // A row without columns still is one.
    AppendBytes(v1::QueryResponse::kRowsFieldNumber, row_, &part_);
    row_.clear();
  }
  column_ = 0;
  ++rows_;
  dirty_ = true;
  if (part_size_ >= part_bytes_) ClosePart();
}

void ResultBuilder::ClosePart() {
  if (by_columns()) {
    columns_.set_row_count(rows_);
    for (v1::ColumnData& column : *columns_.mutable_data()) {
      // One bit for every row, also for those after the last NULL.
      if (!column.nulls().empty()) column.mutable_nulls()->resize((rows_ + 7) / 8);
    }
    columns_.AppendToString(&part_);
    if (part_size_ > kKeptBytes) columns_ = {};
    columns_.Clear();
  }
  held_bytes_ += part_size_;
  closed_bytes_ += part_size_;
  closed_rows_ += rows_;
  finished_.push_back({.message = std::move(part_), .bytes = part_size_});
  part_.clear();
  rows_ = 0;
  part_size_ = 0;
  dirty_ = false;
}

void ResultBuilder::Flush(const driver::Summary* summary) {
  if (summary != nullptr) {
    v1::Summary message;
    ToProto(*summary, &message);
    // The summary joins the last part that is still here.
    const bool joins = !dirty_ && has_part();
    AppendBytes(v1::QueryResponse::kSummaryFieldNumber, message.SerializeAsString(),
                joins ? &finished_.back().message : &part_);
    dirty_ = !joins;
  }
  if (dirty_) ClosePart();
}

bool ResultBuilder::TakePart(std::string* part) {
  if (!has_part()) return false;
  Part& first = finished_[taken_++];
  held_bytes_ -= first.bytes;
  *part = std::move(first.message);
  if (!has_part()) {
    finished_.clear();
    taken_ = 0;
  }
  return true;
}

}  // namespace penstock::server
