"""What leaves the engine: frozen dataclasses of arrays and numbers, and nothing else. (leaf)

Axis letters: T time steps, L layers, R loss steps that have a row, W windows. Every array is
float64 unless said otherwise. Norms are Euclidean, taken per sample and then averaged over the
batch. `truncated` is the config as asked; `full` is its reference: full BPTT with the state
carried, on the same weights and data. Times are step numbers from 0.
"""

from __future__ import annotations

from dataclasses import dataclass

from engine.arrays import Bools, Floats, Ints
from engine.diagnostics import BiasCurve, Draws, Gates, Paths, Spectrum


@dataclass(frozen=True)
class Sequence:
    """What was read and predicted, for the first sample of the batch."""

    inputs: tuple[str, ...]  # (T,) printable label of the input at each step
    targets: tuple[str, ...]  # (T,) printable label of the target; "" where there is none
    loss_steps: Ints  # (R,) the steps at which a loss is read, ascending
    vocabulary: tuple[str, ...]  # symbols by index; empty for dense inputs
    source: str  # what the data are, in words
    sha256: str  # of the text or series, "" where generated from the seed


@dataclass(frozen=True)
class PlanView:
    """The truncation plan, drawn: where windows start, which edges are cut, how far each loss reaches."""

    title: str  # e.g. "window(20), carry, cut"
    window_starts: Ints  # (W,) first step of each window; [0] for full
    cut: Bools  # (T,) True if no gradient at all crosses the edge from step t back to t-1
    reset: Bools  # (T,) True if the state is reset before step t
    reach: Ints  # (T,) earliest state step to which a loss at step s would send a gradient
    taper: Floats  # (T,) per lag, the share of steps s >= lag whose gradient gets that far


@dataclass(frozen=True)
class LossView:
    """Losses: mean over the batch at each step; `total` is their sum over the loss steps."""

    per_step: Floats  # (T,) NaN where no loss is read
    total: float
    mean: float  # total / number of loss steps
    unit: str  # "nats" or "squared error"


@dataclass(frozen=True)
class StateNorms:
    """Norms of the states after each step."""

    h: Floats  # (T,) all layers together
    c: Floats | None  # (T,) all layers together; None without a cell state
    h_by_layer: Floats  # (L, T)
    c_by_layer: Floats | None  # (L, T)


@dataclass(frozen=True)
class GradientNorms:
    """Norms of dL/dh_t and dL/dc_t, L being the sum of the losses that reach step t under the plan."""

    h: Floats  # (T,)
    c: Floats | None  # (T,)
    h_by_layer: Floats  # (L, T)
    c_by_layer: Floats | None  # (L, T)
    contributions: dict[str, Floats]  # block -> (T,): norm of step t's term of the block's gradient
    blocks: dict[str, float]  # block -> norm of the whole gradient of the block


@dataclass(frozen=True)
class Comparison:
    """A truncated gradient beside the full one. NaN where the full gradient is zero."""

    cosine: float
    angle: float  # degrees
    relative_error: float  # |truncated - full| / |full|
    kept: float  # signed share <truncated, full> / |full|^2
    norm_truncated: float
    norm_full: float


@dataclass(frozen=True)
class Costs:
    """What truncation costs: of the whole gradient, and per parameter block."""

    whole: Comparison
    blocks: dict[str, Comparison]


@dataclass(frozen=True)
class CarryOver:
    """The carried run beside the run that is reset at each window's start, on the same data."""

    distance: Floats  # (T,) |state carried - state reset| after step t (h and c, all layers)
    carried: Floats  # (T,) norm of the carried state
    reset: Floats  # (T,) norm of the reset state
    start_distance: Floats  # (W-1,) distance before the first step of each later window
    half_life: Ints  # (W-1,) steps until the distance has halved; -1 if not within the window
    loss_carried: Floats  # (T,) NaN where no loss is read
    loss_reset: Floats  # (T,)
    total_carried: float
    total_reset: float
    units_carried: Floats  # (T, U) h of the first sample's top layer, at most 64 units
    units_reset: Floats  # (T, U)


@dataclass(frozen=True)
class Credit:
    """The credit matrix of full BPTT over the run's own forward pass: C[s, t] = |dL_s/dh_t|.

    Under the plan, C[s, t] is multiplied by w[s, t], which is 0 before reach[s]; from there on it is 1,
    and for style random the product of the weights of the edges that were crossed."""

    loss_steps: Ints  # (R,) the loss step of each row (all of them, or an even selection)
    h: Floats  # (R, T), 0 for t > s
    c: Floats | None  # (R, T)
    complete: bool  # True if every loss step has a row


@dataclass(frozen=True)
class CreditRow:
    """One row of the credit matrix, which is there long before the whole matrix is."""

    loss_step: int  # of those that have a row, the nearest to the one asked for
    loss_steps: Ints  # (R,) the loss steps that have a row in the matrix
    h: Floats  # (T,), 0 for t > loss_step
    c: Floats | None  # (T,)


@dataclass(frozen=True)
class BlockCheck:
    """One parameter block's directional derivative, computed twice."""

    block: str
    analytic: float
    complex_step: float
    relative_error: float


@dataclass(frozen=True)
class Witness:
    """A gradient computed in a second way altogether, beside the first."""

    name: str
    block: str
    relative_error: float  # |second - first| / |first|


@dataclass(frozen=True)
class Certificate:
    """The outcome of checking a displayed gradient against complex-step derivatives."""

    objective: str  # which gradient was checked, in words
    status: str  # "passed", "failed" or "nonfinite"
    worst: float  # largest relative error of the blocks
    tolerance: float
    blocks: tuple[BlockCheck, ...]
    checked_losses: int  # how many of the loss steps the check covers
    all_losses: int
    note: str  # what the check did and did not cover, in words
    witness: Witness | None = None  # of full BPTT, where it is cheap


@dataclass(frozen=True)
class Nonfinite:
    """Where infinity or NaN first arose; step -1 if nowhere."""

    step: int
    quantity: str
    subnormal_step: int  # first step, going back, at which dL/dh is below float32's smallest normal; -1
    note: str


@dataclass(frozen=True)
class Words:
    """What the numbers say, in sentences; the page shows one beside each picture."""

    headline: str
    reach: str  # a template with {s} and {r}: for a loss step whose reach is not 0
    reach_all: str  # a template with {s}: for a loss step that reaches step 0
    norms: str
    credit: str
    carry_over: str
    costs: str
    certificate: str
    questions: dict[str, str]  # "autodiff", "carry", "outputs" -> the computed answer


@dataclass(frozen=True)
class Analysis:
    """One config's answer: what the page and the API show."""

    config: dict[str, object]  # canonical
    parameters: int
    sequence: Sequence
    plan: PlanView
    loss: LossView
    states: StateNorms
    truncated: GradientNorms
    full: GradientNorms
    costs: Costs
    carry_over: CarryOver
    credit: Credit | None
    certificate: Certificate | None  # None only if it was asked to be left out
    certificate_full: Certificate | None
    nonfinite: Nonfinite
    words: Words
    gradients: dict[str, Floats] | None  # include=gradients: block -> array, truncated
    gradients_full: dict[str, Floats] | None
    weights: dict[str, Floats] | None  # include=weights
    arrays: dict[str, Floats] | None  # include=states, inputs: (T, B, ...) arrays by name
    bias_curve: BiasCurve | None = None  # each of these: include=<its name>
    paths: Paths | None = None
    spectrum: Spectrum | None = None
    gates: Gates | None = None  # None too for a cell without gates
    draws: Draws | None = None  # style random only
    row: CreditRow | None = None  # include=row
