"""Runs one command of a test part: whole, bounded in time, and with nothing left behind. (leaf)"""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LONGEST_SECONDS = 1500.0
TIMED_OUT = 124
# The tests run side by side: NumPy's threads, and PyTorch's, would only wait for each other, which keeps a core busy.
ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}


def run(command: Sequence[str | Path], extra: Mapping[str, str] | None = None, live: bool = False,
        seconds: float = LONGEST_SECONDS) -> tuple[int, str]:
    """Returns the command's exit code and what it said (empty if `live`: then it is on the screen).

    After `seconds` the command and all that it started are ended, and the code is TIMED_OUT."""
    pipe = None if live else subprocess.PIPE
    environment = {**os.environ, **ONE_THREAD, **(extra or {})}
    process = subprocess.Popen([str(word) for word in command], cwd=ROOT, env=environment, text=True,
                               stdin=subprocess.DEVNULL, stdout=pipe, start_new_session=True,
                               stderr=subprocess.STDOUT if pipe else None)
    try:
        output, _ = process.communicate(timeout=seconds)
        return process.returncode, output or ""
    except subprocess.TimeoutExpired:
        _end(process)
        output, _ = process.communicate()
        return TIMED_OUT, f"{output or ''}\nended after {seconds:.0f} s: {' '.join(map(str, command))}"
    except BaseException:
        _end(process)
        raise


def _end(process: subprocess.Popen[str]) -> None:
    os.killpg(process.pid, signal.SIGKILL)
