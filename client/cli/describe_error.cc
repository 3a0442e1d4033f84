#include <iterator>
#include <string>
#include <string_view>

#include "client/cli/commands.h"
#include "client/cli/encode.h"
#include "client/cli/place.h"
#include "fmt/format.h"
#include "penstock/errors.h"
#include "text/string_views.h"

namespace penstock::cli {

std::string DescribeLink(std::string_view why) {
  return fmt::format("  link: {}\n", Printable(why));
}

std::string DescribeError(const absl::Status& status, std::string_view sql) {
  const ErrorDetails info = GetErrorDetails(status);
  std::string text = fmt::format("penstock: {}\n", Printable(ToStd(status.message())));
  AppendPlace(sql, info.position, &text);
  fmt::format_to(std::back_inserter(text), "  {}", absl::StatusCodeToString(status.code()));
  const auto add = [&text](std::string_view what, std::string_view value) {
    if (!value.empty()) fmt::format_to(std::back_inserter(text), ", {} {}", what, Printable(value));
  };
  add("reason", info.reason);
  add("SQLSTATE", info.sqlstate);
  add("constraint", info.constraint);
  add("schema", info.schema);
  add("table", info.table);
  add("column", info.column);
  add("position", info.position > 0 ? std::to_string(info.position) : "");
  text += '\n';
  if (!info.detail.empty()) text += fmt::format("  detail: {}\n", Printable(info.detail));
  if (!info.hint.empty()) text += fmt::format("  hint: {}\n", Printable(info.hint));
  return text;
}

}  // namespace penstock::cli
