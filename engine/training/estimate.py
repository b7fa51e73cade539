"""What a run will take, before it runs; and the limits."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

from engine.cells import CELLS
from engine.errors import Problem
from engine.network import Network
from engine.optim import MEMORIES
from engine.tasks.memory import SYMBOLS
from engine.training.checks import split_lengths, text_sizes
from engine.training.evaluation import COLUMNS, PIECE
from engine.training.lab import Lab
from engine.training.pieces import chunk_of, longest
from engine.training.strategies import Strategy

MOST_BYTES = 1 << 30  # of a lane
MOST_SECONDS = 12 * 3600.0  # of one core, for all lanes together


@dataclass(frozen=True)
class LaneEstimate:
    """One lane of a strategy: bytes that it holds at its peak, floating-point operations, and seconds on one core
    of 2020 or later (rough)."""

    bytes: int
    operations: float
    seconds: float


@dataclass(frozen=True)
class LabEstimate:
    """A whole run: the bytes of its largest lane; operations and seconds of all lanes together, on one core."""

    bytes: int
    operations: float
    seconds: float
    lanes: tuple[LaneEstimate, ...]  # one a strategy, for each seed


@dataclass(frozen=True)
class _Sizes:
    """What the cost of an update follows from."""

    network: Network
    batch: int
    weights: int
    width: int  # bytes of a number
    kept: int  # steps of the longest piece
    steps: int  # of a piece on average, with its context
    new: int
    tracks: int
    pieces: float  # in all
    updates: float

    @property
    def cells(self) -> float:
        """Cells in all: pieces x steps x layers x columns x units."""
        return self.pieces * self.steps * self.network.layers * self.batch * self.network.hidden


def estimate_lab(lab: Lab) -> LabEstimate:
    """Returns what a validated lab will take, from its sizes alone."""
    network = planned_network(lab)
    lanes = tuple(_lane(lab, _sizes(lab, network, strategy)) for strategy in lab.strategies)
    return LabEstimate(max(lane.bytes for lane in lanes), lab.seeds * sum(lane.operations for lane in lanes),
                       lab.seeds * sum(lane.seconds for lane in lanes), lanes)


def check_limits(lab: Lab) -> list[Problem]:
    """Returns what is too large about a lab, each with by how much."""
    cost, problems = estimate_lab(lab), []
    if cost.bytes > MOST_BYTES:
        times = cost.bytes / MOST_BYTES
        problems.append(Problem(
            "hidden", f"hidden = {lab.hidden}, batch = {lab.batch}, layers = {lab.layers}",
            f"a lane needs {cost.bytes / 2**20:,.0f} MiB, the limit is {MOST_BYTES / 2**20:,.0f} MiB",
            f"Make the batch, the windows or the network at least {times:.1f} times smaller, or keep fewer words."))
    if cost.seconds > MOST_SECONDS:
        times = cost.seconds / MOST_SECONDS
        problems.append(Problem(
            "tokens", f"{lab.tokens:,} tokens x {len(lab.strategies)} strategies x {lab.seeds} seeds",
            f"would take about {cost.seconds / 3600:,.0f} hours of one core, the limit is {MOST_SECONDS / 3600:.0f}",
            f"Make it at least {times:.1f} times smaller: fewer tokens, strategies, seeds or units, or strategies "
            "that run over the same steps less often."))
    return problems


def planned_network(lab: Lab) -> Network:
    """Returns the architecture that a lab asks for, from its sizes alone."""
    inputs, outputs, symbols = _widths(lab)
    return Network(CELLS[lab.cell, lab.reset_after], lab.layers, inputs, lab.hidden, outputs,
                   lab.embedding if symbols else 0, symbols)


def _widths(lab: Lab) -> tuple[int, int, bool]:
    """Returns the widths of the input and of the output, and whether they are symbols."""
    if lab.task == "text":
        distinct = text_sizes(lab.text, lab.vocabulary)[1]
        V = min(distinct + 1, lab.words) if lab.vocabulary == "word" else distinct
        return V, V, True
    if lab.task in ("copy", "lagged_bits"):
        V = len(SYMBOLS) if lab.task == "copy" else 2
        return V, V, True
    return (2, 1, False) if lab.task == "adding" else (max(len(lab.series), 1), max(len(lab.series), 1), False)


def _sizes(lab: Lab, network: Network, strategy: Strategy) -> _Sizes:
    steps = lab.steps or row_steps(lab)
    new, whole = chunk_of(strategy, steps), longest(strategy, steps)
    pieces = lab.tokens / (lab.batch * new)
    run = new if strategy.style == "random" else whole
    weights = sum(map(prod, network.shapes().values()))
    tracks = new if strategy.style == "sliding" and whole > strategy.k else 1
    updates = lab.tokens / (lab.batch * lab.steps) if lab.update == "sequence" else pieces
    width = 4 if lab.dtype == "float32" else 8
    return _Sizes(network, lab.batch, weights, width, whole, run, new, tracks, pieces, updates)


def row_steps(lab: Lab) -> int:
    """Returns the steps of a row of the stream."""
    return max(split_lengths(_length(lab), lab.held_out)[0] // lab.batch, 1)


def _length(lab: Lab) -> int:
    if lab.task == "text":
        return text_sizes(lab.text, lab.vocabulary)[0]
    return len(lab.series[0]) if lab.series else 20_000


def _lane(lab: Lab, sizes: _Sizes) -> LaneEstimate:
    operations = _operations(sizes)
    return LaneEstimate(_bytes(lab, sizes), operations, _seconds(lab, sizes, operations))


def _operations(sizes: _Sizes) -> float:
    """Returns the operations of the products: forward, backward for each track, and every weight's gradient."""
    network, steps = sizes.network, sizes.pieces * sizes.steps * sizes.batch
    gates, H = network.cell.gates * network.hidden, network.hidden
    recurrent = 2 * network.layers * gates * H * (2 + sizes.tracks)
    below = 6 * gates * (network.embedding + (network.layers - 1) * H)
    readout = 6 * network.outputs * H * sizes.pieces * sizes.new * sizes.batch
    return steps * (recurrent + below) + readout


def _seconds(lab: Lab, sizes: _Sizes, operations: float) -> float:
    """Returns the seconds of a lane, fitted to measured ones: a cost of each piece, step, cell, operation and
    output; about half as much again for the evaluations, and a fixed part of each."""
    network, wide = sizes.network, sizes.width / 4
    training = 3.8e-4 * sizes.pieces + 6e-6 * sizes.pieces * sizes.steps * network.layers
    training += 4.6e-9 * sizes.cells * network.cell.gates * (1 + sizes.tracks) * wide
    training += 7.8e-12 * operations * wide + 1e-9 * sizes.updates * sizes.weights * wide
    training += 5.5e-9 * sizes.pieces * sizes.new * sizes.batch * network.outputs * wide
    return 1.45 * training + (lab.evaluations + 1) * (0.02 + 1e-7 * sizes.weights)


def _bytes(lab: Lab, sizes: _Sizes) -> int:
    """Returns the bytes of a lane at its peak: what an update keeps, weights and what the optimiser remembers, the
    data, and the buffers of an evaluation."""
    network, cell, H = sizes.network, sizes.network.cell, sizes.network.hidden
    places = sizes.kept * sizes.batch
    a_place = network.layers * H * (2 * cell.gates + cell.extras + 2 * cell.parts + cell.slopes + 2 * cell.records + 1)
    a_place += 3 * H + network.outputs
    tracks = network.layers * sizes.batch * sizes.tracks * H * (2 * cell.parts + cell.records)
    weights = sizes.weights * (2 + (lab.update == "sequence") + MEMORIES[lab.optimiser] + 32 // sizes.width)
    read = min(PIECE, sizes.kept) * COLUMNS * (network.outputs + 2 * network.layers * H * (cell.gates + cell.parts))
    probed = 100 * 8 * (network.layers * H * 30 + network.outputs) * 8
    data = 40 * _length(lab) if lab.task in ("text", "series") else 0
    return int(sizes.width * (places * a_place + tracks + weights + read) + probed + data)
