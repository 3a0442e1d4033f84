"""Runs the blocks of a page in their order, in a fresh folder with a fresh daemon."""

import os
import subprocess

from blocks import read_blocks
from daemon import SECONDS, Daemon
from languages import Languages

# The addresses of the default configuration, which the pages use.
GRPC, HTTP = "127.0.0.1:7420", "127.0.0.1:9420"
# What of the repository the commands of a page may read.
LINKED = ("proto", "deploy", "client", "docker-compose.yml")


class Tools:
    """What the blocks run with: the folders of the programs, of the stubs and of the repository."""

    def __init__(self, root, binaries, stubs):
        self.root, self.binaries, self.stubs = root, binaries, stubs
        self.here = os.path.dirname(os.path.abspath(__file__))


class Page(Languages):
    """One page while it is run. Use it as a context: leaving it ends the daemon."""

    def __init__(self, tools, name, text, folder, config=None):
        """`config` is the file that the page's daemon has until a block `yaml served` comes."""
        self.tools, self.name, self.folder = tools, name, folder
        self.blocks = read_blocks(name, text)
        self.config, self.daemon = config, None
        self.output = None
        self.unused = {}
        self.prepare_folder()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop_daemon()

    def prepare_folder(self):
        """Makes the folder look like a checkout that scripts/run has built."""
        for name in LINKED:
            os.symlink(os.path.join(self.tools.root, name), os.path.join(self.folder, name))
        os.makedirs(os.path.join(self.folder, "build", "release"))
        os.symlink(self.tools.binaries, os.path.join(self.folder, "build", "release", "bin"))
        programs = os.path.join(self.folder, ".programs")
        os.mkdir(programs)
        # Debian's Python, which has grpcio, and what stands in for grpcurl (grpcurl.py).
        os.symlink("/usr/bin/python3", os.path.join(programs, "python3"))
        with open(os.path.join(programs, "grpcurl"), "w", encoding="utf-8") as file:
            file.write(f"#!/bin/sh\nexport PYTHONPATH='{self.tools.stubs}'\n")
            file.write(f"exec /usr/bin/python3 '{self.tools.here}/grpcurl.py' \"$@\"\n")
        os.chmod(file.name, 0o755)

    def run(self):
        """Runs every block; the first one that is wrong ends it with a PageError."""
        for block in self.blocks:
            if block.mark == "not-run":
                continue
            if block.mark == "file":
                self.write_file(block)
            getattr(self, "run_" + block.language)(block)
        for path, block in self.unused.items():
            raise block.error(f"no command of the page names {path}, which this block is to be")

    def start_daemon(self):
        """Starts it if it does not run."""
        if not self.daemon:
            self.daemon = Daemon(self.tools.binaries, self.folder, self.config)

    def stop_daemon(self):
        """Ends it; what it does at its end is a part of what a page relies on."""
        daemon, self.daemon = self.daemon, None
        if daemon and daemon.stop() != 0:
            raise RuntimeError(f"the daemon of {self.name} did not end well:\n{daemon.log()}")

    def there(self, text):
        """A text of the page with the addresses of its daemon."""
        return text.replace(GRPC, self.daemon.grpc).replace(HTTP, self.daemon.http)

    def here(self, text):
        """An output with the addresses that the page has."""
        return text.replace(self.daemon.grpc, GRPC).replace(self.daemon.http, HTTP)

    def environment(self):
        """That of all commands; nothing of the caller's but what a shell needs."""
        return {
            "PATH": f"{self.folder}/.programs:{self.tools.binaries}:/usr/local/bin:/usr/bin:/bin",
            "HOME": self.folder,
            "LC_ALL": "C.UTF-8",
            "PENSTOCK_TARGET": self.daemon.grpc,
        }

    def call(self, command):
        """The exit code of a command and all that it printed."""
        self.start_daemon()
        try:
            done = subprocess.run(
                command,
                cwd=self.folder,
                env=self.environment(),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                timeout=SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired as late:
            printed = (late.stdout or b"").decode("utf-8", "replace")
            return 124, f"{printed}\nit has not ended within {SECONDS} seconds"
        return done.returncode, self.here(done.stdout.decode("utf-8", "replace"))

    def succeed(self, block, what, command):
        """What a command printed, which has to end with 0."""
        code, printed = self.call(command)
        if code != 0:
            raise block.error(f"{what} ended with {code}:\n{printed}")
        return printed
