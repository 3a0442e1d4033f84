"""What is done with the blocks of each language."""

import json
import os
import re
import shlex
import sqlite3

from expected import compare, read_commands


def split_sql(text):
    """The statements of a text, without comments alone."""
    statements, begun = [], ""
    for piece in re.split(r"(?<=;)", text):
        begun += piece
        if sqlite3.complete_statement(begun):
            statements.append(begun.strip())
            begun = ""
    if begun.strip():
        statements.append(begun.strip())
    return statements


class Languages:
    """A method run_LANGUAGE for each one, which raises a PageError for a block that is wrong.

    It is a part of Page, which has the folder, the daemon and the commands.
    """

    def write_file(self, block):
        """Puts the block where a later command looks for it."""
        self.start_daemon()
        path = os.path.join(self.folder, block.value)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write(self.there(block.text))
        self.unused[block.value] = block

    def name_files(self, text):
        """Takes note of the files that a command or a configuration names, or whose folder it names."""
        for path in list(self.unused):
            folder = os.path.dirname(path)
            if path in text or (folder and folder in text):
                del self.unused[path]

    def shell(self, text):
        """A command of bash."""
        self.start_daemon()
        self.name_files(text)
        return ["bash", "-euo", "pipefail", "-c", self.there(text)]

    def run_sh(self, block):
        """All of it as one script."""
        self.output = self.succeed(block, "the script", self.shell(block.text))

    def run_console(self, block):
        """Command by command."""
        commands = read_commands(block)
        for command in commands:
            code, printed = self.call(self.shell(command.text))
            wanted = int(block.value) if block.mark == "exit" and command is commands[-1] else 0
            if code != wanted:
                raise block.error(f"`{command.text}` ended with {code}, not {wanted}:\n{printed}")
            difference = compare(command.output, printed)
            if difference:
                raise block.error(f"`{command.text}` printed something else:\n{difference}")

    def run_cpp(self, block):
        """docs_blocks has been built of all pages."""
        if block.mark in ("compile-only", "declarations"):
            return
        command = [os.path.join(self.tools.binaries, "docs_blocks"), block.place]
        self.output = self.succeed(block, "the C++", command)

    def run_python(self, block):
        """A script with the stubs; one that is a file is run by a later command, too."""
        self.start_daemon()
        stubs = f"PYTHONPATH={self.tools.stubs}"
        command = ["env", stubs, "python3", "-W", "error", "-c", self.there(block.text)]
        self.output = self.succeed(block, "the Python", command)

    def run_sql(self, block):
        """Statement by statement, unless it is a file for a later command."""
        if block.mark == "file":
            return
        for statement in split_sql(block.text):
            self.succeed(block, shlex.quote(statement), ["penstock", "query", "--", statement])

    def run_yaml(self, block):
        """A configuration, which penstockd checks; it may be the page's from here on."""
        self.name_files(block.text)
        path = os.path.join(self.folder, ".config.yaml")
        with open(path, "w", encoding="utf-8") as file:
            file.write(block.text)
        os.chmod(path, 0o600)
        penstockd = os.path.join(self.tools.binaries, "penstockd")
        self.succeed(block, "penstockd --check", [penstockd, "--check", "--config", path])
        if block.mark == "served":
            self.stop_daemon()
            self.config = os.path.join(self.folder, f"served_{block.line}.yaml")
            os.rename(path, self.config)

    def run_json(self, block):
        """It has to be JSON."""
        try:
            json.loads(block.text)
        except ValueError as error:
            raise block.error(f"is not JSON: {error}") from error

    def run_text(self, block):
        """Nothing, or what the block before has printed."""
        if block.mark != "output":
            if block.text.startswith("$ "):
                raise block.error("has commands; write console, so that they are run")
            return
        if self.output is None:
            raise block.error("nothing before it prints")
        difference = compare(block.text.splitlines(), self.output)
        if difference:
            raise block.error(f"the block before prints something else:\n{difference}")

    def run_cmake(self, block):
        """Needs a Penstock that is installed, which no test has."""
        raise block.error('a block of cmake has to have the mark "not-run: WHY"')
