"""What leaves the engine of a long analysis. (leaf)

T is the number of steps, N of bins. `truncated` is the config as asked; `full` is full BPTT with the state
carried. Norms are as in `engine.traces`.
"""

from __future__ import annotations

from dataclasses import dataclass

from engine.arrays import Floats, Ints
from engine.traces import Analysis, Certificate, Costs

MOST_BINS = 500


@dataclass(frozen=True)
class Band:
    """A number of every step, by bins of steps: its smallest, mean and largest; NaN where a bin has none."""

    low: Floats  # (N,)
    mean: Floats  # (N,)
    high: Floats  # (N,)


@dataclass(frozen=True)
class LongNorms:
    """Norms over the steps, by bins; of gradients also those of each block's whole gradient."""

    h: Band
    c: Band | None
    blocks: dict[str, float]  # empty for states


@dataclass(frozen=True)
class BandedCredit:
    """|dL_s/dh_{s-l}| of full BPTT along the run, for the lags below `band` only: its mean over the loss steps of
    each bin, or over every n-th of them. What lies beyond the band is not shown, and not zero."""

    band: int
    every: int  # each how many loss steps one is taken
    h: Floats  # (N, band) NaN where a bin has no loss step, or none with so many steps before it


@dataclass(frozen=True)
class LongPlan:
    """The truncation, counted: windows, cut edges and resets in each bin."""

    title: str
    windows: int
    passes: int  # how many backward passes run over one step
    cuts: Ints  # (N,) edges that no gradient crosses
    resets: Ints  # (N,)


@dataclass(frozen=True)
class LongWords:
    """What the numbers say, in sentences."""

    headline: str
    overview: str
    norms: str
    costs: str
    certificate: str


@dataclass(frozen=True)
class Long:
    """A long sequence at a glance."""

    config: dict[str, object]  # canonical
    parameters: int
    steps: int  # T
    bin: int  # steps of a bin, the last of which may be shorter
    source: str  # what the data are, in words
    sha256: str  # of the text or series, "" where generated from the seed
    segment: int  # steps that are held at a time
    borders: int  # places at which states and gradients were kept
    plan: LongPlan
    loss: Band  # mean over the batch
    loss_total: float
    loss_mean: float
    unit: str  # "nats" or "squared error"
    states: LongNorms
    truncated: LongNorms
    full: LongNorms
    costs: Costs
    credit: BandedCredit
    certificate: Certificate | None
    certificate_full: Certificate | None
    words: LongWords
    gradients: dict[str, Floats] | None  # include=gradients: block -> array, truncated
    gradients_full: dict[str, Floats] | None


@dataclass(frozen=True)
class CloseUp:
    """Some steps of a long sequence, as an analysis shows them, with the gradients that reach them from later losses.

    In `analysis` steps are counted from `first`, so an edge, a reach or a loss at t is step first + t; a reach below
    0 lies before the close-up. Its costs and blocks' norms are those of the whole sequence."""

    first: int
    steps: int  # T of the whole sequence
    analysis: Analysis
