#!/usr/bin/env python3
"""Compares what the documents list with what the programs say: keys, defaults, flags and reasons.

usage: reference_test.py ROOT BINARIES

The programs are the measure: penstockd names its keys when it meets one that it does not know, and
--help names the flags. The example configuration has the defaults, which a unit test compares with
the program's.
"""

import os
import re
import subprocess
import sys
import tempfile
import unittest
import urllib.request

import links
import yaml
from daemon import Daemon

ROOT, BINARIES = (os.path.abspath(path) for path in sys.argv[1:3])
del sys.argv[1:3]

POSTGRES = "Options of postgres and cockroachdb"
# The heading of each table of keys, and a configuration with a key that is not known there.
SECTIONS = {
    "The file": "zz: 1",
    "server": "server: {zz: 1}",
    "server.tls": "server: {tls: {zz: 1}}",
    "log": "log: {zz: 1}",
    "A database": "databases: {main: {zz: 1}}",
    "Options of sqlite": "databases: {main: {options: {zz: 1}}}",
    POSTGRES: "databases: {main: {driver: postgres, options: {zz: 1}}}",
    "Options of pebble": "databases: {main: {driver: pebble, options: {zz: 1}}}",
}
LISTS = re.compile(r"zz.*?(?:use one of|it has|known are:) (.*)")
FLAG = re.compile(r"(?<![\w-])--[a-z][a-z-]*")
COMMANDS = ("ping", "query", "exec", "kv", "databases", "migrate")
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


def keys_of_program(config):
    """The keys that penstockd lists when it meets the unknown one of a configuration."""
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
        file.write(config + "\n")
        file.flush()
        _, said = run("penstockd", "--check", "--config", file.name)
    listed = LISTS.search(said)
    assert listed, said
    return set(re.split(r", | and ", listed.group(1)))


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


class Reference(unittest.TestCase):
    def setUp(self):
        self.configuration = links.read(ROOT, "docs/configuration.md")

    def test_every_key_is_documented_and_no_other(self):
        for heading, config in SECTIONS.items():
            rows = rows_of(section_of(self.configuration, heading))
            documented = {key for row in rows for key in re.findall(r"`(\w+)`", row[0])}
            self.assertEqual(documented, keys_of_program(config), heading)

    def test_the_example_has_every_key(self):
        example = links.read(ROOT, "deploy/penstock.example.yaml")
        shown = set(re.findall(r"^[ #]*(\w+):(?: |$)", example, re.MULTILINE))
        for heading, config in SECTIONS.items():
            self.assertLessEqual(keys_of_program(config), shown, heading)

    def test_options_of_cockroachdb_are_those_of_postgres(self):
        config = SECTIONS[POSTGRES]
        self.assertEqual(
            keys_of_program(config.replace("postgres", "cockroachdb")), keys_of_program(config)
        )

    def test_defaults_are_those_of_the_example(self):
        text = links.read(ROOT, "deploy/penstock.example.yaml")
        example = yaml.load(text, Loader=yaml.BaseLoader)
        main = example["databases"]["main"]
        # What the sqlite driver does not know stands in comments.
        options = dict(re.findall(r"^ {6}# (\w+): (\S+)$", text, re.MULTILINE))
        values = {
            "The file": example,
            "server": example["server"],
            "log": example["log"],
            "A database": main,
            "Options of sqlite": main["options"],
            POSTGRES: options,
            "Options of pebble": options,
        }
        compared = 0
        for heading, defaults in values.items():
            for key, default, _ in rows_of(section_of(self.configuration, heading)):
                value = defaults.get(key.strip("`"))
                if isinstance(value, str) and default.startswith("`") and "<" not in default:
                    said = re.match("`([^`]*)`", default).group(1)
                    self.assertEqual(said, value, f"{heading}: {key}")
                    compared += 1
        self.assertGreater(compared, 50)

    def test_flags_of_penstockd(self):
        table = self.configuration.split("## Flags and environment")[1].split("\n## ")[0]
        self.assertEqual(set(FLAG.findall(table)), flags_of_help("penstockd"))
        _, text = run("penstockd", "--help")
        variables = r"PENSTOCK_[A-Z_]+"
        self.assertEqual(set(re.findall(variables, table)), set(re.findall(variables, text)))

    def test_flags_of_penstock(self):
        flags = flags_of_help("penstock").union(*(flags_of_help("penstock", c) for c in COMMANDS))
        page = links.read(ROOT, "docs/command-line.md")
        self.assertEqual(set(FLAG.findall(page)), flags)

    def test_flags_of_migrate(self):
        flags = set().union(*(flags_of_help("penstock", "migrate", step) for step in STEPS))
        page = links.read(ROOT, "docs/migrations.md")
        self.assertEqual(set(FLAG.findall(page)), flags - {"--help"})
        for step in STEPS:
            self.assertIn(f"`migrate {step} ", page)

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
