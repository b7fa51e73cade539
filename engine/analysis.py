"""One config in, one Analysis out: what the page and the API show."""

from __future__ import annotations

from dataclasses import asdict

import numpy as np
from numpy.typing import NDArray

from engine import words
from engine.arrays import Array, norm, quiet_single_thread
from engine.backprop import Gradients, backprop, contributions
from engine.carryover import carry_over
from engine.certify import certificate
from engine.compare import costs
from engine.config import Config, validate
from engine.cost import CREDIT_ROWS, check_affordable
from engine.credit import credit
from engine.experiment import Experiment, prepare
from engine.given import Given
from engine.network import Network
from engine.traces import (
    Analysis,
    Certificate,
    Credit,
    Floats,
    GradientNorms,
    LossView,
    Nonfinite,
    PlanView,
    Sequence,
    StateNorms,
)
from engine.truncation import Plan, dead_edges, full_plan, plan_of, reach, taper
from engine.unroll import Tape, unroll

INCLUDES = ("credit", "gradients", "weights", "states", "inputs")
SUBNORMAL = float(np.finfo(np.float32).tiny)


def analyze(config: Config, given: Given | None = None, include: frozenset[str] = frozenset({"credit"}),
            certify: bool = True) -> Analysis:
    """Returns the analysis of a config, or of the caller's own weights and data under it.

    Pure and deterministic. `include` adds parts (see INCLUDES); without `certify` the certificates are
    None. Raises InputError for whatever does not fit, before anything is computed."""
    config = validate(config)
    check_affordable(config, include, certify)
    with quiet_single_thread():
        return _Run(config, given).analysis(include, certify)


def certify(config: Config, given: Given | None = None) -> tuple[Certificate, Certificate]:
    """Returns the certificates of the truncated and of the full gradient, without the rest."""
    config = validate(config)
    check_affordable(config, (), True)
    with quiet_single_thread():
        return _Run(config, given).certificates()


class _Run:
    """The passes of one analysis: carried and reset forward, truncated and full backward."""

    def __init__(self, config: Config, given: Given | None) -> None:
        self.config, self.x = config, prepare(config, given)
        self.plan, self.reference = plan_of(config), full_plan(config.steps)
        no_reset, windows = self.reference.reset, np.zeros(config.steps, bool)
        windows[self.plan.starts[1:]] = True
        self.carried = unroll(self.x.network, self.x.params, self.x.data, no_reset)
        again = len(self.plan.starts) > 1
        self.was_reset = unroll(self.x.network, self.x.params, self.x.data, windows) if again else self.carried
        self.tape = self.was_reset if self.plan.reset.any() else self.carried
        self.truncated = self._backprop(self.tape, self.plan)
        same = self.tape is self.carried and np.array_equal(self.plan.edge, self.reference.edge)
        self.full = self.truncated if same else self._backprop(self.carried, self.reference)

    def _backprop(self, tape: Tape, plan: Plan) -> Gradients:
        return backprop(self.x.network, self.x.params, tape, plan)

    def certificates(self) -> tuple[Certificate, Certificate]:
        x = self.x
        parts = (x.network, x.params, x.data)
        truncated = certificate(*parts, self.tape, self.plan, self.truncated, x.directions)
        if self.full is self.truncated:
            return truncated, truncated
        return truncated, certificate(*parts, self.carried, self.reference, self.full, x.directions)

    def analysis(self, include: frozenset[str], certify: bool) -> Analysis:
        x, T = self.x, self.config.steps
        checks = self.certificates() if certify else (None, None)
        truncated = gradient_norms(x.network, self.truncated)
        full = truncated if self.full is self.truncated else gradient_norms(x.network, self.full)
        found = Analysis(
            config=asdict(self.config),
            parameters=sum(block.size for block in x.params.values()),
            sequence=_sequence(x), plan=_plan_view(self.plan),
            loss=_loss_view(x, self.tape), states=_state_norms(x.network, self.tape),
            truncated=truncated, full=full, costs=costs(self.truncated.blocks, self.full.blocks),
            carry_over=carry_over(x.network, x.data, self.plan.starts, self.carried, self.was_reset),
            credit=self._credit(np.flatnonzero(x.data.counts)) if "credit" in include else None,
            certificate=checks[0], certificate_full=checks[1],
            nonfinite=_nonfinite(full if not np.isfinite(full.h).all() else truncated, T),
            words=words.EMPTY,
            gradients=dict(self.truncated.blocks) if "gradients" in include else None,
            gradients_full=dict(self.full.blocks) if "gradients" in include else None,
            weights=dict(x.params) if "weights" in include else None,
            arrays=self._arrays(include))
        return words.with_words(found)

    def _credit(self, loss_steps: NDArray[np.int64]) -> Credit:
        rows = np.unique(np.linspace(0, len(loss_steps) - 1, min(len(loss_steps), CREDIT_ROWS)).round().astype(int))
        h, c = credit(self.x.network, self.x.params, self.tape, self.plan.reset, loss_steps[rows])
        return Credit(loss_steps[rows], h, c, len(rows) == len(loss_steps))

    def _arrays(self, include: frozenset[str]) -> dict[str, Floats] | None:
        H, out = self.x.network.hidden, {}
        if "states" in include:
            for layer, kept in enumerate(self.tape.layers):
                out[f"l{layer}.h"] = np.swapaxes(kept.states[:, :H], 1, 2)
                if self.x.network.cell.parts == 2:
                    out[f"l{layer}.c"] = np.swapaxes(kept.states[:, H:], 1, 2)
        if "inputs" in include:
            out["inputs"] = np.asarray(self.x.batch.inputs, float)
            out["targets"] = np.asarray(self.x.batch.targets, float)
        return out or None


def _part_norms(network: Network, states: tuple[Array, ...], part: int) -> tuple[Array, Array]:
    """Returns the norms of h (part 0) or c (part 1): all layers together (T,), and by layer (L, T)."""
    rows = slice(part * network.hidden, (part + 1) * network.hidden)
    by_sample = np.stack([norm(layer[:, rows], 1) for layer in states])
    return np.hypot.reduce(by_sample, axis=0).mean(axis=1), by_sample.mean(axis=2)


def gradient_norms(network: Network, found: Gradients) -> GradientNorms:
    """Returns the norms of what one sweep found."""
    h, h_by_layer = _part_norms(network, found.states, 0)
    c, c_by_layer = _part_norms(network, found.states, 1) if network.cell.parts == 2 else (None, None)
    blocks = {name: float(norm(block.ravel(), 0)) for name, block in found.blocks.items()}
    return GradientNorms(h, c, h_by_layer, c_by_layer, contributions(found), blocks)


def _state_norms(network: Network, tape: Tape) -> StateNorms:
    states = tuple(kept.states for kept in tape.layers)
    h, h_by_layer = _part_norms(network, states, 0)
    c, c_by_layer = _part_norms(network, states, 1) if network.cell.parts == 2 else (None, None)
    return StateNorms(h, c, h_by_layer, c_by_layer)


def _plan_view(plan: Plan) -> PlanView:
    reaches = reach(plan)
    return PlanView(plan.title, plan.starts, dead_edges(reaches), plan.reset, reaches, taper(reaches))


def _loss_view(x: Experiment, tape: Tape) -> LossView:
    per_step = np.where(x.data.counts, tape.losses.mean(axis=1), np.nan)
    total = float(np.nansum(per_step))
    return LossView(per_step, total, total / int(x.data.counts.sum()),
                    "nats" if x.network.classify else "squared error")


def _sequence(x: Experiment) -> Sequence:
    batch, counts = x.batch, x.data.counts
    targets = _labels(batch.targets[:, 0], batch.classes)
    shown = tuple(label if there else "" for label, there in zip(targets, counts, strict=True))
    return Sequence(_labels(batch.inputs[:, 0], batch.vocabulary), shown, np.flatnonzero(counts),
                    batch.vocabulary, batch.source, batch.sha256)


def _labels(values: Array, symbols: tuple[str, ...]) -> tuple[str, ...]:
    if symbols:
        return tuple(symbols[i] for i in values)
    return tuple(" ".join(f"{v:.2g}" for v in row[:4]) for row in values)


def _nonfinite(found: GradientNorms, T: int) -> Nonfinite:
    """Returns where, going back from the end, the gradient stopped being finite or normal in float32."""
    bad = np.flatnonzero(~np.isfinite(found.h))
    low = np.flatnonzero((found.h > 0) & (found.h < SUBNORMAL))
    step, small = int(bad.max(initial=-1)), int(low.max(initial=-1))
    note = ""
    if step >= 0:
        note = (f"Going back from step {T - 1}, the gradient first exceeds what double precision can hold "
                f"at step {step}; from there on it is infinite or undefined.")
    elif small >= 0:
        note = (f"Going back from step {T - 1}, the gradient falls below float32's smallest normal number "
                f"({SUBNORMAL:.1e}) at step {small}: training in float32 would lose it.")
    return Nonfinite(step, "dL/dh" if step >= 0 else "", small, note)
