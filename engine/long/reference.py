"""One long sequence, gone through once: its totals, its numbers of every step, and the borders that are kept."""

from __future__ import annotations

from dataclasses import dataclass

from engine.arrays import Ints, quiet_single_thread
from engine.config import Config
from engine.cost import overlap
from engine.experiment import Setting, settle
from engine.given import Given
from engine.long.banded import Banded
from engine.long.forward import Forward, runs_of
from engine.long.memory import MEMORY, budget_of
from engine.long.passes import Ahead, Borders, ahead, back, full_sweep, plan_sweep
from engine.long.reach import reach_of
from engine.long.sweep import LongSweep, PerStep
from engine.long.view import BandedCredit


@dataclass(frozen=True)
class Side:
    """One gradient, truncated or full: the run that it is taken along, its sweep, its norms at every step."""

    run: Forward
    ahead: Ahead
    sweep: LongSweep
    norms: PerStep
    number: int  # its place among the sweeps whose crossings the borders keep

    @property
    def borders(self) -> Borders:
        return self.ahead.borders


@dataclass(frozen=True)
class LongReference:
    """What a close-up is made from, and an overview. `truncated` is `full` where nothing is cut."""

    config: Config
    x: Setting
    tracks: int
    reach: Ints  # (T,)
    truncated: Side
    full: Side
    credit: BandedCredit

    @property
    def same(self) -> bool:
        return self.truncated is self.full


def long_reference(config: Config, given: Given | None = None, memory: int = MEMORY) -> LongReference:
    """Returns a validated config's reference, holding about `memory` bytes beside some numbers of every step."""
    with quiet_single_thread():
        x = settle(config, given)
        carried, was_reset = runs_of(x, config)
        tracks, reach = overlap(config), reach_of(config, carried.draws)
        budget = budget_of(x.network, config.batch, tracks, memory)
        along = ahead(carried, budget)
        resets, banded = config.value == "reset" and bool(reach.any()), Banded(x)
        same = not reach.any() and config.style != "random"
        sweeps = [full_sweep(x)] if same or resets else [full_sweep(x), plan_sweep(x)]
        found = back(carried, along.borders, sweeps, None if resets else banded)
        sides = [Side(carried, along, sweep, norms, i)
                 for i, (sweep, norms) in enumerate(zip(found.sweeps, found.norms, strict=True))]
        if resets:
            other = ahead(was_reset, budget)
            cut = back(was_reset, other.borders, [plan_sweep(x)], banded)
            sides.append(Side(was_reset, other, cut.sweeps[0], cut.norms[0], 0))
        return LongReference(config, x, tracks, reach, sides[-1], sides[0], banded.found())


def loss_total(side: Side) -> float:
    """Returns the sum of a run's losses."""
    return float(side.ahead.losses[side.run.x.counts].sum())
