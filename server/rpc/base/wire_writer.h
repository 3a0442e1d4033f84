// Appends the fields of messages to their bytes, for what is sent so often that a message object of
// its own would cost more than the rest.
#ifndef PENSTOCK_SERVER_RPC_BASE_WIRE_WRITER_H_
#define PENSTOCK_SERVER_RPC_BASE_WIRE_WRITER_H_

#include <bit>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace penstock::server::wire {

// The types of protobuf's encoding.
enum class Type : uint8_t { kVarint = 0, kFixed64 = 1, kDelimited = 2 };

constexpr uint32_t Tag(int field, Type type) {
  return static_cast<uint32_t>(field) << 3 | static_cast<uint32_t>(type);
}

constexpr size_t VarintSize(uint64_t number) {
  return (static_cast<size_t>(std::bit_width(number | 1)) + 6) / 7;
}

inline void AppendVarint(uint64_t number, std::string* to) {
  char bytes[10];
  size_t size = 0;
  for (; number >= 0x80; number >>= 7) bytes[size++] = static_cast<char>(number | 0x80);
  bytes[size++] = static_cast<char>(number);
  to->append(bytes, size);
}

// Appends a field that is a number: an integer, not zigzag, a bool, or a value of an enumeration.
inline void AppendNumber(int field, uint64_t number, std::string* to) {
  AppendVarint(Tag(field, Type::kVarint), to);
  AppendVarint(number, to);
}

// Appends the beginning of a field of text, of bytes, or of a message, of so many bytes.
inline void AppendHead(int field, size_t size, std::string* to) {
  AppendVarint(Tag(field, Type::kDelimited), to);
  AppendVarint(size, to);
}

inline void AppendBytes(int field, std::string_view bytes, std::string* to) {
  AppendHead(field, bytes.size(), to);
  to->append(bytes);
}

// Appends a field that is a double.
inline void AppendDouble(int field, double number, std::string* to) {
  AppendVarint(Tag(field, Type::kFixed64), to);
  const auto bits = std::bit_cast<uint64_t>(number);
  for (int shift = 0; shift < 64; shift += 8) to->push_back(static_cast<char>(bits >> shift));
}

// Returns the size of what AppendNumber and AppendBytes append.
constexpr size_t NumberSize(int field, uint64_t number) {
  return VarintSize(Tag(field, Type::kVarint)) + VarintSize(number);
}
constexpr size_t BytesSize(int field, size_t bytes) {
  return VarintSize(Tag(field, Type::kDelimited)) + VarintSize(bytes) + bytes;
}

}  // namespace penstock::server::wire

#endif  // PENSTOCK_SERVER_RPC_BASE_WIRE_WRITER_H_
