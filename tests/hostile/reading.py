"""The corpus as Python reads it: corpus/*.json, whose README says what is in each. (leaf)"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "corpus"


def load(name: str) -> Any:
    """Returns one file of the corpus."""
    return json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))


@dataclass(frozen=True)
class Body:
    """A request body that is wrong, by what is wrong with it."""

    name: str
    content: bytes

    def __str__(self) -> str:
        return self.name


def bodies() -> list[Body]:
    """Returns every bad body: given as text, as hexadecimal bytes, or as parts that are said so many times."""
    return [Body(case["name"], _content(case)) for case in load("bodies")]


def _content(case: dict[str, Any]) -> bytes:
    if "hex" in case:
        return bytes.fromhex(case["hex"])
    if "text" in case:
        return str(case["text"]).encode()
    return b"".join(_repeated(part, count) for part, count in case["parts"])


def _repeated(part: str, count: int) -> bytes:
    """Returns the part so many times; {n} in it stands for the number of the time."""
    if "{n}" not in part:
        return part.encode() * count
    return "".join(part.replace("{n}", str(n)) for n in range(count)).encode()
