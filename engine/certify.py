"""The certificate: a displayed gradient against complex-step derivatives of the objective itself.

Along a direction v of one parameter block, f(theta + i eps v) has the imaginary part eps <grad f, v>,
with no difference taken and so no digits lost (Squire & Trapp 1998; Martins et al. 2003): it is
relatively accurate for a derivative of 1e-60 too. Truncation is one line: where the plan multiplies a
gradient by w at an edge, the imaginary part of the carried state is multiplied by w.

The scan below is its own, apart from `unroll` and `backprop`; it shares only the cells' forward step.
At each step the real parts are put back onto the tape's trajectory, because in a chaotic network two
evaluations of the same forward pass drift apart by rounding alone; how far one step would have
strayed from the tape is measured, and is part of the verdict.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from engine.arrays import Array, Params, norm
from engine.backprop import Gradients, backprop
from engine.cells import LayerTape
from engine.network import Network, layer_params, losses
from engine.symbols import columns_of
from engine.traces import BlockCheck, Certificate
from engine.truncation import Plan
from engine.unroll import Data, Tape

TOLERANCE = 1e-10
STRAY = 1e-11
SMALLEST = 1e-280  # derivatives below are compared on this scale: they have no digits left to compare
MOST_ELEMENTS = 40_000_000  # complex pre-activations computed for one certificate
MOST_BYTES = 64_000_000  # of perturbed weights held at once
INITIAL = "initial state"


def certificate(network: Network, params: Params, data: Data, tape: Tape, plan: Plan,
                gradients: Gradients, rng: np.random.Generator) -> Certificate:
    """Returns the outcome of checking every parameter block's gradient, and the initial state's.

    Where passes overlap so much that checking all would be too long, some tracks of the plan are
    drawn, and the gradient of their losses is checked; the certificate says of how many."""
    plan_checked = _affordable(network, plan, data, rng)
    if plan_checked is not plan:
        gradients = backprop(network, params, tape, plan_checked)
    blocks = {**gradients.blocks, INITIAL: np.stack(gradients.initial)}
    directions = {name: direction(rng, block.shape) for name, block in blocks.items()}
    analytic = np.array([float((blocks[name] * v).sum()) for name, v in directions.items()])
    counted = int((data.counts & (plan_checked.inject.sum(axis=1) > 0)).sum())
    if not np.isfinite(analytic).all():
        return _verdict(plan, directions, analytic, analytic * np.nan, 0.0, counted, int(data.counts.sum()))
    found, stray = _complex_step(network, params, data, tape, plan_checked, directions, analytic)
    return _verdict(plan, directions, analytic, found, stray, counted, int(data.counts.sum()))


def direction(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    """Returns a random direction of length 1."""
    v = rng.standard_normal(shape)
    return np.asarray(v / max(float(norm(v.ravel(), 0)), 1e-300))


def _affordable(network: Network, plan: Plan, data: Data, rng: np.random.Generator) -> Plan:
    """Returns the plan, or the plan of as many of its tracks as can be checked."""
    T, B = len(data.counts), data.xs.shape[-1]
    each = T * B * network.layers * network.cell.gates * network.hidden * (len(network.shapes()) + 1)
    tracks = max(1, MOST_ELEMENTS // each)
    if tracks >= plan.tracks:
        return plan
    chosen = np.sort(rng.choice(plan.tracks, tracks, replace=False))
    return replace(plan, inject=plan.inject[:, chosen], edge=plan.edge[:, chosen])


def _complex_step(network: Network, params: Params, data: Data, tape: Tape, plan: Plan,
                  directions: dict[str, Array], analytic: Array) -> tuple[Array, float]:
    """Returns the directional derivatives (K,), and the largest relative stray of one step's values."""
    eps = np.clip(1e-100 / np.maximum(np.abs(analytic), 1e-300), 1e-280, 1e-20)
    names, out, strays = list(directions), np.zeros(len(directions)), [0.0]
    chunk = max(1, int(MOST_BYTES // (16 * max(block.size for block in params.values()))))
    for first in range(0, len(names), chunk):
        here = range(first, min(first + chunk, len(names)))
        steps = {names[k]: (k - first, eps[k] * directions[names[k]]) for k in here}
        run = Shadow(network, params, data.initial, plan.tracks, steps)
        out[here] = run.follow(data, tape, plan).sum(axis=1) / eps[here]
        strays.append(run.stray)
    return out, max(strays)


class Shadow:
    """A complex run along the tape: K directions, m tracks, B samples; states (K, S, m*B) per layer.

    `steps` has, per block, the directions' imaginary parts with the first of them: (k, its step) or (k, steps
    of k, k + 1, ...). A tape that comes in parts is followed part by part. `own` (K, m) is 1 where a direction is
    carried on in a track, and 0 where it is not: nothing of it is then left behind a step."""

    def __init__(self, network: Network, params: Params, initial: Sequence[Array], tracks: int,
                 steps: dict[str, tuple[int, Array]], K: int | None = None, own: Array | None = None) -> None:
        self.network, self.tracks, self.own = network, tracks, own
        self.K, self.stray = len(steps) if K is None else K, 0.0
        self.params = {name: self._perturbed(block, steps.get(name)) for name, block in params.items()}
        self.layers = [layer_params(self.params, layer) for layer in range(network.layers)]
        start = self._perturbed(np.stack(initial), steps.get(INITIAL))
        self.initial = [self._tile(start[..., layer, :, :]) for layer in range(network.layers)]
        self.states = list(self.initial)

    def _perturbed(self, block: Array, step: tuple[int, Array] | None) -> Array:
        """Returns the block as complex; with a leading axis K where one direction moves it."""
        if step is None:
            return np.asarray(block, complex)
        out: Array = np.repeat(block[None].astype(complex), self.K, axis=0)
        out.imag[step[0] if step[1].ndim == block.ndim else slice(step[0], None)] = step[1]
        return out

    def _tile(self, x: Array) -> Array:
        """(..., F, B) -> (K, F, m*B) complex."""
        m = self.tracks
        shape = (self.K, x.shape[-2], m, x.shape[-1])
        tiled: Array = np.array(np.broadcast_to(x[..., None, :], shape), complex)
        return tiled.reshape(*shape[:2], -1)

    def follow(self, data: Data, tape: Tape, plan: Plan) -> Array:
        """Returns the imaginary part of the objective for each direction and track, (K, m), of the losses of this
        tape, which begins where the last one ended."""
        total, xs = np.zeros((self.K, self.tracks)), columns_of(data.xs, self.network.inputs)
        for t in range(plan.steps):
            x = xs[t]
            x = np.swapaxes(self.params["E"], -1, -2) @ x if "E" in self.params else x
            below = self._tile(x)
            for layer, kept in enumerate(tape.layers):
                self.states[layer] = self._step(t, layer, kept, plan, below)
                below = self.states[layer][:, : self.network.hidden]
            if data.counts[t]:
                total += self._loss(data.targets[t], plan.inject[t], below)
        return np.asarray(total / data.xs.shape[-1])

    def _step(self, t: int, layer: int, kept: LayerTape, plan: Plan, below: Array) -> Array:
        """One layer, one step, from the tape's own state; the plan's weight on the edge that is crossed."""
        cell, w, state = self.network.cell, self.layers[layer], self.states[layer]
        K, S, N = state.shape
        entering = np.empty((K, S, self.tracks, N // self.tracks), complex)
        entering.real = kept.entering[t][:, None]
        source = self.initial[layer] if plan.reset[t] else state
        weight = 1.0 if plan.reset[t] else plan.edge[t][:, None]
        entering.imag = source.imag.reshape(entering.shape) * weight
        if self.own is not None:
            entering.imag *= self.own[:, None, :, None]
        pre = w["W_ih"] @ below + w["b"][..., None]
        pre = np.array(np.broadcast_to(pre, (K, *pre.shape[-2:])))
        act, extra, out = np.empty_like(pre), np.empty((K, kept.extra.shape[1], N), complex), np.empty_like(state)
        cell.forward(w, entering.reshape(state.shape), pre, act, extra, out)
        truth = np.broadcast_to(kept.states[t][:, None], entering.shape[1:]).reshape(S, N)
        self.stray = max(self.stray, float(np.abs(out.real - truth).max()) / max(1.0, float(np.abs(truth).max())))
        out.real = truth
        return out

    def _loss(self, target: Array, inject: Array, h: Array) -> Array:
        """Returns the imaginary part of the batch's summed loss at a step, (K, m), by the tracks that take it."""
        K, H, _ = h.shape
        tracks, out = np.flatnonzero(inject), np.zeros((K, self.tracks))
        if not tracks.size:
            return out
        h = h.reshape(K, H, self.tracks, -1)[:, :, tracks].reshape(K, H, -1)
        ys = self.params["W_hy"] @ h + self.params["b_y"][..., None]
        targets = np.tile(target, len(tracks))
        targets = np.broadcast_to(targets, (K, *targets.shape))
        values = losses(self.network, np.broadcast_to(ys, (K, *ys.shape[-2:])), targets).reshape(K, len(tracks), -1)
        out[:, tracks] = values.imag.sum(axis=2) * inject[tracks]
        return out


def _verdict(plan: Plan, directions: dict[str, Array], analytic: Array, found: Array, stray: float,
             counted: int, all_losses: int) -> Certificate:
    size = np.maximum(np.abs(analytic), np.abs(found))  # NaN where either is NaN
    errors = np.abs(analytic - found) / np.maximum(size, SMALLEST)
    worst = float(errors.max())
    status = "passed" if worst <= TOLERANCE and stray <= STRAY else "failed"
    if not np.isfinite(worst):
        status = "nonfinite"
    blocks = tuple(BlockCheck(name, float(a), float(f), float(e))
                   for name, a, f, e in zip(directions, analytic, found, errors, strict=True))
    return Certificate(plan.title, status, worst, TOLERANCE, blocks, counted, all_losses,
                       _note(status, counted, all_losses, stray))


def _note(status: str, counted: int, all_losses: int, stray: float) -> str:
    if status == "nonfinite":
        return "The gradient is not finite, so there is nothing to check it against."
    cover = "all losses" if counted == all_losses else f"{counted} of the {all_losses} losses, drawn at random"
    text = (f"One random direction per parameter block, complex step, {cover}; "
            f"one step's values agree with the tape to {stray:.0e}.")
    return text if stray <= STRAY else text + " That is too far: the forward pass itself does not hold."
