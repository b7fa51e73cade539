"""What a reproduced result says: its source, numbers beside numbers, a verdict, a small picture. (leaf)"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

Role = Literal["full", "truncated", "value", "ink"]


@dataclass(frozen=True)
class Source:
    """Where a claim stands."""

    author: str
    year: int
    title: str
    link: str


@dataclass(frozen=True)
class About:
    """A result before it is computed."""

    name: str
    title: str
    source: Source
    claim: str  # what was claimed, in words


@dataclass(frozen=True)
class Check:
    """A number that was claimed beside the number that we compute."""

    name: str
    claimed: float
    computed: float
    tolerance: float  # the largest absolute difference that still agrees
    agrees: bool


@dataclass(frozen=True)
class Measured:
    """A number of ours that nobody claimed, to hold the others against."""

    name: str
    computed: float


@dataclass(frozen=True)
class Series:
    """One line of a picture, or its points."""

    name: str
    x: NDArray[np.float64]
    y: NDArray[np.float64]
    role: str  # one of Role: which colour and dashes
    points: bool  # single points, not joined


@dataclass(frozen=True)
class Picture:
    """Small series on common axes."""

    title: str
    x_title: str
    y_title: str
    log: bool  # the y axis is logarithmic
    series: tuple[Series, ...]


@dataclass(frozen=True)
class Published:
    """A result, computed."""

    about: About
    method: str  # what we compute, in words
    checks: tuple[Check, ...]
    agrees: bool  # all checks do
    sentence: str  # what it means
    picture: Picture
    measured: tuple[Measured, ...]


def check(name: str, claimed: float, computed: float, tolerance: float = 0.0) -> Check:
    """Returns the comparison of two numbers; NaN agrees with nothing."""
    return Check(name, float(claimed), float(computed), tolerance, bool(abs(computed - claimed) <= tolerance))


def series(name: str, x: ArrayLike, y: ArrayLike, role: Role, points: bool = False) -> Series:
    """Returns a line of a picture."""
    return Series(name, np.asarray(x, float), np.asarray(y, float), role, points)


def published(about: About, method: str, checks: list[Check], sentence: str, picture: Picture,
              measured: tuple[Measured, ...] = ()) -> Published:
    """Returns the result; it agrees if all of its checks do, and there is at least one."""
    agrees = bool(checks) and all(one.agrees for one in checks)
    return Published(about, method, tuple(checks), agrees, sentence, picture, measured)
