"""A real server process to be treated badly: its address, its process, its children."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scripts.shell import ROOT

PROC = Path("/proc/self")
START_SECONDS = 60.0  # that a server may take to be able to compute, on a machine with much else to do
# Root may write everywhere; without these rights it is like anybody else.
HUMBLE = ("setpriv", "--bounding-set=-dac_override,-dac_read_search") if os.geteuid() == 0 else ()
SLOW = "/api/v1/analysis?steps=10000&hidden=32&batch=1"  # about 8 s of work


@dataclass
class Live:
    """One running server."""

    process: subprocess.Popen[str]
    port: int

    def get(self, path: str, timeout: float = 30) -> tuple[int, Any]:
        """Returns the status and the JSON of an answer."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=timeout) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            with error:
                return error.code, json.load(error)

    def send(self, request: bytes, timeout: float = 10) -> bytes:
        """Returns all that comes back for raw bytes, until the server closes."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=timeout) as connection:
            connection.sendall(request)
            return b"".join(iter(lambda: connection.recv(65536), b""))

    def children(self) -> list[int]:
        """Returns the ids of the compute processes."""
        listed = subprocess.run(["ps", "-A", "-o", "pid=,ppid="], capture_output=True, text=True, check=True).stdout
        pairs = [line.split() for line in listed.splitlines()]
        return [int(pid) for pid, parent in pairs if int(parent) == self.process.pid and alive(int(pid))]

    def stop(self, sig: signal.Signals = signal.SIGTERM) -> tuple[int, float, str]:
        """Returns the exit code, the seconds that it took, and what was said to standard error."""
        begun = time.monotonic()
        self.process.send_signal(sig)
        _, errors = self.process.communicate(timeout=20)
        return self.process.returncode, time.monotonic() - begun, errors


def alive(pid: int) -> bool:
    """Returns whether a process runs; one that has ended does not, also before anybody has asked how it ended."""
    try:
        os.kill(pid, 0)
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] if PROC.is_dir() else ""
    except (ProcessLookupError, FileNotFoundError):
        return False
    return state not in ("Z", "X")


def until(condition: Callable[[], bool], seconds: float = 20) -> None:
    """Returns when the condition holds, and fails if it does not in time."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it never came to that"
        time.sleep(0.02)


@contextmanager
def live(program: str = "server", before: Sequence[str] = (), **settings: object) -> Iterator[Live]:
    """Yields a server that can compute; it is killed afterwards if it still runs. `before` precedes its command."""
    environment = os.environ | {f"UNROLLED_{name.upper()}": str(value) for name, value in settings.items()}
    process = subprocess.Popen(
        [*before, sys.executable, "-m", program, "--port", "0", "--no-open"],
        cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        found = re.search(r"http://127\.0\.0\.1:(\d+)/", process.stdout.readline())
        assert found
        running = Live(process, int(found[1]))
        until(lambda: _ready(running), START_SECONDS)
        yield running
    finally:
        process.kill()
        process.communicate()


def _ready(running: Live) -> bool:
    try:
        return running.get("/readyz")[0] == 200
    except OSError:
        return False
