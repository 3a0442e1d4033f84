"""The daemon of a page, in the page's folder."""

import os
import re
import select
import subprocess
import time

READY = re.compile(r"penstockd ready: grpc (.*) http (\S+)")
# Longer than a busy machine needs.
SECONDS = 60


class Daemon:
    """A running penstockd with free ports; it is drained and ended by stop()."""

    def __init__(self, binaries, folder, config=None):
        """Starts it and waits until it is ready. `config` is a file in `folder`, or None."""
        arguments = [os.path.join(binaries, "penstockd"), "--http-listen", "127.0.0.1:0"]
        arguments += ["--listen", "127.0.0.1:0,unix:data/penstock.sock"]
        arguments += ["--config", config] if config else []
        # The socket of the default configuration is in this folder.
        os.makedirs(os.path.join(folder, "data"), mode=0o700, exist_ok=True)
        self.log_path = os.path.join(folder, ".log")
        self.process = None
        with open(self.log_path, "wb") as log:
            self.process = subprocess.Popen(
                arguments, cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log
            )
        self.grpc, self.http = self.wait_until_ready()

    def wait_until_ready(self):
        """The TCP address of gRPC and the address of HTTP, from the line that says so."""
        end = time.monotonic() + SECONDS
        text = ""
        while time.monotonic() < end:
            if select.select([self.process.stdout], [], [], 0.1)[0]:
                piece = os.read(self.process.stdout.fileno(), 4096).decode()
                text += piece
                ready = READY.search(text) if text.endswith("\n") else None
                if ready:
                    tcp = [a for a in ready.group(1).split() if not a.startswith("unix:")]
                    return tcp[0], ready.group(2)
                if not piece:
                    break
        self.stop()
        raise RuntimeError(f"penstockd did not become ready:\n{text}{self.log()}")

    def log(self):
        """What it has logged so far."""
        with open(self.log_path, encoding="utf-8", errors="replace") as file:
            return file.read()

    def stop(self):
        """Ends it; returns its exit code."""
        if self.process.poll() is None:
            self.process.terminate()
        try:
            return self.process.wait(SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait()
        finally:
            self.process.stdout.close()
