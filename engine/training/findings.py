"""What a verdict consists of. (leaf)"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Outcome:
    """How one strategy ended, over the seeds whose lanes reached the end.

    The held-out loss is read as the strategy was trained: with the state carried, or reset."""

    strategy: int
    name: str
    seeds: tuple[int, ...]  # that count here
    losses: tuple[float, ...]  # one a seed: nats (or half the squared error) a token, held out
    loss: float  # their mean; NaN where there is none
    low: float  # 95 % bootstrap interval of the mean over seeds; NaN where seeds are too few
    high: float
    accuracy: float  # mean; NaN for values
    diverged: tuple[int, ...]  # seeds
    unfinished: tuple[int, ...]  # seeds: stopped, failed, or still running
    seconds: float  # of all its lanes together
    peak_bytes: int  # largest of its lanes; 0 where it was not measured


@dataclass(frozen=True)
class Comparison:
    """Two strategies, paired by seed: what `second` changes against `first`."""

    kind: str  # value: reset -> carry | window: shorter -> longer | first: the lab's first strategy -> another
    first: int
    second: int
    seeds: tuple[int, ...]
    differences: tuple[float, ...]  # loss of first minus loss of second, one a seed: positive where second is better
    mean: float
    low: float  # 95 % bootstrap interval of the mean over seeds; NaN where seeds are too few
    high: float
    finding: str  # better | worse (of second against first) | undecided | single (one seed) | none (no seed)
    text: str


@dataclass(frozen=True)
class Verdict:
    """What a run says: its strategies, the pairs that matter, and the sentences."""

    unit: str  # of every loss: "nats per character", "in half the squared error" ...
    outcomes: tuple[Outcome, ...]
    comparisons: tuple[Comparison, ...]
    headline: str  # the first comparison's sentence, or why there is none
    notes: tuple[str, ...]  # how the interval was made; seeds left out; divergence; a learning rate that was changed
