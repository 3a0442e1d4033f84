// Functions that stand in front of SQLite's: the same results, but none without end.
#include <sqlite3.h>

#include <chrono>
#include <random>

#include "drivers/sqlite_engine/original.h"
#include "drivers/sqlite_engine/patterns.h"
#include "drivers/sqlite_engine/printf_format.h"
#include "drivers/sqlite_engine/work.h"
#include "tests/unit/sqlite/fixture.h"

namespace penstock::sqlite {
namespace {

using namespace std::chrono_literals;
using sqlite_engine::MatchPattern;
using sqlite_engine::PatternKind;
using sqlite_engine::PatternMatch;

class GuardedTest : public SqliteTest {
 protected:
  GuardedTest() { sqlite3_open(":memory:", &plain_); }
  ~GuardedTest() override { sqlite3_close(plain_); }

  // What SQLite itself answers, as TextRows writes it.
  std::string Plain(const std::string& sql) {
    sqlite3_stmt* statement = nullptr;
    EXPECT_EQ(sqlite3_prepare_v2(plain_, sql.c_str(), -1, &statement, nullptr), SQLITE_OK) << sql;
    std::string row;
    if (sqlite3_step(statement) == SQLITE_ROW) {
      const auto* bytes = reinterpret_cast<const char*>(sqlite3_column_text(statement, 0));
      row = bytes == nullptr
                ? "null"
                : std::string(bytes, static_cast<size_t>(sqlite3_column_bytes(statement, 0)));
    } else {
      row = "error";
    }
    sqlite3_finalize(statement);
    return row;
  }

  std::string Ours(const std::string& sql) {
    const auto call = Try(sql);
    return call->run.status.ok() ? call->row() : "error";
  }

  // Both, of an expression; as hex, so that any bytes can be compared.
  void ExpectTheSame(const std::string& expression) {
    const std::string sql =
        "SELECT typeof(" + expression + ") || ' ' || quote(CAST(" + expression + " AS BLOB))";
    const std::string plain = Plain(sql);
    EXPECT_EQ(Ours(sql), plain == "error" ? plain : "text " + plain) << expression;
  }

  sqlite3* plain_ = nullptr;
};

TEST_F(GuardedTest, AnswersAsSqliteDoes) {
  for (const char* expression : {
           "instr('hello', 'l')",
           "instr('', 'a')",
           "instr('a', '')",
           "instr(NULL, 'a')",
           "instr('a', NULL)",
           "instr(12345, 34)",
           "instr('äöü', 'ü')",
           "instr(x'c3a4', 'ä')",
           "instr('ä', x'a4')",
           "instr(x'0102030402', x'02')",
           "instr(x'01', x'0102')",
           "instr(cast(x'80c3a4' as text), 'ä')",
           "instr('aää', cast(x'a4' as text))",
           "instr(cast(x'a4c3' as text), cast(x'a4' as text))",
           "instr('abcabd', 'abd')",
           "instr('a'||char(0)||'b', 'b')",
           "instr(1.5, '.')",
           "instr(x'', x'')",
           "replace('aaa', 'a', 'bb')",
           "replace('aaa', 'aa', 'b')",
           "replace('abc', '', 'x')",
           "replace(NULL, 'a', 'b')",
           "replace('a', NULL, 'b')",
           "replace('a', 'a', NULL)",
           "replace(12321, 2, 'x')",
           "replace(5, '', 'x')",
           "replace('äöä', 'ä', '')",
           "replace(x'6161', 'a', 'b')",
           "replace('abc', 'abcd', 'x')",
           "replace('a', 'a', 1.5)",
           "replace('a'||char(0)||'b', char(0), 'x')",
           "replace('', 'a', 'b')",
           "trim('xxaxx', 'x')",
           "ltrim('xyxa', 'xy')",
           "rtrim('axyx', 'xy')",
           "trim('ääaä', 'ä')",
           "trim('abc', '')",
           "trim(NULL, 'a')",
           "trim('a', NULL)",
           "trim(1001, 1)",
           "trim(cast(x'80c3a480' as text), cast(x'80' as text))",
           "trim('aaa', 'a')",
           "ltrim('äa', cast(x'c3' as text))",
           "trim('  a ')",
           "trim(x'2061', ' ')",
           "trim(cast(x'c3a4c3' as text), cast(x'a4c3' as text))",
           "printf('%d %5.2f %s %q %Q %w', 1, 2.5, 'a', 'it''s', 'it''s', 'a\"b')",
           "printf('%.3c|%5c|%-5c|%c', 'x', 'y', 'z', 'ä')",
           "printf('%.*c', 3, 'ab')",
           "printf('%*.*f', 8, 2, 3.14159)",
           "printf('%.*d', -4, 7)",
           "printf()",
           "printf(NULL)",
           "printf('%')",
           "printf('%5')",
           "printf('%y %d', 1)",
           "printf('%s')",
           "printf('%d', 'x')",
           "format('%,d', 1234567)",
           "format('%!5s|', 'ä')",
           "format('%lld', 5)",
           "printf('%s', x'6162')",
           "printf('%s', NULL)",
           "printf('%n%d', 4)",
           "printf('%%%c', 'a')",
           "json_patch('{\"a\":1,\"b\":{\"c\":2}}', '{\"b\":{\"c\":null,\"d\":3}}')",
           "json_patch('{}', NULL)",
           "json_patch('[1]', '{\"a\":1}')",
           "json_patch('{', '{}')",
           "json_array(json_patch('{}', '{\"a\":1}'))",
           "'abc' LIKE 'A%'",
           "'abc' LIKE '_b_'",
           "'a%' LIKE 'a\\%' ESCAPE '\\'",
           "'ab' LIKE 'a\\%' ESCAPE '\\'",
           "'a' LIKE 'aa' ESCAPE 'a'",
           "'%' LIKE '%%' ESCAPE '%'",
           "'a' LIKE NULL",
           "NULL LIKE 'a'",
           "'a' LIKE 'a' ESCAPE NULL",
           "'a' LIKE 'a' ESCAPE 'xy'",
           "'a' LIKE 'a' ESCAPE ''",
           "12 LIKE 1",
           "12 LIKE '1_'",
           "x'61' LIKE 'a'",
           "'a' LIKE x'61'",
           "'Ä' LIKE 'ä'",
           "'abc' GLOB 'a*'",
           "'abc' GLOB 'A*'",
           "'b' GLOB '[a-c]'",
           "'b' GLOB '[^a-c]'",
           "']' GLOB '[]]'",
           "'-' GLOB '[a-]'",
           "'a' GLOB '[a'",
           "'é' GLOB '?'",
           "'a_c' LIKE 'a__c' ESCAPE '_'",
           "x'61' GLOB 'a'",
           "1.0 GLOB '1.*'",
       }) {
    ExpectTheSame(expression);
  }
}

TEST_F(GuardedTest, PatternsAgreeOnRandomTexts) {
  std::mt19937 random(7);
  const std::vector<std::string> pieces = {
      "a",  "b", "A", "%",    "_",    "*",    "?",    "[",    "]",  "^",  "-",
      "\\", "é", "É", "\xff", "\x80", "\xc3", "[ab]", "[^a]", "%a", "*b", "\xed\xa0\x80",
      "z"};
  const auto text = [&](size_t longest) {
    std::string made;
    for (size_t left = random() % (longest + 1); left > 0; --left) {
      made += pieces[random() % pieces.size()];
    }
    return made;
  };
  const sqlite_engine::StatementExecutor* const none = nullptr;
  for (int i = 0; i < 200'000; ++i) {
    const std::string pattern = text(7);
    const std::string subject = text(9);
    const uint32_t escape = i % 3 == 0 ? static_cast<unsigned char>("\\ab"[random() % 3]) : 0;
    // Short enough that nobody is asked.
    sqlite_engine::Work work(none);
    const bool like =
        MatchPattern(PatternKind::kLike, pattern, subject, escape, &work) == PatternMatch::kYes;
    ASSERT_EQ(like, sqlite3_strlike(pattern.c_str(), subject.c_str(), escape) == 0)
        << "'" << subject << "' LIKE '" << pattern << "' ESCAPE " << escape;
    sqlite_engine::Work more(none);
    const bool glob =
        MatchPattern(PatternKind::kGlob, pattern, subject, 0, &more) == PatternMatch::kYes;
    ASSERT_EQ(glob, sqlite3_strglob(pattern.c_str(), subject.c_str()) == 0)
        << "'" << subject << "' GLOB '" << pattern << "'";
  }
}

TEST_F(GuardedTest, EscapesThatAreWildcardsAgree) {
  std::mt19937 random(5);
  const std::string letters = "ab%_";
  const auto text = [&] {
    std::string made = "'";
    for (size_t left = random() % 6; left > 0; --left) made += letters[random() % 4];
    return made + "'";
  };
  for (int i = 0; i < 2000; ++i) {
    ExpectTheSame(text() + " LIKE " + text() + " ESCAPE '" + letters[random() % 4] + "'");
  }
}

TEST_F(GuardedTest, InstrReplaceAndTrimAgreeOnRandomTexts) {
  std::mt19937 random(11);
  const std::vector<std::string> pieces = {"61", "62", "c3a4", "80", "c3", "00", "6161", "20"};
  const auto text = [&](size_t longest) {
    std::string made = random() % 4 == 0 ? "x'" : "cast(x'";
    const bool blob = made.size() == 2;
    for (size_t left = random() % (longest + 1); left > 0; --left) {
      made += pieces[random() % pieces.size()];
    }
    return made + (blob ? "'" : "' as text)");
  };
  for (int i = 0; i < 1000; ++i) {
    const std::string a = text(8);
    const std::string b = text(3);
    ExpectTheSame("instr(" + a + "," + b + ")");
    ExpectTheSame("replace(" + a + "," + b + "," + text(3) + ")");
    ExpectTheSame("trim(" + a + "," + b + ")");
    ExpectTheSame("ltrim(" + a + "," + b + ")");
    ExpectTheSame("rtrim(" + a + "," + b + ")");
  }
}

TEST_F(GuardedTest, NoneOutlivesItsDeadline) {
  for (const char* expression : {
           "instr(zeroblob(60000000), cast(zeroblob(30000000)||x'01' as blob))",
           "instr(hex(zeroblob(30000000)), hex(zeroblob(15000000))||'1')",
           "length(replace(hex(zeroblob(30000000)), hex(zeroblob(15000000))||'1', 'x'))",
           "length(trim(hex(zeroblob(30000000)), replace(hex(zeroblob(300000)),'00','yä')||'0'))",
           "length(ltrim(hex(zeroblob(30000000)), replace(hex(zeroblob(300000)),'00','yä')||'0'))",
           "length(rtrim(hex(zeroblob(30000000)), replace(hex(zeroblob(300000)),'00','yä')||'0'))",
           "hex(zeroblob(30000000)) LIKE '%' || hex(zeroblob(20000)) || 'b'",
           "hex(zeroblob(30000000)) LIKE '%' || hex(zeroblob(20000)) || 'b%' ESCAPE '\\'",
           "hex(zeroblob(30000000)) GLOB '*' || hex(zeroblob(20000)) || '[b]'",
           "hex(zeroblob(30000000)) GLOB '*' || replace(hex(zeroblob(8000)),'0','[0]') || 'b'",
           "hex(zeroblob(30000000)) GLOB '*[' || hex(zeroblob(20000)) || ']b'",
           "printf('%.*c', 2147483647, 'x')",
           "printf('%.2147483647c', 'x')",
           "printf('%s %*d %.*c', 'a', 3, 4, 2147483647, 'x')",
           "format('%.2147483647c%.2147483647c%.2147483647c', 'x', 'y', 'z')",
           "json_patch((SELECT json_group_object(value, 1) FROM (WITH RECURSIVE c(value) AS "
           "(SELECT 1 UNION ALL SELECT value+1 FROM c LIMIT 100000) SELECT value FROM c)), "
           "(SELECT json_group_object('a'||value, 1) FROM (WITH RECURSIVE c(value) AS "
           "(SELECT 1 UNION ALL SELECT value+1 FROM c LIMIT 100000) SELECT value FROM c)))",
       }) {
    Call call("SELECT " + std::string(expression));
    call.run.deadline = In(300ms);
    const auto began = std::chrono::steady_clock::now();
    driver::StatementRun* run = &call.run;
    reader_->RunBatch({&run, 1});
    const auto took = std::chrono::steady_clock::now() - began;
    // Linear work on 60 MB may last beyond the deadline, but no more than that.
    EXPECT_LT(took, 8s) << expression;
    const Reason reason = call.reason();
    EXPECT_TRUE(call.run.status.ok() || reason == Reason::kRequestTimeout ||
                reason == Reason::kLimitExceeded)
        << expression << ": " << call.run.status;
  }
}

TEST_F(GuardedTest, ATextThatIsTooLongIsAnErrorAndNotNull) {
  for (const char* sql : {"SELECT printf('%.*g', 2147483647, 0.01)",
                          "SELECT printf('%.2147483647d', 1)", "SELECT format('%2000000000s', 'x')",
                          "SELECT replace(hex(zeroblob(30000000)), '0', 'ab')"}) {
    EXPECT_EQ(Try(sql)->reason(), Reason::kLimitExceeded) << sql;
  }
  EXPECT_EQ(Read("SELECT printf('%s', '') IS NULL OR printf('%s', '') = ''"), "integer 1");
  EXPECT_EQ(Read("SELECT printf(NULL, 1)"), "null");
}

TEST_F(GuardedTest, PrecisionsOfPrintfAreFoundAsSqliteReadsThem) {
  const auto most = [](std::string_view format, const std::vector<int64_t>& arguments = {}) {
    return sqlite_engine::MostRepeatsOfC(
        format, [&](size_t i) { return i < arguments.size() ? arguments[i] : 0; });
  };
  EXPECT_EQ(most("%d %s"), 0);
  EXPECT_EQ(most("%c"), 0);
  EXPECT_EQ(most("%.7c"), 7);
  EXPECT_EQ(most("%-5.9c and %.3c"), 9);
  EXPECT_EQ(most("%.*c", {11}), 11);
  EXPECT_EQ(most("%.*c", {-11}), 11);
  EXPECT_EQ(most("%d%.*s%.*c", {99, 98, 97, 5}), 5);
  EXPECT_EQ(most("%*.*c", {99, 4}), 4);
  EXPECT_EQ(most("%%%n%.*c", {6}), 6);
  EXPECT_EQ(most("%.99d"), 0);
  EXPECT_EQ(most("%y%.99c"), 0) << "what is not known ends the text";
  EXPECT_EQ(most("%"), 0);
  EXPECT_EQ(most("%."), 0);
}

}  // namespace
}  // namespace penstock::sqlite
