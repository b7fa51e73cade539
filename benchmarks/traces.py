"""What a large trace takes: `python -m benchmarks.traces`. Each file is read in a process of its own."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from tests.engine.false_traces import FALSE

STEPS, ROWS, LOSSES = 100_000, 2, 185
BOMBS = ("a bomb of 1 GiB", "a bomb of 255 MiB", "a bomb that lies", "a name twice", "objects", "a directory of 4 GiB")


def large(kind: str, order: Any, packed: bool) -> bytes:
    """Returns a trace of 100,000 steps, two rows and 185 losses."""
    losses = np.linspace(999, STEPS - 1, LOSSES).astype(int)
    lag = losses[:, None] - np.arange(STEPS)[None, :]
    connected = (lag >= 0) & (lag < 1000)
    found: dict[str, Any] = {"loss": np.ones(STEPS, np.float32), "losses": losses}
    found["connected"] = np.array(np.repeat(connected[None], ROWS, 0).astype(np.uint8), order=order)
    credit = connected * 0.99 ** np.clip(lag, 0, 1000) * np.random.default_rng(0).random((ROWS, LOSSES, STEPS))
    found["credit"] = np.array(credit.astype(kind), order=order)
    meta = {"format": "unrolled-trace", "version": 1, "tool": "benchmark", "framework": "none", "rows": ["h", "c"],
            "declared": {"style": "sliding", "k": 1000}, "parameters": [], "batch": 1, "windows": [0]}
    out = io.BytesIO()
    (np.savez_compressed if packed else np.savez)(out, meta=np.frombuffer(json.dumps(meta).encode(), np.uint8), **found)
    return out.getvalue()


def main() -> None:
    """Prints a line a file: its size, the seconds, and how much the process grew."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "trace.npz"
        for name, asked in {"C order": ("f4", "C", False), "Fortran order": ("f4", "F", False),
                            "packed": ("f2", "C", True)}.items():
            path.write_bytes(large(*asked))
            print(f"{name:24}{path.stat().st_size / 2**20:8.1f} MiB  {_read(path)}", flush=True)
        for name in BOMBS:
            path.write_bytes(FALSE[name][0])
            print(f"{name:24}{path.stat().st_size / 2**20:8.1f} MiB  {_read(path)}", flush=True)


def _read(path: Path) -> str:
    command = [sys.executable, "-m", "benchmarks.trace_reader", str(path)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


if __name__ == "__main__":
    main()
