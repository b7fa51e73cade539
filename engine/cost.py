"""What an analysis will cost, before it runs; and the limits."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from engine.certify import MOST_ELEMENTS
from engine.config import Config
from engine.errors import InputError, Problem
from engine.reference import CREDIT_ROWS
from engine.tasks.text import default_text
from engine.truncation import tracks_of

MOST_BYTES = 1 << 30
MOST_SECONDS = 30.0
MOST_STEPS = 10_000  # of an analysis that holds them all; a longer sequence is a long analysis
CACHED = 1 << 20  # numbers of two runs' outputs that take next to no time; what no cache holds is gone through slowly
GATES = {"rnn": (1, 1, 1), "lstm": (4, 2, 6), "gru": (3, 1, 5)}  # gates, parts of the state, factors


@dataclass(frozen=True)
class Estimate:
    """Bytes held at the peak, multiply-adds done, and seconds on one core of 2020 or later (rough)."""

    bytes: int
    operations: float
    seconds: float


def estimate(config: Config, include: Iterable[str] = ("credit",), certify: bool = True) -> Estimate:
    """Returns the cost of one analysis, from its sizes alone.

    Bytes: two tapes, two sweeps' records, the credit rows and matrix. Operations: the recurrent and
    input products of every pass, times the tracks where backward passes overlap."""
    T, B, H, L = config.steps, config.batch, config.hidden, config.layers
    gates, parts, factors = GATES[config.cell]
    V = symbols(config)
    tracks = overlap(config)
    rows = min(T, CREDIT_ROWS) if "credit" in include else 0
    tape = L * T * B * H * (3 * gates + 2 * parts + factors + 2) + 4 * T * B * V
    weights = L * gates * H * (H + max(V, H)) + V * H
    sweep = L * B * tracks * H * (2 * parts + gates + 2)
    held = 8 * (2 * tape + sweep + 12 * weights + rows * (B * H * parts * (L + 1) + 2 * T))
    operations = _operations(config, V, tracks, rows)
    seconds = 0.005 + T * L * 1.5e-4 + operations / 1.5e10
    seconds += T * B * L * H * 2e-9 * (0.5 * rows * parts + tracks * (gates + 2 * parts))
    seconds += 3e-8 * max(0, 2 * T * B * V - CACHED)
    seconds += _diagnosing(config, V, include)
    if certify:
        elements = _checked(config, tracks)
        operations += 8.0 * H * elements  # complex: four real products, of the state and of the input
        seconds += T * L * 2e-4 + elements * (50 + 0.4 * H) * 1e-9
    return Estimate(int(held), operations, seconds)


def _operations(config: Config, V: int, tracks: int, rows: int) -> float:
    """Returns the multiply-adds of the products: forward and backward passes, the credit rows and their folds."""
    T, B, H, L = config.steps, config.batch, config.hidden, config.layers
    gates, parts, _ = GATES[config.cell]
    product = B * L * gates * H * (H + (config.embedding or min(V, 4 * H)))
    folds = 15 * T * B * L * gates * H * H if rows else 0
    return float(T * product * (6 + 2 * tracks) + 0.5 * T * rows * B * L * parts * H * H + folds)


def _diagnosing(config: Config, V: int, include: Iterable[str]) -> float:
    """Returns the seconds of the deeper diagnostics, fitted like the rest."""
    T, B, H, L = config.steps, config.batch, config.hidden, config.layers
    gates, parts, _ = GATES[config.cell]
    sweep = T * L * 1e-4 + T * B * L * H * gates * 4e-9 + T * B * L * gates * H * (H + V) * 1.3e-10
    lags = T * T * B * L * gates * H * ((H + min(V, 32)) * 1.3e-10 + 2e-9) + T * gates * H * (H + V) * 4e-9
    each = {"bias_curve": lags + 24 * sweep, "draws": 32 * sweep,
            "spectrum": T * (5e-4 + 1.2e-9 * (L * parts * H) ** 3)}
    return sum(each.get(name, 0.0) for name in include)


def _checked(config: Config, tracks: int) -> int:
    """Returns how many complex pre-activations the two certificates compute."""
    L, H = config.layers, config.hidden
    one_track = config.steps * config.batch * L * GATES[config.cell][0] * H * (3 * L + 4)
    return one_track + min(one_track * tracks, max(one_track, MOST_ELEMENTS))


def symbols(config: Config) -> int:
    """Returns the width of the network's input: distinct symbols, or values."""
    widths = {"copy": 8, "adding": 2, "lagged_bits": 2, "series": 1}
    return widths.get(config.task) or distinct(config.text or default_text())


@lru_cache(maxsize=8)
def distinct(text: str) -> int:
    """Returns how many different characters a text has."""
    return len(set(text))


def overlap(config: Config) -> int:
    """Returns how many backward passes of the plan run over the same step."""
    if config.style == "full" or config.gradient == "pass" or config.style in ("window", "random"):
        return 1
    k1, k2 = (config.k1, config.k2) if config.style == "k1k2" else (1, config.k)
    return tracks_of(config.steps, min(k1, config.steps), k2)


def check_affordable(config: Config, include: Iterable[str] = ("credit",), certify: bool = True) -> Estimate:
    """Returns the estimate, or raises InputError that names T, B and H and says by how much it is too big."""
    cost = estimate(config, include, certify)
    sizes = f"T = {config.steps}, B = {config.batch}, H = {config.hidden}, layers = {config.layers}"
    if config.steps > MOST_STEPS:
        raise InputError(Problem("steps", str(config.steps), f"an analysis of every step takes at most {MOST_STEPS:,}",
                                 "Ask for a long analysis: an overview, and a close-up of some steps."))
    if cost.bytes > MOST_BYTES:
        raise InputError(Problem(
            "steps", sizes, f"needs {cost.bytes / 2**20:,.0f} MiB, the limit is {MOST_BYTES / 2**20:,.0f} MiB",
            f"Make T * B * H at least {cost.bytes / MOST_BYTES:.1f} times smaller: fewer steps, batch rows or units."))
    if cost.seconds > MOST_SECONDS:
        raise InputError(Problem(
            "steps", sizes, f"would take about {cost.seconds:,.0f} s, the limit is {MOST_SECONDS:.0f} s",
            f"Make it at least {cost.seconds / MOST_SECONDS:.1f} times smaller: fewer steps, batch rows or units, "
            "or a style whose backward passes overlap less."))
    return cost
