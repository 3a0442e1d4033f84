#include "drivers/postgres/tokens.h"

#include <pg_query.h>
#include <pg_query/pg_query.pb-c.h>

#include <algorithm>
#include <cctype>
#include <memory>
#include <string>

namespace penstock::postgres {

bool Token::Is(std::string_view lower) const {
  return word &&
         std::equal(text.begin(), text.end(), lower.begin(), lower.end(), [](char a, char b) {
           return std::tolower(static_cast<unsigned char>(a)) == b;
         });
}

std::optional<std::vector<Token>> Scan(std::string_view sql) {
  const auto release = [](PgQueryScanResult* scanned) { pg_query_free_scan_result(*scanned); };
  PgQueryScanResult scanned = pg_query_scan(std::string(sql).c_str());
  const std::unique_ptr<PgQueryScanResult, decltype(release)> owner(&scanned, release);
  if (scanned.error != nullptr) return std::nullopt;
  const auto free = [](PgQuery__ScanResult* result) {
    pg_query__scan_result__free_unpacked(result, nullptr);
  };
  const std::unique_ptr<PgQuery__ScanResult, decltype(free)> result(
      pg_query__scan_result__unpack(nullptr, scanned.pbuf.len,
                                    reinterpret_cast<const uint8_t*>(scanned.pbuf.data)),
      free);
  if (result == nullptr) return std::nullopt;
  std::vector<Token> tokens;
  for (size_t i = 0; i < result->n_tokens; ++i) {
    const PgQuery__ScanToken& token = *result->tokens[i];
    if (token.token == PG_QUERY__TOKEN__SQL_COMMENT || token.token == PG_QUERY__TOKEN__C_COMMENT) {
      continue;
    }
    const auto begin = static_cast<size_t>(token.start);
    const std::string_view text = sql.substr(begin, static_cast<size_t>(token.end) - begin);
    const bool keyword = token.keyword_kind != PG_QUERY__KEYWORD_KIND__NO_KEYWORD;
    tokens.push_back(
        {.text = text,
         .word = keyword || (token.token == PG_QUERY__TOKEN__IDENT && !text.starts_with('"'))});
  }
  return tokens;
}

}  // namespace penstock::postgres
