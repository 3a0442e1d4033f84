// The built `penstock` in a shell, before a built daemon: what shells do to descriptors,
// and what readers of its output see.
#include <signal.h>

#include <memory>
#include <string>

#include "fmt/format.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/process.h"
#include "tests/support/temp_dir.h"

namespace penstock::testing {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;

class CommandTest : public ::testing::Test {
 protected:
  void SetUp() override {
    daemon_ = std::make_unique<Process>(
        std::vector<std::string>{BuiltProgram("penstockd"), "--data-dir", folder_.path() + "/data",
                                 "--listen", target(), "--http-listen", "off"},
        folder_.path());
    ASSERT_TRUE(daemon_->WaitForOutput("penstockd ready")) << daemon_->output();
    ASSERT_EQ(Shell("penstock exec 'create table t(a text, b)'"), "0 rows affected\n0");
  }

  std::string target() const { return "unix:" + folder_.path() + "/s.sock"; }

  // What bash writes that runs `script`, and the exit code of its last command.
  // `penstock` is a function there.
  std::string Shell(const std::string& script) {
    Process shell({"bash", "-c",
                   fmt::format("penstock() {{ '{}' --target '{}' \"$@\"; }}\n{}\necho -n $?",
                               BuiltProgram("penstock"), target(), script)},
                  folder_.path());
    shell.Wait();
    return shell.output();
  }

  TempDir folder_;
  std::unique_ptr<Process> daemon_;
};

TEST_F(CommandTest, StoresTheBytesItIsGiven) {
  EXPECT_EQ(Shell("penstock exec 'insert into t values ($1, $2), ($3, $4)' 01234 -0 '[\"a\"]' ++"),
            "2 rows affected, last insert id 2\n0");
  EXPECT_EQ(Shell("penstock --format csv query 'select a, b, typeof(a), typeof(b) from t'"),
            "a,b,typeof(a),typeof(b)\r\n01234,-0,text,text\r\n\"[\"\"a\"\"]\",++,text,text\r\n0");
  EXPECT_EQ(Shell("penstock kv put tags '[\"a\"]'; penstock kv put '[\"tags\"]' x;"
                  "penstock kv get tags; penstock kv get '[\"tags\"]'"),
            "[\"a\"]\nx\n0");
}

TEST_F(CommandTest, InputThatCannotBeReadIsNotAnEmptyOne) {
  ASSERT_EQ(Shell("penstock kv put cfg value"), "0");
  for (const char* redirected : {"< /", "<&-"}) {
    for (const char* command : {"kv put cfg -", "exec -", "query -"}) {
      const std::string said = Shell(fmt::format("penstock {} {}", command, redirected));
      EXPECT_THAT(said, HasSubstr("penstock: cannot read standard input: ")) << command;
      EXPECT_THAT(said, EndsWith("\n2")) << command;
    }
  }
  EXPECT_EQ(Shell("penstock kv get cfg"), "value\n0");
  EXPECT_EQ(Shell("penstock kv put cfg - < /dev/null; penstock kv get --raw cfg"), "0");
}

TEST_F(CommandTest, FilesThatCannotBeReadAreNamed) {
  EXPECT_EQ(Shell("mkdir ca.pem; penstock --tls-ca ca.pem ping"),
            "penstock: cannot read ca.pem: Is a directory\n  NOT_FOUND\n2");
  const std::string said = Shell(
      "mkdir m; ln -s nowhere m/1_a.up.sql; penstock migrate up m; code=$?;"
      "rm m/1_a.up.sql; (exit $code)");
  EXPECT_THAT(said, HasSubstr("cannot read m/1_a.up.sql: No such file or directory"));
  EXPECT_THAT(said, Not(EndsWith("\n0")));
}

TEST_F(CommandTest, OutputThatCannotBeWrittenIsToldOnce) {
  for (const char* command :
       {"query 'select 1'", "--help", "--version", "--format json ping", "exec 'select 1'"}) {
    EXPECT_EQ(Shell(fmt::format("penstock {} > /dev/full", command)),
              "penstock: cannot write the output: No space left on device\n  INTERNAL\n1");
    EXPECT_EQ(Shell(fmt::format("penstock {} >&-", command)),
              "penstock: cannot write the output: Bad file descriptor\n  INTERNAL\n1");
  }
  // A reader that has gone, which never ends what is written.
  EXPECT_EQ(Shell("set -o pipefail; penstock --format csv query 'WITH RECURSIVE c(i) AS (SELECT 1 "
                  "UNION ALL SELECT i + 1 FROM c) SELECT i FROM c' | head -1"),
            "i\r\npenstock: cannot write the output: Broken pipe\n  INTERNAL\n1");
}

// Python's readers, for what others see.
TEST_F(CommandTest, ReadersSeeEachRowAndWhichValueItWas) {
  ASSERT_THAT(Shell("penstock exec \"insert into t values (null, x'ff'), ('', '/w=='), "
                    "('\\N', '\\xff'), (' a ', 'x,\n\\\"y\\\"')\""),
              EndsWith("0"));
  const auto rows = [&](const std::string& sql, const std::string& flags) {
    return Shell(
        fmt::format("penstock --format csv {} query '{}' | python3 -c '"
                    "import csv, sys\nfor row in csv.reader(open(0, newline=\"\")): "
                    "print(row)'",
                    flags, sql));
  };
  EXPECT_EQ(rows("select a from t", ""), "['a']\n['\\\\N']\n['']\n['\\\\N']\n[' a ']\n0");
  EXPECT_EQ(rows("select a from t", "--null NULL"), "['a']\n['NULL']\n['']\n['\\\\N']\n[' a ']\n0");
  EXPECT_EQ(rows("select a, b from t", ""),
            "['a', 'b']\n['', '\\\\xff']\n['', '/w==']\n['\\\\N', '\\\\xff']\n"
            "[' a ', 'x,\\n\"y\"']\n0");
  EXPECT_EQ(Shell("penstock --format json query 'select b from t' | python3 -c 'import json, sys\n"
                  "for row in json.load(sys.stdin): print(repr(row[\"b\"]))'"),
            "{'base64': '/w=='}\n'/w=='\n'\\\\xff'\n'x,\\n\"y\"'\n0");
}

// What a scan writes names the same key for the next command.
TEST_F(CommandTest, KeysOfAScanAreReadBack) {
  ASSERT_EQ(Shell("penstock kv put blob:ff one; penstock kv put /w== two;"
                  "penstock kv put --raw blob:ff three; penstock kv put -- --x four"),
            "0");
  EXPECT_EQ(Shell("penstock --format json kv scan --keys-only | python3 -c 'import json, sys\n"
                  "for row in json.load(sys.stdin): print(row[\"key\"])' > keys;"
                  "while read -r key; do penstock kv get -- \"$key\"; done < keys"),
            "four\ntwo\nthree\none\n0");
}

// What `token new` prints can go to its two places, and needs no daemon.
TEST_F(CommandTest, ANewTokenGoesIntoAFileAndItsLinesIntoTheConfiguration) {
  daemon_ = nullptr;
  ASSERT_EQ(Shell("penstock token new --id app-1 --expires 30 > token 2> lines"), "0");
  EXPECT_EQ(Shell("wc -l < token; grep -cE '^pst_app-1_[A-Za-z0-9_-]{43}$' token; "
                  "grep -c pst_ lines"),
            "1\n1\n0\n1");
  EXPECT_EQ(Shell("printf %s \"$(cat token)\" | sha256sum | cut -d' ' -f1 > sum;"
                  "grep -c \"  sha256: $(cat sum)\" lines; grep -c '^- id: \"app-1\"$' lines;"
                  "penstock --format csv token check < token | grep -c \"^app-1,$(cat sum)\""),
            "1\n1\n1\n0");
  const std::string said = Shell("sed s/pst_/pat_/ token | penstock token check");
  EXPECT_THAT(said, HasSubstr("penstock: this is not a token"));
  EXPECT_THAT(said, EndsWith("\n1"));
}

TEST_F(CommandTest, ATokenThatCannotBeSentIsToldBeforeAnythingIsSent) {
  EXPECT_EQ(Shell("penstock --token-file none ping"),
            "penstock: there is no token: cannot read none: No such file or directory\n"
            "  UNAUTHENTICATED, reason UNAUTHENTICATED\n"
            "  hint: write the token into this file, or name another one\n2");
  const std::string said = Shell(fmt::format(
      "PENSTOCK_TOKEN=pst_secret '{}' --target 192.0.2.1:7420 ping", BuiltProgram("penstock")));
  EXPECT_THAT(said, HasSubstr("a token would be sent to \"192.0.2.1:7420\" without encryption"));
  EXPECT_THAT(said, Not(HasSubstr("secret")));
  EXPECT_THAT(said, EndsWith("\n2"));
}

TEST_F(CommandTest, AnErrorHasACaretUnderItsPlace) {
  EXPECT_THAT(Shell("penstock query $'select 1,\\n\\t\\'日本\\' form x'"),
              HasSubstr("\n  line 2: \\t'日本' form x\n                        ^\n"));
}

}  // namespace
}  // namespace penstock::testing
