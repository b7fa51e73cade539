"""Reads what a tap wrote: with NumPy alone, and as Unrolled itself reads it."""

from __future__ import annotations

import io
import json
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from engine.recorded.archive import source_of
from engine.recorded.reading import read_trace
from engine.recorded.recording import Recorded

ROOT = Path(__file__).resolve().parent.parent.parent


@dataclass(frozen=True)
class Trace:
    """A trace's arrays and JSON; `recorded` is what Unrolled makes of the same bytes, which it must accept."""

    meta: dict[str, Any]
    arrays: dict[str, np.ndarray]
    recorded: Recorded

    def row(self, array: str, name: str) -> np.ndarray:
        return self.arrays[array][self.meta["rows"].index(name)]

    def first(self, name: str) -> list[int]:
        """Returns per loss the earliest step of a row that it leads back to; -1 for none."""
        return [int(line.argmax()) if line.any() else -1 for line in self.row("connected", name)]

    def solid(self, name: str) -> bool:
        """Returns whether every loss leads to all steps from the earliest one to its own, and to none after it."""
        T = self.arrays["loss"].shape[0]
        wanted = [[first <= t <= s for t in range(T)] for s, first in zip(self.losses, self.first(name), strict=True)]
        return bool((self.row("connected", name) == np.array(wanted)).all())

    @property
    def losses(self) -> list[int]:
        return [int(s) for s in self.arrays["losses"]]


def trace(path: Path) -> Trace:
    """Returns the trace at a path."""
    data = path.read_bytes()
    with np.load(io.BytesIO(data), allow_pickle=False) as archive:
        arrays = {name: archive[name] for name in archive.files}
    meta = json.loads(arrays.pop("meta").tobytes())
    return Trace(meta, arrays, read_trace(source_of(data)))


def windows(T: int, k: int) -> list[int]:
    """Returns the staircase of window(k)."""
    return [s // k * k for s in range(T)]


def documented(tap: str, folder: Path) -> list[Trace]:
    """Runs docs/taps.md's programs with a tap, each alone in a folder with the tap beside it; returns their traces."""
    blocks = re.findall(r"^```py\n(.*?)^```$", (ROOT / "docs/taps.md").read_text(), re.MULTILINE | re.DOTALL)
    (folder / f"{tap}.py").write_text((ROOT / "taps" / f"{tap}.py").read_text())
    found = []
    for block in blocks:
        if f"from {tap} import Tap" in block:
            (folder / "program.py").write_text(block)
            subprocess.run([sys.executable, "program.py"], cwd=folder, check=True, timeout=300)
            found.append(trace(folder / "trace.npz"))
    return found
