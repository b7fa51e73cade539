"""What an exhibit of the bug museum says: the bug, where people met it, numbers, and two pictures. (leaf)"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from engine.arrays import Array, Floats, Ints
from engine.errors import InputError, Problem
from engine.published.result import Picture

Framework = Literal["pytorch", "keras", "numpy"]
LOWEST = 1e-8  # what is smaller is drawn as the smallest of the scale; an exact zero is drawn as none


@dataclass(frozen=True)
class Met:
    """Where people met the bug."""

    title: str
    link: str
    happened: str  # there, in words


@dataclass(frozen=True)
class Bug:
    """A bug before anything is computed."""

    name: str
    title: str
    summary: str  # one sentence
    symptom: str  # what is seen of it
    error: str  # the text of the error; empty where there is none
    remedy: str
    framework: str  # one of Framework: what its two programs are written for
    met: tuple[Met, ...]
    curve: bool = True  # whether a curve of memory, loss or norms belongs to the symptom


@dataclass(frozen=True)
class Amount:
    """A number of the broken program beside that of the mended one; NaN where one of them has none."""

    name: str
    broken: float
    mended: float
    unit: str


@dataclass(frozen=True)
class CreditMap:
    """One gradient picture: a row for each loss, a column for each state."""

    title: str
    values: Floats  # (R, T); 0 where nothing arrives
    edges: Ints  # (W,) the columns before which a window starts


@dataclass(frozen=True)
class CreditMaps:
    """The two gradient pictures, on one absolute scale."""

    quantity: str  # what the values are, in words
    row_title: str
    column_title: str
    rows: Ints  # (R,)
    columns: Ints  # (T,)
    low: float  # the ends of the scale: powers of ten
    high: float
    broken: CreditMap
    mended: CreditMap
    sentence: str


@dataclass(frozen=True)
class Exhibit:
    """A bug, computed."""

    bug: Bug
    method: str  # what we compute, in words
    amounts: tuple[Amount, ...]
    maps: CreditMaps
    picture: Picture | None  # of the symptom: a curve of memory, loss or norms
    sentence: str  # what the amounts say


def credit_map(title: str, values: Array, edges: Array | list[int]) -> CreditMap:
    """Returns one picture."""
    return CreditMap(title, np.asarray(values, float), np.asarray(edges, np.int64))


def credit_maps(quantity: str, broken: CreditMap, mended: CreditMap, sentence: str,
                titles: tuple[str, str] = ("loss read at step", "state after step"),
                rows: Array | None = None, columns: Array | None = None) -> CreditMaps:
    """Returns two pictures of one shape on one scale, which holds the values of both from LOWEST up.

    Raises InputError where they differ in shape: they could not be laid side by side."""
    if broken.values.shape != mended.values.shape:
        raise InputError(Problem("mended", str(mended.values.shape), f"must have the shape {broken.values.shape}",
                                 "Compute both pictures over the same losses and states."))
    R, T = broken.values.shape
    both = np.concatenate([broken.values.ravel(), mended.values.ravel()])
    positive = both[np.isfinite(both) & (both > 0)]
    top = 10.0 ** np.ceil(np.log10(positive.max())) if positive.size else 1.0
    bottom = 10.0 ** np.floor(np.log10(max(positive.min(), LOWEST * top))) if positive.size else 0.1
    return CreditMaps(quantity, *titles, np.arange(R) if rows is None else rows,
                      np.arange(T) if columns is None else columns,
                      float(min(bottom, top / 10)), float(top), broken, mended, sentence)


def relabelled(map_: CreditMap, title: str) -> CreditMap:
    """Returns the picture with another title."""
    return replace(map_, title=title)
