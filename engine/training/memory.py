"""What an update keeps in memory, array by array: the cost of a longer window or of more tracks."""

from __future__ import annotations

from math import prod

import numpy as np

from engine.cells import Cell, LayerTape
from engine.network import Network
from engine.optim import CHUNK, MEMORIES
from engine.training.estimate import planned_network, row_steps
from engine.training.lab import Lab
from engine.training.pieces import chunk_of, longest, losses_in
from engine.training.strategies import Strategy
from engine.unroll import CACHED


def memory_of(lab: Lab, strategy: Strategy) -> int:
    """Returns the bytes of every array that is kept for an update of this strategy: weights, gradients, what the
    optimiser remembers, the tape of the longest piece, the sweep's records, the outputs, and the rooms of the
    gradients' products. Short-lived small arrays come on top of it."""
    network, stretch = planned_network(lab), lab.steps or row_steps(lab)
    T, new = longest(strategy, stretch), chunk_of(strategy, stretch)
    tracks = new if strategy.style == "sliding" and strategy.k < T else 1
    numbers = _weights(lab, network) + _tape(network, T, lab.batch) + _sweep(network, T, lab.batch, tracks)
    if tracks > 1:
        numbers += _sweep(network, T, lab.batch, 1)  # for the pieces at a stretch's start, which have one
    numbers += losses_in(strategy, stretch) * lab.batch * (network.outputs + 2 * network.hidden)
    numbers += _rooms(network, T, lab.batch)
    return int(numbers * np.dtype(lab.dtype).itemsize)


def _weights(lab: Lab, network: Network) -> int:
    size = sum(map(prod, network.shapes().values()))
    return size * (2 + (lab.update == "sequence") + MEMORIES[lab.optimiser]) + min(size, CHUNK)


def _tape(network: Network, T: int, B: int) -> int:
    """Gates, states and whatever else the cell keeps of every step; the derivatives of the few that are at hand."""
    cell, H = network.cell, network.hidden
    some = min(T, max(1, CACHED // (cell.gates * H * B)))
    steps = T * (cell.gates + cell.extras + cell.parts) + cell.parts + some * cell.slopes
    return H * B * (network.layers * steps + cell.gates)


def _sweep(network: Network, T: int, B: int, tracks: int) -> int:
    """Records of every step, and what goes from one step to the one before it in each track."""
    cell, H = network.cell, network.hidden
    return network.layers * H * B * (T * cell.records + cell.parts + tracks * (3 * cell.parts + cell.records))


def _rooms(network: Network, T: int, B: int) -> int:
    """The copies that the gradients' products are made from; the records lie as they need them already."""
    cell, H = network.cell, network.hidden
    return 0 if B == 1 else T * B * (_copied(cell, H, network.layers > 1) - cell.records * H)


def _copied(cell: Cell, H: int, stacked: bool) -> int:
    """Returns the rows of all arrays that a layer's gradients are products of, by asking the cell for them."""
    xs, states = np.zeros((1, H if stacked else 0, 1)), np.zeros((1, cell.parts * H, 1))
    gates, extra = np.zeros((1, cell.gates * H, 1)), np.zeros((1, cell.extras * H, 1))
    tape = LayerTape(cell, xs, gates, gates, extra, states, states)
    pairs = [pair for found in cell.terms(tape, np.zeros((1, cell.records * H, 1))).values() for pair in found]
    return sum({id(x): x.shape[1] for pair in pairs for x in pair}.values())
