#!/usr/bin/env python3
"""Shows that wrong blocks, links and marks are found; each case is a page that has one mistake.

usage: finds_test.py ROOT BINARIES STUBS
"""

import os
import sys
import tempfile
import unittest

import links
from blocks import PageError, read_blocks
from expected import compare
from generate_cpp import generate
from page import Page, Tools

TOOLS = Tools(*sys.argv[1:4])
del sys.argv[1:4]


def fence(info, *lines):
    """A block as text."""
    return "\n".join([f"```{info}", *lines, "```", ""])


def run(text):
    """Runs a page of that text."""
    with tempfile.TemporaryDirectory(prefix="penstock-docs-", dir="/tmp") as folder:
        with Page(TOOLS, "page.md", text, folder) as page:
            page.run()


class Fences(unittest.TestCase):
    def refuses(self, text, message):
        with self.assertRaisesRegex(PageError, message):
            read_blocks("page.md", text)

    def test_each_has_a_language(self):
        self.refuses(fence("", "x"), "page.md:1: the fence has no language")
        self.refuses("\n" + fence("rust", "x"), 'page.md:2: .*language "rust"')

    def test_marks_are_known_and_have_a_reason(self):
        self.refuses(fence("sh not-run", "x"), "says nothing behind the colon")
        self.refuses(fence("sh not-run:", "x"), "says nothing behind the colon")
        self.refuses(fence("sh skip: no time", "x"), 'may not have the mark "skip"')
        self.refuses(fence("sh served", "x"), 'may not have the mark "served"')
        self.refuses(fence("yaml served: yes", "x"), "stands alone")

    def test_a_fence_is_closed(self):
        self.refuses("```sh\ntrue\n", "page.md:1: the fence is never closed")

    def test_a_block_in_a_list_loses_its_indent(self):
        (block,) = read_blocks("page.md", "- item\n\n  ```sh\n  true\n  ```\n")
        self.assertEqual((block.line, block.text), (3, "true\n"))


class Blocks(unittest.TestCase):
    def fails(self, text, message):
        with self.assertRaisesRegex(PageError, message):
            run(text)

    def test_what_is_right_passes(self):
        run(
            fence("console", "$ penstock --format csv query 'select 6 * 7 as n'", "n", "42")
            + fence("console exit: 3", "$ (exit 3)")
            + fence("sql", "create table t (a int);", "select a from t;")
            + fence("python", "print('1 ms')")
            + fence("text output", "… ms")
            + fence("json", "[1]")
            + fence("yaml served", "log: {level: warn}")
            + fence("sh file: bin/x.sh", "echo from the file")
            + fence("sh", "bash bin/x.sh | grep file", "test -S data/penstock.sock")
        )

    def test_commands(self):
        self.fails("\n" + fence("sh", "true", "false", "true"), "page.md:2: the script ended with")
        self.fails(fence("sh", "echo $nothing"), "nothing: unbound variable")
        self.fails(fence("console", "$ penstock query 'select 1 +'"), "ended with 1, not 0")
        self.fails(fence("console exit: 2", "$ (exit 3)"), "ended with 3, not 2")
        self.fails(fence("console", "$ echo a", "b"), "printed something else:(.|\n)*-b\n[+]a")
        self.fails(fence("console", "$ echo a"), "printed something else:(.|\n)*[+]a")
        self.fails(fence("console", "echo a"), "begins with `[$] `")

    def test_other_languages(self):
        self.fails(fence("sql", "select 1;", "selekt 2;"), "selekt")
        self.fails(fence("python", "import penstock.v1.value_pb2 as v", "v.Wert()"), "Wert")
        self.fails(fence("json", "{'a': 1}"), "is not JSON")
        self.fails(fence("yaml", "log: {levle: warn}"), "did you mean 'level'")
        self.fails(fence("cmake", "project(x)"), "has to have the mark")
        self.fails(fence("cpp", "return absl::OkStatus();"), "build docs_blocks again")
        self.fails(fence("python", "print(1)") + fence("text output", "2"), "prints something else")
        self.fails(fence("text output", "2"), "nothing before it prints")
        self.fails(fence("text", "$ true"), "write console")

    def test_grpcurl(self):
        call = "grpcurl -plaintext -d '{\"sql\": \"%s\"}' 127.0.0.1:7420 "
        call += "penstock.v1.DatabaseService/"
        run(fence("sh", call % "select 1" + "Query | grep -q rowsReturned"))
        self.fails(fence("sh", call % "selekt" + "Query"), "Code: InvalidArgument")
        self.fails(fence("sh", call % "select 1" + "Kweri"), "Kweri")

    def test_a_file_is_used(self):
        self.fails(fence("sql file: a.sql", "select 1"), "no command of the page names a.sql")

    def test_addresses_are_those_of_the_page(self):
        readyz = "$ curl -s http://127.0.0.1:9420/readyz && echo 127.0.0.1:7420"
        run(fence("console", readyz, "ready", "127.0.0.1:7420"))


class Outputs(unittest.TestCase):
    def test_marks_stand_for_any_text(self):
        self.assertEqual(compare(["a … c"], "a b c\n"), "")
        self.assertEqual(compare(["a", "…", "c"], "a\nb\nb\nc\n"), "")
        self.assertEqual(compare(["a", "…", "c"], "a\nc\n"), "")
        self.assertNotEqual(compare(["a …"], "b a\n"), "")
        self.assertNotEqual(compare(["a.c"], "abc\n"), "")
        self.assertNotEqual(compare(["… c"], "a\nb c\n"), "")


class Cpp(unittest.TestCase):
    def test_messages_name_the_page(self):
        text = "\n" + fence("cpp", "#include <set>", "std::set<int> s;")
        text += fence("cpp", "int main() {", "}")
        source = generate(read_blocks("docs/page.md", text))
        self.assertIn('#line 3 "docs/page.md"\n\nstd::set<int> s;', source)
        self.assertIn("#include <set>\n", source)
        self.assertIn("program_docs_page_md_6::main()", source)


class Links(unittest.TestCase):
    def broken(self, text, other="# There it is\n"):
        with tempfile.TemporaryDirectory() as root:
            os.mkdir(os.path.join(root, "docs"))
            for name, content in (("a.md", text), ("docs/b.md", other)):
                with open(os.path.join(root, name), "w", encoding="utf-8") as file:
                    file.write(content)
            return list(links.broken_links(root))

    def test_files_and_headings(self):
        self.assertEqual(self.broken("[x](docs/b.md#there-it-is) [y](https://a.b/c) [z](docs)"), [])
        self.assertEqual(self.broken("# `A` b, c\n[x](#a-b-c)"), [])
        self.assertRegex(self.broken("\n[x](docs/c.md)")[0], "^a.md:2: docs/c.md: there is no ")
        self.assertRegex(self.broken("[x](docs/b.md#here)")[0], "has no heading for #here")
        self.assertRegex(self.broken("[x](#here)")[0], "a.md has no heading")

    def test_code_has_no_links(self):
        self.assertEqual(self.broken("`[x](y)`\n" + fence("text", "[x](y)")), [])

    def test_headings_that_occur_twice(self):
        text = "[x](docs/b.md#a-1) [y](docs/b.md#a-2)"
        self.assertEqual(len(self.broken(text, "# A\n## A\n")), 1)


if __name__ == "__main__":
    unittest.main()
