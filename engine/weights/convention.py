"""What a framework's convention is made of: tables, from which import, export and gradients follow. (leaf)

A layer's numbers are *pieces*: for each gate, by the letter it has in the engine (LSTM i, f, g, o; GRU r, z, n;
plain RNN h), four sides: x, its rows of W_ih (H, D); h, of W_hh (H, H); b, its bias beside W_ih x (H, 1); d, its
bias beside W_hh h (H, 1). A framework's tensor is a *slot*: some sides of some gates, in an order, laid out in a way.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from engine.arrays import Array

Key = tuple[str, bool]
"""A cell as in engine.cells.CELLS: (name, reset_after)."""

Pieces = dict[tuple[str, str], Array]
"""(side, gate) -> (H, width)."""

GATES: dict[Key, str] = {("rnn", True): "h", ("lstm", True): "ifgo", ("gru", True): "rzn", ("gru", False): "rzn"}
"""The engine's gates, in the engine's order."""

INSIDE: dict[Key, str] = {("gru", True): "n"}
"""Gates whose hidden-side bias stands inside the reset gate's product, so that the two biases are no sum."""


@dataclass(frozen=True)
class Slot:
    """One tensor of a layer. Its matrix has len(gates) * H rows and the sides' widths as columns (x: D, h: H, b and
    d: 1); `form` says how the framework stores it: the matrix' rows, its columns (the transpose), or the columns
    end to end. `leading` is an axis of length 1 before all others."""

    name: str
    sides: str
    gates: str
    form: Literal["rows", "columns", "vector"]
    leading: bool = False

    @property
    def optional(self) -> bool:
        """Frameworks leave biases out when told to; they are zero then."""
        return not set(self.sides) & {"x", "h"}

    def shape(self, D: int, H: int) -> tuple[int, ...]:
        """Returns the stored shape for input width D and hidden width H."""
        rows, width = len(self.gates) * H, sum({"x": D, "h": H}.get(side, 1) for side in self.sides)
        stored = {"rows": (rows, width), "columns": (width, rows), "vector": (width * rows,)}[self.form]
        return (1, *stored) if self.leading else stored

    @property
    def axes(self) -> str:
        """Returns the stored axes in words, such as "4*hidden, inputs"."""
        count, H = len(self.gates), "hidden"
        rows = f"{count}*{H}" if count > 1 else H
        width = " + ".join({"x": "inputs", "h": H}.get(side, "1") for side in self.sides).replace("1 + 1", "2")
        whole = f"{len(self.sides) * count}*{H}" if len(self.sides) * count > 1 else H
        stored = {"rows": f"{rows}, {width}", "columns": f"{width}, {rows}", "vector": whole}[self.form]
        return f"1, {stored}" if self.leading else stored


@dataclass(frozen=True)
class Form:
    """One cell of a framework. The gates in `flipped` are one minus the engine's: their rows change sign."""

    slots: tuple[Slot, ...]
    flipped: str = ""


@dataclass(frozen=True)
class Outer:
    """A tensor outside the recurrent layers: the block E, W_hy or b_y, found by `pattern`, written as `name`."""

    block: str
    pattern: str
    name: str
    transposed: bool = False


@dataclass(frozen=True)
class StateNames:
    """The tensors of an initial state. `stacked`: one tensor has all layers, (L, B, H); `leading`: (1, B, H)."""

    h: str
    c: str
    stacked: bool = False
    leading: bool = False


@dataclass(frozen=True)
class Convention:
    """How a framework names, orders and lays out its recurrent weights.

    `path(key, layer, layers, leaf)` is a tensor's whole name. `pattern` finds a tensor's layer in its name, with
    {leaves} for the slots' names. `forget_bias` is what the framework adds to the forget gate each time it runs,
    beside what it stores; `forget_bias_chosen` says that the user of the framework chooses it."""

    name: str
    title: str
    note: str
    forms: Mapping[Key, Form]
    path: Callable[[Key, int, int, str], str]
    outer: tuple[Outer, ...]
    states: StateNames
    pattern: str = r"^(?:(?P<group>.*)/)?(?P<leaf>{leaves})$"
    forget_bias: float = 0.0
    forget_bias_chosen: bool = False
    lacking: Mapping[str, str] = field(default_factory=dict)  # cell -> why the framework's is none of ours
    refused: tuple[tuple[str, str], ...] = ()  # (pattern of a name, what it belongs to)
