"""The museum's programs, read from their files, with the lines in which the broken and the mended one differ."""

from __future__ import annotations

from dataclasses import dataclass, fields
from difflib import SequenceMatcher
from functools import cache
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from engine.museum import BUGS, Findings, exhibit, find
from engine.museum.source import MOST_CHARACTERS
from server import paths, schemas, strict

FOLDER = paths.TEMPLATES / "museum"


@dataclass(frozen=True)
class Shown:
    """One line of a program, as it stands beside the other one's."""

    number: int  # from 1; 0 for a gap where the other program has a line and this one has none
    text: str
    changed: bool


@dataclass(frozen=True)
class MuseumProgram:
    """A program's text, and the numbers (from 1) of the lines that the other one does not have."""

    text: str
    changed_lines: tuple[int, ...]


@dataclass(frozen=True)
class MuseumPrograms:
    """The two programs of an exhibit."""

    broken: MuseumProgram
    mended: MuseumProgram


class FindRequest(BaseModel):
    """What was pasted."""

    model_config = ConfigDict(extra="forbid", strict=True)

    text: str = Field(
        min_length=1,
        max_length=MOST_CHARACTERS,
        description="An error message, a stack trace or a loop. It is only read.",
    )


@cache
def texts(name: str) -> tuple[str, str]:
    """Returns the text of the broken and of the mended program of an exhibit, one of BUGS."""
    assert name in BUGS, name
    broken, mended = ((FOLDER / f"{name}.{kind}.py.txt").read_text(encoding="utf-8") for kind in ("broken", "mended"))
    return broken, mended


def programs(name: str) -> MuseumPrograms:
    """Returns the two programs of an exhibit, one of BUGS."""
    sides = side_by_side(name)
    changed = [tuple(line.number for line in side if line.changed and line.number) for side in sides]
    broken, mended = texts(name)
    return MuseumPrograms(MuseumProgram(broken, changed[0]), MuseumProgram(mended, changed[1]))


@cache
def side_by_side(name: str) -> tuple[tuple[Shown, ...], tuple[Shown, ...]]:
    """Returns both programs line by line, with gaps, so that the same lines stand at the same height."""
    left, right = (text.splitlines() for text in texts(name))
    out: tuple[list[Shown], list[Shown]] = ([], [])
    for tag, a, b, c, d in SequenceMatcher(None, left, right, autojunk=False).get_opcodes():
        for side, lines, start, end in ((out[0], left, a, b), (out[1], right, c, d)):
            side += [Shown(n + 1, lines[n], tag != "equal") for n in range(start, end)]
            side += [Shown(0, "", True)] * (max(b - a, d - c) - (end - start))
    return tuple(out[0]), tuple(out[1])


def answer(name: str) -> dict[str, Any]:
    """Returns an exhibit, computed, with its two programs."""
    found = exhibit(name)
    return {field.name: getattr(found, field.name) for field in fields(found)} | {"programs": programs(name)}


def find_in(body: bytes, depth: int) -> Findings:
    """Returns what the finder says of the text in a JSON body; raises InputError or RefusedError."""
    return find(schemas.read(FindRequest, strict.loads(body, depth)).text)
