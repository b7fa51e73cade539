"""Pasted text as lines of code: comments off, calls joined, loops by their indentation. Nothing is run or compiled.

Every step is one pass over the text, so that its time grows no faster than its length."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property

MOST_CHARACTERS = 20_000
LONGEST_LINE = 400  # what stands further right is cut off
MOST_JOINED = 12  # lines of one call
PROMPT = re.compile(r"^\s{0,8}(>>>|\.\.\.|In \[\d{0,4}\]:|-{1,4}> ?\d{1,5}|\d{1,5})(?=\s)")
HEADER = re.compile(r"^(async )?(for|while)\b")


@dataclass(frozen=True)
class Line:
    """One statement, its calls joined to one line."""

    number: int  # from 1
    indent: int
    code: str


@dataclass(frozen=True)
class Loop:
    """A loop: its header, and the lines of its body with those of the loops inside it."""

    header: Line
    body: tuple[Line, ...]
    start: int  # of the header among the source's lines

    def own(self, line: Line) -> bool:
        """Returns whether a line of the body stands directly in it, and under no further condition or loop."""
        return bool(self.body) and line.indent == self.body[0].indent


@dataclass(frozen=True)
class Source:
    """What was pasted."""

    text: str
    lines: tuple[Line, ...]

    @cached_property
    def code(self) -> str:
        """All lines, without their comments."""
        return "\n".join(line.code for line in self.lines)

    @cached_property
    def loops(self) -> tuple[Loop, ...]:
        """The loops, in the order of their headers; at most 60 of them are looked into."""
        headers = [n for n, line in enumerate(self.lines) if HEADER.match(line.code) and line.code.endswith(":")]
        return tuple(Loop(self.lines[n], self._body(n), n) for n in headers[:60])

    def _body(self, header: int) -> tuple[Line, ...]:
        end = header + 1
        while end < len(self.lines) and self.lines[end].indent > self.lines[header].indent:
            end += 1
        return self.lines[header + 1 : end]


def read(text: str) -> Source:
    """Returns the text as lines; what is longer than MOST_CHARACTERS is cut off."""
    text = text[:MOST_CHARACTERS]
    lines: list[Line] = []
    quoted, depth, joined = "", 0, 0
    for number, raw in enumerate(text.splitlines(), 1):
        plain, quoted, opened = _plain(_unprompted(raw.expandtabs(4)[:LONGEST_LINE]), quoted)
        if not plain.strip():
            continue
        if depth > 0 and joined < MOST_JOINED:
            last = lines[-1]
            lines[-1] = Line(last.number, last.indent, f"{last.code} {plain.strip()}"[: 4 * LONGEST_LINE])
            depth, joined = depth + opened, joined + 1
        else:
            lines.append(Line(number, len(plain) - len(plain.lstrip()), plain.strip()))
            depth, joined = opened, 0
    return Source(text, tuple(lines))


def _unprompted(raw: str) -> str:
    """Returns a line without the prompt or the number that an interpreter or a trace put before it."""
    found = PROMPT.match(raw)
    if not found:
        return raw
    return raw[found.end() + 1 :] if found[1] in (">>>", "...") else " " * found.end() + raw[found.end() :]


def _plain(raw: str, quoted: str) -> tuple[str, str, int]:
    """Returns a line without comments and long strings, the quotes that are still open, and the brackets opened."""
    out: list[str] = []
    depth, n, short = 0, 0, ""
    while n < len(raw):
        here, three = raw[n], raw[n : n + 3]
        if quoted:
            n, quoted = (n + 3, "") if three == quoted else (n + 1, quoted)
            continue
        if not short and three in ('\"\"\"', "'''"):
            n, quoted = n + 3, three
            continue
        if short:
            short = "" if here == short else short
        elif here in "\"'":
            short = here if here in raw[n + 1 :] else ""
        elif here == "#":
            break
        else:
            depth += (here in "([{") - (here in ")]}")
        out.append(here)
        n += 1
    return "".join(out), quoted, depth
