#!/usr/bin/env python3
"""Makes a source file of the examples in the comments of public headers, to see that they compile.

extract.py OUTPUT HEADER...: an example is a part of a comment that is indented by three spaces or
more and ends like code, with a semicolon or a brace. What begins like a declaration (template,
struct, inline) stands outside of functions, everything else within one; prelude.h has what the
examples take for granted. Exits with 1 if there is none, and for an ellipsis in one, which no
compiler reads.
"""

import os
import re
import sys

COMMENT = re.compile(r"\s*//(   .*|\s*)$")
DECLARATION = re.compile(r"(template|struct|inline|enum)\b")


def blocks(lines):
    """(line, text) of each indented part of a comment."""
    block, start = [], 0
    for number, line in enumerate([*lines, ""], 1):
        match = COMMENT.match(line)
        if match and (block or match.group(1).strip()):
            start = start if block else number
            block.append((match.group(1) or "")[3:])
            continue
        while block and not block[-1].strip():
            block.pop()
        if block:
            yield start, block
        block = []


def is_example(block):
    code = re.sub(r"\s*//.*$", "", block[-1]).rstrip()
    return code.endswith((";", "}"))


def parts(block):
    """The parts between empty lines."""
    part = []
    for line in [*block, ""]:
        if line.strip():
            part.append(line)
        elif part:
            yield part
            part = []


def write_example(out, path, start, block, number):
    outside = [part for part in parts(block) if DECLARATION.match(part[0])]
    inside = [part for part in parts(block) if not DECLARATION.match(part[0])]
    out.append(f'#line {start} "{path}"')
    special = outside and outside[0][0].startswith("template <>")
    if not special:
        out.append(f"namespace penstock::examples::n{number} {{")
    for part in outside:
        out.extend(part)
    if inside:
        out.append("absl::Status Example() {")
        for part in inside:
            out.extend(part)
        out.append("return absl::OkStatus();\n}")
    if not special:
        out.append("}")


def main():
    output, headers = sys.argv[1], sys.argv[2:]
    out = ['#include "tests/examples/prelude.h"']
    count = 0
    for header in headers:
        with open(header, encoding="utf-8") as file:
            lines = file.read().split("\n")
        for start, block in blocks(lines):
            if not is_example(block):
                continue
            if any("…" in line for line in block):
                sys.exit(f"{header}:{start}: the example has an ellipsis, so it cannot be compiled")
            count += 1
            write_example(out, os.path.abspath(header), start, block, count)
    if count == 0:
        sys.exit("no header has an example")
    with open(output, "w", encoding="utf-8") as file:
        file.write("\n".join(out) + "\n")


if __name__ == "__main__":
    main()
