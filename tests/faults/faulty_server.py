"""The server with compute processes that come to harm when they are asked to, and with a clock that can be set.

`python -m tests.faults.faulty_server` takes what `python -m server` takes. The file UNROLLED_FAULTY_CLOCK says by how
many seconds the clock is wrong at the moment.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

from server import process
from server.cli import main

right = time.time


def wrong() -> float:
    """Returns what the clock says."""
    return right() + float(Path(os.environ["UNROLLED_FAULTY_CLOCK"]).read_text() or 0)


if __name__ == "__main__":
    process.MODULE = "tests.faults.faulty_worker"
    if "UNROLLED_FAULTY_CLOCK" in os.environ:
        time.time = wrong
    sys.exit(main(["serve", *sys.argv[1:]]))
