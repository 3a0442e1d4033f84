"""What the compiler says of a wrong statement, and how long right ones take it.

compile_test.py COMPILER SOURCE_DIR: exits with 1 if an error has more than ten lines, if something
that is wrong compiles, or if thirty statements take more than five seconds of processor time at -O1.
"""
import os
import resource
import subprocess
import sys
import tempfile

MOST_LINES = 10
MOST_SECONDS = 5.0
# How long the standard headers of YARDSTICK take on the machine that the limit was set for. On a
# slower or busier one the limit is longer in proportion.
YARDSTICK_SECONDS = 2.4
RUNS = 3

# What is wrong, and a part of what has to be said about it.
WRONG = {
    'users.id == "text"': "deleted function",
    'users.name == 5': "deleted function",
    '5 == users.name': "deleted function",
    'users.id == users.name': "deleted function",
    'users.age < std::optional<int64_t>(5)': "deleted function",
    'users.age >= std::nullopt': "deleted function",
    'users.born == absl::Now()': "deleted function",
    'users.active == 1': "deleted function",
    'users.role == sql::Dialect::kSqlite': "deleted function",
    'users.doc == users.doc': "deleted function",
    'users.id != nullptr': "deleted function",
    'users.name > users.id': "deleted function",
}

YARDSTICK = '''#include <regex>
#include <iostream>
bool Matches(const std::string& text) { return std::regex_match(text, std::regex("a+b?")); }
int main() { std::cout << Matches("aab"); }
'''

PROGRAM = '''#include "penstock/sql.h"
#include "absl/time/clock.h"
#include "tests/sql/tables.h"
using namespace penstock;
using penstock::testing::users;
auto Wrong() {
  return %s;
}
'''


def compile_file(compiler, source_dir, path, *options):
    command = [compiler, "-std=c++20", "-I", source_dir, "-I", source_dir + "/client/include",
               "-fno-diagnostics-color", "-c", path, "-o", os.devnull, *options]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def check_errors(compiler, source_dir, folder):
    failures = 0
    for wrong, said in WRONG.items():
        path = folder + "/wrong.cc"
        with open(path, "w", encoding="utf-8") as file:
            file.write(PROGRAM % wrong)
        done = compile_file(compiler, source_dir, path, "-fsyntax-only")
        lines = done.stderr.splitlines()
        if done.returncode == 0 or len(lines) > MOST_LINES or said not in done.stderr:
            print(f"{wrong}: {len(lines)} lines\n{done.stderr}")
            failures += 1
    return failures


def seconds_of_compiling(compiler, source_dir, path):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = compile_file(compiler, source_dir, path, "-O1")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode != 0:
        print(done.stderr)
        return float("inf")
    return after.ru_utime - before.ru_utime


def check_time(compiler, source_dir, folder):
    yardstick = folder + "/yardstick.cc"
    with open(yardstick, "w", encoding="utf-8") as file:
        file.write(YARDSTICK)
    statements = source_dir + "/tests/sql/compile/thirty_statements.cc"
    # What else the machine does can only add to it.
    unit = min(seconds_of_compiling(compiler, source_dir, yardstick) for _ in range(RUNS))
    seconds = min(seconds_of_compiling(compiler, source_dir, statements) for _ in range(RUNS))
    most = MOST_SECONDS * max(1.0, unit / YARDSTICK_SECONDS)
    print(f"thirty statements: {seconds:.1f} s of processor time, limit {most:.1f} s; "
          f"the yardstick: {unit:.2f} s")
    return seconds > most


def main():
    compiler, source_dir = sys.argv[1:]
    with tempfile.TemporaryDirectory() as folder:
        failures = check_errors(compiler, source_dir, folder)
        failures += check_time(compiler, source_dir, folder)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
