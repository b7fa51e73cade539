"""The real server, started for a while on a free port: for tests, benchmarks and the screenshot."""

from __future__ import annotations

import re
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from scripts.shell import ROOT

READY_SECONDS = 30.0
END_SECONDS = 20.0


@contextmanager
def running(environment: Mapping[str, str] | None = None, port: int = 0) -> Iterator[str]:
    """Yields the address of a server (no slash at its end), which is ended afterwards; port 0 is any free one."""
    command = [sys.executable, "-m", "server", "--port", str(port), "--no-open"]
    process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True)
    try:
        said = process.stdout.readline() if process.stdout else ""
        found = re.search(r"http://[\d.]+:\d+", said)
        if not found:
            raise RuntimeError(f"the server did not say where it is, but: {said!r}")
        _wait(f"{found[0]}/readyz")
        yield found[0]
    finally:
        process.terminate()
        try:
            process.communicate(timeout=END_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()


def _wait(address: str) -> None:
    """Returns when the server can compute; it says where it is before it listens."""
    end = time.monotonic() + READY_SECONDS
    while True:
        try:
            with urllib.request.urlopen(address, timeout=READY_SECONDS):
                return
        except OSError as error:
            if isinstance(error, urllib.error.HTTPError) and error.code == 401:
                return  # it asks for a passphrase
            if time.monotonic() > end:
                raise
            time.sleep(0.05)
