#include "drivers/postgres/cockroach_error.h"

#include <algorithm>
#include <cctype>
#include <iterator>

namespace penstock::postgres {
namespace {

using driver::Reason;

constexpr std::string_view kHidden = "…";

bool Has(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

bool IsDigit(char c) { return std::isdigit(static_cast<unsigned char>(c)) != 0; }

// The closing quote of what is quoted at `open`, as Go's %q has it; the end if there is none.
size_t CloseOf(std::string_view text, size_t open) {
  for (size_t i = open + 1; i < text.size(); ++i) {
    if (text[i] == '\\') {
      ++i;
    } else if (text[i] == text[open]) {
      return i;
    }
  }
  return text.size();
}

// "RETRY_SERIALIZABLE": the first word in capitals with an underscore in it.
std::string_view ReasonWord(std::string_view message) {
  for (size_t begin = 0; begin < message.size();) {
    const auto in_word = [](char c) { return (c >= 'A' && c <= 'Z') || c == '_'; };
    size_t end = begin;
    while (end < message.size() && in_word(message[end])) ++end;
    const std::string_view word = message.substr(begin, end - begin);
    // Not the beginning of a value: the server has these words behind a bracket.
    const bool bracketed = begin > 0 && message[begin - 1] == '(';
    if (bracketed && word.starts_with("RETRY_")) return word;
    if (bracketed && word.starts_with("ABORT_REASON_")) return word;
    begin = std::max(end, begin + 1);
  }
  return "";
}

// Tells up to where a key that begins at `begin` (its first slash) may be shown, and where it ends.
struct KeySpan {
  size_t shown;
  size_t end;
};
KeySpan KeyAt(std::string_view text, size_t begin) {
  size_t at = begin;
  size_t shown = 0;
  // A kind, a table and an index come before the values.
  for (int part = 0; at < text.size() && text[at] == '/'; ++part) {
    size_t end = at + 1;
    if (end < text.size() && (text[end] == '"' || text[end] == '\'')) {
      end = std::min(CloseOf(text, end) + 1, text.size());
      if (shown == 0) shown = at;
    }
    // A colon is a part of a time, unless it ends the key.
    while (end < text.size() && !Has(" /,;)]}\"\n", text.substr(end, 1)) &&
           !text.substr(end).starts_with(": ")) {
      ++end;
    }
    constexpr int kNamesIndex = 3;
    const bool number =
        part > 0 && std::all_of(text.begin() + static_cast<ptrdiff_t>(at) + 1,
                                text.begin() + static_cast<ptrdiff_t>(end), IsDigit);
    if (shown == 0 && part > 0 && (!number || part >= kNamesIndex)) shown = at;
    at = end;
  }
  return {.shown = shown == 0 ? at : shown, .end = at};
}

std::string WithoutKeys(std::string_view text) {
  constexpr std::string_view kKinds[] = {"/Table/", "/Tenant/", "/NamespaceTable/", "/Local/",
                                         "/Meta1/", "/Meta2/",  "/System/"};
  std::string shown;
  for (size_t i = 0; i < text.size();) {
    const bool key = std::any_of(std::begin(kKinds), std::end(kKinds), [&](std::string_view kind) {
      return text.substr(i).starts_with(kind);
    });
    if (!key) {
      shown += text[i++];
      continue;
    }
    const KeySpan span = KeyAt(text, i);
    shown += text.substr(i, span.shown - i);
    if (span.end > span.shown) shown += std::string("/") + std::string(kHidden);
    i = span.end;
  }
  return shown;
}

std::string WithoutQuoted(std::string_view text, std::string_view sql, const ServerError& error) {
  const auto may_stay = [&](std::string_view quoted) {
    return quoted.empty() || quoted.starts_with('$') || Has(sql, quoted) ||
           quoted == error.column || quoted == error.table || quoted == error.constraint ||
           quoted == error.schema;
  };
  std::string shown;
  for (size_t i = 0; i < text.size();) {
    if (text[i] != '"') {
      shown += text[i++];
      continue;
    }
    const size_t close = CloseOf(text, i);
    const std::string_view quoted = text.substr(i + 1, close - i - 1);
    shown += '"';
    shown += may_stay(quoted) ? quoted : kHidden;
    shown += '"';
    i = std::min(close + 1, text.size());
  }
  return shown;
}

}  // namespace

void HideCockroachValues(std::string_view sql, ServerError* error) {
  if (error->sqlstate.starts_with("40")) {
    const std::string_view word = ReasonWord(error->message);
    std::string message =
        error->sqlstate == "40003" ? "the result is ambiguous" : "restart transaction";
    if (!word.empty()) message += ": " + std::string(word);
    error->message = std::move(message);
    error->detail.clear();
    if (!error->hint.starts_with("See: https://") || Has(error->hint, " /")) error->hint.clear();
    return;
  }
  for (std::string* text : {&error->message, &error->detail, &error->hint}) {
    *text = WithoutKeys(*text);
    if (error->sqlstate.starts_with("22")) *text = WithoutQuoted(*text, sql, *error);
  }
}

void ExplainCockroachError(const ServerError& error, Reason* reason, std::string* hint) {
  const std::string_view code = error.sqlstate;
  // The setting's name is no word of a language.
  constexpr std::string_view kMessageLimit = "max_read_buffer_message_size";
  if (code == "08P01" &&
      (Has(error.hint, kMessageLimit) || Has(error.message, "maximum allowed message size"))) {
    *reason = Reason::kLimitExceeded;
    *hint = "send less at once, or raise the cluster setting sql.conn.max_read_buffer_message_size";
  } else if (code == "XXA00") {
    *hint =
        "do not run it again, because its rows are committed; check the schema (SHOW JOBS) and "
        "change it separately";
  } else if (code == "XCUBS") {
    *hint = "request a larger staleness, or none";
  } else if (code == "55C01") {
    *hint = "restart the changefeed from its last resolved timestamp";
  } else if (MayHaveCommitted(code) && hint->empty()) {
    *hint = "try again only what reads; a part of the cluster cannot be reached";
  } else if (Has(error.message, "must be after replica GC threshold")) {
    // It has no code of its own, and no language but English.
    *reason = Reason::kInvalidParameter;
    *hint = "request a smaller staleness than the table's gc.ttlseconds";
  }
}

bool MayHaveCommitted(std::string_view sqlstate) {
  return sqlstate == "58C00" || sqlstate == "58C01";
}

bool IsOtherEnumVersion(const ServerError& error) {
  return error.sqlstate == "XX000" && Has(error.message, "versions of enum");
}

}  // namespace penstock::postgres
