"""The held-out part, read with the state carried and with the state reset."""

from __future__ import annotations

from collections.abc import Iterator
from math import nan

import numpy as np

from engine.arrays import Array, Params
from engine.network import Network
from engine.training.corpus import Corpus
from engine.training.lab import Lab
from engine.training.probe import piece_of
from engine.training.scoring import Score, Scorer
from engine.training.snapshots import Evaluation
from engine.training.streams import Stretch, part, places, rows, sequences
from engine.unroll import Scan

ROWS = 32  # contiguous rows that a held-out stream is read in, side by side
LEAST = 200  # steps of a row, below which there are fewer rows
PIECE, COLUMNS = 32, 128  # steps and columns that are run through together
HELD_SEED = (1 << 40, 0)  # of the sequences that a task makes for evaluation: no lane's seed is as large
SEQUENCES = 256
OUTPUTS = 1 << 22  # numbers of a forward pass' outputs, where many classes make them more than the columns allow
FEWEST = 3_000  # tokens of an evaluation, where there are as many


class HeldOut:
    """The held-out data of a lab, and how they are evaluated; the same for all its lanes.

    On the way a part of them is read, so that all evaluations together take about a quarter of the training's
    time; at the end all of them, at most a quarter as many tokens as were trained on."""

    def __init__(self, lab: Lab, corpus: Corpus, network: Network) -> None:
        self.network, self.dtype = network, lab.dtype
        self.finite = lab.steps > 0
        whole = _data(lab, corpus)
        self.probed = piece_of(whole)
        self.all = self._some(whole, max(FEWEST, lab.tokens // 4))
        self.some = self._some(whole, max(FEWEST, lab.tokens * 3 // (8 * lab.evaluations)))

    def _some(self, whole: Stretch, tokens: int) -> Stretch:
        """Returns about so many tokens of the data: fewer sequences, or fewer steps of the rows."""
        S, N = whole.xs.shape[0], whole.xs.shape[-1]
        if self.finite:
            many = max(1, min(N, tokens // S))
            return Stretch(whole.xs[..., :many], whole.targets[..., :many], whole.counts)
        return part(whole, 0, max(1, min(S, tokens // N)))

    def evaluate(self, params: Params, window: int, last: bool) -> tuple[Evaluation, Evaluation]:
        """Returns the evaluations with the state carried, and with the state reset every `window` steps."""
        data = self.all if last else self.some
        return self._read(params, [data], data.xs.shape[0]), self._read(params, _windows(data, window), window)

    def _read(self, params: Params, data: list[Stretch], window: int) -> Evaluation:
        """Returns the mean over all losses, the state being initial every `window` steps."""
        columns = max(1, min(COLUMNS, OUTPUTS // (PIECE * self.network.outputs)))
        found = [self._score(params, group, window) for stretch in data for group in _groups(stretch, columns)]
        tokens = sum(score.places for score in found)
        loss, correct = sum(score.loss for score in found), sum(score.correct for score in found)
        return Evaluation(loss / tokens, correct / tokens, tokens) if tokens else Evaluation(nan, nan, 0)

    def _score(self, params: Params, data: Stretch, window: int) -> Score:
        N, H = data.xs.shape[-1], self.network.hidden
        scan = Scan(self.network, min(PIECE, window), N, self.dtype, quick=True)
        scorer = Scorer(self.network, min(PIECE, window) * N, self.dtype)
        zero = [np.zeros((self.network.state, N), self.dtype) for _ in range(self.network.layers)]
        state, total = zero, Score(0.0, 0.0, 0)
        for first, end in _pieces(data.steps, window):
            state = zero if first % window == 0 else state
            top = scan.run(params, data.xs[first:end], state, np.zeros(end - first, bool))[-1]
            state = [states[end - first].copy() for states in scan.states]
            counted = np.flatnonzero(data.counts[first:end])
            if len(counted):
                h = np.swapaxes(top.states[counted, :H], 0, 1).reshape(H, -1)
                one = scorer.score(params, h, places(data.targets[first:end], counted))
                total = Score(total.loss + one.loss, total.correct + one.correct, total.places + one.places)
        return total


def _data(lab: Lab, corpus: Corpus) -> Stretch:
    """Returns the held-out data side by side: sequences, or rows of a stream."""
    if not len(corpus.held):
        return sequences(lab, HELD_SEED, SEQUENCES)
    length = len(corpus.held) - 1
    if lab.steps:
        return part(rows(corpus.held, max(1, length // lab.steps), lab.dtype), 0, lab.steps)
    return rows(corpus.held, max(1, min(ROWS, length // LEAST)), lab.dtype)


def _windows(data: Stretch, window: int) -> list[Stretch]:
    """Returns the data's windows side by side, where all steps have a loss; else the data as they are."""
    whole = data.steps // window
    if not data.counts.all() or whole < 2:
        return [data]
    xs, targets = (_beside(x[: whole * window], whole) for x in (data.xs, data.targets))
    rest = part(data, whole * window, data.steps)
    return [Stretch(xs, targets, data.counts[:window]), *([rest] if rest.steps else [])]


def _beside(x: Array, windows: int) -> Array:
    """(W*k, ..., N) -> (k, ..., W*N)."""
    cut = x.reshape(windows, -1, *x.shape[1:])
    return np.moveaxis(cut, 0, -2).reshape(*cut.shape[1:-1], -1)


def _groups(data: Stretch, columns: int) -> Iterator[Stretch]:
    for first in range(0, data.xs.shape[-1], columns):
        now = slice(first, first + columns)
        yield Stretch(np.ascontiguousarray(data.xs[..., now]), np.ascontiguousarray(data.targets[..., now]),
                      data.counts)


def _pieces(steps: int, window: int) -> Iterator[tuple[int, int]]:
    """Yields pieces of at most PIECE steps, none of them across a window's end."""
    for start in range(0, steps, window):
        for first in range(start, min(start + window, steps), PIECE):
            yield first, min(first + PIECE, start + window, steps)
