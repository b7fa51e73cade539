"""Small networks, data and runs that the engine's tests share."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from engine.backprop import Gradients, backprop
from engine.cells import CELLS
from engine.network import Network
from engine.truncation import Plan, full_plan
from engine.unroll import Data, Tape, unroll

CELL_KEYS = list(CELLS)
CELL_IDS = ["rnn", "lstm", "gru", "gru-reset-before"]
CELL_OPTIONS = {"rnn": {"cell": "rnn"}, "lstm": {"cell": "lstm"}, "gru": {"cell": "gru"},
                "gru-reset-before": {"cell": "gru", "reset_after": False}}
STYLE_OPTIONS = {"full": {"style": "full"}, "window": {"style": "window", "k": 4},
                 "sliding": {"style": "sliding", "k": 5}, "k1k2": {"style": "k1k2", "k1": 3, "k2": 7}}


@dataclass(frozen=True)
class Sizes:
    """Axis letters as everywhere."""

    T: int = 11
    B: int = 3
    D: int = 4
    H: int = 5
    O: int = 3  # noqa: E741
    layers: int = 1
    embedding: int = 0
    classify: bool = True


@dataclass(frozen=True)
class Case:
    """A network with its numbers and data."""

    network: Network
    params: dict[str, np.ndarray]
    data: Data

    def tape(self, plan: Plan) -> Tape:
        return unroll(self.network, self.params, self.data, plan.reset)

    def gradients(self, plan: Plan) -> Gradients:
        return backprop(self.network, self.params, self.tape(plan), plan)

    def objective(self, plan: Plan) -> float:
        """Returns the batch's mean of the summed losses."""
        return float(self.tape(plan).losses.sum(axis=0).mean())

    def moved(self, block: str, by: np.ndarray) -> Case:
        """Returns the case with one parameter block changed."""
        return replace(self, params={**self.params, block: self.params[block] + by})


def case(cell: tuple[str, bool], sizes: Sizes = Sizes(), seed: int = 0, scale: float = 0.5,
         counts: np.ndarray | None = None) -> Case:
    """Returns a case with normal weights, inputs and initial states; a loss at every step or where counted."""
    rng = np.random.default_rng(seed)
    network = Network(CELLS[cell], sizes.layers, sizes.D, sizes.H, sizes.O, sizes.embedding, sizes.classify)
    params = {name: scale * rng.normal(size=shape) for name, shape in network.shapes().items()}
    xs = rng.normal(size=(sizes.T, sizes.D, sizes.B))
    targets = (rng.integers(sizes.O, size=(sizes.T, sizes.B)) if sizes.classify
               else rng.normal(size=(sizes.T, sizes.O, sizes.B)))
    initial = tuple(rng.normal(size=(network.state, sizes.B)) for _ in range(sizes.layers))
    return Case(network, params, Data(xs, targets, np.ones(sizes.T, bool) if counts is None else counts, initial))


def full(T: int) -> Plan:
    return full_plan(T)


def relative(ours: np.ndarray, truth: np.ndarray) -> float:
    """Returns the norm of the difference over the norm of the truth."""
    ours, truth = np.asarray(ours), np.asarray(truth)
    assert ours.shape == truth.shape
    size = float(np.linalg.norm(truth.ravel()))
    gap = float(np.linalg.norm((ours - truth).ravel()))
    return gap / size if size else gap
