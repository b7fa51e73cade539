"""The real server, started for a while on a free port: for tests, benchmarks and the screenshot."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from scripts.shell import ROOT

END_SECONDS = 20


@contextmanager
def running(environment: Mapping[str, str] | None = None) -> Iterator[str]:
    """Yields the address of a server (no slash at its end), which is ended afterwards."""
    command = [sys.executable, "-m", "server", "--port", "0", "--no-open"]
    process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True)
    try:
        said = process.stdout.readline() if process.stdout else ""
        found = re.search(r"http://[\d.]+:\d+", said)
        if not found:
            raise RuntimeError(f"the server did not say where it is, but: {said!r}")
        yield found[0]
    finally:
        process.terminate()
        try:
            process.communicate(timeout=END_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
