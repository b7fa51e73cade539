"""What a long analysis will cost, before it runs; and its limits."""

from __future__ import annotations

from engine.certify import MOST_ELEMENTS
from engine.config import Config
from engine.cost import GATES, Estimate, overlap, symbols
from engine.errors import InputError, Problem
from engine.long.banded import BAND, MOST_COLUMNS
from engine.long.memory import MEMORY

MOST_SECONDS = 300.0
MOST_BYTES = 1 << 30


def estimate_long(config: Config, certify: bool = True) -> Estimate:
    """Returns the cost of one long analysis, from its sizes alone; fitted like `engine.cost.estimate`.

    Bytes: the budget, the data, a dozen numbers a step, weights and their gradients. Operations: two forward
    passes (four with the value reset), the sweeps back, the band."""
    T, B, H, L = config.steps, config.batch, config.hidden, config.layers
    gates, parts, _ = GATES[config.cell]
    V, tracks, runs = symbols(config), overlap(config), 2 if config.value == "reset" else 1
    weights = L * gates * H * (H + max(V, H)) + V * H
    columns = min(T * B, MOST_COLUMNS) * min(T, BAND)
    product = L * gates * H * (H + min(V, 4 * H))
    operations = float(T * B * product * (2 * runs + 2 * (1 + tracks)) + columns * L * gates * H * 2 * H)
    elements = T * B * L * H * gates
    seconds = 0.02 + T * L * ((2e-5 + 4e-6 * gates) * runs + (1e-5 + 2e-6 * gates) * (1 + runs)) + operations / 1e10
    seconds += elements * 1e-9 * (10 * runs + 4 * (1 + tracks)) + columns * L * gates * H * 6e-9
    if certify:
        checked = elements * 2 * (1 + min(tracks, max(1, MOST_ELEMENTS // elements)))
        operations += 8.0 * H * checked
        seconds += T * L * 1.8e-4 * runs + checked * (50 + 0.4 * H) * 1e-9
        seconds += T * L * 9e-5 if tracks > 1 else 0.0
    held = 2 * MEMORY + 8 * (20 * T + 3 * T * B + 12 * weights + tracks * B * L * H * parts * 8)
    return Estimate(int(held), operations, seconds)


def estimate_closeup(config: Config, kept: bool) -> Estimate:
    """Returns the cost of a close-up, where the reference is `kept` or must be made first."""
    T, B, H, L = config.steps, config.batch, config.hidden, config.layers
    whole = estimate_long(config, certify=False)
    windows = min(config.k, T) if config.style in ("window", "sliding") else config.k1 if config.style == "k1k2" else 0
    share = min(1.0, (3000 + windows) / T)
    own = 0.1 + share * whole.seconds + 500 * L * H * B * 2e-6
    return whole if not kept else Estimate(whole.bytes, share * whole.operations, own)


def check_long(config: Config, certify: bool) -> Estimate:
    """Returns the estimate, or raises InputError that says by how much it is too big."""
    cost = estimate_long(config, certify)
    sizes = f"T = {config.steps}, B = {config.batch}, H = {config.hidden}, layers = {config.layers}"
    if cost.seconds > MOST_SECONDS:
        raise InputError(Problem(
            "steps", sizes, f"would take about {cost.seconds:,.0f} s, the limit is {MOST_SECONDS:.0f} s",
            f"Make it at least {cost.seconds / MOST_SECONDS:.1f} times smaller: fewer steps, batch rows or units, or a "
            "style whose backward passes overlap less."))
    if cost.bytes > MOST_BYTES:
        raise InputError(Problem(
            "steps", sizes, f"needs {cost.bytes / 2**20:,.0f} MiB, the limit is {MOST_BYTES / 2**20:,.0f} MiB",
            "Use fewer units, batch rows or overlapping passes."))
    return cost
