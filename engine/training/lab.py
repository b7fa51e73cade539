"""The lab: everything that determines a training run, frozen, canonical and hashable. (leaf, but for strategies)"""

from __future__ import annotations

from dataclasses import dataclass

from engine.training.strategies import Strategy


@dataclass(frozen=True)
class Lab:
    """One run: the same network from the same initial weights on the same data in the same order, several
    strategies side by side, over several seeds. Same lab, same numbers.

    Fields that `engine.config.Config` has too mean the same here. A lane is one (strategy, seed)."""

    cell: str = "lstm"
    hidden: int = 64
    layers: int = 1
    reset_after: bool = True
    forget_bias: float = 1.0
    init: str = "uniform"
    gain: float = 1.0
    embedding: int = 0
    task: str = "text"
    lag: int = 40
    text: str = ""
    series: tuple[tuple[float, ...], ...] = ()  # columns, all of one length
    vocabulary: str = "char"
    words: int = 5_000
    steps: int = 0  # of one sequence; 0: one endless stream a batch row
    batch: int = 16
    held_out: float = 0.1
    tokens: int = 100_000
    optimiser: str = "adam"
    rate: float = 0.002
    decay: float = 0.0
    clip: float = 5.0
    clip_by: str = "norm"
    loss: str = "mean"
    update: str = "window"
    strategies: tuple[Strategy, ...] = (Strategy(), Strategy(value="reset"))
    seeds: int = 3
    seed: int = 0
    evaluations: int = 20
    dtype: str = "float32"

    @property
    def all_seeds(self) -> range:
        """Returns the seeds themselves: seed, seed + 1, ..."""
        return range(self.seed, self.seed + self.seeds)

    @property
    def lanes(self) -> tuple[tuple[int, int], ...]:
        """Returns every (strategy's index, seed): all strategies of the first seed, then of the next."""
        return tuple((index, seed) for seed in self.all_seeds for index in range(len(self.strategies)))
