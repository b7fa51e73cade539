"""The half of an analysis that does not depend on the plan: the carried run under full BPTT.

Every truncation is held against it. While somebody moves k, it stays the same, so a caller may keep
it and hand it back to `analyze`.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from engine.arrays import Ints, quiet_single_thread
from engine.backprop import Gradients, Swept, gathered, swept
from engine.certify import TOLERANCE, certificate
from engine.config import Config, canonical
from engine.credit import credit
from engine.experiment import Experiment, prepare
from engine.given import Given
from engine.norms import gradient_norms, norms_of
from engine.rtrl import witness
from engine.traces import Certificate, Credit, CreditRow, GradientNorms
from engine.truncation import Plan, full_plan
from engine.unroll import Tape, unroll

CREDIT_ROWS = 256  # loss steps that get a row of the credit matrix; more are sampled evenly


@dataclass(frozen=True)
class Reference:
    """The experiment, its carried tape, and what full BPTT finds along it."""

    config: Config
    x: Experiment
    plan: Plan
    _whole: list[Gradients] = field(default_factory=list)  # what full BPTT finds, once it is known
    _rows: dict[int, CreditRow] = field(default_factory=dict)  # of the credit matrix, by loss step

    @cached_property
    def tape(self) -> Tape:
        """The carried run; a credit matrix along a run that is reset does without."""
        with quiet_single_thread():
            return unroll(self.x.network, self.x.params, self.x.data, self.plan.reset)

    @property
    def gradients(self) -> Gradients:
        if not self._whole:
            self.sweep()
        return self._whole[0]

    def row(self, loss: int) -> CreditRow:
        """Returns the row of the credit matrix of a loss step."""
        if loss not in self._rows:
            self.sweep(loss=loss)
        return self._rows[loss]

    def sweep(self, plan: Plan | None = None, loss: int | None = None) -> Gradients | None:
        """Goes back along the carried tape for full BPTT, for a loss alone and for a plan of one track, side by side;
        what is known already is left out. Returns the plan's gradients."""
        x, asked = self.x, dict[str, Plan]()
        if not self._whole:
            asked["full"] = self.plan
        if loss is not None and loss not in self._rows:
            asked["row"] = alone(self.plan, loss)
        if plan is not None:
            asked["plan"] = plan
        plans = list(asked.values())
        found = dict(zip(asked, swept(x.network, x.params, self.tape, plans) if plans else (), strict=True))
        if "full" in found:
            self._whole.append(gathered(x.network, x.params, self.tape, self.plan, found["full"]))
        if loss is not None and "row" in found:
            self._rows[loss] = row_of(x, found["row"], loss)
        if plan is None:
            return None
        return gathered(x.network, x.params, self.tape, plan, found["plan"], self.gradients)

    @cached_property
    def norms(self) -> GradientNorms:
        return gradient_norms(self.x.network, self.gradients)

    @cached_property
    def credit(self) -> Credit:
        return credit_of(self.x, self.tape, self.plan)

    @cached_property
    def certificate(self) -> Certificate:
        found = certificate(self.x.network, self.x.params, self.x.data, self.tape, self.plan, self.gradients,
                            np.random.default_rng(self.x.directions))
        second = witness(self.x, self.tape, self.gradients)
        strays = second is not None and found.status == "passed" and not second.relative_error <= TOLERANCE
        return replace(found, witness=second, status="failed" if strays else found.status)


def shared_part(config: Config) -> Config:
    """Returns the config without its plan: configs with the same shared part have the same reference."""
    return canonical(replace(config, style="full"))


def reference(config: Config, given: Given | None = None) -> Reference:
    """Returns the reference of a validated config; the run, and what full BPTT finds, are computed when first asked
    for."""
    with quiet_single_thread():
        return Reference(shared_part(config), prepare(config, given), full_plan(config.steps))


def alone(whole: Plan, loss: int) -> Plan:
    """Returns the plan in which one loss counts alone, and goes back as far as `whole` lets it."""
    inject = np.zeros_like(whole.inject)
    inject[loss] = 1.0
    return replace(whole, inject=inject)


def row_of(x: Experiment, found: Swept, loss: int) -> CreditRow:
    """Returns one row of the credit matrix, from the sweep of its loss `alone`."""
    h, c, *_ = norms_of(x.network, tuple(layer[: loss + 1] for layer in found.states))
    later = np.zeros(x.data.counts.size - loss - 1)
    return CreditRow(loss, matrix_rows(x), np.append(h, later), None if c is None else np.append(c, later))


def matrix_rows(x: Experiment) -> Ints:
    """Returns the loss steps that have a row in the credit matrix: all, or CREDIT_ROWS of them."""
    loss_steps = np.flatnonzero(x.data.counts)
    rows = np.linspace(0, len(loss_steps) - 1, min(len(loss_steps), CREDIT_ROWS)).round().astype(int)
    return np.asarray(loss_steps[rows])


def nearest_row(x: Experiment, loss: int | None) -> int:
    """Returns the loss step that has a row in the credit matrix and is the nearest to one; by default the last."""
    rows = matrix_rows(x)
    return int(rows[-1] if loss is None else rows[np.abs(rows - loss).argmin()])


def credit_of(x: Experiment, tape: Tape, plan: Plan) -> Credit:
    """Returns the credit matrix along a tape, with at most CREDIT_ROWS rows."""
    rows = matrix_rows(x)
    h, c = credit(x.network, x.params, tape, plan.reset, rows)
    return Credit(rows, h, c, len(rows) == int(x.data.counts.sum()))
