"""Imports what programs need, once, and starts each of them as a copy of itself: `python warm.py torch`.

A line of standard input, `["folder", "printed", "error", seconds]`, is a program.py to run and where to keep what it
says; the line that answers is its exit code. A program is still alone: it has a process, a folder and names of its
own, and finds imported what it would itself have imported first. PyTorch takes a second to import, and another one at
the first optimizer. (leaf: nothing of Unrolled may be there for a program to find)
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import runpy
import signal
import sys
from collections.abc import Sequence

WRITTEN = os.O_WRONLY | os.O_CREAT | os.O_TRUNC


def main(modules: Sequence[str]) -> None:
    """Forks once a line, until there are no more. (Libraries start their threads at their first work, not before.)"""
    for module in modules:
        importlib.import_module(module)
    gc.freeze()  # what is there stays: no copy has to look through it
    for line in sys.stdin:
        child = os.fork()
        if not child:
            return _program(*json.loads(line))
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


def _program(folder: str, printed: str, error: str, seconds: int) -> None:
    """What it raises goes on from here, and is printed last, as it is by any interpreter. Where it ends well its memory
    is not taken apart before: libraries take longer for that than most programs for their work."""
    signal.alarm(seconds)
    for number, path, way in ((0, os.devnull, os.O_RDONLY), (1, printed, WRITTEN), (2, error, WRITTEN)):
        os.dup2(os.open(path, way, 0o600), number)
    os.chdir(folder)
    sys.path[0], sys.argv = folder, ["program.py"]
    runpy.run_path("program.py", run_name="__main__")
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)


if __name__ == "__main__":
    main(sys.argv[1:])
