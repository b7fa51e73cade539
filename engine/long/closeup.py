"""Everything that an analysis shows, for a few hundred steps of a long sequence.

The state before them comes from the last border before, the gradient behind them from the first border after;
what lies between is run again. The steps themselves are then an ordinary tape and an ordinary sweep."""

from __future__ import annotations

from dataclasses import asdict, replace

import numpy as np

from engine.analysis import loss_view, sequence_of
from engine.arrays import Array, norm, quiet_single_thread
from engine.carryover import carry_over
from engine.compare import costs
from engine.config import Config
from engine.credit import credit
from engine.errors import refuse
from engine.long import words
from engine.long.again import States, backwards
from engine.long.forward import Forward, Segment, spans_of
from engine.long.reach import window_start, windows_of
from engine.long.reference import LongReference, Side
from engine.long.sweep import LongSweep
from engine.long.view import CloseUp
from engine.norms import gradient_norms, state_norms
from engine.reference import CREDIT_ROWS
from engine.traces import Analysis, Credit, GradientNorms, Nonfinite, PlanView
from engine.truncation import dead_edges, taper

MOST_STEPS = 500


def check_range(config: Config, steps: range) -> None:
    """Raises InputError for steps that are not in the sequence, none, or too many."""
    value, T = f"{steps.start} to {steps.stop}", config.steps
    if not 0 <= steps.start < steps.stop <= T:
        raise refuse("from", value, f"must be 0 <= from < to <= steps = {T}", "Give steps of the sequence.")
    if steps.stop - steps.start > MOST_STEPS:
        raise refuse("to", value, f"must be at most {MOST_STEPS} steps", f"Set `to` to at most from + {MOST_STEPS}.")


def close_up(kept: LongReference, steps: range) -> CloseUp:
    """Returns the close-up of some steps. Raises InputError as `check_range` does."""
    check_range(kept.config, steps)
    with quiet_single_thread():
        return CloseUp(steps.start, kept.config.steps, _analysis(kept, steps))


def _analysis(kept: LongReference, steps: range) -> Analysis:
    x, here = kept.x, slice(steps.start, steps.stop)
    full, whole = _side(kept.full, steps)
    own, part = (full, whole) if kept.same else _side(kept.truncated, steps)
    batch = replace(x.batch, inputs=x.batch.inputs[here], targets=x.batch.targets[here])
    starts = np.concatenate(([0], own.plan.starts[own.plan.starts > 0]))
    states = state_norms(x.network, own.tape)
    found = Analysis(
        config=asdict(kept.config), parameters=sum(block.size for block in x.params.values()),
        sequence=sequence_of(batch, own.data.counts), plan=_plan(kept, own, starts, steps),
        loss=loss_view(x.network, own.data.counts, own.tape), states=states,
        truncated=part, full=whole, costs=costs(kept.truncated.sweep.blocks, kept.full.sweep.blocks),
        carry_over=carry_over(x.network, own.data, starts, full.tape, _reset(kept, full, steps).tape),
        credit=_credit(kept, own), certificate=None, certificate_full=None,
        nonfinite=_nonfinite(states.h, part.h, whole.h, steps.start),
        words=words.EMPTY, gradients=None, gradients_full=None, weights=None, arrays=None)
    return replace(found, words=words.of_closeup(found, steps.start))


def _side(side: Side, steps: range) -> tuple[Segment, GradientNorms]:
    """Returns the steps of one run, and the gradient's norms there; the blocks' are those of the whole sequence."""
    segment, states = side.run.run(steps, _states_before(side, steps.start))
    sweep = LongSweep(side.run.x, side.sweep.planner, _crossing(side, steps.stop, states))
    norms = gradient_norms(side.run.x.network, sweep.back(steps, segment))
    return segment, replace(norms, blocks=block_norms(side))


def block_norms(side: Side) -> dict[str, float]:
    """Returns the norm of each block's whole gradient."""
    return {name: float(norm(block.ravel(), 0)) for name, block in side.sweep.blocks.items()}


def _states_before(side: Side, step: int) -> States:
    """Returns the states before a step, from the last border before it."""
    number = side.borders.before(step)
    return _onwards(side.run, range(number * side.borders.budget.segment, step), side.borders.states[number],
                    side.borders.budget.segment)


def _onwards(run: Forward, steps: range, states: States, length: int) -> States:
    for piece in spans_of(steps, length):
        states = run.run(piece, states)[1]
    return states


def _crossing(side: Side, step: int, states: States) -> States | None:
    """Returns what later losses send over the edge from a step to the one before it; `states` are those before
    the step."""
    borders, T = side.borders, side.run.config.steps
    number = borders.after(step)
    border = min(T, number * borders.budget.segment)
    after = borders.crossing[number][side.number] if border < T else None
    sweep = LongSweep(side.run.x, side.sweep.planner, after)
    if step < border:
        pieces = spans_of(range(step, border), borders.budget.segment)
        for piece, segment in backwards(side.run.run, pieces, states, borders.budget.borders):
            sweep.back(piece, segment)
    return sweep.after


def _reset(kept: LongReference, carried: Segment, steps: range) -> Segment:
    """Returns the steps of the run that starts every window from the initial state."""
    config, run = kept.config, kept.full.run
    if windows_of(config, run.draws) == 1:
        return carried
    other = Forward(run.x, config, run.draws, True)
    begun = range(window_start(config, run.draws, steps.start), steps.start)
    return other.run(steps, _onwards(other, begun, kept.x.initial, kept.full.borders.budget.segment))[0]


def _plan(kept: LongReference, own: Segment, starts: Array, steps: range) -> PlanView:
    here = slice(steps.start, steps.stop)
    return PlanView(own.plan.title, starts, dead_edges(kept.reach)[here], own.plan.reset,
                    kept.reach[here] - steps.start, taper(kept.reach)[: steps.stop - steps.start])


def _credit(kept: LongReference, own: Segment) -> Credit:
    """Returns the credit of the losses of these steps, over these steps."""
    losses = np.flatnonzero(own.data.counts)
    rows = np.linspace(0, len(losses) - 1, min(len(losses), CREDIT_ROWS)).round().astype(int)
    h, c = credit(kept.x.network, kept.x.params, own.tape, own.reset, losses[rows])
    return Credit(losses[rows], h, c, len(rows) == len(losses))


def _nonfinite(states: Array, truncated: Array, full: Array, first: int) -> Nonfinite:
    for quantity, values in (("state", states), ("gradient under the truncation", truncated), ("gradient", full)):
        bad = np.flatnonzero(~np.isfinite(values))
        if len(bad):
            return Nonfinite(int(bad[0]), quantity, -1, f"The {quantity} is not a finite number at {len(bad)} of these "
                             f"steps, the first of which is step {first + bad[0]}.")
    return Nonfinite(-1, "", -1, "")
