#!/usr/bin/env python3
"""Runs the code blocks of one page; blocks.py says what is done with them.

usage: page_test.py ROOT BINARIES STUBS PAGE

A page in POSTGRES has a database on the server of PENSTOCK_TEST_POSTGRES; every other one begins
with SQLite.
"""

import collections
import os
import subprocess
import sys
import tempfile
import uuid

from blocks import PageError
from page import Page, Tools

POSTGRES = {"docs/postgresql.md"}


def postgres_config(folder):
    """A configuration whose database is new on the shared server."""
    with open(os.environ["PENSTOCK_TEST_POSTGRES"], encoding="utf-8") as file:
        server = file.read()
    name = f"docs_{uuid.uuid4().hex}"
    command = ["psql", "-q", "-h", server, "-U", "postgres", "-c", f"CREATE DATABASE {name}"]
    subprocess.run(command, check=True, env={"PATH": os.environ["PATH"]})
    path = os.path.join(folder, ".postgres.yaml")
    with open(path, "w", encoding="utf-8") as file:
        file.write(
            "databases:\n  main:\n    driver: postgres\n"
            f"    host: {server}\n    username: postgres\n    database: {name}\n"
        )
    return path


def summary(blocks):
    """How many blocks of each language there were, and how many were not run."""
    counts = collections.Counter(block.language for block in blocks)
    marks = collections.Counter(block.mark for block in blocks)
    return (
        ", ".join(f"{count} {language}" for language, count in sorted(counts.items()))
        + f"; {marks['not-run']} not run, {marks['compile-only']} compiled only"
    )


def main(root, binaries, stubs, name):
    with open(os.path.join(root, name), encoding="utf-8") as file:
        text = file.read()
    # The socket's path has to be short.
    with tempfile.TemporaryDirectory(prefix="penstock-docs-", dir="/tmp") as folder:
        config = postgres_config(folder) if name in POSTGRES else None
        try:
            with Page(Tools(root, binaries, stubs), name, text, folder, config) as page:
                page.run()
        except PageError as error:
            sys.exit(str(error))
    print(f"{name}: {summary(page.blocks)}")


if __name__ == "__main__":
    main(*sys.argv[1:])
