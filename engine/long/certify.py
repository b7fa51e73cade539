"""The certificate of a long analysis: the complex step, streamed through the same segments.

One direction goes through every block at once, each block's part of it so long that its derivative is 1: an error in
any block then shows in the sum, and the whole costs about a forward pass. Where the state is carried, the full and
the truncated objective are followed together, as two directions in the tracks of one run."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from engine.arrays import Array, Params, quiet_single_thread
from engine.certify import INITIAL, MOST_ELEMENTS, SMALLEST, STRAY, TOLERANCE, Shadow, direction
from engine.long.passes import segments_back
from engine.long.reference import LongReference, Side
from engine.long.sweep import LongSweep, Planner
from engine.traces import BlockCheck, Certificate
from engine.truncation import Plan, title_of

EPS = 1e-100
MOST_SCALE = 1e80  # a block whose derivative is smaller than 1 / MOST_SCALE counts less than the others
ALL = "all blocks together"


def certify_reference(kept: LongReference) -> tuple[Certificate, Certificate]:
    """Returns the certificates of the truncated and of the full gradient."""
    with quiet_single_thread():
        rng = np.random.default_rng(kept.x.directions)
        full = Check("full BPTT", kept.full.sweep, kept.full.sweep.planner, 1, rng)
        if kept.same:
            both = _followed(kept.full, [full])[0]
            return both, both
        truncated = _truncated(kept, rng)
        if kept.truncated.run.reset:
            return _followed(kept.truncated, [truncated])[0], _followed(kept.full, [full])[0]
        first, second = _followed(kept.full, [truncated, full])
        return first, second


class Check:
    """One gradient that is to be certified: its plan's tracks, and the direction in which."""

    def __init__(self, title: str, sweep: LongSweep, planner: Planner, tracks: int,
                 rng: np.random.Generator) -> None:
        self.title, self.planner, self.tracks = title, planner, tracks
        blocks: Params = {**sweep.blocks, INITIAL: np.stack(sweep.initial)}
        self.parts = {name: _part(block, rng) for name, block in blocks.items()}
        self.analytic = sum(float((blocks[name] * v).sum()) for name, v in self.parts.items())


def _part(block: Array, rng: np.random.Generator) -> Array:
    """Returns a random direction of a block, along which its derivative is 1 (if it has any)."""
    v = direction(rng, block.shape)
    along = float((block * v).sum())
    return np.asarray(v * np.clip(1.0 / along, -MOST_SCALE, MOST_SCALE)) if along and np.isfinite(along) else v


def _truncated(kept: LongReference, rng: np.random.Generator) -> Check:
    """Returns the check of the truncated gradient, or of as many tracks' as can be afforded, drawn at random."""
    side, network, title = kept.truncated, kept.x.network, title_of(kept.config)
    each = kept.config.steps * kept.config.batch * network.layers * network.cell.gates * network.hidden
    most = max(1, MOST_ELEMENTS // each)
    if most >= kept.tracks:
        return Check(title, side.sweep, side.sweep.planner, kept.tracks, rng)
    chosen = np.sort(rng.choice(kept.tracks, most, replace=False))

    def some(steps: range, segment: object) -> Plan:
        plan = side.run.plan(steps)
        return replace(plan, inject=plan.inject[:, chosen], edge=plan.edge[:, chosen])

    sweep = LongSweep(kept.x, some)
    for steps, segment in segments_back(side.run, side.borders):
        sweep.back(steps, segment)
    return Check(title, sweep, some, most, rng)


def _followed(side: Side, checks: list[Check]) -> list[Certificate]:
    """Returns the certificates of gradients along one run, each direction in its own tracks; one that is not finite
    is not followed."""
    finite = [check for check in checks if np.isfinite(check.analytic)]
    found = iter(_complex_steps(side, finite) if finite else ())
    return [_verdict(side, check, *(next(found) if check in finite else (np.nan, 0, 0.0))) for check in checks]


def _complex_steps(side: Side, checks: list[Check]) -> list[tuple[float, int, float]]:
    """Returns each check's derivative, how many losses it covers, and the largest stray of one step's values."""
    run, x, K = side.run, side.run.x, len(checks)
    steps = {name: (0, np.stack([EPS * check.parts[name] for check in checks])) for name in checks[0].parts}
    ends = np.cumsum([0, *(check.tracks for check in checks)])
    own = np.repeat(np.eye(K), [check.tracks for check in checks], axis=1)
    shadow = Shadow(x.network, x.params, x.initial, int(ends[-1]), steps, K, own)
    total, counted, states = np.zeros((K, ends[-1])), np.zeros(K, int), x.initial
    for span in side.borders.spans:
        segment, states = run.run(span, states)
        plans = [check.planner(span, segment) for check in checks]
        joined = replace(segment.plan, reset=segment.reset, inject=np.hstack([plan.inject for plan in plans]),
                         edge=np.hstack([plan.edge for plan in plans]))
        total += shadow.follow(segment.data, segment.tape, joined)
        counted += [int((segment.data.counts & plan.inject.any(axis=1)).sum()) for plan in plans]
    found = [float(total[k, ends[k] : ends[k + 1]].sum()) / EPS for k in range(K)]
    return [(value, losses, shadow.stray) for value, losses in zip(found, counted.tolist(), strict=True)]


def _verdict(side: Side, check: Check, found: float, counted: int, stray: float) -> Certificate:
    """Returns the verdict. The error is relative to one block's part, as if all of it were that block's."""
    error = abs(found - check.analytic) / min(1.0, max(abs(found), abs(check.analytic), SMALLEST))
    status = "nonfinite" if not np.isfinite(error) else "passed" if error <= TOLERANCE and stray <= STRAY else "failed"
    losses = int(side.run.x.counts.sum())
    cover = "all losses" if counted == losses else f"{counted:,} of the {losses:,} losses, drawn at random"
    note = (f"One random direction through all {len(check.parts)} blocks, of which each counts alike; complex step, "
            f"{cover}; one step's values agree with the tape to {stray:.0e}.")
    if status == "nonfinite":
        note = "The gradient is not finite, so there is nothing to check it against."
    row = BlockCheck(ALL, check.analytic, found, error)
    return Certificate(check.title, status, error, TOLERANCE, (row,), counted, losses, note)
