// The encodings of JSON Web Tokens and keys, read strictly: who issues a token and who verifies it
// must not see different things in it.
#ifndef PENSTOCK_SERVER_AUTH_JWT_ENCODING_H_
#define PENSTOCK_SERVER_AUTH_JWT_ENCODING_H_

#include <optional>
#include <string>
#include <string_view>

#include "nlohmann/json.hpp"

namespace penstock::server::jwt {

// Decodes base64url (RFC 7515, 2). Returns nothing if there is padding, any other character, or a
// bit that is left over: bytes have one text.
std::optional<std::string> DecodeBase64Url(std::string_view text);

// Reads a JSON object. Returns nothing if the text is not one in UTF-8, if an object in it has two
// members of one name, or if objects and lists are nested more than 16 deep.
std::optional<nlohmann::json> ParseObject(std::string_view text);

// Returns the member of that name if it is a text, or null. `object` owns it.
const std::string* FindText(const nlohmann::json& object, const char* name);

}  // namespace penstock::server::jwt

#endif  // PENSTOCK_SERVER_AUTH_JWT_ENCODING_H_
