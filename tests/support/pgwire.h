// Messages of PostgreSQL's protocol, version 3, as bytes.
#ifndef PENSTOCK_TESTS_SUPPORT_PGWIRE_H_
#define PENSTOCK_TESTS_SUPPORT_PGWIRE_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace penstock::testing::pgwire {

// What a client's first packet asks for.
enum class Opening : uint8_t { kSession, kCancel, kEncryption };

// The first packet, which alone has no tag: its length is in it; nothing if it
// is not complete yet.
std::optional<size_t> OpeningLength(std::string_view bytes);
Opening OpeningOf(std::string_view packet);

// One message: tag, length and body, as it stands in the stream.
struct Message {
  std::string_view whole;
  char tag() const { return whole[0]; }
  std::string_view body() const { return whole.substr(5); }
};
// The first message in `bytes`, which it borrows; nothing if it is not complete.
std::optional<Message> FirstMessage(std::string_view bytes);

// The text up to the next NUL of `body`, which then begins behind it.
std::string_view TakeText(std::string_view* body);

std::string Parse(std::string_view name, std::string_view sql, std::string_view types);
// Parse, Bind and Execute of a statement that has no parameters.
std::string ExecuteText(std::string_view sql);
std::string Query(std::string_view sql);
std::string ParameterStatus(std::string_view name, std::string_view value);
// The same ErrorResponse as a CockroachDB sends it: it never tells where in the text, in which
// table or in which column something is wrong, nor is any error of another severity than ERROR.
std::string AsCockroachError(const Message& message);
std::string ErrorResponse(std::string_view severity, std::string_view sqlstate,
                          std::string_view message, std::string_view hint = "");

}  // namespace penstock::testing::pgwire

#endif  // PENSTOCK_TESTS_SUPPORT_PGWIRE_H_
