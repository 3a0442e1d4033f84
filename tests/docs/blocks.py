"""The fenced blocks of a Markdown page, and what their info strings ask for.

An info string is a language, and perhaps one mark:

    sh                      commands, run by bash; each has to succeed
    console                 commands behind `$ `, and the output that they have to print
    console exit: 3         likewise; the last command ends with that exit code
    cpp                     a program with a main, or a part of a function; compiled and run
    cpp declarations        C++ at file scope, for the blocks of the page that follow
    cpp compile-only: WHY   compiled, and not run
    python                  a script
    sql                     statements for the database of the page
    yaml                    a configuration, for `penstockd --check`
    yaml served             likewise; the daemon of the page has it from here on
    json                    parsed
    text                    nothing is run
    text output             what the C++ or Python block before has to print
    LANGUAGE file: PATH     the block is that file, and a later command of the page names it
    LANGUAGE not-run: WHY   cannot be run in a test

In the output that a page shows `…` stands for any text within a line, and a line that is `…` for
any number of lines.
"""

import dataclasses
import re

LANGUAGES = {"sh", "console", "cpp", "python", "sql", "yaml", "json", "cmake", "text"}
# Each mark, the languages that may have it (None: any), and whether something follows its colon.
MARKS = {
    "not-run": (None, True),
    "file": (None, True),
    "exit": ({"console"}, True),
    "compile-only": ({"cpp"}, True),
    "declarations": ({"cpp"}, False),
    "served": ({"yaml"}, False),
    "output": ({"text"}, False),
}
FENCE = re.compile(r"^( *)(`{3,}|~{3,})(.*)$")


class PageError(Exception):
    """What is wrong with a page; begins with `page:line: `."""


@dataclasses.dataclass
class Block:
    """A fenced block; `line` is that of its fence, from 1, and `mark` is empty if it has none."""

    page: str
    line: int
    language: str
    mark: str
    value: str
    text: str

    @property
    def place(self):
        """Where it is, as compilers write it."""
        return f"{self.page}:{self.line}"

    def error(self, message):
        """The exception that says what is wrong with it."""
        return PageError(f"{self.place}: {message}")


def parse_info(page, line, info):
    """The language, the mark and the mark's value of an info string."""
    language, _, rest = info.strip().partition(" ")
    if language not in LANGUAGES:
        said = f'the language "{language}"' if language else "no language"
        raise PageError(
            f"{page}:{line}: the fence has {said}; write one of {', '.join(sorted(LANGUAGES))}"
        )
    mark, colon, value = (part.strip() for part in rest.strip().partition(":"))
    if not mark and not colon:
        return language, "", ""
    languages, has_value = MARKS.get(mark, (set(), False))
    if languages is not None and language not in languages:
        raise PageError(f'{page}:{line}: a fence of {language} may not have the mark "{mark}"')
    if has_value != bool(value):
        wrong = "says nothing behind the colon" if has_value else "stands alone, without a colon"
        raise PageError(f'{page}:{line}: the mark "{mark}" {wrong}')
    return language, mark, value


def read_blocks(page, text):
    """The blocks of a page in their order; `page` is its name in messages."""
    blocks = []
    lines = iter(enumerate(text.splitlines(), 1))
    for number, line in lines:
        fence = FENCE.match(line)
        if not fence:
            continue
        indent, marker, info = fence.groups()
        language, mark, value = parse_info(page, number, info)
        body = []
        for _, inner in lines:
            if inner.strip() == marker:
                break
            body.append(inner[len(indent):] if inner.startswith(indent) else inner)
        else:
            raise PageError(f"{page}:{number}: the fence is never closed")
        blocks.append(Block(page, number, language, mark, value, "\n".join(body) + "\n"))
    return blocks


def without_blocks(text):
    """The page with its fenced blocks and its inline code blanked, line by line."""
    kept, closing = [], None
    for line in text.splitlines():
        fence = FENCE.match(line)
        if closing:
            closing = None if line.strip() == closing else closing
            kept.append("")
        elif fence:
            closing = fence.group(2)
            kept.append("")
        else:
            kept.append(re.sub(r"`[^`]*`", "``", line))
    return kept
