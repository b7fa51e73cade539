"""Arrays whose last axis is time, taken in as they come: each line is reduced to what is shown and tested.

A line is what stands in front of the time axis: a row, or a row and a loss. In C order a line's steps stand
together; in Fortran order a step's lines do. Either way what arrives becomes blocks (lines, first step, values).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from engine.arrays import Array, Ints
from engine.recorded.archive import Head, bad

Block = tuple[Any, int, Array]  # which lines (a slice, or their numbers), the first step, values (lines, steps)


def blocks(head: Head, parts: Iterator[Array]) -> Iterator[Block]:
    """Yields an array of shape (..., T) in blocks, whatever the cuts between its parts."""
    lines, steps = head.count // max(1, head.shape[-1]), head.shape[-1]
    if head.fortran and len(head.shape) > 1:
        yield from _by_step(head.shape[:-1], lines, parts)
    else:
        yield from _by_line(steps, parts)


def _by_line(T: int, parts: Iterator[Array]) -> Iterator[Block]:
    at = 0
    for part in parts:
        while len(part):
            line, t = divmod(at, T)
            whole = len(part) // T if t == 0 else 0
            size = whole * T or min(T - t, len(part))
            yield slice(line, line + max(1, whole)), t, part[:size].reshape(max(1, whole), -1)
            part, at = part[size:], at + size


def _by_step(front: tuple[int, ...], lines: int, parts: Iterator[Array]) -> Iterator[Block]:
    order = np.arange(lines).reshape(front).ravel(order="F")
    left, t = None, 0
    for part in parts:
        part = part if left is None else np.concatenate([left, part])
        whole = len(part) // lines
        if whole:
            yield order, t, part[: whole * lines].reshape(whole, lines).T
        left, t = part[whole * lines :], t + whole


class Largest:
    """The largest value of each column, NaN only where there is nothing else."""

    def __init__(self, name: str, lines: int, steps: int, stride: int, dtype: np.dtype[Any], low: float) -> None:
        self.name, self.stride, self.low = name, stride, low
        kept = dtype if dtype.itemsize > 2 and dtype.kind == "f" else np.dtype(np.float32)
        self.out = np.full((lines, -(-steps // stride)), np.nan, kept)

    def add(self, block: Block) -> None:
        """Takes a block in. Raises InputError for a value below what it can be."""
        lines, t, values = block
        if (values < self.low).any():
            raise bad(self.name, "a negative number", "must be norms, which are 0 or more, or NaN")
        values = values.astype(self.out.dtype, copy=False)
        if self.stride > 1:
            first, last = t // self.stride, (t + values.shape[1] - 1) // self.stride
            starts = np.maximum(np.arange(first, last + 1) * self.stride - t, 0)
            values = np.fmax.reduceat(values, starts, axis=1)
            t = first
            values = np.fmax(values, self.out[lines, t : t + values.shape[1]])
        self.out[lines, t : t + values.shape[1]] = values


class Marks:
    """Of each line that belongs to a loss: the earliest step that is marked, and how many are."""

    def __init__(self, name: str, losses: Ints, rows: int) -> None:
        self.name, self.losses = name, losses
        self.s = np.tile(losses, rows)
        self.first = np.full(len(self.s), -1, np.int64)
        self.count = np.zeros(len(self.s), np.int64)

    def add(self, block: Block) -> None:
        """Takes a block in, where what is over 0 is marked. Raises InputError where a step after the loss is."""
        lines, t, values = block
        marked = values > 0
        there = marked.any(axis=1)
        last = t + marked.shape[1] - 1 - marked[:, ::-1].argmax(axis=1)
        late = there & (last > self.s[lines])
        if late.any():
            s, step = int(self.s[lines][late][0]), int(last[late][0])
            raise bad(self.name, f"a mark at step {step} for the loss at step {s}", "must be 0 after the loss: nothing "
                      "flows there", "Check the order of the axes: rows, losses, steps.")
        self.count[lines] += np.count_nonzero(marked, axis=1)
        earlier = there & ((self.first[lines] < 0) | (t + marked.argmax(axis=1) < self.first[lines]))
        self.first[lines] = np.where(earlier, t + marked.argmax(axis=1), self.first[lines])


def whole(head: Head, parts: Iterator[Array]) -> Array:
    """Returns a small array as it is."""
    out = np.empty(head.count, head.dtype.newbyteorder("="))
    at = 0
    for part in parts:
        out[at : at + len(part)] = part
        at += len(part)
    return np.ascontiguousarray(out.reshape(head.shape, order="F" if head.fortran else "C"))
