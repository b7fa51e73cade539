"""One config in, one Analysis out: what the page and the API show."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np

from engine import words
from engine.arrays import Array, Bools, Floats, quiet_single_thread
from engine.backprop import Gradients, backprop, gathered, swept
from engine.bias import bias_curve
from engine.carryover import carry_over
from engine.certify import certificate
from engine.compare import costs
from engine.config import Config, validate
from engine.cost import check_affordable
from engine.draws import draws
from engine.gates import gates
from engine.given import Given
from engine.network import Network
from engine.norms import gradient_norms, state_norms
from engine.paths import paths
from engine.reference import Reference, alone, credit_of, nearest_row, reference, row_of, shared_part
from engine.spectrum import spectrum
from engine.tasks import Batch
from engine.traces import (
    Analysis,
    Certificate,
    Credit,
    CreditRow,
    GradientNorms,
    LossView,
    Nonfinite,
    PlanView,
    Sequence,
    StateNorms,
)
from engine.truncation import Plan, dead_edges, plan_of, reach, taper, uncut
from engine.unroll import Tape, unroll

INCLUDES = ("credit", "row", "gradients", "weights", "states", "inputs", "bias_curve", "paths", "spectrum", "gates",
            "draws")
DIAGNOSTICS: dict[str, Callable[[Reference], Any]] = {
    "bias_curve": bias_curve, "paths": paths, "spectrum": spectrum, "gates": gates,
}
SUBNORMAL = float(np.finfo(np.float32).tiny)


def analyze(config: Config, given: Given | None = None, include: frozenset[str] = frozenset({"credit"}),
            certify: bool = True, kept: Reference | None = None, loss: int | None = None) -> Analysis:
    """Returns the analysis of a config, or of the caller's own weights and data under it.

    Pure and deterministic. `include` adds parts (see INCLUDES); without `certify` the certificates are
    None. `kept` is an earlier `reference` of the same given and shared part, to save its work. `loss` is the loss
    step whose row of the credit matrix `row` is, or one near it; by default the last. Raises InputError for whatever
    does not fit, before anything is computed."""
    config = validate(config)
    check_affordable(config, include, certify)
    with quiet_single_thread():
        return _Run(config, given, kept, "row" in include, loss).analysis(include, certify)


def credit_matrix(config: Config, given: Given | None = None, kept: Reference | None = None) -> tuple[Credit, str]:
    """Returns the credit matrix and its sentence, without the rest."""
    config = validate(config)
    check_affordable(config, ("credit",), False)
    with quiet_single_thread():
        kept, plan = _reference(config, given, kept), plan_of(config)
        found = _credit(kept, plan, reset_run(kept, plan) if plan.reset.any() else kept.tape)
        return found, words.credit(found, plan.reset)


def certify(config: Config, given: Given | None = None,
            kept: Reference | None = None) -> tuple[Certificate, Certificate]:
    """Returns the certificates of the truncated and of the full gradient, without the rest."""
    config = validate(config)
    check_affordable(config, (), True)
    with quiet_single_thread():
        return _Run(config, given, kept).certificates()


def _reference(config: Config, given: Given | None, kept: Reference | None) -> Reference:
    """Returns the one that was kept, if it is this config's."""
    return kept if kept is not None and kept.config == shared_part(config) else reference(config, given)


def reset_run(kept: Reference, plan: Plan) -> Tape:
    """Returns the run that starts every window of the plan from the initial state."""
    if len(plan.starts) == 1:
        return kept.tape
    reset = np.zeros(plan.steps, bool)
    reset[plan.starts[1:]] = True
    return unroll(kept.x.network, kept.x.params, kept.x.data, reset)


def _credit(kept: Reference, plan: Plan, tape: Tape) -> Credit:
    return credit_of(kept.x, tape, plan) if plan.reset.any() else kept.credit


class _Run:
    """The passes of one analysis beside its reference: reset forward, truncated backward."""

    def __init__(self, config: Config, given: Given | None, kept: Reference | None, row: bool = False,
                 loss: int | None = None) -> None:
        kept = _reference(config, given, kept)
        self.config, self.kept, self.x, self.plan = config, kept, kept.x, plan_of(config)
        self.was_reset = reset_run(kept, self.plan)
        self.tape = self.was_reset if self.plan.reset.any() else kept.tape
        self.same = self.tape is kept.tape and np.array_equal(self.plan.edge, kept.plan.edge)
        at = nearest_row(self.x, loss) if row else None
        self.truncated, self.row = self._carried(at) if self.tape is kept.tape else self._reset(at)

    def _carried(self, at: int | None) -> tuple[Gradients, CreditRow | None]:
        """Goes back along the carried run, for all that is asked of it side by side where the plan has one track."""
        kept, x, plan = self.kept, self.x, self.plan
        found = kept.sweep(plan if plan.tracks == 1 and not self.same else None, at)
        if found is None:
            found = kept.gradients if self.same else backprop(x.network, x.params, kept.tape, plan)
        return found, None if at is None else kept.row(at)

    def _reset(self, at: int | None) -> tuple[Gradients, CreditRow | None]:
        """The same along the plan's own run."""
        x, plan, tape = self.x, self.plan, self.tape
        groups = [[plan]] if at is None else [[plan, alone(uncut(plan), at)]]
        if plan.tracks > 1:
            groups = [[one] for one in groups[0]]
        first, *rest = (found for plans in groups for found in swept(x.network, x.params, tape, plans))
        row = None if at is None else row_of(x, rest[0], at)
        return gathered(x.network, x.params, tape, plan, first), row

    def certificates(self) -> tuple[Certificate, Certificate]:
        full = self.kept.certificate
        if self.same:
            return full, full
        x = self.x
        return certificate(x.network, x.params, x.data, self.tape, self.plan, self.truncated,
                           np.random.default_rng(x.directions)), full

    def analysis(self, include: frozenset[str], certify: bool) -> Analysis:
        x, kept = self.x, self.kept
        checks = self.certificates() if certify else (None, None)
        full = kept.norms  # before the other, which takes over what they have in common
        truncated = full if self.same else gradient_norms(x.network, self.truncated)
        loss, states = loss_view(x.network, x.data.counts, self.tape), state_norms(x.network, self.tape)
        return words.with_words(Analysis(
            config=dict(vars(self.config)),
            parameters=sum(block.size for block in x.params.values()),
            sequence=sequence_of(x.batch, x.data.counts), plan=_plan_view(self.plan),
            loss=loss, states=states,
            truncated=truncated, full=full, costs=costs(self.truncated.blocks, kept.gradients.blocks),
            carry_over=carry_over(x.network, x.data, self.plan.starts, kept.tape, self.was_reset),
            credit=_credit(kept, self.plan, self.tape) if "credit" in include else None,
            certificate=checks[0], certificate_full=checks[1],
            nonfinite=nonfinite(truncated if np.isfinite(full.h).all() else full, states,
                                self.tape.losses.mean(axis=1)),
            words=words.EMPTY,
            gradients=dict(self.truncated.blocks) if "gradients" in include else None,
            gradients_full=dict(kept.gradients.blocks) if "gradients" in include else None,
            weights=dict(x.params) if "weights" in include else None,
            arrays=self._arrays(include), row=self.row, **self._diagnostics(include)))

    def _diagnostics(self, include: frozenset[str]) -> dict[str, Any]:
        """Returns the deeper diagnostics that were asked for, by field; they are about the reference."""
        asked = {name: find for name, find in DIAGNOSTICS.items() if name in include}
        found: dict[str, Any] = {name: find(self.kept) for name, find in asked.items()}
        if "draws" in include and self.config.style == "random":
            found["draws"] = draws(self.kept, self.config)
        return found

    def _arrays(self, include: frozenset[str]) -> dict[str, Floats] | None:
        H, out = self.x.network.hidden, {}
        if "states" in include:
            for layer, tape in enumerate(self.tape.layers):
                out[f"l{layer}.h"] = np.swapaxes(tape.states[:, :H], 1, 2)
                if self.x.network.cell.parts == 2:
                    out[f"l{layer}.c"] = np.swapaxes(tape.states[:, H:], 1, 2)
        if "inputs" in include:
            out["inputs"] = np.asarray(self.x.batch.inputs, float)
            out["targets"] = np.asarray(self.x.batch.targets, float)
        return out or None


def _plan_view(plan: Plan) -> PlanView:
    reaches = reach(plan)
    return PlanView(plan.title, plan.starts, dead_edges(reaches), plan.reset, reaches, taper(reaches))


def loss_view(network: Network, counts: Bools, tape: Tape) -> LossView:
    """Returns the losses along a tape; the mean of none is NaN."""
    per_step = np.where(counts, tape.losses.mean(axis=1), np.nan)
    total, read = float(per_step[counts].sum()), int(counts.sum())
    return LossView(per_step, total, total / read if read else np.nan, unit_of(network))


def unit_of(network: Network) -> str:
    """Returns the unit of the losses."""
    return "nats" if network.classify else "squared error"


def sequence_of(batch: Batch, counts: Bools) -> Sequence:
    """Returns what the first sample reads and predicts."""
    targets = _labels(batch.targets[:, 0], batch.classes)
    shown = tuple(label if there else "" for label, there in zip(targets, counts, strict=True))
    return Sequence(_labels(batch.inputs[:, 0], batch.vocabulary), shown, np.flatnonzero(counts),
                    batch.vocabulary, batch.source, batch.sha256)


def _labels(values: Array, symbols: tuple[str, ...]) -> tuple[str, ...]:
    if symbols:
        shown = _all_visible(symbols)
        return tuple(shown[i] for i in values.tolist())
    return tuple(" ".join(f"{v:.2g}" for v in row[:4]) for row in values)


@lru_cache(maxsize=4)
def _all_visible(symbols: tuple[str, ...]) -> tuple[str, ...]:
    """Looked at once, while somebody moves a slider."""
    return tuple(_visible(symbol) for symbol in symbols)


def _visible(symbol: str) -> str:
    """Returns the symbol, or its code point where it is invisible and would turn or join what stands around it."""
    hidden = len(symbol) == 1 and symbol not in "\n\t\r" and unicodedata.category(symbol)[0] == "C"
    return f"U+{ord(symbol):04X}" if hidden else symbol


def nonfinite(found: GradientNorms, states: StateNorms, losses: Array) -> Nonfinite:
    """Returns where a number first was not finite: going forward, a state or a loss; else, going back
    from the end, the gradient. Else where the gradient stopped being normal in float32."""
    low = np.flatnonzero((found.h > 0) & (found.h < SUBNORMAL))
    small, last = int(low.max(initial=-1)), len(found.h) - 1
    whole_state = states.h if states.c is None else states.h + states.c
    for quantity, values in (("state", whole_state), ("loss", losses)):
        bad = np.flatnonzero(~np.isfinite(values))
        if len(bad):
            return Nonfinite(int(bad[0]), quantity, small, f"Going forward, the {quantity} first is not a finite "
                             f"number at step {bad[0]}; whatever rests on it is infinite or undefined.")
    bad = np.flatnonzero(~np.isfinite(found.h))
    if len(bad):
        return Nonfinite(int(bad[-1]), "dL/dh", small, f"Going back from step {last}, the gradient first exceeds what "
                         f"double precision can hold at step {bad[-1]}; from there on it is infinite or undefined.")
    note = (f"Going back from step {last}, the gradient falls below float32's smallest normal number "
            f"({SUBNORMAL:.1e}) at step {small}: training in float32 would lose it.") if small >= 0 else ""
    return Nonfinite(-1, "", small, note)
