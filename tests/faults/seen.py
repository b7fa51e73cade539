"""What a scene saw: figures in words, and which of them break what is promised. (leaf)"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

REPLACES_LINE = "\r\x1b[K"


@dataclass
class Seen:
    """The figures of one scene, in the order in which they were seen."""

    figures: list[str] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)

    def say(self, figure: str, kept: bool = True) -> None:
        """Notes a figure; one that is not `kept` breaks a promise."""
        self.figures.append(figure)
        if not kept:
            self.broken.append(figure)


def progress(text: str) -> None:
    """Shows how far a scene is, where somebody looks on."""
    if sys.stderr.isatty():
        print(f"{REPLACES_LINE}  {text}", end="", file=sys.stderr, flush=True)


@contextmanager
def noting(seen: Seen, what: str) -> Iterator[None]:
    """A part of a scene that breaks a promise if it fails; the other parts go on."""
    try:
        yield
    except Exception as error:
        why = str(error).splitlines()[0] if str(error) else ""
        seen.say(f"{what}: {type(error).__name__} {why}", False)


def spread(seconds: Sequence[float]) -> str:
    """Returns median and greatest of some times."""
    ordered = sorted(seconds)
    return f"median {ordered[len(ordered) // 2]:.2f} s, at most {ordered[-1]:.2f} s" if ordered else "none"
