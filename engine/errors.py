"""What the engine says when something that a person gave cannot be used. (leaf)"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong: its subject, the value, the limit and the remedy."""

    field: str
    value: str
    limit: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.field} = {self.value}: {self.limit}. {self.remedy}"


class InputError(ValueError):
    """Raised where a value enters; carries every problem found, not only the first."""

    def __init__(self, problems: Problem | Sequence[Problem]) -> None:
        self.problems = (problems,) if isinstance(problems, Problem) else tuple(problems)
        super().__init__("; ".join(str(problem) for problem in self.problems))


def refuse(field: str, value: object, limit: str, remedy: str) -> InputError:
    """Returns the error for one wrong value; a long value is shortened, never echoed whole."""
    return InputError(Problem(field, shorten(value), limit, remedy))


def shorten(value: object, most: int = 60) -> str:
    """Returns a short, printable form of a value."""
    text = repr(value) if isinstance(value, str) else str(value)
    text = "".join(c if c.isprintable() else "?" for c in text[: 4 * most])
    return text if len(text) <= most else text[: most - 3] + "..."
