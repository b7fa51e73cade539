"""A trace's file on disk, read in pieces where it is computed; the path is this server's own, never a visitor's."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from engine.recorded import Declared, Outcome, Source, outcome_of, read_trace


@dataclass(frozen=True)
class TraceFile:
    """A file that was received, and the truncation that it is held against, if another than it declares."""

    path: str
    size: int
    expect: Declared | None = None
    kind: str = "trace"


def opened(asked: TraceFile) -> Outcome:
    """Returns the file's recording with its reach tested. Raises InputError for a file that is no trace."""
    return tested_file(Path(asked.path), asked.expect)


def tested_file(path: Path, expect: Declared | None) -> Outcome:
    """Returns a trace file tested. Raises InputError for one that is none, OSError for one that cannot be read."""
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size

        def read(offset: int, length: int) -> bytes:
            file.seek(offset)
            return file.read(length)

        return outcome_of(read_trace(Source(size, read)), expect)
