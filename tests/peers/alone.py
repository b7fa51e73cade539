"""Runs a program.py as its reader would: in a process of its own, in its folder, with next to no environment."""

from __future__ import annotations

import atexit
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from scripts.shell import ONE_THREAD

SECONDS = 300  # that a program may take
WARM = Path(__file__).with_name("warm.py")
FORKS = sys.platform == "linux"  # elsewhere a library may not be forked once it is imported


@dataclass(frozen=True)
class Ended:
    """A program's exit code, and what it said."""

    code: int
    printed: str
    error: str


def fresh(folder: Path, start: Sequence[str]) -> Ended:
    """Runs the command `start` in a folder, from the interpreter's first import on."""
    done = subprocess.run(start, cwd=folder, env=_environment(), capture_output=True, text=True, timeout=SECONDS,
                          check=False)
    return Ended(done.returncode, done.stdout, done.stderr)


def forked(folder: Path, python: str, modules: tuple[str, ...]) -> Ended:
    """Runs a folder's program.py from a process that has these modules imported already."""
    if not FORKS:
        return fresh(folder, [python, "program.py"])
    with tempfile.TemporaryDirectory() as said:
        printed, error = Path(said, "printed"), Path(said, "error")
        started = _warm(python, modules)
        assert started.stdin is not None
        assert started.stdout is not None
        print(json.dumps([str(folder), str(printed), str(error), SECONDS]), file=started.stdin, flush=True)
        code = int(started.stdout.readline())
        return Ended(code, printed.read_text(encoding="utf-8"), error.read_text(encoding="utf-8"))


@cache
def _warm(python: str, modules: tuple[str, ...]) -> subprocess.Popen[str]:
    kept = {name: value for name, value in os.environ.items() if name.startswith("JAX_")}  # where JAX keeps things
    process = subprocess.Popen([python, str(WARM), *modules], env=_environment() | kept, text=True, encoding="utf-8",
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    atexit.register(_end, process)
    return process


def _end(process: subprocess.Popen[str]) -> None:
    with process:  # closes its standard input, which ends it
        pass


def _environment() -> dict[str, str]:
    """Little, and one thread: programs run side by side."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR", "SYSTEMROOT") if name in os.environ}
    return kept | ONE_THREAD | {"TF_CPP_MIN_LOG_LEVEL": "3"}
