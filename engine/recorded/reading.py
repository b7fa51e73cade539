"""A trace from its file or from plain arrays: every member in pieces, each array reduced as it comes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import numpy as np

from engine.arrays import Array, Bools, Floats, Ints, quiet_single_thread
from engine.errors import InputError
from engine.recorded import limits, shapes
from engine.recorded.archive import Head, Source, bad, head_of, members_of, numbers, pieces
from engine.recorded.lines import Largest, Marks, blocks, whole
from engine.recorded.meta import about_of
from engine.recorded.recording import NOWHERE, UNKNOWN, Flags, Origin, Reached, Recorded
from engine.traces import Credit, LossView
from engine.weights.npz import Member

Stream = Callable[[str], Iterator[Array]]
ANY = -np.inf


def read_trace(source: Source) -> Recorded:
    """Returns a trace file's recording. Raises InputError, and nothing else, for a file that is not one.

    It holds a few pieces of the file at a time, and what is shown of it."""
    members = {member.name: member for member in members_of(source)}
    try:
        heads = {name: head_of(source, member) for name, member in members.items()}
        shapes.steps_of(heads)  # before a number is read
        with quiet_single_thread():
            found = _recorded(heads, lambda name: numbers(source, members[name], heads[name]))
    except InputError:
        _require_whole(source, members.values())  # a damaged file is said to be damaged, whatever its numbers say
        raise
    _require_whole(source, [member for name, member in members.items() if shapes.STATES.fullmatch(name)])
    return found


def _require_whole(source: Source, members: Iterable[Member]) -> None:
    """Raises InputError where a member does not have its checksum."""
    for member in members:
        for _ in pieces(source, member):
            pass


def recorded(meta: bytes, arrays: Mapping[str, Array]) -> Recorded:
    """Returns the recording of plain arrays and of the JSON that goes with them. Raises InputError for a wrong one."""
    given: dict[str, Array] = {"meta": np.frombuffer(meta, np.uint8), **arrays}
    heads = {name: Head(array.dtype, False, array.shape) for name, array in given.items()}
    for name, head in heads.items():
        if head.dtype.kind not in "fiub":
            raise bad(name, f"dtype {head.dtype}", "must be floats, integers or booleans")
    with quiet_single_thread():
        return _recorded(heads, lambda name: _parts(given[name]))


def _parts(array: Array) -> Iterator[Array]:
    flat = np.ascontiguousarray(array).ravel()
    for at in range(0, len(flat), limits.CHUNK_BYTES):
        yield flat[at : at + limits.CHUNK_BYTES]


def _recorded(heads: Mapping[str, Head], stream: Stream) -> Recorded:
    steps = shapes.steps_of(heads)
    about = about_of(whole(heads["meta"], stream("meta")).tobytes(), steps)
    shapes.check(heads, about)
    read = _Reading(heads, stream, about, steps)
    credit, felt = read.credit()
    value, edge = read.flags("value"), read.flags("edge")
    return Recorded(
        about=about, steps=steps, stride=read.stride, loss=read.loss(),
        state=read.by_row("state"), grad=read.by_row("grad"), credit=credit, reached=read.reached(felt),
        value=value, edge=edge, norm_before=read.norms("norm_before"), norm_after=read.norms("norm_after"),
        memory=read.norms("memory"), there=read.there(value, edge))


class _Reading:
    """One trace while it is read."""

    def __init__(self, heads: Mapping[str, Head], stream: Stream, about: Origin, steps: int) -> None:
        self.heads, self.stream, self.about, self.steps = heads, stream, about, steps
        self.stride = -(-steps // limits.MOST_COLUMNS)
        self.losses = self._losses() if "losses" in heads else None

    def _losses(self) -> Ints:
        found = whole(self.heads["losses"], self.stream("losses"))
        if int(found.min()) < 0 or int(found.max()) >= self.steps or (found[1:] <= found[:-1]).any():
            raise bad("losses", f"{len(found)} steps", f"must ascend, from 0 to {self.steps - 1} at most")
        return found.astype(np.int64)

    def _taken(self, name: str, *takers: Any) -> None:
        for block in blocks(self.heads[name], self.stream(name)):
            for taker in takers:
                taker.add(block)

    def _largest(self, name: str, low: float) -> Largest:
        head = self.heads[name]
        return Largest(name, head.count // self.steps, self.steps, self.stride, head.dtype, low)

    def loss(self) -> LossView:
        """Returns the losses in columns, and their sum over every step that has one."""
        values = whole(self.heads["loss"], self.stream("loss")).astype(np.float64)
        shown = self._largest("loss", ANY)
        shown.add((slice(0, 1), 0, values[None]))
        there = values[~np.isnan(values)]
        total = float(there.sum()) if len(there) else float("nan")
        return LossView(shown.out[0].astype(np.float64), total, total / max(1, len(there)), "as recorded")

    def by_row(self, name: str) -> dict[str, Floats]:
        """Returns row -> norms in columns; empty where there are none."""
        if name not in self.heads:
            return {}
        largest = self._largest(name, 0.0)
        self._taken(name, largest)
        return dict(zip(self.about.rows, largest.out.astype(np.float64), strict=True))

    def credit(self) -> tuple[dict[str, Credit], Marks | None]:
        """Returns each row's matrix in columns, and the earliest step with a gradient."""
        if "credit" not in self.heads or self.losses is None:
            return {}, None
        largest, marks = self._largest("credit", 0.0), Marks("credit", self.losses, len(self.about.rows))
        self._taken("credit", largest, marks)
        matrices = largest.out.reshape(len(self.about.rows), len(self.losses), -1)
        rows = self.losses // self.stride
        every = len(self.losses) == int(np.count_nonzero(~np.isnan(self.loss().per_step))) and self.stride == 1
        return {name: Credit(rows, matrix, None, every)
                for name, matrix in zip(self.about.rows, matrices, strict=True)}, (
                    None if np.isnan(largest.out).all() else marks)

    def reached(self, felt: Marks | None) -> Reached | None:
        """Returns how far each loss leads: as the graph has it, or else as the gradients have it."""
        by_graph = "connected" in self.heads
        if self.losses is None or (not by_graph and felt is None):
            return None
        marks = felt
        if by_graph:
            marks = Marks("connected", self.losses, len(self.about.rows))
            self._taken("connected", _Bits("connected", 1), marks)
        assert marks is not None
        shape = (len(self.about.rows), len(self.losses))
        gaps = np.where(marks.first >= 0, marks.s - marks.first + 1 - marks.count, 0)
        nowhere = np.full(shape, NOWHERE, np.int64)
        return Reached(self.losses, marks.first.reshape(shape), gaps.reshape(shape),
                       nowhere if felt is None else felt.first.reshape(shape), by_graph)

    def flags(self, name: str) -> Flags | None:
        """Returns 0, 1 and 2 (unknown) per row and step."""
        if name not in self.heads:
            return None
        found = whole(self.heads[name], self.stream(name))
        _Bits(name, UNKNOWN).add((slice(None), 0, found))
        return found.astype(np.uint8)

    def there(self, value: Flags | None, edge: Flags | None) -> Bools | None:
        """Returns which rows have a state at which steps; None where all have one at every step.

        A state that exploded is there: its norm is NaN too, but something is known of where it came from."""
        if value is None or edge is None or "state" not in self.heads:
            return None
        missing = _Missing(value.shape)
        self._taken("state", missing)
        there = ~missing.out | (value != UNKNOWN) | (edge != UNKNOWN)
        return None if there.all() else there

    def norms(self, name: str) -> Floats | None:
        """Returns what stands per update."""
        if name not in self.heads:
            return None
        found = whole(self.heads[name], self.stream(name)).astype(np.float64)
        if (found < 0).any():
            raise bad(name, "a negative number", "must be 0 or more, or NaN")
        return found


class _Missing:
    """Marks what is NaN."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        self.out = np.zeros(shape, bool)

    def add(self, block: tuple[Any, int, Array]) -> None:
        lines, t, values = block
        self.out[lines, t : t + values.shape[1]] = np.isnan(values)


class _Bits:
    """Refuses flags that are none."""

    def __init__(self, name: str, most: int) -> None:
        self.name, self.most = name, most

    def add(self, block: tuple[Any, int, Array]) -> None:
        values = block[2]
        if values.dtype.kind != "b" and values.size and not (values.min() >= 0 and values.max() <= self.most):
            raise bad(self.name, "another number", f"must be 0 to {self.most}",
                      "See docs/traces.md for what each says.")
