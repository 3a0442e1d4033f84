"""Console blocks: their commands, and whether what was printed is what the page shows."""

import dataclasses
import difflib
import re

ANY = "…"


@dataclasses.dataclass
class Command:
    """A command, which may have several lines, and the output below it."""

    text: str
    output: list


def read_commands(block):
    """The commands of a console block. A command goes on after a backslash, or behind `> `."""
    commands = []
    continues = False
    for line in block.text.splitlines():
        if continues or (line.startswith("> ") and commands and not commands[-1].output):
            commands[-1].text += "\n" + line.removeprefix("> ")
        elif line.startswith("$ "):
            commands.append(Command(line[2:], []))
        elif not commands:
            raise block.error("a console block begins with `$ ` and a command")
        else:
            commands[-1].output.append(line.rstrip())
            continue
        continues = line.endswith("\\")
    return commands


def pattern_of(lines):
    """The regular expression of the output that a page shows."""
    parts = []
    for line in lines:
        if line.strip() == ANY:
            parts.append(r"(?:[^\n]*\n)*?")
        else:
            parts.append("[^\n]*?".join(re.escape(part) for part in line.split(ANY)) + r"\n")
    return re.compile("".join(parts))


def compare(expected, printed):
    """What differs, as text; empty if the output is as the page shows it."""
    lines = [line.rstrip() for line in printed.splitlines()]
    while lines and not lines[-1]:
        lines.pop()
    while expected and not expected[-1]:
        expected = expected[:-1]
    if pattern_of(expected).fullmatch("".join(line + "\n" for line in lines)):
        return ""
    return "\n".join(difflib.unified_diff(expected, lines, "the page", "printed", lineterm=""))
