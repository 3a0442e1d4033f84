#include "tests/support/pgwire.h"

namespace penstock::testing::pgwire {
namespace {

constexpr uint32_t kCancelCode = 80'877'102;
constexpr uint32_t kSslCode = 80'877'103;
constexpr uint32_t kGssCode = 80'877'104;

uint32_t Number(std::string_view bytes) {
  uint32_t number = 0;
  for (const char byte : bytes.substr(0, 4)) number = number << 8 | static_cast<uint8_t>(byte);
  return number;
}

std::string Bytes(uint32_t number) {
  std::string bytes;
  for (int shift = 24; shift >= 0; shift -= 8) bytes += static_cast<char>(number >> shift & 0xff);
  return bytes;
}

std::string Make(char tag, const std::string& body) {
  return tag + Bytes(static_cast<uint32_t>(body.size()) + 4) + body;
}

std::string Text(std::string_view text) { return std::string(text) + '\0'; }

}  // namespace

std::optional<size_t> OpeningLength(std::string_view bytes) {
  if (bytes.size() < 8 || bytes.size() < Number(bytes)) return std::nullopt;
  return Number(bytes);
}

Opening OpeningOf(std::string_view packet) {
  switch (Number(packet.substr(4))) {
    case kCancelCode: return Opening::kCancel;
    case kSslCode:
    case kGssCode: return Opening::kEncryption;
    default: return Opening::kSession;
  }
}

std::optional<Message> FirstMessage(std::string_view bytes) {
  if (bytes.size() < 5) return std::nullopt;
  const size_t length = size_t{1} + Number(bytes.substr(1));
  if (bytes.size() < length) return std::nullopt;
  return Message{bytes.substr(0, length)};
}

std::string_view TakeText(std::string_view* body) {
  const std::string_view text = body->substr(0, body->find('\0'));
  body->remove_prefix(text.size() + 1);
  return text;
}

std::string Parse(std::string_view name, std::string_view sql, std::string_view types) {
  return Make('P', Text(name) + Text(sql) + std::string(types));
}

std::string ExecuteText(std::string_view sql) {
  return Parse("", sql, std::string(2, '\0')) +
         // Portal and statement, then no formats, no parameters, and no formats of results.
         Make('B', Text("") + Text("") + std::string(6, '\0')) + Make('E', Text("") + Bytes(0));
}

std::string Query(std::string_view sql) { return Make('Q', Text(sql)); }

std::string ParameterStatus(std::string_view name, std::string_view value) {
  return Make('S', Text(name) + Text(value));
}

std::string AsCockroachError(const Message& message) {
  // Severity, position, schema, table, column, data type, context.
  constexpr std::string_view kDropped = "SVPstcdW";
  std::string body = "S" + Text("ERROR") + "V" + Text("ERROR");
  for (std::string_view rest = message.body(); !rest.empty() && rest[0] != '\0';) {
    const char field = rest[0];
    rest.remove_prefix(1);
    const std::string_view text = TakeText(&rest);
    if (kDropped.find(field) == std::string_view::npos) body += field + Text(text);
  }
  return Make('E', body + '\0');
}

std::string ErrorResponse(std::string_view severity, std::string_view sqlstate,
                          std::string_view message, std::string_view hint) {
  const std::string more = hint.empty() ? "" : "H" + Text(hint);
  return Make('E', "S" + Text(severity) + "V" + Text(severity) + "C" + Text(sqlstate) + "M" +
                       Text(message) + more + '\0');
}

}  // namespace penstock::testing::pgwire
