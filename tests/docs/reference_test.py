#!/usr/bin/env python3
"""Compares what the documents list with what the programs say: keys, defaults, flags and reasons.

usage: reference_test.py ROOT BINARIES

The programs are the measure: docs_keys prints the keys as the program declares them, and --help names
the flags. With PENSTOCK_TEST_WRITE_REFERENCE=1 the tables of keys are written into the page.
"""

import json
import os
import re
import subprocess
import sys
import tempfile
import unittest
import urllib.request

import links
from daemon import Daemon

ROOT, BINARIES = (os.path.abspath(path) for path in sys.argv[1:3])
del sys.argv[1:3]

FLAG = re.compile(r"(?<![\w-])--[a-z][a-z-]*")
CONFIGURATION = "docs/configuration.md"
COMMANDS = ("ping", "query", "exec", "kv", "databases", "migrate", "token")
TOKEN_STEPS = ("new", "check")
SECRETS = ("keygen", "public", "seal", "open")
STEPS = ("new", "up", "status", "down", "to", "dry-run", "adopt", "baseline", "repair")


def run(program, *arguments):
    """The exit code and all that a program printed."""
    done = subprocess.run(
        [os.path.join(BINARIES, program), *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout


def sections_of_program():
    """The sections of keys that the program declares, as docs_keys prints them."""
    code, text = run("docs_keys")
    assert code == 0, text
    return json.loads(text)


def table_of(section):
    """The table of the documents for a section of keys."""
    lines = ["| key | default | meaning |", "|---|---|---|"]
    for key in section["keys"]:
        meaning = key["help"] + ("; SIGHUP applies a change" if key["reloads"] else "")
        default = key["fallback"]
        lines.append(f"| `{key['name']}` | {default}{' ' if default else ''}| {meaning} |")
    return lines


def section_of(text, heading):
    """A section of a page, up to the next heading of its level."""
    start = text.index(f"\n### {heading}\n")
    end = text.find("\n### ", start + 1)
    return text[start : end if end >= 0 else len(text)]


def rows_of(section):
    """The cells of the tables' rows, without their heads."""
    rows = [line.split("|")[1:-1] for line in section.splitlines() if line.startswith("| `")]
    return [[cell.strip() for cell in row] for row in rows]


def flags_of_help(program, *command):
    """The flags that --help lists."""
    _, text = run(program, *command, "--help")
    listed = re.findall(r"^  (?:-\w,)?(--[a-z-]+)", text, re.MULTILINE)
    return set(listed)


def served_metrics():
    """The names at /metrics of a daemon whose databases have keyspaces."""
    with tempfile.TemporaryDirectory(prefix="penstock-docs-", dir="/tmp") as folder:
        config = os.path.join(folder, "penstock.yaml")
        with open(config, "w", encoding="utf-8") as file:
            file.write("databases: {main: {driver: sqlite}, keys: {driver: pebble}}\n")
        daemon = Daemon(BINARIES, folder, config)
        try:
            run("penstock", "--target", daemon.grpc, "-d", "keys", "kv", "put", "a", "b")
            with urllib.request.urlopen(f"http://{daemon.http}/metrics", timeout=30) as answer:
                text = answer.read().decode()
        finally:
            daemon.stop()
    return set(re.findall("^# TYPE (penstock_[a-z_]+)", text, re.MULTILINE))


def with_tables(page):
    """The page with the program's tables in the place of its own."""
    for section in sections_of_program():
        old = section_of(page, section["heading"])
        table = [line for line in old.splitlines() if line.startswith("|")]
        page = page.replace("\n".join(table), "\n".join(table_of(section)))
    return page


class Reference(unittest.TestCase):
    def setUp(self):
        self.configuration = links.read(ROOT, CONFIGURATION)

    def test_tables_are_those_of_the_program(self):
        page = with_tables(self.configuration)
        if os.environ.get("PENSTOCK_TEST_WRITE_REFERENCE"):
            with open(os.path.join(ROOT, CONFIGURATION), "w", encoding="utf-8") as file:
                file.write(page)
            self.configuration = page
        self.maxDiff = None
        self.assertEqual(self.configuration.splitlines(), page.splitlines())

    def test_every_section_is_documented_and_no_other(self):
        headings = re.findall("^### (.*)$", self.configuration, re.MULTILINE)
        self.assertEqual(headings, [section["heading"] for section in sections_of_program()])

    def test_keys_that_sighup_applies_are_those_of_the_page(self):
        page = links.read(ROOT, "docs/operations.md").split("## SIGHUP")[1].split("\n## ")[0]
        applied = {key["name"] for s in sections_of_program() for key in s["keys"] if key["reloads"]}
        self.assertEqual(len(applied), 12)
        words = ("certificates", "client_ca_file", "log.level", "log.format", "password_file")
        for word in (*words, "`identities`", "`jwt`", "secret_keys"):
            self.assertIn(word, page)

    def test_flags_of_penstockd(self):
        table = self.configuration.split("## Flags and environment")[1].split("\n## ")[0]
        self.assertEqual(set(FLAG.findall(table)), flags_of_help("penstockd"))
        _, text = run("penstockd", "--help")
        variables = r"PENSTOCK_[A-Z_]+"
        self.assertEqual(set(re.findall(variables, table)), set(re.findall(variables, text)))

    def test_flags_of_penstock(self):
        flags = flags_of_help("penstock").union(*(flags_of_help("penstock", c) for c in COMMANDS))
        flags.update(*(flags_of_help("penstock", "token", step) for step in TOKEN_STEPS))
        page = links.read(ROOT, "docs/command-line.md")
        self.assertEqual(set(FLAG.findall(page)), flags)

    def test_flags_of_migrate(self):
        flags = set().union(*(flags_of_help("penstock", "migrate", step) for step in STEPS))
        page = links.read(ROOT, "docs/migrations.md")
        self.assertEqual(set(FLAG.findall(page)), flags - {"--help"})
        for step in STEPS:
            self.assertIn(f"`migrate {step} ", page)

    def test_flags_of_secret(self):
        flags = set().union(*(flags_of_help("penstock", "secret", step) for step in SECRETS))
        page = links.read(ROOT, "docs/operations.md")
        self.assertLessEqual(flags - {"--help"}, set(FLAG.findall(page)))
        for step in SECRETS:
            self.assertIn(f"secret {step}", page)

    def test_metrics_are_those_that_are_served(self):
        rows = rows_of(links.read(ROOT, "docs/metrics.md"))
        documented = {row[0].strip("`") for row in rows if re.fullmatch("`[a-z_]+`", row[0])}
        self.assertLessEqual(served_metrics(), documented)
        sources = [path for path in links.files(ROOT) if re.match(r"(server|drivers)/.*\.cc$", path)]
        text = "".join(links.read(ROOT, path) for path in sources)
        for name in documented:
            self.assertIn(f'"{name}"', text)

    def test_reasons_are_those_of_the_wire(self):
        proto = links.read(ROOT, "proto/penstock/v1/error.proto")
        reasons = re.findall(r"^  REASON_(\w+) = \d+;", proto, re.MULTILINE)
        rows = re.findall(r"^\| `([A-Z_]+)` \|", links.read(ROOT, "docs/errors.md"), re.MULTILINE)
        self.assertEqual(rows, reasons)


if __name__ == "__main__":
    unittest.main()
