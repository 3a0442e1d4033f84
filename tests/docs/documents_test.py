#!/usr/bin/env python3
"""Checks of all documents: their links, their marks, and how long README.md is.

usage: documents_test.py ROOT
"""

import glob
import os
import sys
import unittest

import links
from blocks import read_blocks

ROOT = os.path.abspath(sys.argv.pop(1))
MOST_WORDS = 900


def pages():
    """The pages whose blocks are run: README.md and docs/*.md."""
    found = sorted(glob.glob(os.path.join(ROOT, "docs", "*.md")))
    return ["README.md"] + [os.path.relpath(path, ROOT) for path in found]


class Documents(unittest.TestCase):
    def test_links_lead_somewhere(self):
        self.assertEqual(list(links.broken_links(ROOT)), [])

    def test_pages_that_sources_name_are_there(self):
        self.assertEqual(list(links.broken_mentions(ROOT)), [])

    def test_readme_is_short(self):
        words = len(links.read(ROOT, "README.md").split())
        self.assertLessEqual(words, MOST_WORDS, f"README.md has {words} words")

    def test_the_contents_page_has_every_page(self):
        contents = links.read(ROOT, "docs/README.md")
        for page in pages():
            if page not in ("README.md", "docs/README.md"):
                self.assertIn(f"]({os.path.basename(page)})", contents)

    def test_blocks_that_are_not_run_say_why(self):
        blocks = [block for page in pages() for block in read_blocks(page, links.read(ROOT, page))]
        left_out = [block for block in blocks if block.mark in ("not-run", "compile-only")]
        for block in left_out:
            print(f"{block.place}: {block.language}, {block.mark}: {block.value}")
            words = len(block.value.split())
            self.assertGreater(words, 1, f"{block.place}: why is it {block.mark}?")
        print(f"{len(left_out)} of {len(blocks)} blocks are not run")


if __name__ == "__main__":
    unittest.main()
