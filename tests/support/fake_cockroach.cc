#include "tests/support/fake_cockroach.h"

#include <utility>

namespace penstock::testing {

FakeCockroach::FakeCockroach(const std::string& version)
    : server_([this](std::string_view sql) { return Answer(sql); }) {
  server_.Report("crdb_version", version);
  server_.Report("server_version", "13.0.0");
  Say("SELECT", Text("x"));
  Say("INSERT", Done("INSERT 0 1"));
  Say("UPDATE", Done("UPDATE 1"));
  Say("SET ", Done("SET"));
  Say("BEGIN", Done("BEGIN"));
  Say("COMMIT$", Done("COMMIT"));
  Say("ROLLBACK", Done("ROLLBACK"));
  Say("pg_catalog.pg_type", FakeAnswer{});
  Say("pg_catalog.pg_settings", FakeAnswer{});
  Say("pg_catalog.pg_proc", FakeAnswer{});
  Say("pg_catalog.pg_database", Text("1"));
  Say("SHOW transaction_isolation", Text("read committed"));
}

void FakeCockroach::Say(std::string part, Line line) {
  std::lock_guard lock(mutex_);
  script_.emplace_front(std::move(part), std::move(line));
}

void FakeCockroach::Say(std::string part, FakeAnswer answer) {
  Say(std::move(part), [answer = std::move(answer)](size_t) { return answer; });
}

FakeAnswer FakeCockroach::Text(const std::string& value) {
  return {.columns = {{"it", 25}}, .rows = {{value}}, .tag = "SELECT 1"};
}

FakeAnswer FakeCockroach::Done(const std::string& tag) { return {.tag = tag}; }

FakeAnswer FakeCockroach::Error(const std::string& sqlstate, const std::string& message) {
  return {.sqlstate = sqlstate, .message = message};
}

FakeAnswer FakeCockroach::Answer(std::string_view sql) {
  std::string part;
  Line line;
  {
    std::lock_guard lock(mutex_);
    for (const auto& [its_part, its_line] : script_) {
      const bool whole = its_part.ends_with('$');
      const std::string_view text = std::string_view(its_part).substr(0, its_part.size() - whole);
      if (whole ? sql != text : sql.find(text) == std::string_view::npos) continue;
      part = its_part;
      line = its_line;
      break;
    }
  }
  if (line == nullptr) return {};
  if (part.ends_with('$')) part.pop_back();
  return line(server_.executed(part).size());
}

}  // namespace penstock::testing
