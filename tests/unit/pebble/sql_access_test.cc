// Which keys a statement reads, as EXPLAIN QUERY PLAN says and as RocksDB counts.
#include <gmock/gmock.h>
#include <rocksdb/perf_context.h>
#include <rocksdb/perf_level.h>

#include "fmt/format.h"
#include "tests/unit/pebble/sql_fixture.h"

namespace penstock::pebble {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr int kRows = 1000;

class SqlAccess : public SqlTest {
 protected:
  SqlAccess() {
    Exec("CREATE TABLE t(key TEXT PRIMARY KEY, value TEXT)");
    Exec(
        "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 999) "
        "INSERT INTO t SELECT printf('k%03d', i), 'v' || i FROM n");
    rocksdb::SetPerfLevel(rocksdb::kEnableCount);
  }
  ~SqlAccess() override { rocksdb::SetPerfLevel(rocksdb::kDisable); }

  // How SQLite reads the tables.
  std::string Plan(const std::string& sql) {
    std::string plan;
    for (const std::string& row : Query("EXPLAIN QUERY PLAN " + sql)) {
      const size_t at = row.find(" VIRTUAL TABLE INDEX ");
      if (!plan.empty()) plan += "; ";
      plan += at == std::string::npos ? row.substr(row.rfind('|') + 6)
                                      : row.substr(row.find(':', at) + 1);
    }
    return plan;
  }

  // Runs it and counts the entries that were looked at: those an iterator came to, and
  // those that were got.
  Texts Read(const std::string& sql, uint64_t most, std::vector<Value> args = {}) {
    // Not in what is counted: preparing the statement.
    EXPECT_TRUE(reader_->Describe(sql, driver::Deadline::None(), nullptr).ok());
    rocksdb::get_perf_context()->Reset();
    Texts rows = Query(sql, std::move(args));
    const rocksdb::PerfContext& counted = *rocksdb::get_perf_context();
    const uint64_t read = counted.next_on_memtable_count + counted.prev_on_memtable_count +
                          counted.seek_on_memtable_count + counted.get_from_memtable_count;
    EXPECT_LE(read, most) << sql;
    // If this fails, nothing was counted at all.
    EXPECT_GT(read + (most == 0 ? 1 : 0), 0u) << sql;
    return rows;
  }
};

TEST_F(SqlAccess, EqualKeysAreGot) {
  EXPECT_EQ(Plan("SELECT * FROM t WHERE key = 'k007'"), "key = ?");
  EXPECT_THAT(Read("SELECT value FROM t WHERE key = 'k007'", 1), ElementsAre("text v7"));
  EXPECT_THAT(Read("SELECT value FROM t WHERE key = $1", 1, {Value::Blob("k007")}),
              ElementsAre("text v7"));
  EXPECT_THAT(Read("SELECT value FROM t WHERE key = 'none'", 1), IsEmpty());
  EXPECT_THAT(Read("SELECT value FROM t WHERE key = NULL", 0), IsEmpty());
  EXPECT_EQ(Plan("SELECT * FROM t WHERE key IS 'k007'"), "key = ?");
}

TEST_F(SqlAccess, ListsOfKeysAreGot) {
  EXPECT_EQ(Plan("SELECT * FROM t WHERE key IN ('a', 'b')"), "key IN (?)");
  EXPECT_THAT(Read("SELECT key FROM t WHERE key IN ('k5', 'k500', 'k002', 'k500', x'6b303032')", 4),
              ElementsAre("text k002", "text k500"));
  EXPECT_THAT(Read("SELECT key FROM t WHERE key IN ('k500', 'k002') ORDER BY key DESC", 3),
              ElementsAre("text k500", "text k002"));
  EXPECT_THAT(Read("SELECT key FROM t WHERE key = 'k001' OR key = 'k003'", 3),
              ElementsAre("text k001", "text k003"));
  EXPECT_EQ(Plan("SELECT * FROM t WHERE key IN ('a', 'b') AND key > 'a'"),
            "key IN (?) AND key > ?");
  EXPECT_THAT(Read("SELECT key FROM t WHERE key IN ('k001', 'k002') AND key > 'k001'", 2),
              ElementsAre("text k002"));
}

TEST_F(SqlAccess, RangesAreBounded) {
  EXPECT_EQ(Plan("SELECT * FROM t WHERE key > 'a' AND key <= 'b'"), "key > ? AND key <= ?");
  EXPECT_EQ(Plan("SELECT * FROM t WHERE key BETWEEN 'a' AND 'b'"), "key >= ? AND key <= ?");
  EXPECT_THAT(Read("SELECT key FROM t WHERE key > 'k001' AND key < 'k004'", 4),
              ElementsAre("text k002", "text k003"));
  EXPECT_THAT(Read("SELECT key FROM t WHERE key >= 'k998'", 4),
              ElementsAre("text k998", "text k999"));
  EXPECT_THAT(Read("SELECT key FROM t WHERE key BETWEEN 'k001' AND 'k002'", 4),
              ElementsAre("text k001", "text k002"));
  EXPECT_THAT(Read("SELECT key FROM t WHERE key <= 'k000'", 3), ElementsAre("text k000"));
  EXPECT_THAT(Read("SELECT key FROM t WHERE key > 'b' AND key < 'a'", 0), IsEmpty());
  EXPECT_THAT(Read("SELECT key FROM t WHERE key > NULL", 0), IsEmpty());
  EXPECT_THAT(Read("SELECT key FROM t WHERE key >= 'k998' AND key <> 'k998'", 5),
              ElementsAre("text k999"));
}

TEST_F(SqlAccess, PrefixesAreBounded) {
  EXPECT_EQ(Plan("SELECT * FROM t WHERE key LIKE 'k00%'"), "key LIKE ?");
  EXPECT_EQ(Plan("SELECT * FROM t WHERE key GLOB 'k00*'"), "key GLOB ?");
  EXPECT_EQ(Read("SELECT key FROM t WHERE key GLOB 'k00*'", 13).size(), 10u);
  EXPECT_EQ(Read("SELECT key FROM t WHERE key GLOB 'k00[12]'", 13).size(), 2u);
  EXPECT_EQ(Read("SELECT key FROM t WHERE key GLOB $1", 13, {Value::Text("k00[12]")}).size(), 2u);
  EXPECT_EQ(Read("SELECT key FROM t WHERE key GLOB '*9'", kRows + 10).size(), 100u);
  EXPECT_EQ(Query("SELECT key FROM t WHERE key LIKE 'k00_'").size(), 10u);
  // LIKE takes capitals for small letters, so the range has what lies between them.
  Exec("INSERT INTO t VALUES ('K001', 'x'), ('B', 'x'), ('2024-01', 'x'), ('2024-02', 'x')");
  EXPECT_EQ(Query("SELECT key FROM t WHERE key LIKE 'k001%'"), (Texts{"text K001", "text k001"}));
  EXPECT_EQ(Query("SELECT key FROM t WHERE key LIKE 'K001%'"), (Texts{"text K001", "text k001"}));
  EXPECT_THAT(Read("SELECT key FROM t WHERE key LIKE '2024-0%'", 5),
              ElementsAre("text 2024-01", "text 2024-02"));
  EXPECT_THAT(Query("SELECT key FROM t WHERE key LIKE '2024-0\\_' ESCAPE '\\'"), IsEmpty());
}

TEST_F(SqlAccess, TheOrderOfKeysNeedsNoSorting) {
  EXPECT_EQ(Plan("SELECT * FROM t ORDER BY key"), "scan");
  EXPECT_EQ(Plan("SELECT * FROM t ORDER BY key DESC, value"), "scan descending");
  EXPECT_THAT(Plan("SELECT * FROM t ORDER BY value"), ::testing::HasSubstr("USE TEMP B-TREE"));
  EXPECT_THAT(Read("SELECT key FROM t ORDER BY key LIMIT 2", 4),
              ElementsAre("text k000", "text k001"));
  EXPECT_THAT(Read("SELECT key FROM t ORDER BY key DESC LIMIT 2 OFFSET 1", 6),
              ElementsAre("text k998", "text k997"));
  EXPECT_THAT(Read("SELECT key FROM t WHERE key < 'k500' ORDER BY key DESC LIMIT 1", 4),
              ElementsAre("text k499"));
  EXPECT_THAT(Read("SELECT max(key) FROM t", 4), ElementsAre("text k999"));
  EXPECT_EQ(Plan("SELECT key FROM t ORDER BY key COLLATE NOCASE").find("scan"), 0u);
}

TEST_F(SqlAccess, AJoinOnTheKeyGets) {
  Exec("CREATE TABLE few(key TEXT, value TEXT)");
  Exec("INSERT INTO few VALUES ('1', 'k001'), ('2', 'k002'), ('3', 'k999')");
  EXPECT_EQ(Plan("SELECT * FROM few JOIN t ON t.key = few.value"), "scan; key = ?");
  EXPECT_THAT(Read("SELECT t.value FROM few JOIN t ON t.key = few.value ORDER BY few.key", 9),
              ElementsAre("text v1", "text v2", "text v999"));
}

TEST_F(SqlAccess, WhatIsNotBytewiseIsNotConsumed) {
  Exec("INSERT INTO t VALUES ('K007', 'capital')");
  EXPECT_EQ(Plan("SELECT * FROM t WHERE key = 'k007' COLLATE NOCASE"), "scan");
  EXPECT_THAT(Query("SELECT key FROM t WHERE key = 'k007' COLLATE NOCASE"),
              ElementsAre("text K007", "text k007"));
  EXPECT_THAT(Query("SELECT count(*) FROM t WHERE key > 'k997' COLLATE NOCASE"),
              ElementsAre("integer 2"));
}

TEST_F(SqlAccess, ADeleteOrUpdateByKeyReadsOneRow) {
  rocksdb::get_perf_context()->Reset();
  EXPECT_EQ(Exec("UPDATE t SET value = 'x' WHERE key = 'k001'"), 1);
  EXPECT_EQ(Exec("DELETE FROM t WHERE key = 'k001'"), 1);
  EXPECT_EQ(rocksdb::get_perf_context()->next_on_memtable_count, 0u);
}

TEST_F(SqlAccess, TextAndBytesCompareAsBytes) {
  Exec("INSERT INTO kv VALUES (x'ff', 'high'), ('abc', 'text'), ('b', 'other')");
  EXPECT_THAT(Query("SELECT value FROM kv WHERE key = 'abc'"), ElementsAre("blob text"));
  EXPECT_THAT(Query("SELECT value FROM kv WHERE key = x'616263'"), ElementsAre("blob text"));
  EXPECT_THAT(Query("SELECT value FROM kv WHERE key IN ('abc', x'616263')"),
              ElementsAre("blob text"));
  EXPECT_THAT(Query("SELECT value FROM kv WHERE key > 'b'"), ElementsAre("blob high"));
  EXPECT_THAT(Query("SELECT value FROM kv WHERE key < 'b'"), ElementsAre("blob text"));
  EXPECT_THAT(Query("SELECT value FROM kv WHERE key <> 'abc'"),
              ElementsAre("blob other", "blob high"));
  EXPECT_THAT(Query("SELECT value FROM kv WHERE key LIKE 'A%'"), ElementsAre("blob text"));
  EXPECT_THAT(Query("SELECT value FROM kv WHERE key NOT LIKE 'A%'"),
              ElementsAre("blob other", "blob high"));
  EXPECT_THAT(Query("SELECT value FROM kv WHERE key GLOB 'a*'"), ElementsAre("blob text"));
  EXPECT_THAT(Query("SELECT value FROM kv WHERE key GLOB 'A*'"), IsEmpty());
  EXPECT_THAT(Query("SELECT value FROM kv WHERE value LIKE '%the%'"), ElementsAre("blob other"));
  EXPECT_THAT(Query("SELECT value FROM kv WHERE key LIKE 'a/_c' ESCAPE '/'"), IsEmpty());
  EXPECT_THAT(Query("SELECT value FROM kv WHERE key LIKE '_b/c' ESCAPE '/'"),
              ElementsAre("blob text"));
  EXPECT_THAT(Query("SELECT value FROM kv WHERE key LIKE NULL"), IsEmpty());
  EXPECT_THAT(Query("SELECT '10%' LIKE '10é%' ESCAPE 'é', 'Ä' LIKE 'ä', 'ÄB' LIKE 'Äb'"),
              ElementsAre("integer 1|integer 0|integer 1"));
  EXPECT_EQ(Try("SELECT * FROM kv WHERE key LIKE 'a' ESCAPE 'ab'")->reason(), Reason::kSyntax);
  EXPECT_EQ(
      Try("SELECT * FROM kv WHERE key LIKE $1", {Value::Text(std::string(100'000, '%'))})->reason(),
      Reason::kSyntax);
  // A number is less than any bytes, as SQLite has it; beside a key of TEXT it is text.
  EXPECT_THAT(Query("SELECT value FROM kv WHERE key = 5"), IsEmpty());
  EXPECT_THAT(Query("SELECT count(*) FROM kv WHERE key > 5"), ElementsAre("integer 3"));
  EXPECT_THAT(Query("SELECT count(*) FROM kv WHERE key < 5"), ElementsAre("integer 0"));
  Exec("INSERT INTO t VALUES ('5', 'five')");
  EXPECT_THAT(Query("SELECT value FROM t WHERE key = 5"), ElementsAre("text five"));
  EXPECT_THAT(Query("SELECT value FROM t WHERE key IN (5, 6)"), ElementsAre("text five"));
}

TEST_F(SqlAccess, ManyTermsAndManyKeys) {
  // More than a plan has place for: the rest is SQLite's to look at.
  std::string sql = "SELECT count(*) FROM t WHERE key >= 'k900'";
  for (int i = 0; i < 30; ++i)
    sql += fmt::format(" AND key <> 'k9{:02}' AND key < 'k9{}'", i, 99 - i);
  EXPECT_EQ(Query(sql), (Texts{"integer 40"}));
  std::string list = "SELECT count(*) FROM t WHERE key IN (''";
  for (int i = 0; i < 20'000; ++i) list += fmt::format(", 'k{:05}', 'k{:03}'", i, i % 500);
  EXPECT_EQ(Query(list + ")"), (Texts{"integer 500"}));
  EXPECT_EQ(Query("SELECT count(*) FROM t WHERE key IN (SELECT key FROM t) AND key > 'k500'"),
            (Texts{"integer 499"}));
  EXPECT_EQ(Query("SELECT count(*) FROM t a, t b WHERE a.key = b.key AND b.key IN ('k1', 'k100')"),
            (Texts{"integer 1"}));
}

}  // namespace
}  // namespace penstock::pebble
