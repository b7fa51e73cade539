"""Which programs were run and held against the engine, and with which versions: checked.json says so.

`python -m tests.peers.code_runs` writes that file; a test fails where a program's text has changed since.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FILE = Path(__file__).with_name("checked.json")


@dataclass(frozen=True)
class Package:
    """A library and the version that a program was run with."""

    package: str
    version: str


@dataclass(frozen=True)
class Checked:
    """One framework's programs, run over a spread of configs."""

    packages: tuple[Package, ...]
    configs: int  # how many programs were run
    worst: float  # largest relative difference of a printed number from the engine's
    digest: str  # of the programs' texts
    note: str  # what the run did not show; "" where nothing

    @property
    def sentence(self) -> str:
        """What the page says beside a program."""
        libraries = ", ".join(f"{p.package} {p.version}" for p in self.packages)
        said = (
            f"Run with {libraries} for {self.configs} configs of every style, cell and task: "
            f"every number printed was the engine's, to {self.worst:.0e} relative."
        )
        return f"{self.note} {said}".strip()


def read() -> dict[str, Checked]:
    """Returns what was checked, by framework."""
    found: dict[str, dict[str, Any]] = json.loads(FILE.read_text(encoding="utf-8"))
    return {
        name: Checked(**{**entry, "packages": tuple(Package(**package) for package in entry["packages"])})
        for name, entry in found.items()
    }
