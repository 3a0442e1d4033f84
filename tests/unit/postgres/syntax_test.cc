// What a text says by itself.
#include "drivers/postgres/syntax.h"

#include <string>

#include "gtest/gtest.h"

namespace penstock::postgres {
namespace {

using Verb = Syntax::Verb;
using Names = std::set<std::string>;

Verb VerbOf(const std::string& sql) { return ReadSyntax(sql).verb; }

TEST(SyntaxTest, TellsWhatSortOfStatementItIs) {
  for (const char* sql : {"select 1", "VALUES (1)", "table t", "(select 1)", "; select 1",
                          "with x as (select 1) select * from x", "/* a /* b */ c */ select 1",
                          "--\rselect 1", "select E'\\'; commit; --'"}) {
    EXPECT_EQ(VerbOf(sql), Verb::kSelect) << sql;
  }
  for (const char* sql : {"insert into t values (1)", "update t set a = 1", "delete from t",
                          "with x as (select 1) insert into t select * from x",
                          "merge into t using s on true when matched then delete"}) {
    EXPECT_EQ(VerbOf(sql), Verb::kWrite) << sql;
    EXPECT_TRUE(ReadSyntax(sql).writes) << sql;
  }
  EXPECT_EQ(VerbOf("show all"), Verb::kShow);
  EXPECT_EQ(VerbOf("explain (analyze) delete from t"), Verb::kExplain);
  EXPECT_EQ(VerbOf("explain execute p1"), Verb::kDefine);
  EXPECT_EQ(VerbOf("listen a"), Verb::kListen);
  EXPECT_EQ(VerbOf("do 'begin end'"), Verb::kCode);
  EXPECT_EQ(VerbOf("call p()"), Verb::kCode);
  for (const char* sql : {"set a.b = 1", "reset all", "fetch all c", "discard all", "lock t",
                          "prepare p as select 1", "execute p", "notify a", "vacuum t"}) {
    EXPECT_EQ(VerbOf(sql), Verb::kSession) << sql;
  }
  for (const char* sql :
       {"create table t(a int)", "drop type t", "select 1 into t", "alter table t add a int",
        "refresh materialized view v", "create table t as select 1", "grant select on t to u"}) {
    EXPECT_EQ(VerbOf(sql), Verb::kDefine) << sql;
  }
}

TEST(SyntaxTest, KnowsWhatLeavesTheMeaningOfOtherTexts) {
  for (const char* sql : {"set local lock_timeout = 1", "lock t", "fetch c", "notify a",
                          "set transaction isolation level serializable"}) {
    EXPECT_TRUE(ReadSyntax(sql).keeps_meaning) << sql;
  }
  for (const char* sql : {"set search_path = a", "set local datestyle = 'DMY'", "reset all",
                          "set role r", "discard temp", "execute p", "do 'begin end'"}) {
    EXPECT_FALSE(ReadSyntax(sql).keeps_meaning) << sql;
  }
}

TEST(SyntaxTest, FindsWhatIsNotServedHoweverItIsHidden) {
  for (const char* sql : {"begin", "START TRANSACTION", "commit", "end", "abort", "rollback",
                          "savepoint a", "release a", "rollback to a", "prepare transaction 'x'",
                          "/* x */ commit and chain", "--\rcommit", ";;begin;"}) {
    EXPECT_EQ(VerbOf(sql), Verb::kTransaction) << sql;
  }
  for (const char* sql : {"copy t from stdin", "copy (select E'\\'') to stdout",
                          "copy (select E'\\'' || 'program') to stdout -- 'x"}) {
    EXPECT_EQ(VerbOf(sql), Verb::kCopyStream) << sql;
  }
  EXPECT_EQ(VerbOf("copy t from '/tmp/x'"), Verb::kDefine);
  EXPECT_EQ(VerbOf("copy t to program 'cat'"), Verb::kDefine);
  for (const char* sql : {"select 1; select 2", "select E'\\'' ; delete from t --'",
                          "begin; select 1", "select 1;;select 2"}) {
    EXPECT_EQ(VerbOf(sql), Verb::kSeveral) << sql;
  }
  for (const char* sql : {"", " \t\r\n", ";", " ; ; ", "-- only this", "/* */"}) {
    EXPECT_EQ(VerbOf(sql), Verb::kEmpty) << sql;
  }
}

TEST(SyntaxTest, WhatItCannotReadIsUnknown) {
  for (const char* sql : {"selec 1", "select 'open", "select * from t as of system time '-1s'",
                          "upsert into t values (1)", "\\d", "select $", "\xff\xfe"}) {
    EXPECT_EQ(VerbOf(sql), Verb::kUnknown) << sql;
  }
  EXPECT_EQ(VerbOf("select 1" + std::string(kMaxSyntaxBytes, ' ')), Verb::kUnknown);
}

TEST(SyntaxTest, FindsTheFunctions) {
  EXPECT_EQ(ReadSyntax("select E'it\\'s', set_config('a.b', 'x', false), 'y'").functions,
            Names{"set_config"});
  EXPECT_EQ(ReadSyntax("select \"Set\"(1), PG_catalog.\"set_config\"('a', 'b', true)").functions,
            (Names{"Set", "set_config"}));
  EXPECT_EQ(ReadSyntax("insert into t values (f(1)) on conflict (a) do update set b = g(2) "
                       "where h(3) returning i(4)")
                .functions,
            (Names{"f", "g", "h", "i"}));
  EXPECT_EQ(ReadSyntax("select from f() with ordinality, lateral rows from (g(), h()) "
                       "where exists (select i() over w from t window w as (order by j()))")
                .functions,
            (Names{"f", "g", "h", "i", "j"}));
  EXPECT_EQ(ReadSyntax("with x as (select f()) select case when g() then 1 end, array[h()] "
                       "from x limit i() for update")
                .functions,
            (Names{"f", "g", "h", "i"}));
  EXPECT_EQ(ReadSyntax("select u.name, (u.boss).pay, v.* from users u, v").members,
            (Names{"name", "boss", "pay"}));
}

TEST(SyntaxTest, FindsTablesTypesAndOperators) {
  const Syntax syntax = ReadSyntax(
      "update only S.\"T \"\"1\" set a = b OPERATOR(x.@@) c::y.mood from u where d <-> 1 < 2");
  EXPECT_EQ(syntax.written, Names{"\"s\".\"T \"\"1\""});
  EXPECT_EQ(syntax.relations, (Names{"\"s\".\"T \"\"1\"", "\"u\""}));
  EXPECT_EQ(syntax.types, Names{"mood"});
  EXPECT_EQ(syntax.operators, (Names{"@@", "<->", "<"}));
  EXPECT_EQ(ReadSyntax("with x as (delete from a returning *) select * from x").written,
            Names{"\"a\""});
}

TEST(SyntaxTest, FindsStringsAndTemporaryTables) {
  for (const char* sql :
       {"select 'now'", "select date '01/02/2020'", "select $$x$$", "select E'x'", "select U&'x'",
        "insert into t values (1, 'x')", "select 1 where a in ('x')", "select 'ty'::regtype"}) {
    EXPECT_TRUE(ReadSyntax(sql).has_strings) << sql;
  }
  for (const char* sql : {"select 1", "select $1::date", "select \"x\" from t", "select null, true",
                          "select 1.5, current_timestamp"}) {
    EXPECT_FALSE(ReadSyntax(sql).has_strings) << sql;
  }
  for (const char* sql : {"create temp table t(a int)", "create table \"pg_temp\".t as select 1",
                          "select 1 into U&\"pg_t\\0065mp\".t", "select 1 into temp t",
                          "insert into pg_temp_3.t values (1)"}) {
    EXPECT_TRUE(ReadSyntax(sql).temporary) << sql;
  }
}

std::string Repeated(const std::string& text, size_t bytes) {
  std::string all;
  while (all.size() + text.size() < bytes) all += text;
  return all;
}

TEST(SyntaxTest, WhatReadsByItsSort) {
  for (const char* sql :
       {"select 1", "values (1)", "table t", "with w as (select 1) select * from w", "show all",
        "explain select 1", "explain (analyze) select f()", "fetch all c", "move c",
        "select * from t for update", "select f()"}) {
    EXPECT_TRUE(ReadSyntax(sql).only_reads) << sql;
  }
  for (const char* sql : {"insert into t values (1)",
                          "with w as (delete from t returning a) select * from w",
                          "select 1 into t",
                          "select * from (select 1) s, lateral (select 2) u union select 1 into t",
                          "explain insert into t values (1)",
                          "explain analyze create table t as select 1",
                          "explain execute p",
                          "copy t to '/tmp/x'",
                          "copy t to program 'x'",
                          "copy t to stdout",
                          "set a = 1",
                          "reset all",
                          "set transaction read write",
                          "do 'x'",
                          "call p()",
                          "notify a",
                          "listen a",
                          "lock t",
                          "prepare p as select 1",
                          "execute p",
                          "declare c cursor for select 1",
                          "discard all",
                          "vacuum",
                          "create temp table t (a int)",
                          "begin",
                          "checkpoint",
                          "",
                          "nonsense",
                          "select 1; drop table t"}) {
    EXPECT_FALSE(ReadSyntax(sql).only_reads) << sql;
  }
  EXPECT_FALSE(ReadSyntax("select 1" + std::string(kMaxSyntaxBytes, ' ')).only_reads);
}

// Nothing that a client can send makes the parser run out of its stack.
TEST(SyntaxTest, ADeepTextDoesNoHarm) {
  for (const char* level : {"+1",
                            "- ",
                            "::a",
                            " not ",
                            "[1]",
                            " isnull",
                            ".a",
                            "(",
                            "[",
                            "f(",
                            " union select 1",
                            ",t",
                            " join t on b",
                            "select(",
                            "@",
                            " collate c",
                            " at time zone 1",
                            " and 1",
                            "case when ",
                            "row(",
                            "exists(select ",
                            "array[",
                            " in (select 1",
                            "||1",
                            " is true"}) {
    ReadSyntax("select 1" + Repeated(level, kMaxSyntaxBytes - 100));
    for (const size_t bytes : {size_t{1000}, size_t{1100}}) {
      ReadSyntax("select 1" + Repeated(level, bytes));
      ReadSyntax("select " + Repeated(level, bytes) + "1");
      ReadSyntax("select 1 from t" + Repeated(level, bytes));
    }
  }
}

}  // namespace
}  // namespace penstock::postgres
