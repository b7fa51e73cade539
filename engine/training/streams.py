"""How data run: stretches of steps without a reset, one after the other.

A stream is laid out as TensorFlow's tutorial does it: row b of the batch is the b-th contiguous piece of the
training data, and a pass goes through all rows once, side by side. The state is reset at a pass' start. Where
the lab cuts the stream into sequences, or the task makes its own, each sequence is a stretch; the last one of
a pass may be shorter. Everything follows from the lab, the seed and the stretch's number, so that a lane can be
taken up again anywhere.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine.arrays import Array, Bools, columns
from engine.config import Config
from engine.tasks import TASKS
from engine.training.corpus import Corpus
from engine.training.lab import Lab
from engine.training.pieces import chunk_of
from engine.training.strategies import Strategy

MADE = 100  # batches of sequences that count as a pass where a task makes its own and never runs out
_DATA, _ORDER = 0, 1  # what is drawn from a seed


@dataclass(frozen=True)
class Stretch:
    """Steps that the state runs through without a reset, features before columns."""

    xs: Array  # (S, B) symbols, or (S, D, B) values
    targets: Array  # (S, B) classes, or (S, O, B) values
    counts: Bools  # (S,) steps that have a loss

    @property
    def steps(self) -> int:
        return len(self.counts)


def sequences(lab: Lab, seed: tuple[int, ...], batch: int) -> Stretch:
    """Returns a batch of sequences that the task makes from a seed."""
    config = Config(task=lab.task, steps=lab.steps, batch=batch, lag=lab.lag)
    made = TASKS[lab.task](np.random.default_rng(seed), config)
    xs, targets = (x if x.ndim == 2 else columns(x.astype(lab.dtype)) for x in (made.inputs, made.targets))
    return Stretch(xs, targets, made.mask)


def rows(stream: Array, batch: int, dtype: str) -> Stretch:
    """Returns a stream as `batch` contiguous rows side by side; the target is the stream's next element.
    What does not fill a step of all rows, at the stream's end, is left over."""
    length = (len(stream) - 1) // batch
    cut = [stream[shift : shift + length * batch].reshape(batch, length, *stream.shape[1:]) for shift in (0, 1)]
    xs, targets = (np.ascontiguousarray(np.moveaxis(x, 0, -1)) for x in cut)
    if stream.ndim == 2:
        xs, targets = xs.astype(dtype), targets.astype(dtype)
    return Stretch(xs, targets, np.ones(length, bool))


class Streams:
    """A lane's stretches by their number; with their windows shuffled, where the strategy says so."""

    def __init__(self, lab: Lab, corpus: Corpus, seed: int, strategy: Strategy) -> None:
        self.lab, self.seed = lab, seed
        self.whole = rows(corpus.train, lab.batch, lab.dtype) if len(corpus.train) else None
        self.steps = lab.steps or (self.whole.steps if self.whole else 0)
        self.in_a_pass = -(-self.whole.steps // self.steps) if self.whole else MADE
        self.chunk = chunk_of(strategy, self.steps) if strategy.order == "shuffled" else 0
        self.last: tuple[int, Stretch] | None = None

    def stretch(self, number: int) -> Stretch:
        """Returns a stretch; the last one that was asked for is kept."""
        if self.last is None or self.last[0] != number:
            self.last = number, self._make(number)
        return self.last[1]

    def _make(self, number: int) -> Stretch:
        found = self._plain(number)
        return _shuffled(found, self.chunk, (self.seed, _ORDER, number)) if self.chunk else found

    def _plain(self, number: int) -> Stretch:
        if self.whole is None:
            return sequences(self.lab, (self.seed, _DATA, number), self.lab.batch)
        first = number % self.in_a_pass * self.steps
        return part(self.whole, first, first + self.steps)


def places(targets: Array, steps: Array) -> Array:
    """Returns targets at some steps, place by place: (T, B) -> (n*B,) classes, (T, O, B) -> (n*B, O) values."""
    found = targets[steps]
    return found.reshape(-1) if found.ndim == 2 else np.swapaxes(found, 1, 2).reshape(-1, found.shape[1])


def part(stretch: Stretch, first: int, end: int) -> Stretch:
    """Returns some steps of a stretch."""
    return Stretch(stretch.xs[first:end], stretch.targets[first:end], stretch.counts[first:end])


def _shuffled(stretch: Stretch, chunk: int, seed: tuple[int, ...]) -> Stretch:
    """Returns the stretch with its whole windows in another order; a shorter one at the end stays there."""
    whole = stretch.steps // chunk
    order = np.random.default_rng(seed).permutation(whole)
    steps = (order[:, None] * chunk + np.arange(chunk)).ravel()
    steps = np.concatenate((steps, np.arange(whole * chunk, stretch.steps)))
    return Stretch(stretch.xs[steps], stretch.targets[steps], stretch.counts[steps])
