"""Times several ways of doing something in one run, by turns, so that they meet the same machine. (leaf)"""

from __future__ import annotations

import os
import platform
import statistics
import time
from collections.abc import Callable, Mapping
from pathlib import Path


def medians(ways: Mapping[str, Callable[[], object]], rounds: int,
            clock: Callable[[], float] = time.perf_counter, warm: bool = False) -> dict[str, float]:
    """Returns each way's median time in seconds over `rounds` turns; one turn each goes before, untimed. The clock
    may be the processor's, where other programs share the machine. With `warm` each turn is a call untimed and one
    timed, so that no way finds the caches as another one has left them."""
    times: dict[str, list[float]] = {name: [] for name in ways}
    for turn in range(rounds + 1):
        for name, way in ways.items():
            if warm:
                way()
            start = clock()
            way()
            if turn:
                times[name].append(clock() - start)
    return {name: statistics.median(taken) for name, taken in times.items()}


def percentile(values: list[float], share: float) -> float:
    """Returns the smallest value that at least this share of the values does not exceed."""
    ordered = sorted(values)
    return ordered[max(0, -(-int(share * 1000) * len(ordered) // 1000) - 1)]


def machine() -> str:
    """Returns what the figures were measured on."""
    model = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists():
        named = [line.partition(":")[2].strip() for line in info.read_text().splitlines()
                 if line.startswith("model name")]
        model = named[0] if named else model
    return f"{model}, {os.cpu_count()} cores, Python {platform.python_version()}"
