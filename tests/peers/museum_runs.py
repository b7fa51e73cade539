"""Runs the museum's programs as their readers would: alone in an empty folder, and looks at what they print.

The broken program must show what its exhibit says, and the mended one must not."""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from pathlib import Path

from engine.museum import BUGS
from server.museum import texts
from tests.peers import alone

FORKED = ("pytorch", "numpy")
IMPORTED = ("torch", "torch._dynamo")  # the latter comes with the first optimizer


@dataclass(frozen=True)
class Ran:
    """How a program ended: what it printed, and the last line of its error."""

    printed: str
    error: str

    def numbers(self, after: str) -> list[float]:
        """Returns the numbers that were printed right after this text."""
        return [float(found) for found in re.findall(re.escape(after) + r"\s*(-?[\d.]+(?:e[+-]?\d+)?)", self.printed)]


def run(name: str, broken: bool, folder: Path, changed: tuple[str, str] | None = None, fresh: bool = False) -> Ran:
    """Returns how one of an exhibit's programs ends; `changed` replaces a piece of its text before.

    `fresh`: it imports all itself."""
    text = texts(name)[0 if broken else 1]
    if changed:
        assert changed[0] in text, changed[0]
        text = text.replace(*changed)
    (folder / "program.py").write_text(text, encoding="utf-8")
    done = (alone.fresh(folder, [sys.executable, "program.py"]) if fresh or BUGS[name].framework not in FORKED
            else alone.forked(folder, sys.executable, IMPORTED))
    lines = done.error.strip().splitlines()
    return Ran(done.printed, lines[-1] if done.code and lines else "")


def both(name: str, folder: Path) -> tuple[Ran, Ran]:
    """Returns how the broken and the mended program of an exhibit end; the mended one must end well."""
    mended = run(name, False, folder)
    assert mended.error == ""
    assert mended.printed
    return run(name, True, folder), mended


def written_for(*frameworks: str) -> set[str]:
    """Returns the exhibits whose programs need one of these."""
    return {bug.name for bug in BUGS.values() if bug.framework in frameworks}
