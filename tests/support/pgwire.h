// Builds and parses messages of PostgreSQL's protocol, version 3.
#ifndef PENSTOCK_TESTS_SUPPORT_PGWIRE_H_
#define PENSTOCK_TESTS_SUPPORT_PGWIRE_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace penstock::testing::pgwire {

// The purpose of a client's first packet.
enum class Opening : uint8_t { kSession, kCancel, kEncryption };

// Returns the length of the first packet, the only one without a tag; nullopt if it is incomplete.
std::optional<size_t> OpeningLength(std::string_view bytes);
Opening OpeningOf(std::string_view packet);

// One message as it stands in the stream: tag, length and body.
struct Message {
  std::string_view whole;
  char tag() const { return whole[0]; }
  std::string_view body() const { return whole.substr(5); }
};
// Returns the first message in `bytes`, which it refers to; nullopt if it is incomplete.
std::optional<Message> FirstMessage(std::string_view bytes);

// Removes the text up to the next NUL, and the NUL, from `body` and returns the text.
std::string_view TakeText(std::string_view* body);

std::string Parse(std::string_view name, std::string_view sql, std::string_view types);
// Makes Parse, Bind and Execute for a statement without parameters.
std::string ExecuteText(std::string_view sql);
std::string Query(std::string_view sql);
std::string ParameterStatus(std::string_view name, std::string_view value);
// Converts an ErrorResponse to the form that CockroachDB sends: it never says at which position, in
// which table or in which column something is wrong, and its severity is always ERROR.
std::string AsCockroachError(const Message& message);
std::string ErrorResponse(std::string_view severity, std::string_view sqlstate,
                          std::string_view message, std::string_view hint = "");

}  // namespace penstock::testing::pgwire

#endif  // PENSTOCK_TESTS_SUPPORT_PGWIRE_H_
