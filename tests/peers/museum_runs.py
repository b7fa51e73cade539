"""Runs the museum's programs as their readers would: alone in an empty folder, and looks at what they print.

The broken program must show what its exhibit says, and the mended one must not."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from engine.museum import BUGS
from server.museum import texts

SECONDS = 300


@dataclass(frozen=True)
class Ran:
    """How a program ended: what it printed, and the last line of its error."""

    printed: str
    error: str

    def numbers(self, after: str) -> list[float]:
        """Returns the numbers that were printed right after this text."""
        return [float(found) for found in re.findall(re.escape(after) + r"\s*(-?[\d.]+(?:e[+-]?\d+)?)", self.printed)]


def run(name: str, broken: bool, folder: Path, changed: tuple[str, str] | None = None) -> Ran:
    """Returns how one of an exhibit's programs ends; `changed` replaces a piece of its text before."""
    text = texts(name)[0 if broken else 1]
    if changed:
        assert changed[0] in text, changed[0]
        text = text.replace(*changed)
    (folder / "program.py").write_text(text, encoding="utf-8")
    kept = {key: os.environ[key] for key in ("PATH", "HOME", "TMPDIR", "SYSTEMROOT") if key in os.environ}
    done = subprocess.run([sys.executable, "program.py"], cwd=folder, capture_output=True, text=True, timeout=SECONDS,
                          env=kept | {"OMP_NUM_THREADS": "1", "TF_CPP_MIN_LOG_LEVEL": "3"}, check=False)
    lines = done.stderr.strip().splitlines()
    return Ran(done.stdout, lines[-1] if done.returncode and lines else "")


def both(name: str, folder: Path) -> tuple[Ran, Ran]:
    """Returns how the broken and the mended program of an exhibit end; the mended one must end well."""
    mended = run(name, False, folder)
    assert mended.error == ""
    assert mended.printed
    return run(name, True, folder), mended


def written_for(*frameworks: str) -> set[str]:
    """Returns the exhibits whose programs need one of these."""
    return {bug.name for bug in BUGS.values() if bug.framework in frameworks}
