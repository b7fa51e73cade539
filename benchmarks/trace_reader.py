"""Reads one trace and says what that took, beside the process as it was: the other half of `benchmarks.traces`."""

from __future__ import annotations

import sys
import time
from pathlib import Path

from engine.errors import InputError
from server.traces.reading import tested_file


def main(path: Path) -> None:
    """Prints milliseconds, growth and outcome."""
    before, begun = most(), time.perf_counter()
    try:
        found = tested_file(path, None)
        said = f"agrees: {found.reach.agrees}" if found.reach else "no reach"
    except InputError as error:
        said = str(error)[:60]
    print(f"{1000 * (time.perf_counter() - begun):8.1f} ms, {(most() - before) / 2**20:6.1f} MiB more, {said}")


def most() -> int:
    """Returns the most memory that this process has had resident so far, in bytes."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM"))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
