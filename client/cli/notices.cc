#include "client/cli/notices.h"

#include <string>
#include <string_view>

#include "client/cli/encode.h"

namespace penstock::cli {
namespace {

void AddLine(std::string_view what, std::string_view text, std::string* lines) {
  if (text.empty()) return;
  lines->append(what).append(": ");
  AppendPrintable(text, lines);
  *lines += '\n';
}

}  // namespace

void PrintNotices(const Notices& notices, std::ostream* err) {
  std::string lines;
  for (const Notice& notice : notices.list) {
    AddLine(notice.severity.empty() ? "NOTICE" : notice.severity, notice.message, &lines);
    AddLine("  detail", notice.detail, &lines);
    AddLine("  hint", notice.hint, &lines);
  }
  if (notices.dropped > 0) {
    lines += std::to_string(notices.dropped) + " more notices are not shown\n";
  }
  *err << lines;
}

}  // namespace penstock::cli
