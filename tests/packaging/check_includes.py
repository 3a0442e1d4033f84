#!/usr/bin/env python3
"""Checks who includes whom, and header guards.

Usage: check_includes.py ROOT

Prints a line `file:line: message` for each finding, and exits with 1 if there is one.
"""

import os
import re
import sys

# What every call of the server may include.
RPC = ["drivers/api", "proto", "server/auth", "server/config", "server/database", "server/log", "server/metrics",
       "server/net", "server/pool", "server/registry", "server/runtime"]

# The ground floor. All may include it but for what the client's users compile themselves.
GROUND = "text"
FOR_USERS = ["client/include", "client/examples"]

# Folder -> the folders it may include besides itself, the ground floor and other people's
# libraries; "proto" is the generated code, "penstock/v1/...". A `*` stands for the name of
# any folder that has no entry of its own, and for the same name to the right. What is listed
# covers its subfolders, except that a folder with subfolders in this table
# covers only the files directly in it. Code in a folder that nothing covers is
# a finding: a new folder finds its place here first.
MAY_INCLUDE = {
    GROUND: [],
    # Drivers know nothing but the interface, and never each other. Their table stands above.
    "drivers": [],
    "drivers/api": [],
    "drivers/fake": ["drivers/api"],
    # What a driver that has SQLite as its engine of SQL needs.
    "drivers/sqlite_engine": ["drivers/api"],
    # Stands in front of any driver of SQL, and knows none.
    "drivers/sql_key_value": ["drivers/api"],
    "drivers/cockroachdb": ["drivers/api", "drivers/postgres"],
    "drivers/*": ["drivers/api", "drivers/sqlite_engine"],
    # A driver's dialect of migrations.
    "drivers/cockroachdb/migrations": ["drivers/api", "drivers/cockroachdb", "drivers/postgres",
                                       "migrations"],
    "drivers/*/migrations": ["drivers/api", "drivers/*", "migrations"],
    "migrations": ["drivers/api"],
    # The daemon opens what the command seals.
    "sealing": [],
    # The server, from the bottom up. Only server/rpc knows the wire.
    "server/runtime": ["drivers/api"],
    "server/config": ["drivers/api", "sealing"],
    "server/log": ["drivers/api", "server/config", "server/runtime"],
    "server/net": ["drivers/api", "server/config", "server/log"],
    "server/auth": ["drivers/api", "server/config", "server/log", "server/metrics", "server/net",
                    "server/runtime"],
    "server/pool": ["drivers/api", "server/config", "server/runtime"],
    "server/metrics": ["server/runtime"],
    "server/registry": ["drivers/api", "server/runtime"],
    "server/database": ["drivers", "migrations", "server/config", "server/log", "server/metrics",
                        "server/pool", "server/runtime"],
    "server/http": ["drivers/api", "server/auth", "server/config", "server/log", "server/metrics",
                    "server/net", "server/runtime"],
    "server/rpc/base": RPC,
    "server/rpc/admin": RPC + ["server/rpc/base"],
    "server/rpc/key_value": RPC + ["server/rpc/base"],
    "server/rpc/database": RPC + ["server/rpc/base", "server/rpc/key_value"],
    "server/rpc/migration": RPC + ["migrations", "server/rpc/base", "server/rpc/database"],
    "server/rpc": RPC,
    "server": ["drivers", "migrations"],
    # The client knows the wire; its users and its public headers do not.
    "client/include": [],
    "client/examples": ["client/include"],
    # The query builder knows no wire either.
    "client/sql": ["client/include", "client/src"],
    "client/src": ["client/include", "proto"],
    "client/cli": ["client/include", "client/src", "proto", "sealing"],
    "tests": ["drivers", "migrations", "sealing", "server", "client", "proto"],
}

OURS = {folder.split("/")[0] for folder in MAY_INCLUDE}
INCLUDE = re.compile(r'\s*#\s*include\s*([<"])([^>"]+)[>"]')
GUARD = re.compile(r"#ifndef (\w+)\n#define (\w+)\n")


def sources(root):
    """Every C++ file of ours, as a path from the root."""
    for top in sorted(OURS):
        for folder, _, names in os.walk(os.path.join(root, top)):
            for name in sorted(names):
                if name.endswith((".h", ".cc")):
                    yield os.path.relpath(os.path.join(folder, name), root)


def is_below(path, folder):
    return path.startswith(folder + "/")


def entry(folder):
    """The folders that the entry for exactly this folder allows, or None."""
    if folder in MAY_INCLUDE:
        return MAY_INCLUDE[folder]
    for pattern, allowed in MAY_INCLUDE.items():
        match = re.fullmatch(pattern.replace("*", "([^/]+)"), folder)
        if match:
            return [other.replace("*", match.group(1)) for other in allowed]
    return None


def covering(path):
    """The folder whose entry holds for `path`, and what it allows; or None twice."""
    folder = os.path.dirname(path)
    if (allowed := entry(folder)) is not None:
        return folder, allowed
    while folder := os.path.dirname(folder):
        if (allowed := entry(folder)) is not None:
            divided = any(is_below(other, folder) for other in MAY_INCLUDE)
            return (None, None) if divided else (folder, allowed)
    return None, None


def meaning(name):
    """What an include names: a path from the root, "proto", or None if it is not ours."""
    if name.startswith("penstock/v1/"):
        return "proto"
    if name.startswith("penstock/"):
        return "client/include/" + name
    return name if name.split("/")[0] in OURS else None


def check_includes(path, text, root):
    source, allowed = covering(path)
    if source is None:
        yield 1, f"no entry of MAY_INCLUDE in {os.path.basename(__file__)} covers this folder"
        return
    floor = [] if source in FOR_USERS else [GROUND]
    for number, line in enumerate(text.splitlines(), 1):
        match = INCLUDE.match(line)
        if not match:
            continue
        bracket, name = match.groups()
        target = meaning(name)
        if target is None:
            beside = os.path.join(root, os.path.dirname(path), name)
            if bracket == '"' and os.path.exists(beside):
                yield number, f'"{name}" is included by its path from the root'
        elif not any(
            target == folder or is_below(target, folder)
            for folder in [source] + allowed + floor
        ):
            yield number, f"{source} may not include {name}"


def check_guard(path, text):
    name = path.removeprefix("client/include/")
    if not name.startswith("penstock/"):
        name = "penstock/" + name
    wanted = re.sub(r"\W", "_", name).upper() + "_"
    match = GUARD.search(text)
    if not match:
        yield 1, f"a header has the guard {wanted}"
    elif match.groups() != (wanted, wanted):
        yield text.count("\n", 0, match.start()) + 1, f"the header guard is {wanted}"


def main(root):
    findings = 0
    for path in sources(root):
        with open(os.path.join(root, path), encoding="utf-8") as file:
            text = file.read()
        found = list(check_includes(path, text, root))
        if path.endswith(".h"):
            found += check_guard(path, text)
        for number, message in found:
            print(f"{path}:{number}: {message}")
        findings += len(found)
    return 1 if findings else 0


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    sys.exit(main(sys.argv[1]))
