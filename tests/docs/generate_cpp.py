#!/usr/bin/env python3
"""Makes one C++ source of all C++ blocks of the documents.

usage: generate_cpp.py ROOT OUTPUT PAGE...

A program stays in a namespace of its own and is run by calling its main; the other blocks of a page
share a namespace: declarations stand in it as they are, each other block becomes a function that
has `db` and `ctx` (prelude.h) and may return a status. Messages of the compiler name the page.
"""

import contextlib
import os
import re
import sys

from blocks import PageError, read_blocks

MAIN = re.compile(r"^int main\((.*)\) \{$", re.MULTILINE)
INCLUDE = re.compile(r"^#include .*$", re.MULTILINE)


def is_program(block):
    """Whether it has a main."""
    return bool(MAIN.search(block.text))


def name_of(block):
    """The part of its identifiers that tells it from others."""
    return re.sub(r"\W", "_", block.page) + f"_{block.line}"


def code_of(block):
    """Its text without the includes, whose lines stay empty, below a #line."""
    return f'#line {block.line + 1} "{block.page}"\n{INCLUDE.sub("", block.text)}'


def program(block):
    """The source of a program, and of the function that runs it."""
    name = name_of(block)
    arguments = "argc, argv" if MAIN.search(block.text).group(1) else ""
    return (
        f"namespace program_{name} {{\n{code_of(block)}}}\n"
        f"absl::Status Run_{name}([[maybe_unused]] int argc, [[maybe_unused]] char** argv) {{\n"
        f"  return penstock_docs::FromExitCode(program_{name}::main({arguments}));\n}}\n"
    )


def fragment(block):
    """The source of a block that is a part of a function."""
    space = "page_" + re.sub(r"\W", "_", block.page)
    if block.mark == "declarations":
        return f"namespace {space} {{\n{code_of(block)}}}\n"
    name = name_of(block)
    return (
        f"namespace {space} {{\n"
        f"absl::Status Part_{name}([[maybe_unused]] const penstock_docs::Database& db,\n"
        f"                         [[maybe_unused]] const penstock::Context& ctx) {{\n"
        f"{code_of(block)}  return absl::OkStatus();\n}}\n}}\n"
        f"absl::Status Run_{name}(int, char**) {{\n"
        f"  return penstock_docs::RunPart({space}::Part_{name});\n}}\n"
    )


def generate(blocks):
    """The whole source."""
    includes = sorted({line for block in blocks for line in INCLUDE.findall(block.text)})
    parts = ['#include "tests/docs/prelude.h"', *includes, ""]
    parts += [(program if is_program(block) else fragment)(block) for block in blocks]
    parts.append('#line 1 "the table of blocks"')
    parts.append("const penstock_docs::Table penstock_docs::kBlocks = {")
    called = [block for block in blocks if block.mark != "declarations"]
    parts += [f'    {{"{block.place}", Run_{name_of(block)}}},' for block in called]
    parts.append("};\n")
    return "\n".join(parts)


def main(root, output, *pages):
    """Writes the source. A page that cannot be read is left out; its own test says why."""
    blocks = []
    for page in pages:
        with open(os.path.join(root, page), encoding="utf-8") as file:
            text = file.read()
        with contextlib.suppress(PageError):
            blocks += read_blocks(page, text)
    cpp = [block for block in blocks if block.language == "cpp" and block.mark != "not-run"]
    with open(output, "w", encoding="utf-8") as file:
        file.write(generate(cpp))


if __name__ == "__main__":
    main(*sys.argv[1:])
