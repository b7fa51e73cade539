"""What a recorded trace is: frozen dataclasses, with the types of the engine's own results where they mean the same.

Axis letters: T time steps, P rows (a row is one state of one layer), R losses that were asked about, U updates,
Q parameters, S columns. A column stands for `stride` steps, and shows the largest of them: up to 2,000 steps it
is one step. Norms are per sample, averaged over the batch. NaN where nothing was recorded. (leaf)
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.arrays import Bools, Floats, Ints
from engine.traces import Credit, LossView

Flags = NDArray[np.uint8]
NO, YES, UNKNOWN = 0, 1, 2  # what a flag can say
NOWHERE = -1  # the reach of a loss that reaches no state


@dataclass(frozen=True)
class Declared:
    """The truncation that the program's author meant."""

    style: str  # full, window, sliding or k1k2
    k: int = 0
    k1: int = 0
    k2: int = 0
    value: str = ""  # carry, reset, or "" where nothing was said


@dataclass(frozen=True)
class Origin:
    """What a trace says of itself."""

    tool: str
    framework: str
    declared: Declared | None
    rows: tuple[str, ...]  # P names of states, "lstm.l0.h"
    parameters: tuple[str, ...]  # Q names
    batch: int
    windows: Ints  # (W,) first step of each forward pass, ascending from 0
    notes: tuple[str, ...]
    verified: dict[str, float]  # what the tap compared, and by how much it differed


@dataclass(frozen=True)
class Reached:
    """How far back each loss leads, per row: exact, whatever the columns. NOWHERE where it leads to no step."""

    losses: Ints  # (R,) ascending
    first: Ints  # (P, R) the earliest step that the loss is connected to
    gaps: Ints  # (P, R) steps from there to the loss that it is not connected to
    felt: Ints  # (P, R) the earliest step with a gradient that is not 0; NOWHERE too where none was recorded
    by_graph: bool  # True: asked of the graph; False: read off the gradients, which cannot tell cut from vanished


@dataclass(frozen=True)
class Recorded:
    """A recorded trace, checked, and short enough to be shown."""

    about: Origin
    steps: int  # T
    stride: int  # steps in a column
    loss: LossView  # (S,)
    state: dict[str, Floats]  # row -> (S,) norm of the state
    grad: dict[str, Floats]  # row -> (S,) norm of the gradient that reached it
    credit: dict[str, Credit]  # row -> norms of dL_s/dstate_t (R, S); empty where none was recorded
    reached: Reached | None  # None where nothing was asked
    value: Flags | None  # (P, T) 1: the state's value came from the step before, 0: it started anew
    edge: Flags | None  # (P, T) 1: the gradient can go to the same state of the step before, 0: it is cut there
    norm_before: Floats | None  # (U, Q) norm of each parameter's gradient
    norm_after: Floats | None  # (U, Q) after clipping
    memory: Floats | None  # (U,) resident bytes
    there: Bools | None  # (P, T) whether the row has a state at the step; None: every row has one at every step

    @property
    def columns(self) -> int:
        return -(-self.steps // self.stride)

    def everywhere(self, flags: Flags, what: int) -> Bools:
        """Returns, for each step, whether all rows that have a state there say this. (T,)"""
        said: Bools = flags == what
        if self.there is None:
            return np.asarray(said.all(axis=0))
        return np.asarray((said | ~self.there).all(axis=0) & said.any(axis=0))
