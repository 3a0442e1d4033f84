// CockroachDB's own grammar.
#include "drivers/cockroachdb/grammar.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace penstock::cockroachdb {
namespace {

using postgres::ReadSyntax;
using postgres::Syntax;
using ::testing::Contains;
using ::testing::ElementsAre;
using Verb = Syntax::Verb;

TEST(Grammar, OwnStatementsOnRowsAreRead) {
  for (const char* sql : {"UPSERT INTO t VALUES (1)", "upsert into s.t (a) values ($1) returning a",
                          "WITH x AS (SELECT 1) UPSERT INTO t TABLE x", "UPDATE t@i SET a = 1",
                          "DELETE FROM t@{FORCE_INDEX=i,DESC} WHERE a = 1"}) {
    ASSERT_EQ(ReadSyntax(sql).verb, Verb::kUnknown) << sql;
    const Syntax syntax = ReadGrammar(sql);
    EXPECT_EQ(syntax.verb, Verb::kWrite) << sql;
    EXPECT_TRUE(syntax.writes) << sql;
    EXPECT_FALSE(syntax.written.empty()) << sql;
  }
  for (const char* sql :
       {"SELECT a FROM t@primary", "SELECT a FROM t AS OF SYSTEM TIME '-10s'",
        "SELECT a FROM t AS OF SYSTEM TIME follower_read_timestamp() WHERE a = 1",
        "SELECT a FROM t AS OF SYSTEM TIME with_max_staleness('10s')", "SELECT 1:::INT8",
        "SELECT * FROM [SHOW TABLES]", "SELECT * FROM [SHOW JOBS] WHERE status = 'x'"}) {
    const Syntax syntax = ReadGrammar(sql);
    EXPECT_EQ(syntax.verb, Verb::kSelect) << sql;
    EXPECT_FALSE(syntax.writes) << sql;
  }
  EXPECT_EQ(ReadGrammar("SHOW TABLES FROM d").verb, Verb::kShow);
  EXPECT_EQ(ReadGrammar("EXPLAIN ANALYZE (DEBUG) SELECT 1").verb, Verb::kExplain);
}

TEST(Grammar, FunctionsAreFound) {
  EXPECT_THAT(ReadGrammar("UPSERT INTO t VALUES (My_Function())").functions,
              ElementsAre("my_function"));
  EXPECT_THAT(ReadGrammar("SELECT 1 FROM t AS OF SYSTEM TIME Follower_Read_Timestamp()").functions,
              Contains("follower_read_timestamp"));
  EXPECT_THAT(ReadGrammar("SELECT f(a) FROM t@i").functions, ElementsAre("f"));
}

TEST(Grammar, ConstantsStayWhatTheyAre) {
  // None of these is CockroachDB's grammar.
  EXPECT_TRUE(ReadGrammar("UPSERT INTO t VALUES ('a''b', E'\\'', $$x$$, x'ff')").has_strings);
  EXPECT_EQ(ReadGrammar("UPSERT INTO t VALUES ('not closed").verb, Verb::kUnknown);
}

TEST(Grammar, TransactionsAreControlledByNoText) {
  for (const char* sql :
       {"BEGIN PRIORITY HIGH", "BEGIN AS OF SYSTEM TIME '-1s'", "/* x */ COMMIT TRANSACTION NOW",
        "SAVEPOINT a b", "ROLLBACK TO SAVEPOINT", "-- x\nSTART TRANSACTION PRIORITY LOW"}) {
    EXPECT_EQ(ReadGrammar(sql).verb, Verb::kTransaction) << sql;
  }
  // One that is too long to be read.
  EXPECT_EQ(ReadGrammar("/* " + std::string(100'000, 'x') + " /* */ */ commit").verb,
            Verb::kTransaction);
}

TEST(Grammar, WhatMayChangeTheSchemaIsNotTakenForHarmless) {
  for (const char* sql :
       {"CREATE TABLE t (a INT, FAMILY (a))", "ALTER TABLE t SPLIT AT VALUES (1)",
        "EXPLAIN ANALYZE (DEBUG) CREATE TABLE t (a INT, FAMILY (a))", "IMPORT INTO t", "RESTORE x",
        "(((CREATE", "", "--", "'select'", "\"select\"", "selects", "BACKUP INTO 'x'"}) {
    const Syntax syntax = ReadGrammar(sql);
    EXPECT_FALSE(syntax.keeps_schema) << sql;
    EXPECT_NE(syntax.verb, Verb::kSelect) << sql;
  }
  for (const char* sql :
       {"UPDATE t SET a = 1 LIMIT 1", "(SELECT 1 FROM [DELETE FROM t RETURNING a])",
        "CANCEL QUERY 'x'", "SET CLUSTER SETTING a = 1"}) {
    EXPECT_TRUE(ReadGrammar(sql).keeps_schema) << sql;
  }
  EXPECT_TRUE(ReadGrammar("UPSERT INTO t VALUES (" + std::string(100'000, '1') + ")").keeps_schema);
}

}  // namespace
}  // namespace penstock::cockroachdb
