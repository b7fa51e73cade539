"""A lane: one strategy, one seed, one update after the other."""

from __future__ import annotations

from collections.abc import Iterator
from math import isfinite, nan

import numpy as np

from engine.arrays import Array, Params, quiet_single_thread
from engine.config import Config
from engine.initial import draw
from engine.optim import fallen
from engine.training.checkpoint import restore, stored
from engine.training.corpus import Corpus, network_of
from engine.training.evaluation import HeldOut
from engine.training.lab import Lab
from engine.training.pieces import Piece, chunk_of, mean_length, piece_at
from engine.training.probe import half_life, probe
from engine.training.sampling import sample
from engine.training.scoring import Score
from engine.training.snapshots import Moment, Snapshot
from engine.training.step import Step
from engine.training.streams import Streams, Stretch

_SAMPLES = 3  # what is drawn from a seed


class Lane:
    """An iterator of snapshots. All lanes of a seed start from the same weights and see the same data in the
    same order; a lane that is restored from a checkpoint goes on bit for bit."""

    rate: float  # of the next updates, before decay; may be set between two

    def __init__(self, lab: Lab, strategy_index: int, seed: int, corpus: Corpus,
                 checkpoint: dict[str, Array] | None = None) -> None:
        self.lab, self.seed, self.corpus = lab, seed, corpus
        self.strategy = strategy = lab.strategies[strategy_index]
        self.network = network_of(lab, corpus)
        with quiet_single_thread():
            self.streams = Streams(lab, corpus, seed, strategy)
            self.window = chunk_of(strategy, self.streams.steps)
            self.held = HeldOut(lab, corpus, self.network)
            self.step = Step(self.network, lab, strategy, self.streams.steps)
            self.step.blocks.load(_drawn(lab, corpus, seed))
        self.total = total_steps(lab)
        self.rate, self.begun, self.diverged = lab.rate, False, False
        self.update = self.done = self.stretch = self.start = 0  # updates; steps in all; where the next piece starts
        self.state = self.step.initial()
        if checkpoint is not None:
            restore(self, checkpoint)

    def __iter__(self) -> Iterator[Snapshot]:
        return self

    def __next__(self) -> Snapshot:
        """Makes one update and returns what came of it; ends when the tokens are used up, or after a snapshot
        that says it diverged."""
        with quiet_single_thread():
            if not self.begun:
                self.begun = True
                return Snapshot(0, 0, nan, nan, nan, 0.0, self.rate, False, self._moment(False))
            if self.ended:
                raise StopIteration
            return self._advance()

    @property
    def ended(self) -> bool:
        """Whether there is no further update."""
        return self.diverged or self.done >= self.total

    @property
    def tokens(self) -> int:
        """Returns how many tokens were trained on so far."""
        return self.done * self.lab.batch

    def checkpoint(self) -> dict[str, Array]:
        """Returns everything that the lane's future depends on, as arrays."""
        return stored(self)

    def weights(self) -> Params:
        """Returns the parameter blocks in the engine's own convention, in double precision."""
        return {name: block.astype(np.float64) for name, block in self.step.blocks.views.items()}

    def _advance(self) -> Snapshot:
        before = self.done
        rate = fallen(self.rate, self.lab.decay, self.stretch // self.streams.in_a_pass)
        score = self._gather()
        places, loss = score.places, score.loss
        norm, clipped = nan, 0.0
        if places and isfinite(loss):
            change = self.step.update(rate)
            self.update += change.finite
            norm, clipped, self.diverged = change.norm, change.clipped, not change.finite
        self.diverged = self.diverged or not isfinite(loss)
        due = self.done * self.lab.evaluations // self.total > before * self.lab.evaluations // self.total
        moment = self._moment(self.done >= self.total) if due and not self.diverged else None
        return Snapshot(self.tokens, self.update, loss / places if places else nan,
                        score.correct / places if places else nan, norm, clipped, rate, self.diverged, moment)

    def _gather(self) -> Score:
        """Runs over pieces until an update is due, or the tokens are used up."""
        total = Score(0.0, 0.0, 0)
        while self.done < self.total:
            stretch = self.streams.stretch(self.stretch)
            piece = piece_at(self.strategy, self.start, stretch.steps, (self.seed, self.stretch))
            piece = Piece(piece.first, piece.start, min(piece.end, piece.start + self.total - self.done))
            one = self.step.run(stretch, piece, self.state, self._scale(stretch, piece))
            total = Score(total.loss + one.loss, total.correct + one.correct, total.places + one.places)
            self._move(stretch, piece)
            if total.places and (self.lab.update == "window" or self.start == 0):
                break
        return total

    def _scale(self, stretch: Stretch, piece: Piece) -> float:
        """Returns the weight of one place's loss: the mean over the batch, and over the loss steps of an update
        (for random cuts: over as many as a piece has on average) where the lab asks for their mean."""
        counts = int(np.count_nonzero(stretch.counts[piece.start : piece.end]))
        if self.lab.update == "sequence":
            counts = int(np.count_nonzero(stretch.counts))
        elif self.strategy.style == "random":
            length = min(mean_length(self.strategy.p), stretch.steps)
            return self._weight(max(1.0, np.count_nonzero(stretch.counts) * length / stretch.steps))
        return self._weight(max(counts, 1))

    def _weight(self, losses: float) -> float:
        return 1.0 / (self.lab.batch * (losses if self.lab.loss == "mean" else 1))

    def _move(self, stretch: Stretch, piece: Piece) -> None:
        """Goes on to the next piece, with the state that it starts from."""
        self.done += piece.new
        if piece.end == stretch.steps:
            self.stretch, self.start, self.state = self.stretch + 1, 0, self.step.initial()
            return
        self.start = piece.end
        if self.strategy.value == "carry":
            following = piece_at(self.strategy, self.start, stretch.steps, (self.seed, self.stretch))
            self.state = self.step.after(following.first - piece.first)

    def _moment(self, last: bool) -> Moment:
        params, double = self.step.blocks.views, self.weights()
        carried, reset = self.held.evaluate(params, self.window, last)
        text = ""
        if self.lab.task == "text":
            text = sample(self.network, params, self.corpus, (self.seed, _SAMPLES), self.lab.dtype)
        norms = probe(self.network, double, self.held.probed)
        return Moment(self.tokens, self.update, carried, reset, text, norms, half_life(norms))


def total_steps(lab: Lab) -> int:
    """Returns how many steps of the batch a lane is trained on: as many as the tokens are enough for, in whole
    sequences where there are sequences, and at least one."""
    steps = lab.tokens // lab.batch
    return max(1, steps // lab.steps) * lab.steps if lab.steps else max(1, steps)


def _drawn(lab: Lab, corpus: Corpus, seed: int) -> Params:
    """Returns the initial weights of a seed: the ones that an analysis of the same seed and sizes starts from."""
    config = Config(cell=lab.cell, hidden=lab.hidden, init=lab.init, gain=lab.gain, forget_bias=lab.forget_bias)
    rng = np.random.default_rng(np.random.SeedSequence(seed).spawn(3)[1])
    return draw(network_of(lab, corpus), config, rng)
