"""The links of Markdown files, and whether what they point at is there."""

import os
import re
import urllib.parse

from blocks import without_blocks

LINK = re.compile(r"\[(?:[^\[\]]|\[[^\]]*\])*\]\(([^()\s]+(?:\([^()\s]*\))?)\)")
SKIPPED = {"build", "node_modules"}
# Our own pages as sources, scripts and configurations name them.
MENTION = re.compile(r"\b(?:docs/)(?:adr/)?[A-Za-z0-9_-]+\.md\b")
SOURCES = (".cc", ".h", ".proto", ".py", ".yaml", ".yml", ".txt", ".sh", ".cmake", ".service")


def files(root):
    """The files below a folder, without what is built or hidden, as relative paths."""
    for folder, folders, names in os.walk(root):
        folders[:] = sorted(f for f in folders if f not in SKIPPED and not f.startswith("."))
        for name in sorted(names):
            yield os.path.relpath(os.path.join(folder, name), root)


def read(root, path):
    """A file's text; what is not UTF-8 is replaced."""
    with open(os.path.join(root, path), encoding="utf-8", errors="replace") as file:
        return file.read()


def slug(heading):
    """The anchor that GitHub makes of a heading."""
    text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).replace("`", "").strip().lower()
    return re.sub(r"[^\w\- ]", "", text).replace(" ", "-")


def anchors(text):
    """All anchors of a page. A heading that occurs again gets -1, -2, ….

    Headings are read as they stand: their inline code is a part of the anchor.
    """
    found, seen = set(), {}
    outside = without_blocks(text)
    for line, bare in zip(text.splitlines(), outside):
        if not re.match(r"#{1,6} ", bare):
            continue
        name = slug(line.lstrip("#"))
        number = seen.get(name, 0)
        seen[name] = number + 1
        found.add(f"{name}-{number}" if number else name)
    return found


def check_link(root, page, target):
    """What is wrong with a link of a page; empty if nothing is."""
    if re.match(r"[a-z][a-z0-9+.-]*:", target):
        return ""
    path, _, anchor = urllib.parse.unquote(target).partition("#")
    there = os.path.normpath(os.path.join(os.path.dirname(page), path)) if path else page
    if not os.path.exists(os.path.join(root, there)):
        return f"there is no {there}"
    if anchor and anchor not in anchors(read(root, there)):
        return f"{there} has no heading for #{anchor}"
    return ""


def broken_links(root):
    """Each link of a page that leads nowhere, as `page:line: what is wrong`."""
    for page in files(root):
        if not page.endswith(".md"):
            continue
        for number, line in enumerate(without_blocks(read(root, page)), 1):
            for target in LINK.findall(line):
                wrong = check_link(root, page, target)
                if wrong:
                    yield f"{page}:{number}: {target}: {wrong}"


def broken_mentions(root):
    """Each page that a source or a script names and that is not there."""
    for path in files(root):
        if not path.endswith(SOURCES) and not path.startswith("scripts/"):
            continue
        if path.startswith("tests/docs/"):
            continue
        for number, line in enumerate(read(root, path).splitlines(), 1):
            for page in MENTION.findall(line):
                if not os.path.exists(os.path.join(root, page)):
                    yield f"{path}:{number}: there is no {page}"
